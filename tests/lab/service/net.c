/* SPDX-License-Identifier: Apache-2.0 */
/* Blocking sockets with a timeout. */
#include "service.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <resolv.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* An address, or a name that the network's resolver knows: getaddrinfo() is not to be had where all is
 * static. */
static bool find_host(const char *host, struct in_addr *ret)
{
        unsigned char answer[4096];
        ns_msg message;
        ns_rr record;
        if (inet_pton(AF_INET, host, ret) == 1)
                return true;
        int length = res_query(host, ns_c_in, ns_t_a, answer, sizeof(answer));
        if (length < 0 || ns_initparse(answer, length, &message) < 0)
                return false;
        for (int i = 0; i < ns_msg_count(message, ns_s_an); i++)
                if (ns_parserr(&message, ns_s_an, i, &record) == 0 && ns_rr_type(record) == ns_t_a &&
                    ns_rr_rdlen(record) == sizeof(*ret)) {
                        memcpy(ret, ns_rr_rdata(record), sizeof(*ret));
                        return true;
                }
        return false;
}

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
        if (!find_host(host, &address.sin_addr) ||
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
