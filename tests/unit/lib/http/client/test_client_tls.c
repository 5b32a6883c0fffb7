/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client behind TLS: who is trusted, what a certificate tells, and peers that break the handshake.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "runbook/http_client.h"
#include "tests/harness/peer.h"

extern char **environ;

enum { DAYS = 30 };

/* Serves over TLS with kept connections; arguments: certificate, key, "ask" to want one of the client. */
static const char server[] = "import http.server, ssl, sys\n"
                             "class Handler(http.server.BaseHTTPRequestHandler):\n"
                             "    protocol_version = 'HTTP/1.1'\n"
                             "    def do_GET(self):\n"
                             "        self.send_response(200)\n"
                             "        self.send_header('Content-Length', '2')\n"
                             "        self.end_headers()\n"
                             "        self.wfile.write(b'ok')\n"
                             "    def log_message(self, *args): pass\n"
                             "class Server(http.server.ThreadingHTTPServer):\n"
                             "    def handle_error(self, *args): pass\n"
                             "context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
                             "context.load_cert_chain(sys.argv[1], sys.argv[2])\n"
                             "if sys.argv[3] == 'ask':\n"
                             "    context.verify_mode = ssl.CERT_REQUIRED\n"
                             "    context.load_verify_locations(sys.argv[1])\n"
                             "server = Server(('127.0.0.1', 0), Handler)\n"
                             "server.socket = context.wrap_socket(server.socket, server_side=True, "
                             "do_handshake_on_connect=False)\n"
                             "print(server.server_port, flush=True)\n"
                             "server.serve_forever()\n";

struct fixture {
        struct http_client *client;
        struct http_response response;
        struct error error;
        char directory[32];
        char *certificate, *key;
        pid_t server;
        unsigned port;
};

/* Starts a program whose output is read from `ret_output` (may be NULL: thrown away). */
static pid_t spawn(const char *const argv[], int *ret_output)
{
        posix_spawn_file_actions_t actions;
        int output[2];
        pid_t pid;
        assert_int_equal(pipe2(output, O_CLOEXEC), 0);
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        if (posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ) != 0)
                fail_msg("cannot start %s", argv[0]);
        posix_spawn_file_actions_destroy(&actions);
        close(output[1]);
        if (ret_output)
                *ret_output = output[0];
        else
                close(output[0]);
        return pid;
}

/* Starts a program that says the port it listens on. */
static void start(struct fixture *f, const char *const argv[])
{
        _cleanup_text_ struct text line = {0};
        int output;
        f->server = spawn(argv, &output);
        while (line.length == 0 || line.data[line.length - 1] != '\n') {
                struct pollfd ready = {.fd = output, .events = POLLIN};
                char c;
                assert_int_equal(poll(&ready, 1, PEER_TIMEOUT_SECONDS * 1000), 1);
                assert_int_equal(read(output, &c, 1), 1);
                text_putc(&line, c);
        }
        close(output);
        f->port = (unsigned)strtoul(line.data, NULL, 10);
        assert_true(f->port > 0);
}

static void start_server(struct fixture *f, const char *client_certificates)
{
        start(f, (const char *const[]){"python3", "-c", server, f->certificate, f->key, client_certificates,
                                       NULL});
}

static void end_server(struct fixture *f)
{
        if (f->server <= 0)
                return;
        kill(f->server, SIGKILL);
        waitpid(f->server, NULL, 0);
        f->server = 0;
}

static int setup(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));
        assert_non_null(f);
        f->client = http_client_new();
        assert_non_null(f->client);
        strcpy(f->directory, "/tmp/runbook-tls-XXXXXX");
        assert_non_null(mkdtemp(f->directory));
        f->certificate = text_format("%s/certificate.pem", f->directory);
        f->key = text_format("%s/key.pem", f->directory);

        _cleanup_free_ char *days = text_format("%d", DAYS);
        const char *const argv[] = {"openssl",
                                    "req",
                                    "-x509",
                                    "-newkey",
                                    "ec",
                                    "-pkeyopt",
                                    "ec_paramgen_curve:P-256",
                                    "-nodes",
                                    "-days",
                                    days,
                                    "-subj",
                                    "/CN=localhost",
                                    "-addext",
                                    "subjectAltName=DNS:localhost",
                                    "-keyout",
                                    f->key,
                                    "-out",
                                    f->certificate,
                                    NULL};
        int status;
        pid_t pid = spawn(argv, NULL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;
        end_server(f);
        http_client_free(f->client);
        http_response_release(&f->response);
        error_clear(&f->error);
        assert_int_equal(unlink(f->certificate), 0);
        assert_int_equal(unlink(f->key), 0);
        assert_int_equal(rmdir(f->directory), 0);
        free(f->certificate);
        free(f->key);
        free(f);
        return 0;
}

