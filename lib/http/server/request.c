/* SPDX-License-Identifier: Apache-2.0 */
/* A request of the HTTP server: its target taken apart, its route found, its body taken, its parts read. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>

#include "lib/http/server/internal.h"

/* A body that is refused is read past up to here, which keeps the connection; beyond it, it is closed. */
static const size_t DISCARD_LIMIT = (size_t)64 << 20;

/* A route that takes no more than this has its bodies accounted for apart. */
static const size_t SMALL_BODY = (size_t)64 << 10;

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c = (char)(c | 0x20);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *http_percent_decode(char *to, const char *from, const char *end, bool plus_is_space)
{
        while (from < end) {
                int high = *from == '%' && end - from > 2 ? hex_digit(from[1]) : -1;
                int low = high >= 0 ? hex_digit(from[2]) : -1;
                if (low >= 0 && (high | low) != 0) {
                        *to++ = (char)(high << 4 | low);
                        from += 3;
                } else {
                        *to++ = *from == '+' && plus_is_space ? ' ' : *from;
                        from++;
                }
        }
        *to++ = '\0';
        return to;
}

static void split_query(struct http_exchange *exchange, const char *query, char *to)
{
        exchange->query = to;
        while (*query) {
                size_t length = strcspn(query, "&");
                const char *end = query + length;
                const char *equals = memchr(query, '=', length);
                to = http_percent_decode(to, query, equals ? equals : end, true);
                to = http_percent_decode(to, equals ? equals + 1 : end, end, true);
                query = *end ? end + 1 : end;
        }
        exchange->query_end = to;
}

struct http_exchange *http_exchange_new(struct http_server *server, struct MHD_Connection *connection,
                                        const char *target)
{
        /* The target as it came, the parameter (no longer than it), the query decoded: each of its bytes may
         * stand alone between two `&`, and then becomes two. */
        size_t length = strlen(target), room = 2 * (length + 1);
        const char *query = memchr(target, '?', length);
        if (query)
                room += 2 * (length - (size_t)(query - target));

        struct http_exchange *exchange = malloc(sizeof(*exchange) + room);
        if (!exchange)
                return NULL;
        *exchange = (struct http_exchange){
                .server = server,
                .ledger = server->ledger,
                .connection = connection,
                .secured = server->secure != NULL,
                .target_begin = (uintptr_t)target,
                .target_end = (uintptr_t)target + length,
                .target_has_control = http_has_control(target, length),
        };
        memcpy(exchange->target, target, length + 1);
        exchange->path = exchange->target;
        exchange->parameter = exchange->target + length + 1;
        *exchange->parameter = '\0';
        if (query) {
                exchange->target[query - target] = '\0';
                split_query(exchange, query + 1, exchange->parameter + length + 1);
        }
        return exchange;
}

/* Whether `path` is the route's, segment by segment; "{id}" takes one that is not empty. */
static bool path_matches(const char *pattern, const char *path, const char **ret_start, const char **ret_end)
{
        const char *brace = strchr(pattern, '{');
        if (!brace)
                return strcmp(pattern, path) == 0;
        size_t before = (size_t)(brace - pattern);
        if (strncmp(pattern, path, before) != 0)
                return false;
        const char *start = path + before, *end = start + strcspn(start, "/");
        const char *rest = strchr(brace, '}');
        if (start == end || !rest)
                return false;
        if (strcmp(rest + 1, "/{word}") == 0) {
                if (end[0] != '/' || end[1] == '\0' || strchr(end + 1, '/'))
                        return false;
        } else if (strcmp(rest + 1, end) != 0) {
                return false;
        }
        *ret_start = start;
        *ret_end = end;
        return true;
}

