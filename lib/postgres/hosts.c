/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses of a DSN's host names, looked up by the deadline, so that libpq has none to look up: it would
 * wait for the name server as long as that takes. The names stay beside them, for certificates and .pgpass.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/postgres/internal.h"
#include "runbook/socket.h"

enum { ADDRESSES_MAX = 16 }; /* of one name */

static void options_free(PQconninfoOption **options)
{
        PQconninfoFree(*options);
}

static const char *option_value(const PQconninfoOption *options, const char *keyword)
{
        for (; options->keyword; options++)
                if (strcmp(options->keyword, keyword) == 0)
                        return options->val && *options->val ? options->val : NULL;
        return NULL;
}

/* What libpq takes for a name: neither a socket nor the default. */
static bool is_name(const char *host)
{
        return *host && *host != '/' && *host != '@';
}

/* The next of a list with commas; false behind the last one. */
static bool next_word(const char **list, struct text *word)
{
        text_clear(word);
        if (!*list)
                return false;
        size_t length = strcspn(*list, ",");
        text_append(word, *list, length);
        *list = (*list)[length] ? *list + length + 1 : NULL;
        return true;
}

static void add_host(struct postgres_hosts *hosts, const char *name, const char *address, const char *port)
{
        const char *comma = hosts->count++ > 0 ? "," : "";
        text_printf(&hosts->names, "%s%s", comma, name);
        text_printf(&hosts->addresses, "%s%s", comma, address);
        if (port)
                text_printf(&hosts->ports, "%s%s", comma, port);
}

static int add_addresses(struct postgres_hosts *hosts, const char *name, const char *port,
                         struct deadline deadline, struct error *error)
{
        struct addrinfo *found = NULL;
        const char *reason = NULL;
        /* The port is libpq's to judge. */
        int r = socket_resolve(name, "5432", deadline, &found, &reason);
        if (r == -ETIMEDOUT)
                return error_set(error, ETIMEDOUT, "the host \"%s\" was not found in time", name);
        if (r < 0)
                return error_set(error, -r, "cannot connect to PostgreSQL: cannot look \"%s\" up: %s", name,
                                 reason ? reason : strerrordesc_np(-r));
        int count = 0;
        for (const struct addrinfo *at = found; at && count < ADDRESSES_MAX; at = at->ai_next) {
                char address[NI_MAXHOST];
                if (getnameinfo(at->ai_addr, at->ai_addrlen, address, sizeof(address), NULL, 0,
                                NI_NUMERICHOST) != 0)
                        continue;
                add_host(hosts, name, address, port);
                count++;
        }
        freeaddrinfo(found);
        return 0;
}

int postgres_hosts_resolve(const char *dsn, struct deadline deadline, struct postgres_hosts *ret,
                           struct error *error)
{
        _cleanup_(options_free) PQconninfoOption *options = PQconninfoParse(dsn, NULL);
        _cleanup_text_ struct text name = {0}, port = {0};
        if (!options)
                return error_oom(error);
        const char *names = option_value(options, "host"), *ports = option_value(options, "port");
        /* A service's file may name another host, and an address needs no name. */
        if (!names && !option_value(options, "service"))
                names = getenv("PGHOST");
        if (!names || option_value(options, "hostaddr") || getenv("PGHOSTADDR"))
                return 0;

        _cleanup_error_ struct error failure = {0};
        const bool port_of_each = ports && strchr(ports, ','); /* else it is that of all, as it stands */
        int r = 0;
        while (next_word(&names, &name)) {
                if (port_of_each)
                        next_word(&ports, &port);
                error_clear(&failure);
                if (!is_name(text_string(&name)))
                        add_host(ret, text_string(&name), "", port_of_each ? text_string(&port) : NULL);
                else
                        r = add_addresses(ret, text_string(&name), port_of_each ? text_string(&port) : NULL,
                                          deadline, &failure);
                if (r == -ETIMEDOUT)
                        break;
        }
        if (r < 0 && (r == -ETIMEDOUT || ret->count == 0)) {
                error_move(error, &failure);
                return r;
        }
        if (text_error(&ret->names) < 0 || text_error(&ret->addresses) < 0 || text_error(&ret->ports) < 0)
                return error_oom(error);
        return 0;
}

void postgres_hosts_release(struct postgres_hosts *hosts)
{
        text_free(&hosts->names);
        text_free(&hosts->addresses);
        text_free(&hosts->ports);
}
