/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client against peers that follow a script: right, slow, hung, broken, and behind TLS. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "runbook/http_client.h"
#include "tests/harness/peer.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* What the peer does with one request, and then. HANG: until the client goes; DRIP: a byte now and then. */
enum { KEEP, CLOSE, HANG, DRIP };

struct step {
        const char *answer;
        int then;
};

struct script {
        struct step steps[4]; /* closed by one without an answer */
        int fd;
        uint16_t port;
        pthread_t thread;

        /* To be read once the thread has ended. */
        struct text log; /* all requests, heads and bodies */
        unsigned connections, requests;
};

static bool read_request(int fd, struct text *log)
{
        _cleanup_text_ struct text head = {0};
        if (!peer_read_until(fd, &head, "\r\n\r\n"))
                return false;
        text_append(log, head.data, head.length);
        const char *length = strcasestr(head.data, "\r\nContent-Length: ");
        if (length)
                peer_read_exactly(fd, log, strtoul(length + 18, NULL, 10));
        return true;
}

static void wait_until_gone(int fd, bool drip)
{
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        char c;
        while (poll(&poll_fd, 1, drip ? 10 : PEER_TIMEOUT_SECONDS * 1000) == 0)
                if (!drip || send(fd, "x", 1, MSG_NOSIGNAL) < 0)
                        return;
        (void)recv(fd, &c, 1, 0);
}

/* The connection that the next request comes on: the kept one, or a new one, for which that is closed. */
static int next_connection(struct script *script, int fd)
{
        struct pollfd fds[] = {{.fd = script->fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
        if (poll(fds, N_ELEMENTS(fds), PEER_TIMEOUT_SECONDS * 1000) > 0 && fds[1].revents != 0)
                return fd;
        if (fd >= 0)
                close(fd);
        fd = accept4(script->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
                peer_limit(fd);
                script->connections++;
        }
        return fd;
}

static void *play(void *context)
{
        struct script *script = context;
        int fd = -1;
        for (const struct step *step = script->steps; step->answer;) {
                fd = next_connection(script, fd);
                if (fd < 0)
                        break;
                if (!read_request(fd, &script->log)) {
                        /* Gone: the next request comes on another connection. */
                        close(fd);
                        fd = -1;
                        continue;
                }
                script->requests++;
                (void)send(fd, step->answer, strlen(step->answer), MSG_NOSIGNAL);
                if (step->then == HANG || step->then == DRIP)
                        wait_until_gone(fd, step->then == DRIP);
                if (step->then != KEEP) {
                        close(fd);
                        fd = -1;
                }
                step++;
        }
        if (fd >= 0)
                close(fd);
        return NULL;
}

static void script_start(struct script *script, int fd)
{
        script->fd = fd;
        assert_int_equal(pthread_create(&script->thread, NULL, play, script), 0);
}

/* Ends a script, also one that still waits for a client. */
static void script_end(struct script *script)
{
        (void)shutdown(script->fd, SHUT_RDWR);
        assert_int_equal(pthread_join(script->thread, NULL), 0);
        close(script->fd);
}

struct fixture {
        struct http_client *client;
        struct http_response response;
        struct error error;
        char directory[32];
};

static int setup(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));
        assert_non_null(f);
        f->client = http_client_new();
        assert_non_null(f->client);
        strcpy(f->directory, "/tmp/runbook-client-XXXXXX");
        assert_non_null(mkdtemp(f->directory));
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;
        http_client_free(f->client);
        http_response_release(&f->response);
        error_clear(&f->error);
        assert_int_equal(rmdir(f->directory), 0);
        free(f);
        return 0;
}

/* Fetches with what `request` says; its deadline is 5 s unless it has one. */
static int fetch(struct fixture *f, struct http_request request)
{
        if (request.deadline.at == 0)
                request.deadline = deadline_in(5 * NSEC_PER_SEC);
        http_response_release(&f->response);
        error_clear(&f->error);
        int r = http_fetch(f->client, &request, &f->response, &f->error);
        if (r < 0) {
                assert_non_null(f->error.message);
                assert_int_equal(f->response.status, 0);
                assert_null(f->response.body.data);
        }
        return r;
}

