/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server against raw sockets: routes, bodies, limits, waiting exchanges, stopping. */
#include "tests/harness/peer.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "runbook/http_server.h"

#define HOST "Host: localhost\r\n"

/* What the handlers share with the test. */
struct fixture {
        struct http_server *server;
        int fd;
        struct peer_answer answer;

        struct http_content *content;
        struct http_exchange *held[16];
        unsigned held_count;
        sem_t arrived;
        pthread_t answerer;

        size_t threads; /* how many there were before the server */
        atomic_uint done[600];
        char *last_route;
        char config[32]; /* the path of a web configuration; "": there is none */
};

static void show(struct http_exchange *exchange, void *context)
{
        (void)context;
        http_reply_text(exchange, 200, "%s [%s]", http_path(exchange), http_path_parameter(exchange));
}

/* One handler for several routes, which differ by what is theirs. */
static void tell(struct http_exchange *exchange, void *context)
{
        (void)context;
        const char *data = http_route_data(exchange);
        http_reply_text(exchange, 200, "%s", data ? data : "(nothing)");
}

static void put_value(void *context, const char *value)
{
        text_printf(context, "<%s>", value);
}

static void query(struct http_exchange *exchange, void *context)
{
        (void)context;
        struct text text = {0};
        const char *first = http_query(exchange, "a");
        text_printf(&text, "%s|", first ? first : "(none)");
        http_query_each(exchange, "collect[]", put_value, &text);
        http_reply(exchange, 200, HTTP_TYPE_JSON, &text);
}

static void echo(struct http_exchange *exchange, void *context)
{
        (void)context;
        struct text text = {0};
        text_append(&text, http_body(exchange)->data, http_body(exchange)->length);
        http_reply(exchange, 200, HTTP_TYPE_TEXT, &text);
}

static void shared(struct http_exchange *exchange, void *context)
{
        struct fixture *f = context;
        const char *type = http_query(exchange, "type");
        http_reply_content(exchange, 200, type ? type : HTTP_TYPE_TEXT, f->content);
}

static void hold(struct http_exchange *exchange, void *context)
{
        struct fixture *f = context;
        http_suspend(exchange);
        f->held[f->held_count++] = exchange;
        sem_post(&f->arrived);
}

static void *answer_now(void *exchange)
{
        http_reply_text(exchange, 200, "%s", text_string(http_body(exchange)));
        return NULL;
}

/* Answered by another thread before the handler has even returned. */
static void hasty(struct http_exchange *exchange, void *context)
{
        struct fixture *f = context;
        http_suspend(exchange);
        assert_int_equal(pthread_create(&f->answerer, NULL, answer_now, exchange), 0);
        assert_int_equal(pthread_join(f->answerer, NULL), 0);
}

static void forget(struct http_exchange *exchange, void *context)
{
        (void)exchange, (void)context;
}

static const struct http_route routes[] = {
        {"GET", "/show", show, 0, NULL},
        {"GET", "/things/{id}", show, 0, NULL},
        {"POST", "/things/{id}/deny", echo, 64, NULL},
        {"GET", "/words/{id}/{word}", show, 0, NULL},
        {"GET", "/query", query, 0, NULL},
        {"GET", "/both", show, 0, NULL},
        {"POST", "/both", echo, 1000, NULL},
        {"POST", "/large", echo, (size_t)16 << 20, NULL},
        {"GET", "/shared", shared, 0, NULL},
        {"GET", "/hold", hold, 0, NULL},
        {"POST", "/hold", hold, 1000, NULL},
        {"POST", "/hasty", hasty, 1000, NULL},
        {"GET", "/forget", forget, 0, NULL},
        {"GET", "/tea", tell, 0, "tea"},
        {"GET", "/coffee/{id}", tell, 0, "coffee"},
        {"GET", "/water", tell, 0, NULL},
        {0},
};

static void count(void *context, const char *route_path, unsigned status)
{
        struct fixture *f = context;
        free(f->last_route);
        f->last_route = route_path ? strdup(route_path) : NULL;
        atomic_fetch_add(&f->done[status], 1);
}

