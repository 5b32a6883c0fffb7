/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/harness/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int peer_limit(int fd)
{
        struct timeval limit = {.tv_sec = PEER_TIMEOUT_SECONDS};
        assert_true(fd >= 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), 0);
        return fd;
}

int peer_connect(uint16_t port)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int fd = peer_limit(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

static struct sockaddr_un unix_address(const char *path)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        assert_true(strlen(path) < sizeof(address.sun_path));
        strcpy(address.sun_path, path);
        return address;
}

int peer_connect_unix(const char *path)
{
        struct sockaddr_un address = unix_address(path);
        int fd = peer_limit(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

int peer_listen(uint16_t *ret_port)
{
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t length = sizeof(address);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int fd = peer_limit(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 16), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
        *ret_port = ntohs(address.sin_port);
        return fd;
}

int peer_listen_unix(const char *path)
{
        struct sockaddr_un address = unix_address(path);
        int fd = peer_limit(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 16), 0);
        return fd;
}

void peer_send(int fd, const void *data, size_t length)
{
        const char *from = data;
        while (length > 0) {
                ssize_t sent = send(fd, from, length, MSG_NOSIGNAL);
                assert_true(sent > 0);
                from += sent;
                length -= (size_t)sent;
        }
}

void peer_puts(int fd, const char *string)
{
        peer_send(fd, string, strlen(string));
}

bool peer_read_until(int fd, struct text *text, const char *end)
{
        while (!text->data || !strstr(text->data, end)) {
                char c;
                ssize_t got = recv(fd, &c, 1, 0);
                if (got <= 0)
                        return false;
                text_putc(text, c);
        }
        return true;
}

void peer_read_exactly(int fd, struct text *text, size_t length)
{
        assert_true(text_reserve(text, length));
        while (length > 0) {
                ssize_t got = recv(fd, text->data + text->length, length, 0);
                assert_true(got > 0);
                text->length += (size_t)got;
                text->data[text->length] = '\0';
                length -= (size_t)got;
        }
}

bool peer_is_closed(int fd)
{
        char c;
        ssize_t got = recv(fd, &c, 1, 0);
        return got == 0 || (got < 0 && errno == ECONNRESET);
}

void peer_answer_release(struct peer_answer *answer)
{
        text_free(&answer->head);
        text_free(&answer->body);
}

void peer_receive(int fd, bool head_only, struct peer_answer *answer)
{
        peer_answer_release(answer);
        *answer = (struct peer_answer){0};
        assert_true(peer_read_until(fd, &answer->head, "\r\n\r\n"));
        assert_int_equal(sscanf(answer->head.data, "HTTP/1.1 %d", &answer->status), 1);
        const char *length = strcasestr(answer->head.data, "\r\nContent-Length: ");
        if (length && !head_only)
                peer_read_exactly(fd, &answer->body, (size_t)strtoul(length + 18, NULL, 10));
}

void peer_ask(int fd, const char *request, struct peer_answer *answer)
{
        peer_puts(fd, request);
        peer_receive(fd, string_starts(request, "HEAD "), answer);
}
