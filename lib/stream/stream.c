/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting, sending and receiving by a deadline. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>

#include "lib/stream/internal.h"
#include "runbook/socket.h"

static void addresses_free(struct addrinfo **addresses)
{
        if (*addresses)
                freeaddrinfo(*addresses);
}

struct stream *stream_close(struct stream *stream)
{
        if (!stream)
                return NULL;
        tls_end(stream);
        close_p(&stream->fd);
        free(stream);
        return NULL;
}

static int explain_connect(const struct stream *stream, int result, struct error *error)
{
        if (result == -ETIMEDOUT)
                return error_may_pass(error, stream_late(stream, error));
        error_set_errno(error, -result, "cannot connect to %s", stream->peer);
        return result == -EACCES ? result : error_may_pass(error, result);
}

static int connect_unix(struct stream *stream, const char *path, struct deadline deadline,
                        struct error *error)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        if (strlen(path) >= sizeof(address.sun_path))
                return error_set(error, ENAMETOOLONG, "the path of the %s socket is longer than %zu bytes",
                                 stream->peer, sizeof(address.sun_path) - 1);
        memcpy(address.sun_path, path, strlen(path) + 1);
        int r = socket_connect((const struct sockaddr *)&address, sizeof(address), deadline, &stream->fd);
        return r < 0 ? explain_connect(stream, r, error) : 0;
}

static int explain_lookup(const struct stream *stream, const char *host, int result, const char *reason,
                          struct error *error)
{
        if (result == -ETIMEDOUT)
                error_set(error, ETIMEDOUT, "the host \"%s\" of %s was not found in time", host,
                          stream->peer);
        else
                error_set(error, -result, "cannot find the host \"%s\" of %s: %s", host, stream->peer,
                          reason ? reason : error_reason(-result));
        return error_may_pass(error, result);
}

/* The first address of the host that takes the connection; the error is the last one's. */
static int connect_host(struct stream *stream, const struct stream_target *target, struct deadline deadline,
                        struct error *error)
{
        _cleanup_(addresses_free) struct addrinfo *addresses = NULL;
        const struct addrinfo *at = NULL;
        const char *reason = NULL;
        int on = 1, r = socket_resolve(target->host, target->port, deadline, &addresses, &reason);
        if (r < 0)
                return explain_lookup(stream, target->host, r, reason, error);
        r = socket_connect_any(addresses, deadline, &stream->fd, &at);
        if (r < 0)
                return explain_connect(stream, r, error);
        (void)setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void)getnameinfo(at->ai_addr, at->ai_addrlen, stream->address, sizeof(stream->address), NULL, 0,
                          NI_NUMERICHOST);
        return 0;
}

int stream_connect(const struct stream_target *target, struct deadline deadline, struct stream **ret,
                   struct error *error)
{
        _cleanup_stream_ struct stream *stream = calloc(1, sizeof(*stream));
        if (!stream)
                return error_oom(error);
        stream->fd = -1;
        stream->peer = target->peer;
        int r = target->path ? connect_unix(stream, target->path, deadline, error)
                             : connect_host(stream, target, deadline, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(stream);
        return 0;
}

/* What a call on the socket that has failed means: 0 when it has waited, and may be tried again. */
static int settle(struct stream *stream, short events, struct deadline deadline, struct error *error)
{
        if (errno == EINTR)
                return 0;
        if (errno == EAGAIN || errno == EWOULDBLOCK)
                return stream_wait(stream, events, deadline, error);
        return error_may_pass(error, error_set_errno(error, errno == EPIPE ? ECONNRESET : errno,
                                                     "the connection to %s broke", stream->peer));
}

static ssize_t send_some(struct stream *stream, const void *data, size_t length, struct deadline deadline,
                         struct error *error)
{
        if (stream->ssl)
                return tls_send_some(stream, data, length, deadline, error);
        ssize_t n = send(stream->fd, data, length, MSG_NOSIGNAL);
        return n >= 0 ? n : settle(stream, POLLOUT, deadline, error);
}

static ssize_t receive_some(struct stream *stream, void *buffer, size_t size, struct deadline deadline,
                            struct error *error)
{
        if (stream->ssl)
                return tls_receive_some(stream, buffer, size, deadline, error);
        ssize_t n = recv(stream->fd, buffer, size, 0);
        if (n == 0)
                return error_may_pass(error,
                                      error_set(error, ECONNRESET, "%s closed the connection", stream->peer));
        return n > 0 ? n : settle(stream, POLLIN, deadline, error);
}

int stream_send(struct stream *stream, const void *data, size_t length, struct deadline deadline,
                struct error *error)
{
        for (const char *at = data; length > 0;) {
                ssize_t n = deadline_passed(deadline) ? stream_late(stream, error)
                                                      : send_some(stream, at, length, deadline, error);
                if (n < 0) {
                        stream->broken = true;
                        return (int)n;
                }
                at += n;
                length -= (size_t)n;
        }
        return 0;
}

int stream_receive(struct stream *stream, void *buffer, size_t size, struct deadline deadline,
                   size_t *ret_length, struct error *error)
{
        ssize_t n;
        /* Looked at here as well as where it waits: who never stops talking is late, too. */
        do
                n = deadline_passed(deadline) ? stream_late(stream, error)
                                              : receive_some(stream, buffer, size, deadline, error);
        while (n == 0);
        if (n < 0) {
                stream->broken = true;
                return (int)n;
        }
        *ret_length = (size_t)n;
        return 0;
}

const char *stream_address(const struct stream *stream)
{
        return stream->address;
}
