/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a Redis address apart. */
#include "lib/redis/address.h"

#include <errno.h>

#include "runbook/redis.h"
#include "runbook/text.h"

#define DEFAULT_PORT "6379"
#define TLS_SCHEME "rediss://"

void redis_address_release(struct redis_address *address)
{
        free(address->host);
        free(address->port);
        free(address->path);
        *address = (struct redis_address){0};
}

static int refuse_address(const char *string, const char *why, struct error *error)
{
        return error_set(error, EINVAL,
                         "\"%s\" is not a Redis address (%s): host:port, [IPv6]:port, either with rediss:// "
                         "before it, or /path/of/socket",
                         string, why);
}

static bool port_is_good(const char *port)
{
        size_t digits = strspn(port, "0123456789");
        if (digits == 0 || digits > 5 || port[digits])
                return false;
        long number = strtol(port, NULL, 10);
        return number >= 1 && number <= 65535;
}

int redis_address_parse(const char *string, struct redis_address *ret, struct error *error)
{
        if (!string || !*string)
                return refuse_address("", "it is empty", error);
        const char *place = string_starts(string, TLS_SCHEME) ? string + strlen(TLS_SCHEME) : string;
        bool tls = place != string;
        /* redis://user:password@host is what people paste; a secret must not come back in a message. */
        if (strstr(place, "://") || strchr(place, '@'))
                return error_set(error, EINVAL,
                                 "a Redis address is host:port, rediss://host:port or /path/of/socket; user "
                                 "and password "
                                 "have their own keys");

        const char *path = string_starts(place, "unix:") ? place + 5 : place;
        if (tls && (path != place || strchr(place, '/')))
                return refuse_address(string, "behind rediss:// stand a host and a port alone", error);
        if (*path == '/') {
                char *copy = strdup(path);
                if (!copy)
                        return error_oom(error);
                *ret = (struct redis_address){.path = copy};
                return 0;
        }
        if (path != place)
                return refuse_address(string, "the path of a socket starts with /", error);

        const char *host = place, *end, *port;
        if (*place == '[') {
                host = place + 1;
                end = strchr(host, ']');
                if (!end)
                        return refuse_address(string, "the ] is missing", error);
                port = end[1] == ':' ? end + 2 : DEFAULT_PORT;
                if (end[1] && end[1] != ':')
                        return refuse_address(string, "only a port may follow the ]", error);
        } else {
                end = strchrnul(place, ':');
                if (*end && strchr(end + 1, ':'))
                        return refuse_address(string, "an IPv6 address stands in brackets", error);
                port = *end ? end + 1 : DEFAULT_PORT;
        }
        if (end == host)
                return refuse_address(string, "the host is missing", error);
        if (!port_is_good(port))
                return refuse_address(string, "the port is a number up to 65535", error);

        _cleanup_free_ char *own_host = strndup(host, (size_t)(end - host)), *own_port = strdup(port);
        if (!own_host || !own_port)
                return error_oom(error);
        *ret = (struct redis_address){.host = TAKE_PTR(own_host), .port = TAKE_PTR(own_port), .tls = tls};
        return 0;
}

char *redis_address_beside(const struct redis_options *options, const char *host, const char *port)
{
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:";
        bool tls = options->address && string_starts(options->address, TLS_SCHEME);
        if (!*host || strspn(host, letters) != strlen(host) || !port_is_good(port))
                return NULL;
        return text_format(strchr(host, ':') ? "%s[%s]:%s" : "%s%s:%s", tls ? TLS_SCHEME : "", host, port);
}