static int fetch(struct fixture *f, const char *host, struct http_request request)
{
        _cleanup_free_ char *url = text_format("https://%s:%u/", host, f->port);
        request.url = url;
        if (request.deadline.at == 0)
                request.deadline = deadline_in(5 * NSEC_PER_SEC);
        http_response_release(&f->response);
        error_clear(&f->error);
        return http_fetch(f->client, &request, &f->response, &f->error);
}

static void test_trust(void **state)
{
        struct fixture *f = *state;
        start_server(f, "none");
        assert_int_equal(fetch(f, "localhost", (struct http_request){0}), -EPROTO);
        assert_non_null(strstr(f->error.message, "certificate"));
        assert_int_equal(fetch(f, "localhost", (struct http_request){.ca_file = f->key}), -EPROTO);
        assert_int_equal(fetch(f, "localhost", (struct http_request){.ca_file = f->certificate}), 0);
        assert_string_equal(text_string(&f->response.body), "ok");
        assert_true(f->response.phases.tls > 0);

        /* Trusted, but somebody else's name; and an operator who wants it anyway. */
        assert_int_equal(fetch(f, "127.0.0.1", (struct http_request){.ca_file = f->certificate}), -EPROTO);
        assert_int_equal(fetch(f, "127.0.0.1", (struct http_request){.insecure = true}), 0);
}

static void test_expiry(void **state)
{
        struct fixture *f = *state;
        struct http_request request = {.ca_file = f->certificate};
        start_server(f, "none");
        for (int i = 0; i < 3; i++) {
                assert_int_equal(fetch(f, "localhost", request), 0);
                /* The certificate is seen once; what it says is known on the kept connection, too. */
                assert_true((f->response.phases.tls > 0) == (i == 0));
                int64_t left = f->response.tls_not_after - (int64_t)time(NULL);
                assert_true(left > (DAYS - 1) * 86400 && left <= DAYS * 86400);
        }
}

static void test_client_certificate(void **state)
{
        struct fixture *f = *state;
        struct http_request request = {.ca_file = f->certificate};
        start_server(f, "ask");
        assert_int_equal(fetch(f, "localhost", request), -EPROTO);
        request.cert_file = f->certificate;
        request.key_file = f->key;
        assert_int_equal(fetch(f, "localhost", request), 0);
        assert_string_equal(text_string(&f->response.body), "ok");
        http_client_free(f->client);
        f->client = http_client_new();
        request.key_file = "/nonexistent/key.pem";
        assert_int_equal(fetch(f, "localhost", request), -EPROTO);
}

/* Peers that do not speak TLS: one is silent, one talks of something else. */
static void test_no_handshake(void **state)
{
        struct fixture *f = *state;
        uint16_t port;
        int fd = peer_listen(&port);
        f->port = port;
        struct http_request request = {.deadline = deadline_in(100 * NSEC_PER_MSEC)};
        assert_int_equal(fetch(f, "127.0.0.1", request), -ETIMEDOUT);
        assert_non_null(strstr(f->error.message, "timed out waiting for the connection to be made"));
        close(fd);

        static const char *const argv[] = {"python3", "-c",
                                           "import socket\n"
                                           "s = socket.create_server(('127.0.0.1', 0))\n"
                                           "print(s.getsockname()[1], flush=True)\n"
                                           "c = s.accept()[0]\n"
                                           "c.sendall(b'HTTP/1.1 400 Bad Request\\r\\n\\r\\n')\n"
                                           "c.recv(4096)\n",
                                           NULL};
        start(f, argv);
        assert_int_equal(fetch(f, "127.0.0.1", (struct http_request){0}), -EPROTO);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_trust, setup, teardown),
                cmocka_unit_test_setup_teardown(test_expiry, setup, teardown),
                cmocka_unit_test_setup_teardown(test_client_certificate, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_handshake, setup, teardown),
        };
        if (http_client_global_init(NULL) < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
