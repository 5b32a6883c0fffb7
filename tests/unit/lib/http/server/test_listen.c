/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server's addresses, who may ask it, and many peers and threads at once. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "runbook/http_server.h"
#include "tests/harness/peer.h"

static void hello(struct http_exchange *exchange, void *context)
{
        (void)context;
        const char *agent = http_header(exchange, "user-agent");
        http_reply_text(exchange, 200, "hello %s", agent ? agent : "you");
}

static void *answer_later(void *exchange)
{
        http_reply_text(exchange, 200, "%s", text_string(http_body(exchange)));
        return NULL;
}

static void detach(struct http_exchange *exchange, void *context)
{
        (void)context;
        pthread_t thread;
        http_suspend(exchange);
        if (pthread_create(&thread, NULL, answer_later, exchange) == 0)
                pthread_detach(thread);
        else
                http_reply_text(exchange, 500, "no thread");
}

static const struct http_route routes[] = {
        {"GET", "/", hello, 0, NULL},
        {"POST", "/", hello, 100, NULL},
        {"POST", "/detach", detach, 100, NULL},
        {0},
};

static struct http_server *start(const char *address)
{
        _cleanup_error_ struct error error = {0};
        struct http_server *server = NULL;
        if (http_server_start(&(struct http_server_options){.listen_addresses = HTTP_ADDRESSES(address),
                                                            .routes = routes},
                              &server, &error) < 0)
                fail_msg("%s", error_text(&error));
        return server;
}

/* The sentence of a start that has to fail with `code`; free it. */
static char *refused(const char *address, int code)
{
        _cleanup_error_ struct error error = {0};
        struct http_server *server = NULL;
        int r = http_server_start(
                &(struct http_server_options){.listen_addresses = HTTP_ADDRESSES(address), .routes = routes},
                &server, &error);
        assert_int_equal(r, -code);
        assert_null(server);
        return strdup(error_text(&error));
}

static int ask(int fd, const char *request)
{
        _cleanup_answer_ struct peer_answer answer = {0};
        peer_ask(fd, request, &answer);
        return answer.status;
}

static void test_is_loopback(void **state)
{
        (void)state;
        static const struct {
                const char *address;
                int result;
                bool loopback;
        } cases[] = {
                {"127.0.0.1:9878", 0, true},
                {"127.8.9.1:0", 0, true},
                {"localhost:1", 0, true},
                {"LocalHost:1", 0, true},
                {"[::1]:9878", 0, true},
                {"[::ffff:127.0.0.1]:1", 0, true},
                {"unix:/run/x.sock", 0, true},
                {":9877", 0, false},
                {"0.0.0.0:1", 0, false},
                {"[::]:1", 0, false},
                {"[]:1", 0, false},
                {"10.0.0.1:1", 0, false},
                {"localhost.example.com:1", 0, false},
                {"127.0.0.1.example.com:1", 0, false},
                {"[::ffff:10.0.0.1]:1", 0, false},
                {"", -EINVAL, false},
                {"9877", -EINVAL, false},
                {"localhost", -EINVAL, false},
                {"localhost:", -EINVAL, false},
                {"localhost:http", -EINVAL, false},
                {"localhost:65536", -EINVAL, false},
                {"localhost:-1", -EINVAL, false},
                {"::1:9878", -EINVAL, false},
                {"[::1]", -EINVAL, false},
                {"unix:", -EINVAL, false},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                bool loopback = false;
                if (http_address_is_loopback(cases[i].address, &loopback, &error) != cases[i].result ||
                    loopback != cases[i].loopback)
                        fail_msg("wrong about \"%s\": %s", cases[i].address, error_text(&error));
                if (cases[i].result < 0)
                        assert_non_null(strstr(error_text(&error), "is no listen address"));
        }
}