/* One request to a peer that answers `answer` and closes (or goes on as `then` says). */
static int fetch_answer(struct fixture *f, const char *answer, int then, struct http_request request)
{
        struct script script = {.steps = {{answer, then}}};
        script_start(&script, peer_listen(&script.port));
        _cleanup_free_ char *url = text_format("http://user:secret@127.0.0.1:%u/path?token=secret#secret",
                                               (unsigned)script.port);
        request.url = url;
        int r = fetch(f, request);
        script_end(&script);
        text_free(&script.log);
        assert_null(strstr(error_text(&f->error), "secret"));
        return r;
}

static void test_get(void **state)
{
        struct fixture *f = *state;
        struct script script = {.steps = {{"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"
                                           "HTTP/1.1 200 OK\r\nContent-Type:  text/plain \r\nx-empty:\r\n"
                                           "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                                           KEEP}}};
        script_start(&script, peer_listen(&script.port));
        _cleanup_free_ char *url = text_format("http://127.0.0.1:%u/a?b=c", (unsigned)script.port);
        assert_int_equal(fetch(f, (struct http_request){.url = url}), 0);
        script_end(&script);

        assert_int_equal(f->response.status, 200);
        assert_string_equal(text_string(&f->response.body), "hello");
        assert_true(string_starts(f->response.headers.data, "HTTP/1.1 200 OK\r\n"));
        _cleanup_text_ struct text value = {0};
        assert_true(http_response_header(&f->response, "content-TYPE", &value));
        assert_string_equal(text_string(&value), "text/plain");
        text_clear(&value);
        assert_true(http_response_header(&f->response, "X-Empty", &value));
        assert_string_equal(text_string(&value), "");
        assert_false(http_response_header(&f->response, "X-Early", &value));
        assert_false(http_response_header(&f->response, "Content", &value));

        const struct http_phases *phases = &f->response.phases;
        assert_true(phases->total > 0 && phases->connect > 0 && phases->tls == 0);
        double sum = phases->resolve + phases->connect + phases->processing + phases->transfer;
        assert_true(sum > 0 && sum <= phases->total + 1e-6);
        assert_int_equal(f->response.tls_not_after, 0);

        assert_true(string_starts(script.log.data, "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:"));
        assert_non_null(strstr(script.log.data, "\r\nUser-Agent: runbook/"));
        text_free(&script.log);
}

/* What a peer says is an answer, whatever it says; and nobody is sent elsewhere. */
static void test_statuses(void **state)
{
        struct fixture *f = *state;
        static const struct {
                const char *answer;
                int status;
        } cases[] = {
                {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404},
                {"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", 503},
                {"HTTP/1.1 204 No Content\r\n\r\n", 204},
                {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 302},
                {"HTTP/1.0 200 OK\r\n\r\nup to the end", 200},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                assert_int_equal(fetch_answer(f, cases[i].answer, CLOSE, (struct http_request){0}), 0);
                assert_int_equal(f->response.status, cases[i].status);
        }
        assert_string_equal(text_string(&f->response.body), "up to the end");
}

static void test_methods_and_bodies(void **state)
{
        struct fixture *f = *state;
        static const char *const headers[] = {"Content-Type: application/json", "X-One: 1", NULL};
        struct script script = {
                .steps = {{OK, KEEP}, {OK, KEEP}, {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", KEEP}}};
        script_start(&script, peer_listen(&script.port));
        _cleanup_free_ char *url = text_format("http://127.0.0.1:%u/", (unsigned)script.port);
        assert_int_equal(fetch(f, (struct http_request){.url = url,
                                                        .method = "POST",
                                                        .headers = headers,
                                                        .body = "{}\0{}",
                                                        .body_length = 5}),
                         0);
        assert_int_equal(fetch(f, (struct http_request){.url = url, .method = "POST"}), 0);
        assert_int_equal(fetch(f, (struct http_request){.url = url, .method = "HEAD"}), 0);
        assert_int_equal(f->response.body.length, 0);
        script_end(&script);

        assert_int_equal(script.requests, 3);
        const char *first = script.log.data, *body = memmem(first, script.log.length, "{}\0{}", 5);
        assert_non_null(body);
        const char *second = body + 5;
        assert_true(string_starts(first, "POST / HTTP/1.1\r\n"));
        assert_non_null(strstr(first, "\r\nContent-Type: application/json\r\n"));
        assert_non_null(strstr(first, "\r\nX-One: 1\r\n"));
        assert_non_null(strstr(first, "\r\nContent-Length: 5\r\n"));
        assert_true(string_starts(second, "POST / HTTP/1.1\r\n"));
        assert_non_null(strstr(second, "\r\nContent-Length: 0\r\n"));
        assert_null(strstr(second, "Content-Type"));
        assert_non_null(strstr(second, "HEAD / HTTP/1.1\r\n"));
        text_free(&script.log);
}

static void test_large_body_waits_for_nothing(void **state)
{
        struct fixture *f = *state;
        enum { LENGTH = 3 << 20 };
        _cleanup_free_ char *body = calloc(1, LENGTH);
        assert_non_null(body);
        struct script script = {.steps = {{OK, CLOSE}}};
        script_start(&script, peer_listen(&script.port));
        _cleanup_free_ char *url = text_format("http://127.0.0.1:%u/", (unsigned)script.port);
        assert_int_equal(fetch(f,
                               (struct http_request){
                                       .url = url, .method = "PUT", .body = body, .body_length = LENGTH}),
                         0);
        script_end(&script);
        assert_null(strstr(script.log.data, "Expect"));
        assert_true(string_starts(script.log.data, "PUT / HTTP/1.1\r\n"));
        text_free(&script.log);
}

static void test_unix_socket(void **state)
{
        struct fixture *f = *state;
        _cleanup_free_ char *path = text_format("%s/socket", f->directory);
        struct script script = {.steps = {{OK, CLOSE}}};
        struct http_request request = {.url = "http://localhost/info", .unix_socket = path};
        assert_int_equal(fetch(f, request), -ECONNREFUSED);
        assert_non_null(strstr(f->error.message, path));
        assert_non_null(strstr(f->error.message, "No such file or directory"));

        script_start(&script, peer_listen_unix(path));
        assert_int_equal(fetch(f, request), 0);
        assert_string_equal(text_string(&f->response.body), "ok");
        script_end(&script);
        text_free(&script.log);

        assert_int_equal(fetch(f, request), -ECONNREFUSED);
        assert_non_null(strstr(f->error.message, "Connection refused"));
        assert_int_equal(unlink(path), 0);
}

static void test_connections_kept(void **state)
{
        struct fixture *f = *state;
        struct script script = {.steps = {{OK, KEEP}, {OK, CLOSE}, {OK, KEEP}}};
        script_start(&script, peer_listen(&script.port));
        _cleanup_free_ char *url = text_format("http://127.0.0.1:%u/", (unsigned)script.port);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(fetch(f, (struct http_request){.url = url}), 0);
                assert_true((f->response.phases.connect > 0) == (i != 1));
        }
        script_end(&script);
        assert_int_equal(script.connections, 2);
        text_free(&script.log);
}

/* A peer that dies of a POST may have acted on it: it is never sent again. A GET may be, and is. */
static void test_nothing_is_sent_twice(void **state)
{
        struct fixture *f = *state;
        struct script script = {.steps = {{OK, KEEP}, {"", CLOSE}, {"", CLOSE}}};
        script_start(&script, peer_listen(&script.port));
        _cleanup_free_ char *url = text_format("http://127.0.0.1:%u/", (unsigned)script.port);
        assert_int_equal(fetch(f, (struct http_request){.url = url}), 0);
        /* Its first connection dies, and then the second: that is a broken peer. */
        assert_int_equal(fetch(f, (struct http_request){.url = url}), -EPROTO);
        script_end(&script);
        assert_int_equal(script.requests, 3);
        text_free(&script.log);

        struct script post = {.steps = {{OK, KEEP}, {"", CLOSE}, {OK, KEEP}}};
        script_start(&post, peer_listen(&post.port));
        _cleanup_free_ char *post_url = text_format("http://127.0.0.1:%u/", (unsigned)post.port);
        assert_int_equal(fetch(f, (struct http_request){.url = post_url}), 0);
        assert_int_equal(fetch(f, (struct http_request){.url = post_url, .method = "POST"}), -EPROTO);
        script_end(&post);
        assert_int_equal(post.requests, 2);
        text_free(&post.log);
}

static void test_timeouts(void **state)
{
        struct fixture *f = *state;
        static const struct {
                const char *answer;
                int then;
                const char *sentence;
        } cases[] = {
                {"", HANG, "timed out waiting for the answer"},
                {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", HANG,
                 "timed out waiting for the rest of the answer"},
                {"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n", DRIP, "the rest of the answer"},
                {"HTTP/1.1 200 OK\r\nX: ", DRIP, "timed out waiting for"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct http_request request = {.deadline = deadline_in(100 * NSEC_PER_MSEC)};
                assert_int_equal(fetch_answer(f, cases[i].answer, cases[i].then, request), -ETIMEDOUT);
                if (!strstr(f->error.message, cases[i].sentence))
                        fail_msg("\"%s\" where \"%s\" was expected", f->error.message, cases[i].sentence);
        }
        struct http_request late = {.url = "http://127.0.0.1:1/", .deadline = deadline_in(-1)};
        assert_int_equal(fetch(f, late), -ETIMEDOUT);
}

static void test_broken_answers(void **state)
{
        struct fixture *f = *state;
        static const struct {
                const char *answer;
                int result;
        } cases[] = {
                {"", -EPROTO},
                {"SSH-2.0-OpenSSH_9.2\r\n", -EPROTO},
                {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", -EPROTO},
                {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", -EPROTO},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                int r = fetch_answer(f, cases[i].answer, CLOSE, (struct http_request){0});
                if (r != cases[i].result)
                        fail_msg("%s gave %d: %s", cases[i].answer, r, error_text(&f->error));
                assert_true(string_starts(f->error.message, "http://127.0.0.1:"));
                assert_non_null(strstr(f->error.message, "/path: "));
        }
}

static void test_limits(void **state)
{
        struct fixture *f = *state;
        static const char *const answers[] = {
                "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\n\r\n0123456789",
        };
        for (size_t i = 0; i < N_ELEMENTS(answers); i++) {
                assert_int_equal(fetch_answer(f, answers[i], CLOSE, (struct http_request){.body_limit = 10}),
                                 0);
                assert_string_equal(text_string(&f->response.body), "0123456789");
                assert_int_equal(fetch_answer(f, answers[i], CLOSE, (struct http_request){.body_limit = 9}),
                                 -EMSGSIZE);
        }
        _cleanup_text_ struct text endless = {0};
        text_puts(&endless, "HTTP/1.1 200 OK\r\n");
        while (endless.length < (size_t)270 << 10)
                text_puts(&endless, "X-Header: 0123456789012345678901234567890123456789\r\n");
        text_puts(&endless, "Content-Length: 0\r\n\r\n");
        assert_true(fetch_answer(f, text_string(&endless), CLOSE, (struct http_request){0}) < 0);

        _cleanup_text_ struct text line = {0};
        text_puts(&line, "HTTP/1.1 200 ");
        while (line.length < (size_t)400 << 10)
                text_puts(&line, "and so on ");
        assert_int_equal(fetch_answer(f, text_string(&line), CLOSE, (struct http_request){0}), -EMSGSIZE);
        assert_non_null(strstr(error_text(&f->error), "larger than is taken"));
}

static int collect(void *context, const char *data, size_t length)
{
        struct text *text = context;
        text_append(text, data, length);
        return text->length > 5 ? -ECANCELED : 0;
}

static void test_streaming(void **state)
{
        struct fixture *f = *state;
        _cleanup_text_ struct text text = {0};
        struct http_request request = {.on_data = collect, .context = &text, .body_limit = 1};
        assert_int_equal(fetch_answer(f, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", KEEP, request),
                         0);
        assert_string_equal(text_string(&text), "hello");
        assert_int_equal(f->response.body.length, 0);
        assert_int_equal(fetch_answer(f, OK, KEEP, request), -ECANCELED);
}

static void test_bad_requests(void **state)
{
        struct fixture *f = *state;
        static const char *const split[] = {"X-A: 1\r\nX-B: 2", NULL};
        const struct {
                struct http_request request;
                int result;
        } cases[] = {
                {{.url = "http://127.0.0.1:1/", .headers = split}, -EINVAL},
                {{.url = "http://127.0.0.1:1/", .method = "GET / HTTP/1.1\r\nX:"}, -EINVAL},
                {{.url = "http://127.0.0.1:1/", .method = ""}, -EINVAL},
                {{.url = "file:///etc/passwd"}, -EINVAL},
                {{.url = "http://127.0.0.1:99999/"}, -EINVAL},
                {{.url = "no url at all"}, -EINVAL},
                {{.url = "http://127.0.0.1:1/services/secret?secret", .url_is_secret = true}, -ECONNREFUSED},
                {{.url = "http://no-such-host.invalid/secret", .url_is_secret = true}, -EHOSTUNREACH},
                {{.url = "https://user:secret@127.0.0.1:1/?secret"}, -ECONNREFUSED},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                int r = fetch(f, cases[i].request);
                if (r != cases[i].result)
                        fail_msg("%s gave %d: %s", cases[i].request.url, r, error_text(&f->error));
                assert_null(strstr(f->error.message, "secret"));
        }
}

static void write_file(const char *path, const char *content)
{
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        fputs(content, file);
        assert_int_equal(fclose(file), 0);
}

static void test_bearer(void **state)
{
        struct fixture *f = *state;
        _cleanup_free_ char *path = text_format("%s/token", f->directory);
        struct secret secret = {.file = path};
        struct http_request request = {.bearer = &secret};
        write_file(path, "s3cr3t\n");
        struct script script = {.steps = {{OK, CLOSE}}};
        script_start(&script, peer_listen(&script.port));
        _cleanup_free_ char *url = text_format("http://127.0.0.1:%u/", (unsigned)script.port);
        request.url = url;
        assert_int_equal(fetch(f, request), 0);
        script_end(&script);
        assert_non_null(strstr(script.log.data, "\r\nAuthorization: Bearer s3cr3t\r\n"));
        text_free(&script.log);

        write_file(path, "s3cr3t\r\nX-Injected: 1\n");
        assert_int_equal(fetch(f, request), -EINVAL);
        assert_null(strstr(f->error.message, "s3cr3t"));
        assert_int_equal(unlink(path), 0);
        assert_int_equal(fetch(f, request), -ENOENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_get, setup, teardown),
                cmocka_unit_test_setup_teardown(test_statuses, setup, teardown),
                cmocka_unit_test_setup_teardown(test_methods_and_bodies, setup, teardown),
                cmocka_unit_test_setup_teardown(test_large_body_waits_for_nothing, setup, teardown),
                cmocka_unit_test_setup_teardown(test_unix_socket, setup, teardown),
                cmocka_unit_test_setup_teardown(test_connections_kept, setup, teardown),
                cmocka_unit_test_setup_teardown(test_nothing_is_sent_twice, setup, teardown),
                cmocka_unit_test_setup_teardown(test_timeouts, setup, teardown),
                cmocka_unit_test_setup_teardown(test_broken_answers, setup, teardown),
                cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
                cmocka_unit_test_setup_teardown(test_streaming, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bad_requests, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bearer, setup, teardown),
        };
        if (http_client_global_init(NULL) < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
