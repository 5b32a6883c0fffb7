/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server, sent any bytes over a real socket: it answers or hangs up, and lives on.
 *
 * Every input is one connection. What a handler may ask of its exchange, it asks.
 */
#include <linux/sockios.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "runbook/http_server.h"
#include "tests/fuzz/fuzz.h"

const unsigned fuzz_mutations = 4000;
const char *const fuzz_words[] = {
        "GET ",
        "POST ",
        "HEAD ",
        "PUT ",
        "OPTIONS ",
        "/",
        "/echo",
        "/things/",
        "?",
        "&",
        "collect[]=a",
        "%2e",
        "%00",
        "%zz",
        "%",
        "+",
        " HTTP/1.1\r\n",
        " HTTP/1.0\r\n",
        "Host: localhost\r\n",
        "Host: evil.example\r\n",
        "Origin: http://evil.example\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: -1\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Expect: 100-continue\r\n",
        "Connection: close\r\n",
        "Accept-Encoding: gzip\r\n",
        "\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\n",
        NULL,
};

static void see(void *context, const char *value)
{
        text_puts(context, value);
}

static void handle(struct http_exchange *exchange, void *context)
{
        struct text text = {0};
        const char *parameter = http_path_parameter(exchange), *value = http_query(exchange, "collect[]");
        (void)context;
        FUZZ_ASSERT(*http_path(exchange) == '/');
        text_puts(&text, parameter ? parameter : "");
        text_puts(&text, value ? value : "");
        value = http_header(exchange, "Accept");
        text_puts(&text, value ? value : "");
        http_query_each(exchange, "collect[]", see, &text);
        const struct text *body = http_body(exchange);
        if (body)
                text_append(&text, text_string(body), body->length);
        http_reply(exchange, 200, HTTP_TYPE_TEXT, &text);
}

static const struct http_route routes[] = {
        {"GET", "/", handle, 0, NULL},
        {"GET", "/things/{id}", handle, 0, NULL},
        {"GET", "/things/{id}/parts", handle, 0, NULL},
        {"POST", "/echo", handle, 64, NULL},
        {0},
};

static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void stop(void);
static struct http_server *server;

static void start(void)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *listen = NULL;
        snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/fuzz_http.%d", (int)getpid());
        listen = text_format("unix:%s", address.sun_path);
        const struct http_server_options options = {.listen_addresses = HTTP_ADDRESSES(listen),
                                                    .routes = routes};
        FUZZ_ASSERT(listen && http_server_start(&options, &server, &error) == 0);
        atexit(stop);
}

static void stop(void)
{
        server = http_server_stop(server);
}

/*
 * Sends it all, says that no more will come, and reads until the server hangs up. No more comes only once all
 * was read: an end that arrives with the last bytes is not seen by libmicrohttpd 0.9.75 on epoll, which then
 * waits for the rest of the request until the connection has been idle for too long.
 */
static size_t converse(const void *data, size_t size, char *answer, size_t room)
{
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        size_t length = 0;
        char rest[4096];
        int unread = 1;
        FUZZ_ASSERT(fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
        (void)send(fd, data, size, MSG_NOSIGNAL);
        while (unread > 0 && ioctl(fd, SIOCOUTQ, &unread) == 0)
                sched_yield();
        shutdown(fd, SHUT_WR);
        for (;;) {
                bool full = length == room;
                ssize_t got = recv(fd, full ? rest : answer + length, full ? sizeof(rest) : room - length, 0);
                if (got <= 0)
                        return length;
                if (!full)
                        length += (size_t)got;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char question[] = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";
        char answer[64];
        if (!server)
                start();
        size_t length = converse(data, size, answer, sizeof(answer));
        FUZZ_ASSERT(length == 0 || (length >= 9 && strncmp(answer, "HTTP/1.", 7) == 0));
        length = converse(question, sizeof(question) - 1, answer, sizeof(answer));
        FUZZ_ASSERT(length >= 13 && strncmp(answer + 8, " 200 ", 5) == 0);
        return 0;
}
