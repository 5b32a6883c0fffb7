/* SPDX-License-Identifier: Apache-2.0 */
/* Heads in which a proxy may see other requests than we do: one answer, 400, and nothing behind it is done.
 */
#include <microhttpd.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "runbook/http_server.h"
#include "tests/harness/peer.h"

static atomic_uint acted, asked;

static void act(struct http_exchange *exchange, void *context _unused_)
{
        atomic_fetch_add(&acted, 1);
        http_reply_text(exchange, 200, "done");
}

static void ask(struct http_exchange *exchange, void *context _unused_)
{
        atomic_fetch_add(&asked, 1);
        http_reply_text(exchange, 200, "asked");
}

static const struct http_route routes[] = {
        {"POST", "/act", act, 1000, NULL},
        {"GET", "/ask", ask, 0, NULL},
        {0},
};

#define BEHIND "POST /act HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

struct sent {
        const char *head;
        size_t length; /* there may be a NUL in it */
};
#define SENT(head)                       \
        {                                \
                (head), sizeof(head) - 1 \
        }
#define ASK(headers) SENT("GET /ask HTTP/1.1\r\nHost: localhost\r\n" headers "\r\n")

/* All that is answered until the connection ends. `piece`: how many bytes are sent at once. */
static char *answers(const struct http_server *server, const struct sent *sent, size_t piece)
{
        struct text all = {0}, got = {0};
        int fd = peer_connect(http_server_port(server));
        text_append(&all, sent->head, sent->length);
        text_puts(&all, BEHIND);
        for (size_t at = 0; at < all.length; at += piece) {
                size_t length = all.length - at < piece ? all.length - at : piece;
                if (send(fd, all.data + at, length, MSG_NOSIGNAL) < 0)
                        break; /* it was refused meanwhile */
        }
        char buffer[4096];
        for (ssize_t r; (r = recv(fd, buffer, sizeof(buffer), 0)) > 0;)
                text_append(&got, buffer, (size_t)r);
        close(fd);
        text_free(&all);
        return text_take(&got);
}

static void start(struct http_server **ret)
{
        const struct http_server_options options = {.listen_addresses = HTTP_ADDRESSES("127.0.0.1:0"),
                                                    .routes = routes};
        assert_int_equal(http_server_start(&options, ret, NULL), 0);
        acted = asked = 0;
}