static size_t count_threads(void)
{
        size_t count = 0;
        DIR *tasks = opendir("/proc/self/task");
        assert_non_null(tasks);
        while (readdir(tasks))
                count++;
        closedir(tasks);
        return count;
}

static int start(void **state, const struct http_server_options *options)
{
        struct fixture *f = calloc(1, sizeof(*f));
        _cleanup_error_ struct error error = {0};
        struct http_server_options o = *options;
        assert_non_null(f);
        o.routes = routes;
        o.context = f;
        o.on_done = count;
        static const char *const anywhere[] = {"127.0.0.1:0", NULL};

        if (!o.listen_addresses)
                o.listen_addresses = anywhere;
        f->threads = count_threads();
        if (http_server_start(&o, &f->server, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_int_equal(sem_init(&f->arrived, 0, 0), 0);
        f->fd = peer_connect(http_server_port(f->server));
        *state = f;
        return 0;
}

static int setup(void **state)
{
        return start(state, &(struct http_server_options){0});
}

static int teardown(void **state)
{
        struct fixture *f = *state;
        if (f->fd >= 0)
                close(f->fd);
        f->server = http_server_stop(f->server);
        http_content_unref(f->content);
        peer_answer_release(&f->answer);
        sem_destroy(&f->arrived);
        free(f->last_route);
        unlink(f->config);
        free(f);
        return 0;
}

static void wait_arrived(struct fixture *f)
{
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += PEER_TIMEOUT_SECONDS;
        assert_int_equal(sem_timedwait(&f->arrived, &until), 0);
}

static void expect(struct fixture *f, const char *request, int status, const char *body)
{
        peer_ask(f->fd, request, &f->answer);
        if (f->answer.status != status || (body && strcmp(text_string(&f->answer.body), body) != 0))
                fail_msg("%s\ngave %d %s", request, f->answer.status, text_string(&f->answer.body));
}

static bool has_header(struct fixture *f, const char *line)
{
        return strcasestr(f->answer.head.data, line) != NULL;
}

/* One connection throughout: it has to outlive every error. */
static void test_routes(void **state)
{
        struct fixture *f = *state;
        expect(f, "GET /show HTTP/1.1\r\n" HOST "\r\n", 200, "/show []\n");
        assert_true(has_header(f, "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
        assert_true(has_header(f, "\r\nX-Content-Type-Options: nosniff\r\n"));
        expect(f, "HEAD /show HTTP/1.1\r\n" HOST "\r\n", 200, "");
        assert_true(has_header(f, "\r\nContent-Length: 9\r\n"));
        expect(f, "GET /things/INC-1 HTTP/1.1\r\n" HOST "\r\n", 200, "/things/INC-1 [INC-1]\n");
        expect(f, "GET /things/a%2Fb%20%C3%A4?x HTTP/1.1\r\n" HOST "\r\n", 200,
               "/things/a%2Fb%20%C3%A4 [a/b \xC3\xA4]\n");
        expect(f, "GET /things/%zz%4 HTTP/1.1\r\n" HOST "\r\n", 200, "/things/%zz%4 [%zz%4]\n");
        expect(f, "GET /tea HTTP/1.1\r\n" HOST "\r\n", 200, "tea\n");
        expect(f, "GET /coffee/black HTTP/1.1\r\n" HOST "\r\n", 200, "coffee\n");
        expect(f, "GET /water HTTP/1.1\r\n" HOST "\r\n", 200, "(nothing)\n");
        expect(f, "GET /things/ HTTP/1.1\r\n" HOST "\r\n", 404, "not found\n");
        expect(f, "GET /things/a/b HTTP/1.1\r\n" HOST "\r\n", 404, "not found\n");
        expect(f, "GET /words/a%2Fb/c HTTP/1.1\r\n" HOST "\r\n", 200, "/words/a%2Fb/c [a/b]\n");
        expect(f, "GET /words/a/ HTTP/1.1\r\n" HOST "\r\n", 404, "not found\n");
        expect(f, "GET /words/a HTTP/1.1\r\n" HOST "\r\n", 404, "not found\n");
        expect(f, "GET /words/a/b/c HTTP/1.1\r\n" HOST "\r\n", 404, "not found\n");
        expect(f, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n", 404, "not found\n");
        expect(f, "POST /show HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 405, "method not allowed\n");
        assert_true(has_header(f, "\r\nAllow: GET, HEAD\r\n"));
        expect(f, "DELETE /both HTTP/1.1\r\n" HOST "\r\n", 405, "method not allowed\n");
        assert_true(has_header(f, "\r\nAllow: GET, HEAD, POST\r\n"));
        expect(f, "GET /things/x/deny HTTP/1.1\r\n" HOST "\r\n", 405, NULL);
        assert_true(has_header(f, "\r\nAllow: POST\r\n"));
        expect(f, "GET /forget HTTP/1.1\r\n" HOST "\r\n", 500, "internal error\n");
        expect(f, "GET /show HTTP/1.1\r\n" HOST "\r\n", 200, NULL);
        assert_int_equal(atomic_load(&f->done[404]), 6);
        assert_int_equal(atomic_load(&f->done[405]), 3);
}

static void test_query(void **state)
{
        struct fixture *f = *state;
        expect(f, "GET /query HTTP/1.1\r\n" HOST "\r\n", 200, "(none)|");
        expect(f, "GET /query? HTTP/1.1\r\n" HOST "\r\n", 200, "(none)|");
        expect(f, "GET /query?a HTTP/1.1\r\n" HOST "\r\n", 200, "|");
        expect(f, "GET /query?b&&&a=1&a=2 HTTP/1.1\r\n" HOST "\r\n", 200, "1|");
        expect(f, "GET /query?a=x%26b%3D+%2B%00 HTTP/1.1\r\n" HOST "\r\n", 200, "x&b= +%00|");
        expect(f, "GET /query?collect[]=one&collect%5B%5D=two&collect[]= HTTP/1.1\r\n" HOST "\r\n", 200,
               "(none)|<one><two><>");
        expect(f, "GET /query?&a&b&c&d HTTP/1.1\r\n" HOST "\r\n", 200, "|");
        assert_true(has_header(f, "\r\nContent-Type: application/json\r\n"));
}

static void test_bodies(void **state)
{
        struct fixture *f = *state;
        expect(f, "POST /both HTTP/1.1\r\n" HOST "\r\n", 200, "");
        expect(f, "POST /both HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", 200, "hello");
        expect(f,
               "POST /both HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
               "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
               200, "abcdefg");
        expect(f, "POST /things/a%20b/deny HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", 200, "{}");

        peer_puts(f->fd, "POST /both HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        peer_receive(f->fd, false, &f->answer);
        assert_int_equal(f->answer.status, 100);
        expect(f, "hello", 200, "hello");

        /* One byte at a time. */
        static const char slow[] = "POST /both HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nslow";
        for (size_t i = 0; i < strlen(slow); i++)
                peer_send(f->fd, slow + i, 1);
        peer_receive(f->fd, false, &f->answer);
        assert_string_equal(text_string(&f->answer.body), "slow");
}

/* Too long, declared and chunked: refused without losing the connection. */
static void test_bodies_over_the_limit(void **state)
{
        struct fixture *f = *state;
        _cleanup_text_ struct text body = {0};
        for (int i = 0; i < 1001; i++)
                text_putc(&body, 'x');

        _cleanup_free_ char *declared = text_format(
                "POST /both HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n\r\n%s", text_string(&body));
        expect(f, declared, 413, "the request's body is too large\n");
        expect(f, declared + 0, 413, NULL);
        _cleanup_free_ char *chunked =
                text_format("POST /both HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3e9\r\n%s\r\n"
                            "3e9\r\n%s\r\n0\r\n\r\n",
                            text_string(&body), text_string(&body));
        expect(f, chunked, 413, NULL);
        expect(f, "GET /show HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab", 413, NULL);
        expect(f, "GET /show HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 411,
               NULL);
        expect(f, "GET /show HTTP/1.1\r\n" HOST "\r\n", 200, NULL);

        /* The peer waits before it sends: the answer comes at once, and no "100 Continue". */
        expect(f, "POST /both HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n", 413,
               NULL);
        assert_true(has_header(f, "\r\nConnection: close\r\n"));
        assert_true(peer_is_closed(f->fd));
        close(f->fd);

        /* More than anybody would read past. */
        f->fd = peer_connect(http_server_port(f->server));
        expect(f, "PUT /both HTTP/1.1\r\n" HOST "Content-Length: 99999999999\r\n\r\n", 405, NULL);
        assert_true(peer_is_closed(f->fd));
        close(f->fd);
        f->fd = peer_connect(http_server_port(f->server));
        expect(f, "DELETE /both HTTP/1.1\r\n" HOST "Content-Length: 99999999999\r\n\r\n", 405, NULL);
        assert_true(peer_is_closed(f->fd));
        close(f->fd);
        f->fd = peer_connect(http_server_port(f->server));
        expect(f, "POST /both HTTP/1.1\r\n" HOST "Content-Length: 99999999999\r\n\r\n", 413, NULL);
        assert_true(peer_is_closed(f->fd));
}

static void test_large_body(void **state)
{
        struct fixture *f = *state;
        enum { LENGTH = 5 << 20 };
        _cleanup_text_ struct text body = {0};
        for (int i = 0; i < LENGTH; i++)
                text_putc(&body, (char)('a' + i % 23));
        peer_puts(f->fd, "POST /large HTTP/1.1\r\n" HOST "Content-Length: 5242880\r\n\r\n");
        peer_send(f->fd, body.data, LENGTH);
        peer_receive(f->fd, false, &f->answer);
        assert_int_equal(f->answer.body.length, LENGTH);
        assert_memory_equal(f->answer.body.data, body.data, LENGTH);
}

static int begin_body(struct fixture *f, const char *path, unsigned declared, size_t sent)
{
        int fd = peer_connect(http_server_port(f->server));
        _cleanup_text_ struct text request = {0};
        text_printf(&request, "POST %s HTTP/1.1\r\n" HOST "Content-Length: %u\r\n\r\n", path, declared);
        peer_send(fd, request.data, request.length);
        /* In large pieces: valgrind takes seconds for 16 million small ones, and a body has a time. */
        static char piece[64 << 10];
        memset(piece, 'x', sizeof(piece));
        for (size_t length; sent > 0; sent -= length) {
                length = sent < sizeof(piece) ? sent : sizeof(piece);
                peer_send(fd, piece, length);
        }
        return fd;
}

/* Who announces much and sends nothing keeps nobody's body out (attack F9). */
static void test_promised_bodies_take_nothing(void **state)
{
        struct fixture *f = *state;
        int fds[8];
        for (size_t i = 0; i < N_ELEMENTS(fds); i++)
                fds[i] = begin_body(f, "/large", 16 << 20, 1);
        expect(f, "POST /large HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab", 200, "ab");
        for (size_t i = 0; i < N_ELEMENTS(fds); i++)
                close(fds[i]);
}

/* Who sends much and stops before the end gives way, once there is no room; who is whole and is worked on
 * stays. A small body is before none of them. */
static void test_bodies_that_stop_give_way(void **state)
{
        struct fixture *f = *state;
        int fds[5];
        for (size_t i = 0; i < N_ELEMENTS(fds); i++) {
                fds[i] = begin_body(f, "/large", 16 << 20, (16 << 20) - 1);
                expect(f, "POST /both HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab", 200, NULL);
        }
        /* Whoever goes on is taken as a whole. */
        peer_puts(fds[4], "x");
        peer_receive(fds[4], false, &f->answer);
        assert_int_equal(f->answer.status, 200);
        assert_int_equal(f->answer.body.length, 16 << 20);
        size_t ended = 0;
        for (size_t i = 0; i < 4; i++) {
                char byte;
                ssize_t got = recv(fds[i], &byte, 1, MSG_DONTWAIT);
                ended += got == 0 || (got < 0 && errno == ECONNRESET);
        }
        assert_int_equal(ended, 1);
        for (size_t i = 0; i < N_ELEMENTS(fds); i++)
                close(fds[i]);
}

static void test_suspended(void **state)
{
        struct fixture *f = *state;
        int other = peer_connect(http_server_port(f->server));
        peer_puts(other, "POST /hold HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody");
        wait_arrived(f);
        /* Nobody else waits meanwhile. */
        expect(f, "GET /show HTTP/1.1\r\n" HOST "\r\n", 200, NULL);

        assert_string_equal(text_string(http_body(f->held[0])), "body");
        assert_string_equal(http_path(f->held[0]), "/hold");
        answer_now(f->held[0]);
        peer_receive(other, false, &f->answer);
        assert_int_equal(f->answer.status, 200);
        assert_string_equal(text_string(&f->answer.body), "body\n");
        /* And its connection goes on. */
        peer_ask(other, "POST /hasty HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhasty", &f->answer);
        assert_string_equal(text_string(&f->answer.body), "hasty\n");
        close(other);
}

static void test_peer_gone_while_suspended(void **state)
{
        struct fixture *f = *state;
        for (unsigned i = 0; i < 8; i++) {
                int other = peer_connect(http_server_port(f->server));
                peer_puts(other, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
                wait_arrived(f);
                /* By FIN and by RST. */
                struct linger reset = {.l_onoff = i % 2 == 0, .l_linger = 0};
                assert_int_equal(setsockopt(other, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
                close(other);
        }
        for (unsigned i = 0; i < 8; i++)
                http_reply_text(f->held[i], 200, "nobody hears this");
        expect(f, "GET /show HTTP/1.1\r\n" HOST "\r\n", 200, NULL);
}

static void *stop(void *context)
{
        struct fixture *f = context;
        f->server = http_server_stop(f->server);
        return NULL;
}

/* Waiting peers are told; an answer that comes later, when the server is long gone, does no harm. */
static void test_stop_while_suspended(void **state)
{
        struct fixture *f = *state;
        int others[3];
        for (size_t i = 0; i < N_ELEMENTS(others); i++) {
                others[i] = peer_connect(http_server_port(f->server));
                peer_puts(others[i], "POST /hold HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nlate");
                wait_arrived(f);
        }
        pthread_t stopper;
        assert_int_equal(pthread_create(&stopper, NULL, stop, f), 0);
        for (size_t i = 0; i < N_ELEMENTS(others); i++) {
                peer_receive(others[i], false, &f->answer);
                assert_int_equal(f->answer.status, 503);
                assert_true(peer_is_closed(others[i]));
                close(others[i]);
        }
        assert_int_equal(pthread_join(stopper, NULL), 0);
        for (size_t i = 0; i < N_ELEMENTS(others); i++) {
                assert_string_equal(text_string(http_body(f->held[i])), "late");
                http_reply_text(f->held[i], 200, "too late");
        }
}

/* With users, so that the server has a thread that checks passwords. */
static int setup_users(void **state)
{
        char path[] = "/tmp/runbook-server-XXXXXX";
        static const char users[] =
                "basic_auth_users: {u: $2y$04$x/DzzPIIm1swcr9aQm6VW.hblrXzFjpAU9fj7dkBECjxsYliqKNLG}\n"
                "http_server_config: {headers: {X-Frame-Options: deny}}\n";
        int fd = mkstemp(path);
        assert_int_equal(write(fd, users, strlen(users)), (ssize_t)strlen(users));
        close(fd);
        int r = start(state, &(struct http_server_options){.web_config_file = path});
        strcpy(((struct fixture *)*state)->config, path);
        return r;
}

/* Whether it comes to that; the kernel takes a moment to forget a thread that was joined. */
static bool comes_to_threads(size_t count)
{
        nsec until = clock_monotonic() + PEER_TIMEOUT_SECONDS * NSEC_PER_SEC;
        while (count_threads() != count && clock_monotonic() < until)
                sched_yield();
        return count_threads() == count;
}

/* The configuration and its thread go with the server, though somebody still has to answer; and however he
 * does, nothing of it is missed. */
static void test_late_answers_hold_nothing_of_the_server(void **state)
{
        struct fixture *f = *state;
        int others[3];
        for (size_t i = 0; i < N_ELEMENTS(others); i++) {
                others[i] = peer_connect(http_server_port(f->server));
                peer_puts(others[i],
                          "POST /hold HTTP/1.1\r\n" HOST "Authorization: Basic dTpvcGVuIHNlc2FtZQ==\r\n"
                          "Content-Length: 4\r\n\r\nlate");
                wait_arrived(f);
                assert_string_equal(http_user(f->held[i]), "u");
        }
        stop(f);
        for (size_t i = 0; i < N_ELEMENTS(others); i++)
                close(others[i]);
        assert_true(comes_to_threads(f->threads));

        struct text text = {0}, shared_text = {0};
        text_puts(&text, "too late");
        text_puts(&shared_text, "too late");
        f->content = http_content_new(&shared_text);
        assert_string_equal(http_user(f->held[1]), "u");
        http_reply_text(f->held[0], 200, "too late");
        http_reply(f->held[1], 200, HTTP_TYPE_TEXT, &text);
        http_reply_content(f->held[2], 200, HTTP_TYPE_TEXT, f->content);
}

static void test_content(void **state)
{
        struct fixture *f = *state;
        struct text text = {0};
        for (int i = 0; i < 300000; i++)
                text_putc(&text, (char)('a' + i % 19));
        f->content = http_content_new(&text);
        assert_int_equal(http_content_length(f->content), 300000);

        for (int i = 0; i < 3; i++) {
                expect(f, "GET /shared HTTP/1.1\r\n" HOST "\r\n", 200, http_content_data(f->content));
                expect(f, "GET /shared?type=text/html HTTP/1.1\r\n" HOST "\r\n", 200,
                       http_content_data(f->content));
                assert_true(has_header(f, "\r\nContent-Type: text/html\r\n"));
                assert_true(has_header(f, "\r\nX-Frame-Options: DENY\r\n"));
        }
        expect(f, "HEAD /shared HTTP/1.1\r\n" HOST "\r\n", 200, "");

        /* Let go of while a peer still has to read it. */
        peer_puts(f->fd, "GET /shared HTTP/1.1\r\n" HOST "\r\n");
        _cleanup_text_ struct text first = {0};
        peer_read_exactly(f->fd, &first, 10);
        f->content = http_content_unref(f->content);
        struct text rest = {0};
        assert_true(peer_read_until(f->fd, &rest, "\r\n\r\n"));
        peer_read_exactly(f->fd, &rest, 300000);
        text_free(&rest);

        struct text nothing = {0};
        f->content = http_content_new(&nothing);
        expect(f, "GET /shared HTTP/1.1\r\n" HOST "\r\n", 200, "");
        assert_string_equal(http_content_data(f->content), "");
}

static int setup_small(void **state)
{
        return start(state,
                     &(struct http_server_options){.connection_limit = 2, .idle_timeout = NSEC_PER_SEC});
}

/* Places of requests that are worked on are nobody's to take. */
static void test_connection_limit(void **state)
{
        struct fixture *f = *state;
        int second = peer_connect(http_server_port(f->server));
        static const char request[] = "GET /show HTTP/1.1\r\n" HOST "\r\n";
        static const char hold[] = "GET /hold HTTP/1.1\r\n" HOST "\r\n";
        peer_puts(f->fd, hold);
        wait_arrived(f);
        peer_puts(second, hold);
        wait_arrived(f);

        int third = peer_connect(http_server_port(f->server));
        peer_ask(third, request, &f->answer);
        assert_int_equal(f->answer.status, 503);
        assert_true(peer_is_closed(third));
        close(third);
        for (size_t i = 0; i < 2; i++) {
                http_reply_text(f->held[i], 200, "patience");
                peer_receive(i == 0 ? f->fd : second, false, &f->answer);
                assert_int_equal(f->answer.status, 200);
        }
        expect(f, request, 200, NULL);
        close(second);
}

/* Exporter fault I1: half a head, an idle connection, an answer that nobody takes. */
static void test_i1_who_only_connects_gives_his_place_up(void **state)
{
        struct fixture *f = *state;
        static const char request[] = "GET /show HTTP/1.1\r\n" HOST "\r\n";
        int half = peer_connect(http_server_port(f->server));
        expect(f, request, 200, NULL); /* both have places now; this one idles */
        peer_puts(half, "GET /sh");
        for (int i = 0; i < 8; i++) {
                int other = peer_connect(http_server_port(f->server));
                peer_ask(other, request, &f->answer);
                assert_int_equal(f->answer.status, 200);
                close(other);
        }
        assert_true(peer_is_closed(half));
        close(half);
}

/* A peer that stops in the middle is let go; one that waits for its answer is not. */
static void test_idle_timeout(void **state)
{
        struct fixture *f = *state;
        int waiting = peer_connect(http_server_port(f->server));
        peer_puts(waiting, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
        wait_arrived(f);
        peer_puts(f->fd, "POST /both HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nhalf");
        /* The server may say 408 before it closes. */
        _cleanup_text_ struct text rest = {0};
        assert_false(peer_read_until(f->fd, &rest, "never"));
        assert_true(errno != EAGAIN && errno != EWOULDBLOCK);

        http_reply_text(f->held[0], 200, "patience");
        peer_receive(waiting, false, &f->answer);
        assert_string_equal(text_string(&f->answer.body), "patience\n");
        close(waiting);
}

static void test_broken_peers(void **state)
{
        struct fixture *f = *state;
        static const char *const broken[] = {
                "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
                "GET\r\n\r\n",
                "POST /both HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n",
                "POST /both HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\n",
                "POST /both HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                "GET /show HTTP/1.1\r\n\r\n",
        };
        for (size_t i = 0; i < N_ELEMENTS(broken); i++) {
                int other = peer_connect(http_server_port(f->server));
                peer_puts(other, broken[i]);
                assert_int_equal(shutdown(other, SHUT_WR), 0);
                _cleanup_text_ struct text rest = {0};
                (void)peer_read_until(other, &rest, "never");
                if (strstr(text_string(&rest), "HTTP/1.1 200"))
                        fail_msg("%s\ngave %s", broken[i], text_string(&rest));
                close(other);
        }
        _cleanup_text_ struct text endless = {0};
        text_puts(&endless, "GET /show?");
        for (int i = 0; i < 70000; i++)
                text_putc(&endless, 'x');
        int other = peer_connect(http_server_port(f->server));
        (void)send(other, endless.data, endless.length, MSG_NOSIGNAL);
        _cleanup_text_ struct text rest = {0};
        (void)peer_read_until(other, &rest, "\r\n\r\n");
        assert_null(strstr(text_string(&rest), "HTTP/1.1 200"));
        close(other);
        expect(f, "GET /show HTTP/1.1\r\n" HOST "\r\n", 200, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_routes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_query, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bodies, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bodies_over_the_limit, setup, teardown),
                cmocka_unit_test_setup_teardown(test_large_body, setup, teardown),
                cmocka_unit_test_setup_teardown(test_promised_bodies_take_nothing, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bodies_that_stop_give_way, setup, teardown),
                cmocka_unit_test_setup_teardown(test_suspended, setup, teardown),
                cmocka_unit_test_setup_teardown(test_peer_gone_while_suspended, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stop_while_suspended, setup, teardown),
                cmocka_unit_test_setup_teardown(test_late_answers_hold_nothing_of_the_server, setup_users,
                                                teardown),
                cmocka_unit_test_setup_teardown(test_content, setup, teardown),
                cmocka_unit_test_setup_teardown(test_connection_limit, setup_small, teardown),
                cmocka_unit_test_setup_teardown(test_i1_who_only_connects_gives_his_place_up, setup_small,
                                                teardown),
                cmocka_unit_test_setup_teardown(test_idle_timeout, setup_small, teardown),
                cmocka_unit_test_setup_teardown(test_broken_peers, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