static void test_address_in_use(void **state)
{
        (void)state;
        uint16_t port;
        int fd = peer_listen(&port);
        _cleanup_free_ char *address = text_format("127.0.0.1:%u", (unsigned)port);
        _cleanup_free_ char *sentence = refused(address, EADDRINUSE);
        _cleanup_free_ char *expected =
                text_format("cannot listen on %s: address already in use: is another ", address);
        assert_true(string_starts(sentence, expected));
        close(fd);

        /* Once it is free, a restart gets it at once, although old connections are still closing. */
        for (int i = 0; i < 3; i++) {
                struct http_server *server = start(address);
                fd = peer_connect(http_server_port(server));
                assert_int_equal(ask(fd, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);
                http_server_stop(server);
                assert_true(peer_is_closed(fd));
                close(fd);
        }
        free(refused("198.51.100.1:0", EADDRNOTAVAIL));
        free(refused("no-such-host.invalid:0", EINVAL));
}

static void test_all_addresses(void **state)
{
        (void)state;
        static const char *const addresses[] = {":0", "0.0.0.0:0", "localhost:0", "LOCALHOST:0"};
        for (size_t i = 0; i < N_ELEMENTS(addresses); i++) {
                struct http_server *server = start(addresses[i]);
                int fd = peer_connect(http_server_port(server));
                assert_int_equal(ask(fd, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), 200);
                close(fd);
                http_server_stop(server);
        }
}

static void test_unix_socket(void **state)
{
        (void)state;
        char directory[] = "/tmp/runbook-http-XXXXXX";
        assert_non_null(mkdtemp(directory));
        _cleanup_free_ char *path = text_format("%s/socket", directory);
        _cleanup_free_ char *address = text_format("unix:%s", path);

        /* Left behind by one that was killed: removed. */
        close(peer_listen_unix(path));
        struct http_server *server = start(address);
        assert_int_equal(http_server_port(server), 0);
        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0007, 0);

        /* Any Host may be asked for: no browser gets here. */
        int fd = peer_connect_unix(path);
        assert_int_equal(ask(fd, "GET / HTTP/1.1\r\nHost: runbook.example\r\n\r\n"), 200);
        assert_int_equal(ask(fd, "POST /detach HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1"), 200);
        close(fd);

        /* In use: left alone. */
        _cleanup_free_ char *sentence = refused(address, EADDRINUSE);
        assert_non_null(strstr(sentence, "already in use"));
        fd = peer_connect_unix(path);
        assert_int_equal(ask(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
        close(fd);

        /* Replaced by another's meanwhile: theirs is not removed. */
        assert_int_equal(unlink(path), 0);
        fd = peer_listen_unix(path);
        http_server_stop(server);
        assert_int_equal(stat(path, &status), 0);
        close(fd);

        server = start(address);
        http_server_stop(server);
        assert_int_equal(stat(path, &status), -1);

        /* A file that is no socket is never removed. */
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        fclose(file);
        free(refused(address, EADDRINUSE));
        assert_int_equal(unlink(path), 0);

        _cleanup_free_ char *deep = text_format("unix:%s/%0120d", directory, 1);
        free(refused(deep, ENAMETOOLONG));
        _cleanup_free_ char *nowhere = text_format("unix:%s/missing/socket", directory);
        free(refused(nowhere, ENOENT));
        assert_int_equal(rmdir(directory), 0);
}

/* A page of another site whose name was made to point here (DNS rebinding) sends its own name as Host. */
static void test_host_on_loopback(void **state)
{
        (void)state;
        static const struct {
                const char *host;
                int status;
        } cases[] = {
                {"localhost", 200},          {"localhost:9878", 200}, {"LOCALHOST:1", 200},
                {"127.0.0.1:9878", 200},     {"127.1.2.3", 200},      {"[::1]", 200},
                {"[::1]:80", 200},           {"evil.example", 421},   {"evil.example:9878", 421},
                {"localhost.evil", 421},     {"127.0.0.1.evil", 421}, {"localhost:80@evil", 421},
                {"[::1].evil", 421},         {"[::1", 421},           {"10.0.0.1", 421},
                {"localhosts", 421},         {"[::2]", 421},          {"::1", 421},
                {"127.0.0.1111111111", 421},
        };
        struct http_server *server = start("127.0.0.1:0"), *open = start(":0");
        int fd = peer_connect(http_server_port(server)), other = peer_connect(http_server_port(open));
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *request =
                        text_format("GET / HTTP/1.1\r\nHost: %s\r\n\r\n", cases[i].host);
                if (ask(fd, request) != cases[i].status)
                        fail_msg("wrong about Host: %s", cases[i].host);
                assert_int_equal(ask(other, request), 200);
        }
        close(fd);
        close(other);
        http_server_stop(server);
        http_server_stop(open);
}

static void test_origin(void **state)
{
        (void)state;
        static const struct {
                const char *origin, *host;
                int post;
        } cases[] = {
                {"http://localhost:9878", "localhost:9878", 200},
                {"https://LOCALHOST:9878", "localhost:9878", 200},
                {"http://localhost:3000", "localhost:9878", 403},
                {"http://evil.example", "localhost:9878", 403},
                {"http://localhost:9878.evil.example", "localhost:9878", 403},
                {"null", "localhost:9878", 403},
                {"", "localhost:9878", 403},
        };
        struct http_server *server = start("127.0.0.1:0");
        int fd = peer_connect(http_server_port(server));
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                static const char *const methods[] = {"POST", "GET"};
                for (size_t m = 0; m < N_ELEMENTS(methods); m++) {
                        _cleanup_free_ char *request =
                                text_format("%s / HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\n\r\n", methods[m],
                                            cases[i].host, cases[i].origin);
                        if (ask(fd, request) != (m == 0 ? cases[i].post : 200))
                                fail_msg("wrong about %s with Origin: %s", methods[m], cases[i].origin);
                }
        }
        close(fd);
        http_server_stop(server);
}

