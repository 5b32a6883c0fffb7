/* SPDX-License-Identifier: Apache-2.0 */
/* The listening socket of the HTTP server: addresses read, TCP and unix sockets bound, errors that help. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/http/server/internal.h"
#include "runbook/systemd.h"

#define UNIX_PREFIX "unix:"

/* A listen address taken apart; `host` is "" for all addresses. */
struct address {
        char *path; /* of a unix socket, else NULL */
        char *host;
        char *port;
};

static void address_release(struct address *address)
{
        free(address->path);
        free(address->host);
        free(address->port);
}

#define _cleanup_address_ _cleanup_(address_release)

static bool is_port(const char *string)
{
        size_t digits = strspn(string, "0123456789");
        return digits > 0 && digits <= 5 && string[digits] == '\0' && strtol(string, NULL, 10) <= UINT16_MAX;
}

/* `ret` is zeroed before and to be released after, also after a failure. */
static int address_parse(const char *string, struct address *ret, struct error *error)
{
        if (string_starts(string, UNIX_PREFIX) && string[strlen(UNIX_PREFIX)] != '\0') {
                ret->path = strdup(string + strlen(UNIX_PREFIX));
                if (!ret->path)
                        goto oom;
                return 0;
        }
        const char *host = string, *colon = strrchr(string, ':');
        size_t length = colon ? (size_t)(colon - string) : 0;
        bool bracketed = length >= 2 && host[0] == '[' && host[length - 1] == ']';
        if (bracketed) {
                host++;
                length -= 2;
        }
        if (!colon || !is_port(colon + 1) || (!bracketed && memchr(host, ':', length))) {
                error_set(error, EINVAL,
                          "\"%s\" is no listen address: expected host:port, :port, [ipv6]:port or unix:/path",
                          string);
                return -EINVAL;
        }
        ret->host = strndup(host, length);
        ret->port = strdup(colon + 1);
        if (!ret->host || !ret->port)
                goto oom;
        return 0;
oom:
        error_oom(error);
        return -ENOMEM;
}

static bool is_loopback_v4(const struct in_addr *address)
{
        return ntohl(address->s_addr) >> 24 == IN_LOOPBACKNET;
}

static bool is_loopback_v6(const struct in6_addr *address)
{
        return IN6_IS_ADDR_LOOPBACK(address) ||
               (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

union bound {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
};

/* Where a socket listens; 0 or a negative errno. */
static int bound_to(int fd, union bound *ret, uint16_t *ret_port, bool *ret_tcp_loopback)
{
        socklen_t length = sizeof(*ret);
        memset(ret, 0, sizeof(*ret));
        if (getsockname(fd, &ret->any, &length) < 0)
                return -errno;
        bool is_v6 = ret->any.sa_family == AF_INET6, is_v4 = ret->any.sa_family == AF_INET;
        *ret_port = ntohs(is_v6 ? ret->v6.sin6_port : is_v4 ? ret->v4.sin_port : 0);
        *ret_tcp_loopback =
                (is_v6 && is_loopback_v6(&ret->v6.sin6_addr)) || (is_v4 && is_loopback_v4(&ret->v4.sin_addr));
        return 0;
}

/* The socket that systemd listens on. */
static int listen_passed(struct http_listener *ret, bool *ret_loopback, struct error *error)
{
        union bound bound;
        uint16_t port;
        bool tcp_loopback;
        int fd = -1, r = systemd_socket(&fd, error);
        if (r < 0)
                return r;
        r = bound_to(fd, &bound, &port, &tcp_loopback);
        if (r < 0)
                return error_set(error, -r, "cannot tell where systemd's socket listens");
        if (ret_loopback)
                *ret_loopback = tcp_loopback || bound.any.sa_family == AF_UNIX;
        if (ret)
                *ret = (struct http_listener){.fd = fd, .port = port, .check_host = tcp_loopback};
        return 0;
}

int http_address_is_loopback(const char *listen_address, bool *ret, struct error *error)
{
        if (strcmp(listen_address, HTTP_SYSTEMD_SOCKET) == 0)
                return listen_passed(NULL, ret, error);
        _cleanup_address_ struct address address = {0};
        int r = address_parse(listen_address, &address, error);
        if (r < 0)
                return r;

        struct in_addr v4;
        struct in6_addr v6;
        *ret = address.path || strcasecmp(address.host, "localhost") == 0 ||
               (inet_pton(AF_INET, address.host, &v4) == 1 && is_loopback_v4(&v4)) ||
               (inet_pton(AF_INET6, address.host, &v6) == 1 && is_loopback_v6(&v6));
        return 0;
}

static int listen_failed(const char *address, int code, struct error *error)
{
        if (code == EADDRINUSE)
                return error_set(error, code,
                                 "cannot listen on %s: address already in use: is another %s running?",
                                 address, program_invocation_short_name);
        return error_set_errno(error, code, "cannot listen on %s", address);
}

/* Binds and listens; 0 or a negative errno without a sentence. */
static int prepare(int fd, const struct sockaddr *address, socklen_t length)
{
        int yes = 1, no = 0;
        /* A restart must not wait for the old connections' TIME_WAIT. */
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0)
                return -errno;
        /* "[::]" means every address, of IPv4 too, whatever net.ipv6.bindv6only says. */
        if (address->sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no)) < 0)
                return -errno;
        /* Of a unix socket: the mode its file is made with, so that there is no moment when all may connect.
         */
        if (address->sa_family == AF_UNIX && fchmod(fd, 0660) < 0)
                return -errno;
        return bind(fd, address, length) < 0 || listen(fd, SOMAXCONN) < 0 ? -errno : 0;
}

