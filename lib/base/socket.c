/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting and waiting within a deadline. */
#include "runbook/socket.h"

#include <errno.h>

int socket_wait(int fd, short events, struct deadline deadline)
{
        struct pollfd poller = {.fd = fd, .events = events};
        if (fd < 0)
                return -EBADF;
        for (;;) {
                int r = poll(&poller, 1, deadline_left_ms(deadline));
                if (r > 0)
                        return poller.revents;
                if (r == 0)
                        return -ETIMEDOUT;
                if (errno != EINTR)
                        return -errno;
        }
}

int socket_connect(const struct sockaddr *address, socklen_t length, struct deadline deadline, int *ret_fd)
{
        _cleanup_close_ int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, address, length) < 0) {
                int failure = 0;
                socklen_t size = sizeof(failure);
                /* A unix socket whose backlog is full says EAGAIN, and cannot be waited for. */
                if (errno != EINPROGRESS)
                        return -errno;
                int r = socket_wait(fd, POLLOUT, deadline);
                if (r < 0)
                        return r;
                if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) < 0)
                        failure = errno;
                if (failure)
                        return -failure;
        }
        *ret_fd = TAKE_FD(fd);
        return 0;
}