/* A browser says so of a page's request also where it sends no Origin. */
static void test_fetch_site(void **state)
{
        (void)state;
        static const struct {
                const char *site;
                int post;
        } cases[] = {{"same-origin", 200}, {"none", 200}, {"same-site", 403}, {"cross-site", 403}, {"", 403}};
        struct http_server *server = start("127.0.0.1:0");
        int fd = peer_connect(http_server_port(server));
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *request = text_format(
                        "POST / HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: %s\r\n\r\n", cases[i].site);
                assert_int_equal(ask(fd, request), cases[i].post);
        }
        close(fd);
        http_server_stop(server);
}

struct crowd {
        uint16_t port;
        atomic_uint answered, wrong;
};

enum { PEERS = 8, REQUESTS = 100 };

/* A peer with one connection; every tenth request it leaves before the answer and comes back. */
static void *peer(void *context)
{
        struct crowd *crowd = context;
        int fd = peer_connect(crowd->port);
        for (int i = 0; i < REQUESTS; i++) {
                _cleanup_free_ char *body = text_format("request %d of %d", i, fd);
                _cleanup_free_ char *request = text_format(
                        "POST /detach HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s",
                        strlen(body), body);
                peer_puts(fd, request);
                if (i % 10 == 9) {
                        close(fd);
                        fd = peer_connect(crowd->port);
                        continue;
                }
                _cleanup_answer_ struct peer_answer answer = {0};
                peer_receive(fd, false, &answer);
                bool right = answer.status == 200 && string_starts(text_string(&answer.body), body);
                atomic_fetch_add(right ? &crowd->answered : &crowd->wrong, 1);
        }
        close(fd);
        return NULL;
}

static void test_crowd(void **state)
{
        (void)state;
        struct http_server *server = start("127.0.0.1:0");
        struct crowd crowd = {.port = http_server_port(server)};
        pthread_t threads[PEERS];
        for (size_t i = 0; i < PEERS; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, peer, &crowd), 0);
        for (size_t i = 0; i < PEERS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(atomic_load(&crowd.answered), PEERS * REQUESTS * 9 / 10);
        assert_int_equal(atomic_load(&crowd.wrong), 0);
        http_server_stop(server);
}

/* One who is connected already: who comes when the server has stopped finds nobody. */
struct impatient {
        struct crowd *crowd;
        int fd;
};

/* Stopping while peers ask and other threads answer: every peer gets an answer or a closed connection. */
static void *impatient_peer(void *context)
{
        struct impatient *impatient = context;
        struct crowd *crowd = impatient->crowd;
        int fd = impatient->fd;
        for (;;) {
                static const char request[] =
                        "POST /detach HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nstop";
                _cleanup_text_ struct text head = {0};
                errno = 0;
                if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0 ||
                    !peer_read_until(fd, &head, "\r\n\r\nst") /* "stop" or nothing more */)
                        break;
                char rest[3];
                if (recv(fd, rest, sizeof(rest), MSG_WAITALL) != sizeof(rest))
                        break;
                atomic_fetch_add(&crowd->answered, 1);
        }
        /* Closed, not timed out. */
        if (errno == EAGAIN || errno == EWOULDBLOCK)
                atomic_fetch_add(&crowd->wrong, 1);
        close(fd);
        return NULL;
}

static void test_stop_in_a_crowd(void **state)
{
        (void)state;
        for (int round = 0; round < 5; round++) {
                struct http_server *server = start("127.0.0.1:0");
                struct crowd crowd = {.port = http_server_port(server)};
                pthread_t threads[4];
                struct impatient peers[N_ELEMENTS(threads)];
                for (size_t i = 0; i < N_ELEMENTS(threads); i++)
                        peers[i] = (struct impatient){&crowd, peer_connect(crowd.port)};
                for (size_t i = 0; i < N_ELEMENTS(threads); i++)
                        assert_int_equal(pthread_create(&threads[i], NULL, impatient_peer, &peers[i]), 0);
                while (atomic_load(&crowd.answered) < 20)
                        sched_yield();
                http_server_stop(server);
                for (size_t i = 0; i < N_ELEMENTS(threads); i++)
                        assert_int_equal(pthread_join(threads[i], NULL), 0);
                assert_int_equal(atomic_load(&crowd.wrong), 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_is_loopback),      cmocka_unit_test(test_address_in_use),
                cmocka_unit_test(test_all_addresses),    cmocka_unit_test(test_unix_socket),
                cmocka_unit_test(test_host_on_loopback), cmocka_unit_test(test_origin),
                cmocka_unit_test(test_fetch_site),       cmocka_unit_test(test_crowd),
                cmocka_unit_test(test_stop_in_a_crowd),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