/* A listening socket, or a negative errno without a sentence. */
static int socket_listen(const struct sockaddr *address, socklen_t length)
{
        int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        int r = prepare(fd, address, length);
        if (r < 0) {
                close(fd);
                return r;
        }
        return fd;
}

static int resolve(const struct address *address, struct addrinfo **ret)
{
        /* Always 127.0.0.1 for localhost: /etc/hosts may put ::1 first, where half of the peers do not look.
         */
        const char *host = strcasecmp(address->host, "localhost") == 0 ? "127.0.0.1" : address->host;
        struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
        return getaddrinfo(host[0] ? host : NULL, address->port, &hints, ret);
}

static int listen_tcp(const char *string, const struct address *address, struct http_listener *ret,
                      struct error *error)
{
        struct addrinfo *found = NULL;
        int r = resolve(address, &found);
        if (r != 0)
                return error_set(error, EINVAL, "cannot listen on %s: %s", string, gai_strerror(r));

        /* All addresses: the IPv6 wildcard takes IPv4 as well, so it is tried first where there is IPv6. */
        int fd = -EAFNOSUPPORT;
        for (const struct addrinfo *a = found; a && fd < 0 && !address->host[0]; a = a->ai_next)
                if (a->ai_family == AF_INET6)
                        fd = socket_listen(a->ai_addr, a->ai_addrlen);
        for (const struct addrinfo *a = found; a && fd < 0 && fd != -EADDRINUSE; a = a->ai_next)
                fd = socket_listen(a->ai_addr, a->ai_addrlen);
        freeaddrinfo(found);
        if (fd < 0)
                return listen_failed(string, -fd, error);

        union bound bound;
        uint16_t port;
        bool is_loopback;
        r = bound_to(fd, &bound, &port, &is_loopback);
        if (r < 0) {
                close(fd);
                return listen_failed(string, -r, error);
        }
        *ret = (struct http_listener){.fd = fd, .port = port, .check_host = is_loopback};
        return 0;
}

/* True when the file is a socket that nobody listens on any more: what a killed daemon leaves behind. */
static bool is_stale_socket(const struct sockaddr_un *address)
{
        struct stat status;
        if (lstat(address->sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
                return false;
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        return fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
               errno == ECONNREFUSED;
}

static int listen_unix(const char *string, const char *path, struct http_listener *ret, struct error *error)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        if (strlen(path) >= sizeof(address.sun_path))
                return error_set(error, ENAMETOOLONG,
                                 "cannot listen on %s: a socket's path has at most %zu bytes", string,
                                 sizeof(address.sun_path) - 1);
        strcpy(address.sun_path, path);

        int fd = socket_listen((const struct sockaddr *)&address, sizeof(address));
        if (fd == -EADDRINUSE && is_stale_socket(&address) && unlink(path) == 0)
                fd = socket_listen((const struct sockaddr *)&address, sizeof(address));
        if (fd < 0)
                return listen_failed(string, -fd, error);

        struct stat status = {0};
        char *copy = strdup(path);
        /* The umask has taken from what it was made with: its group is to get in. */
        if (!copy || chmod(path, 0660) < 0 || lstat(path, &status) < 0) {
                int code = errno;
                free(copy);
                close(fd);
                return listen_failed(string, code, error);
        }
        *ret = (struct http_listener){
                .fd = fd, .path = copy, .device = status.st_dev, .inode = status.st_ino};
        return 0;
}

bool http_listeners_check_host(const struct http_server *server, int fd)
{
        struct sockaddr_storage own = {0};
        socklen_t length = sizeof(own);
        if (server->listener_count == 1)
                return server->listeners[0].check_host;
        if (getsockname(fd, (struct sockaddr *)&own, &length) < 0)
                return true;
        for (size_t i = 0; i < server->listener_count; i++)
                if (server->listeners[i].check_host &&
                    memcmp(&own, &server->listeners[i].bound, sizeof(own)) == 0)
                        return true;
        return false;
}

/* Keeps where a socket listens that checks the host, to know its connections by. */
static void note_bound(struct http_listener *listener)
{
        socklen_t length = sizeof(listener->bound);
        if (listener->check_host)
                (void)getsockname(listener->fd, (struct sockaddr *)&listener->bound, &length);
}

static int listen_any(const char *address, struct http_listener *ret, struct error *error)
{
        if (strcmp(address, HTTP_SYSTEMD_SOCKET) == 0)
                return listen_passed(ret, NULL, error);
        _cleanup_address_ struct address parsed = {0};
        int r = address_parse(address, &parsed, error);

        if (r < 0)
                return r;
        return parsed.path ? listen_unix(address, parsed.path, ret, error)
                           : listen_tcp(address, &parsed, ret, error);
}

int http_listen(const char *address, struct http_listener *ret, struct error *error)
{
        int r = listen_any(address, ret, error);
        if (r >= 0)
                note_bound(ret);
        return r;
}

void http_listener_release(struct http_listener *listener)
{
        struct stat status;
        if (listener->path && lstat(listener->path, &status) == 0 && status.st_dev == listener->device &&
            status.st_ino == listener->inode)
                (void)unlink(listener->path);
        free(listener->path);
        listener->path = NULL;
}
