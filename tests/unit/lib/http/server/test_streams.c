/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of server-sent events: told, bounded, ended, and never in anybody's way. */
#include "tests/harness/peer.h"

#include <sys/socket.h>

#include "runbook/http_server.h"

#define HOST "Host: localhost\r\n"
enum { MOST = 8 }; /* streams; of one address three quarters */

static void listen_to(struct http_exchange *exchange, void *context _unused_)
{
        const char *seen = http_query(exchange, "seen");
        http_reply_events(exchange, seen ? strtoull(seen, NULL, 10) : 0);
}

static void show(struct http_exchange *exchange, void *context _unused_)
{
        http_reply_text(exchange, 200, "here");
}

static const struct http_route routes[] = {
        {"GET", "/events", listen_to, 0, NULL}, {"GET", "/", show, 0, NULL}, {0}};

static int setup(void **state)
{
        const struct http_server_options options = {
                .listen_addresses = HTTP_ADDRESSES("127.0.0.1:0"), .routes = routes, .stream_limit = MOST};
        struct http_server *server = NULL;
        _cleanup_error_ struct error error = {0};
        if (http_server_start(&options, &server, &error) < 0)
                fail_msg("%s", error_text(&error));
        *state = server;
        return 0;
}

static int teardown(void **state)
{
        http_server_stop(*state);
        return 0;
}

/* Asks for a stream by what was seen of it; what was read of its answer so far. */
static int ask_stream(struct http_server *server, uint64_t seen, const char *until, struct text *ret)
{
        int fd = peer_connect(http_server_port(server));
        _cleanup_free_ char *request =
                text_format("GET /events?seen=%llu HTTP/1.1\r\n" HOST "\r\n", (unsigned long long)seen);
        peer_puts(fd, request);
        assert_true(peer_read_until(fd, ret, until));
        return fd;
}

static void who_listens_hears_what_he_has_not_seen(void **state)
{
        struct http_server *server = *state;
        _cleanup_text_ struct text late = {0}, fresh = {0};
        uint64_t news = http_server_news(server);
        _cleanup_close_ int one = ask_stream(server, news, ": nothing new\n", &fresh);
        assert_non_null(strstr(text_string(&fresh), "200 OK"));
        assert_non_null(strstr(text_string(&fresh), "text/event-stream"));
        assert_null(strstr(text_string(&fresh), "change"));

        /* Of other news, such as of a process before. */
        _cleanup_close_ int other = ask_stream(server, news - 1, "event: change\n", &late);
        for (unsigned i = 0; i < 3; i++) {
                http_server_tell(server);
                text_free(&fresh);
                text_free(&late);
                fresh = late = (struct text){0};
                assert_true(peer_read_until(one, &fresh, "event: change\n"));
                assert_true(peer_read_until(other, &late, "event: change\n"));
                _cleanup_free_ char *id = text_format("id: %llu\n", (unsigned long long)(news + i + 1));
                assert_non_null(strstr(text_string(&fresh), id));
        }
        assert_int_equal(http_server_news(server), news + 3);
}

static void one_address_leaves_a_quarter_to_others(void **state)
{
        struct http_server *server = *state;
        int streams[MOST];
        size_t count = 0;
        for (; count < MOST * 3 / 4; count++) {
                _cleanup_text_ struct text said = {0};
                streams[count] = ask_stream(server, 0, "event: change\n", &said);
        }
        _cleanup_answer_ struct peer_answer answer = {0};
        _cleanup_close_ int more = peer_connect(http_server_port(server));
        peer_ask(more, "GET /events HTTP/1.1\r\n" HOST "\r\n", &answer);
        assert_int_equal(answer.status, 503);
        peer_ask(more, "GET / HTTP/1.1\r\n" HOST "\r\n", &answer);
        assert_int_equal(answer.status, 200);

        /* Those that are ended make room. */
        http_server_end_streams(server);
        for (size_t i = 0; i < count; i++) {
                _cleanup_text_ struct text rest = {0};
                assert_false(peer_read_until(streams[i], &rest, "never said"));
                assert_non_null(strstr(text_string(&rest), "0\r\n\r\n")); /* in good order */
                close(streams[i]);
        }
        _cleanup_text_ struct text said = {0};
        _cleanup_close_ int again = ask_stream(server, 0, "event: change\n", &said);
}

static void a_server_stops_with_streams_and_without(void **state)
{
        struct http_server *server = *state;
        _cleanup_text_ struct text said = {0}, rest = {0};
        _cleanup_answer_ struct peer_answer answer = {0};
        _cleanup_close_ int head = peer_connect(http_server_port(server));
        peer_ask(head, "HEAD /events HTTP/1.1\r\n" HOST "\r\n", &answer);
        assert_int_equal(answer.status, 200);
        _cleanup_close_ int gone = ask_stream(server, 0, "event: change\n", &said);
        shutdown(gone, SHUT_RDWR); /* nobody has noticed yet */
        text_free(&said);
        said = (struct text){0};
        _cleanup_close_ int there = ask_stream(server, 0, "event: change\n", &said);
        http_server_tell(server);
        *state = http_server_stop(server);
        assert_false(peer_read_until(there, &rest, "never said"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(who_listens_hears_what_he_has_not_seen, setup, teardown),
                cmocka_unit_test_setup_teardown(one_address_leaves_a_quarter_to_others, setup, teardown),
                cmocka_unit_test_setup_teardown(a_server_stops_with_streams_and_without, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
