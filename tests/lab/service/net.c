/* SPDX-License-Identifier: Apache-2.0 */
/* Blocking sockets with a timeout. */
#include "service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int net_connect(const char *host, int port, int timeout_seconds)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
        struct timeval timeout = {.tv_sec = timeout_seconds};
        int on = 1;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -1;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (inet_pton(AF_INET, host, &address.sin_addr) != 1 ||
            connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
                close(fd);
                return -1;
        }
        return fd;
}

bool net_write(int fd, const void *data, size_t length)
{
        const char *at = data;
        while (length > 0) {
                ssize_t n = send(fd, at, length, MSG_NOSIGNAL);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return false;
                at += n;
                length -= (size_t)n;
        }
        return true;
}

bool net_read(int fd, void *data, size_t length)
{
        char *at = data;
        while (length > 0) {
                ssize_t n = recv(fd, at, length, 0);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return false;
                at += n;
                length -= (size_t)n;
        }
        return true;
}

double now_seconds(void)
{
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