static bool method_matches(const struct http_route *route, const char *method)
{
        return strcmp(route->method, method) == 0 ||
               (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void find_route(struct http_exchange *exchange, const char *method)
{
        bool path_known = false;
        for (const struct http_route *route = exchange->server->routes; route->method; route++) {
                const char *start = NULL, *end = NULL;
                if (!path_matches(route->path, exchange->path, &start, &end))
                        continue;
                path_known = true;
                if (!exchange->route)
                        exchange->route = route; /* for Allow and for counting, should no method fit */
                if (!method_matches(route, method))
                        continue;
                exchange->route = route;
                if (start)
                        http_percent_decode(exchange->parameter, start, end, false);
                return;
        }
        if (path_known)
                http_refuse(exchange, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed");
        else
                http_refuse(exchange, MHD_HTTP_NOT_FOUND, "not found");
}

/* "localhost", 127.x or [::1], with or without a port. */
static bool is_loopback_host(const char *host)
{
        struct in_addr v4;
        bool bracketed = host[0] == '[';
        size_t length = bracketed ? strcspn(host, "]") + 1 : strcspn(host, ":");
        if (length > strlen(host))
                return false;
        const char *port = host + length;
        if (*port != '\0' && (*port != ':' || port[1 + strspn(port + 1, "0123456789")] != '\0'))
                return false;
        if (bracketed)
                return length == 5 && strncmp(host, "[::1]", 5) == 0;
        if (length == 9 && strncasecmp(host, "localhost", 9) == 0)
                return true;

        char name[INET_ADDRSTRLEN];
        if (length >= sizeof(name))
                return false;
        memcpy(name, host, length);
        name[length] = '\0';
        return inet_pton(AF_INET, name, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

int http_external_authority(const char *url, char **ret, struct error *error)
{
        const char *authority = string_starts(url, "https://")  ? url + strlen("https://")
                                : string_starts(url, "http://") ? url + strlen("http://")
                                                                : "";
        size_t length = strcspn(authority, "/?#@");
        if (length == 0 || (authority[length] && !string_equal(authority + length, "/")))
                return error_set(error, EINVAL,
                                 "%s is not where a whole host is reached, as https://runbook.example is",
                                 url);
        *ret = strndup(authority, length);
        return *ret ? 0 : error_oom(error);
}

static bool is_external(const struct http_exchange *exchange, const char *authority)
{
        return exchange->server->external && strcasecmp(authority, exchange->server->external) == 0;
}

/* An Origin ("http://localhost:9878") is ours when its authority is the Host that was asked, or that of a
 * proxy. */
static bool is_own_origin(const struct http_exchange *exchange, const char *origin, const char *host)
{
        const char *authority = strstr(origin, "://");
        return authority && host &&
               (strcasecmp(authority + 3, host) == 0 || is_external(exchange, authority + 3));
}

static void check_sender(struct http_exchange *exchange, const char *method)
{
        const char *host = http_header(exchange, MHD_HTTP_HEADER_HOST);
        /* Browsers always send a Host, so what has none (HTTP/1.0) cannot be a rebound page. */
        const struct http_place *place = http_link_place(exchange->connection);
        if (host && place && http_listeners_check_host(exchange->server, place->fd) &&
            !is_loopback_host(host) && !is_external(exchange, host)) {
                http_refuse(exchange, MHD_HTTP_MISDIRECTED_REQUEST,
                            "this Host is not served here: ask for localhost");
                return;
        }
        if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
                return;
        const char *origin = http_header(exchange, MHD_HTTP_HEADER_ORIGIN);
        /* What the browser itself says of a page's request, where there is no Origin. */
        const char *site = http_header(exchange, "Sec-Fetch-Site");
        bool foreign = site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
        if (foreign || (origin && !is_own_origin(exchange, origin, host)))
                http_refuse(exchange, MHD_HTTP_FORBIDDEN, "requests from another site's pages are refused");
}

bool http_peer_is_loopback(const struct http_exchange *exchange)
{
        const struct sockaddr *address = http_connection_address(exchange->connection);
        const struct sockaddr_in *v4 = (const void *)address;
        const struct sockaddr_in6 *v6 = (const void *)address;
        if (!address)
                return false;
        switch (address->sa_family) {
        case AF_UNIX: return true;
        case AF_INET: return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
        case AF_INET6:
                return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
                       (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127);
        default: return false;
        }
}

bool http_peer_uid(const struct http_exchange *exchange, uid_t *ret)
{
        const struct sockaddr *address = http_connection_address(exchange->connection);
        struct ucred peer;
        socklen_t length = sizeof(peer);
        if (!address || address->sa_family != AF_UNIX ||
            getsockopt(http_connection_fd(exchange->connection), SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
                return false;
        *ret = peer.uid;
        return true;
}

/* The declared length of the body; SIZE_MAX for a chunked one. */
static size_t declared_length(const struct http_exchange *exchange)
{
        if (http_header(exchange, MHD_HTTP_HEADER_TRANSFER_ENCODING))
                return SIZE_MAX;
        const char *length = http_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
        if (!length)
                return 0;
        errno = 0;
        unsigned long long value = strtoull(length, NULL, 10);
        return errno == ERANGE || value > SIZE_MAX - 1 ? SIZE_MAX - 1 : (size_t)value;
}

static void too_large(struct http_exchange *exchange)
{
        http_refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the request's body is too large");
}

static void check_length(struct http_exchange *exchange)
{
        size_t declared = declared_length(exchange), limit = exchange->route->body_limit;
        if (declared == SIZE_MAX) {
                if (limit == 0)
                        http_refuse(exchange, MHD_HTTP_LENGTH_REQUIRED, "a body is not accepted here");
        } else if (declared > limit)
                too_large(exchange);
        exchange->body_small = limit <= SMALL_BODY;
}

void http_exchange_begin(struct http_exchange *exchange, const char *method)
{
        exchange->begun = true;
        if (!exchange->refusal)
                check_sender(exchange, method);
        if (!exchange->refusal)
                find_route(exchange, method);
}

bool http_exchange_refuses_anybody(const struct http_exchange *exchange)
{
        return exchange->refusal != 0 && exchange->refusal != MHD_HTTP_NOT_FOUND &&
               exchange->refusal != MHD_HTTP_METHOD_NOT_ALLOWED;
}

void http_exchange_admit(struct http_exchange *exchange)
{
        struct http_refusal refusal = {0};
        if (!exchange->refusal && exchange->server->admit)
                refusal = exchange->server->admit(exchange, exchange->server->context);
        if (refusal.status != 0)
                http_refuse(exchange, refusal.status, refusal.text);
        if (!exchange->refusal)
                check_length(exchange);
}

bool http_exchange_refuses_early(const struct http_exchange *exchange)
{
        size_t declared = declared_length(exchange);
        if (declared == 0)
                return false;
        return (declared > DISCARD_LIMIT && declared != SIZE_MAX) ||
               http_header(exchange, MHD_HTTP_HEADER_EXPECT) != NULL;
}

bool http_exchange_take_body(struct http_exchange *exchange, const char *data, size_t length)
{
        /* A peer that sends a byte now and then is never idle: the whole body has its time, too. */
        nsec now = clock_monotonic();
        if (exchange->body_since == 0)
                exchange->body_since = now;
        nsec left = exchange->body_since + exchange->server->idle_timeout - now;
        if (left <= 0)
                return false;
        http_connection_patience(exchange->connection, left);

        struct text *body = &exchange->body;
        if (!exchange->refusal) {
                if (length > exchange->route->body_limit - body->length)
                        too_large(exchange);
                else if (http_body_claim(exchange, length)) {
                        text_append(body, data, length);
                        if (text_error(body) < 0)
                                http_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
                }
                if (!exchange->refusal)
                        return true;
                http_body_drop(exchange);
        }
        exchange->body_discarded += length;
        return exchange->body_discarded <= DISCARD_LIMIT;
}