static void what_is_ambiguous_ends_the_connection(void **state _unused_)
{
        static const struct sent refused[] = {
                ASK("Content-Length: 5\r\nContent-Length: 0\r\n"),
                ASK("Content-Length: 0\r\nContent-Length: 0\r\n"),
                ASK("Content-Length: 0, 0\r\n"),
                ASK("Content-Length: +0\r\n"),
                ASK("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
                ASK("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"),
                ASK("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
                ASK("Transfer-Encoding: gzip, chunked\r\n"),
                ASK("Transfer-Encoding: xchunked\r\n"),
                ASK("Transfer-Encoding: identity\r\n"),
                ASK("Transfer-Encoding : chunked\r\n"),
                ASK("Transfer-Encoding\t: chunked\r\n"),
                ASK("Content-Length : 0\r\n"),
                ASK(" Content-Length: 0\r\n"),
                ASK(": nothing\r\n"),
                ASK("X\xc3\xa9: y\r\n"),
                ASK("X(y): z\r\n"),
                ASK("X: a\0b\r\n"),
                ASK("X: a\r\nY: \0\r\n"),
                ASK("X\0: b\r\nY: z\r\n"),
                ASK("X: a\0Transfer-Encoding: chunked\r\nY: z\r\n"),
                ASK("X: a\x01\r\n"),
                ASK("X: a\x7f\r\n"),
                ASK("X: a\r\n b\r\n"),
                ASK("X: a\r\n\tb\r\nY: z\r\n"),
                ASK("X: a\rTransfer-Encoding: chunked\r\n"),
                ASK("X: a\nTransfer-Encoding: identity\r\n"),
                ASK("X: a\nY: b\r\n"),
                ASK("Host: evil\r\n"),
                ASK("host: localhost\r\n"),
                SENT("GET  /ask HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                SENT("GET\t/ask HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                SENT("GET /ask\tHTTP/1.1\r\nHost: localhost\r\n\r\n"),
                SENT("GET /ask HTTP/1.1 \r\nHost: localhost\r\n\r\n"),
                SENT("GET /ask HTTP/1.1\t\r\nHost: localhost\r\n\r\n"),
                SENT("\tGET /ask HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                SENT("GET /ask HTTP/1.12\r\nHost: localhost\r\n\r\n"),
                SENT("GET /ask http/1.1\r\nHost: localhost\r\n\r\n"),
                SENT("GET /ask HTTPS/1.1\r\nHost: localhost\r\n\r\n"),
                SENT("GET /ask HTTP/1.1\rHost: localhost\r\n\r\n"),
                SENT("G(T /ask HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                SENT("GET /ask HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n"),
                SENT("GET /ask HTTP/1.1\r\n folded: first\r\nHost: localhost\r\n\r\n"),
                SENT("GET /ask\r\nHost: localhost\r\n\r\n"),
                SENT("GET /ask HTTP/1.1\r\n\r\n"),
                SENT("GET /ask HTTP/1.1\nHost: localhost\n\n"),
                SENT("GET /ask\0/x HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                SENT("GET /ask?a\0b HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                SENT("GET /ask\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                SENT("GET /ask?\x7f HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                SENT("POST /act HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: "
                     "chunked\r\n\r\n0\r\n\r\n"),
                SENT("POST /act HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                SENT("POST /act HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
                     "chunked\r\n\r\n0x0\r\n\r\n"),
        };
        /* From 1.0 on libmicrohttpd refuses some of them itself, by hanging up without a word. */
        const bool hangs_up = MHD_VERSION >= 0x01000000;
        struct http_server *server = NULL;
        start(&server);
        for (size_t i = 0; i < N_ELEMENTS(refused); i++)
                for (size_t piece = 1; piece < 10000; piece *= 64) {
                        _cleanup_free_ char *got = answers(server, &refused[i], piece);
                        if (!string_starts(got, "HTTP/1.1 400 ") && !(hangs_up && !*got))
                                fail_msg("case %zu in pieces of %zu: %s", i, piece, got);
                        assert_null(strstr(got, " 200 ")); /* and the connection has ended */
                }
        assert_int_equal(atomic_load(&acted) + atomic_load(&asked), 0);
        http_server_stop(server);
}

/* Libmicrohttpd itself hangs up on these, without a word. */
static void what_is_no_request_line_ends_the_connection(void **state _unused_)
{
        static const struct sent closed[] = {
                SENT("GET /ask  HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                SENT(" GET /ask HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                SENT("GET /ask HTTP/1.1 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                SENT("GET /ask /act HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        };
        struct http_server *server = NULL;
        start(&server);
        for (size_t i = 0; i < N_ELEMENTS(closed); i++)
                for (size_t piece = 1; piece < 10000; piece *= 64) {
                        _cleanup_free_ char *got = answers(server, &closed[i], piece);
                        if (*got && !string_starts(got, "HTTP/1.1 400 "))
                                fail_msg("case %zu in pieces of %zu: %s", i, piece, got);
                }
        assert_int_equal(atomic_load(&acted) + atomic_load(&asked), 0);
        http_server_stop(server);
}

/* What clients do send, and the request behind it. */
static void what_is_not_is_served(void **state _unused_)
{
        static const struct sent served[] = {
                ASK(""),
                ASK("Content-Length: 0\r\n"),
                ASK("X:a\r\nEmpty:\r\nBlank: \r\nY:\t b \t\r\nZ: caf\xc3\xa9\r\n"),
                ASK("Accept: a\r\nAccept: b\r\nCookie: a=b; c=\"d\"\r\n"),
                SENT("\r\nGET /ask?a=b&c&%00=%20 HTTP/1.1\r\nhost: localhost\r\n\r\n"),
                SENT("GET /ask?caf\xc3\xa9 HTTP/1.1\r\nHOST: localhost\r\n\r\n"),
                SENT("GET /ask HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
                SENT("POST /act HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: Chunked\r\n\r\n"
                     "2\r\nab\r\n0\r\nTrailer: x\r\n\r\n"),
                SENT("POST /act HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab"),
        };
        struct http_server *server = NULL;
        start(&server);
        unsigned count = 0;
        for (size_t i = 0; i < N_ELEMENTS(served); i++)
                for (size_t piece = 1; piece < 10000; piece *= 64) {
                        _cleanup_free_ char *got = answers(server, &served[i], piece);
                        const char *second = strstr(got + 1, "HTTP/1.1 200 ");
                        if (strncmp(got, "HTTP/1.", 7) != 0 || strncmp(got + 8, " 200 ", 5) != 0 || !second)
                                fail_msg("case %zu in pieces of %zu: %s", i, piece, got);
                        count += 2;
                }
        assert_int_equal(atomic_load(&acted) + atomic_load(&asked), count);

        /* A head that needs most of the room there is for one. */
        struct text large = {0};
        text_puts(&large, "GET /ask HTTP/1.1\r\nHost: localhost\r\n");
        for (int i = 0; i < 60; i++)
                text_printf(&large, "X-%d: %080d\r\n", i, i);
        text_puts(&large, "\r\n");
        const struct sent sent = {text_string(&large), large.length};
        _cleanup_free_ char *got = answers(server, &sent, 999);
        assert_non_null(strstr(got + 1, "HTTP/1.1 200 "));
        text_free(&large);
        http_server_stop(server);
}

/* What does not fit is told so, also by libmicrohttpd alone. */
static void what_is_too_long_is_told_so(void **state _unused_)
{
        struct http_server *server = NULL;
        start(&server);
        struct text target = {0}, header = {0}, many = {0};
        text_printf(&target, "GET /%030000d HTTP/1.1\r\nHost: localhost\r\n\r\n", 0);
        text_printf(&header, "GET /ask HTTP/1.1\r\nHost: localhost\r\nX: %030000d\r\n\r\n", 0);
        text_puts(&many, "GET /ask HTTP/1.1\r\nHost: localhost\r\n");
        for (int i = 0; i < 10000; i++)
                text_printf(&many, "a%d:\r\n", i);
        text_puts(&many, "\r\n");
        const struct {
                const struct text *head;
                const char *begins;
        } cases[] = {{&target, "HTTP/1.1 414 "}, {&header, "HTTP/1.1 431 "}, {&many, "HTTP/1.1 431 "}};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                int fd = peer_connect(http_server_port(server));
                char first[14] = "";
                (void)send(fd, cases[i].head->data, cases[i].head->length, MSG_NOSIGNAL);
                assert_int_equal(recv(fd, first, 13, MSG_WAITALL), 13);
                assert_string_equal(first, cases[i].begins);
                close(fd);
        }
        text_free(&target);
        text_free(&header);
        text_free(&many);
        assert_int_equal(atomic_load(&acted) + atomic_load(&asked), 0);
        http_server_stop(server);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_ambiguous_ends_the_connection),
                cmocka_unit_test(what_is_no_request_line_ends_the_connection),
                cmocka_unit_test(what_is_not_is_served),
                cmocka_unit_test(what_is_too_long_is_told_so),
        };
        return cmocka_run_group_tests_name("framing", tests, NULL, NULL);
}
