/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Load for a webhook: one body, posted again and again over keep-alive connections by one thread.
 *
 *     webhook_load --address HOST:PORT --path PATH --body FILE [--connections 16] [--seconds 3 | --requests
 * N]
 *                  [--token-file FILE] [--rate PER_SECOND] [--distinct]
 *
 * prints {"requests", "errors", "seconds", "per_second", "p50_ms", "p99_ms", "max_ms"}. Without --rate each
 * connection sends its next request when the last was answered. With it request k is due at k / rate, and its
 * time counts from there, also when no connection was free: a server that stalls cannot hide it. Any answer
 * but 200 is an error, and so is a broken connection. --distinct writes a number of its own over the body's
 * first label "request" (of 16 characters) in each request, so that every one opens an episode.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "runbook/clock.h"
#include "runbook/file.h"
#include "runbook/wait.h"

enum { ANSWER_LIMIT = 16 * 1024, NUMBER_LENGTH = 16 };

struct connection {
        int fd; /* -1: to be opened */
        bool busy;
        nsec due; /* of the request under way */
        size_t sent;
        struct text request;
        char answer[ANSWER_LIMIT];
        size_t answered;
};

struct load {
        struct sockaddr_in address;
        const char *host, *path, *body_file, *token_file;
        size_t connection_count;
        double seconds, rate;
        uint64_t limit; /* requests; 0: by time */
        bool distinct;

        struct text request;
        size_t label; /* its place in the request; 0: none */
        int poll;
        struct connection *connections;
        nsec began, ends;
        uint64_t begun, errors;
        double *times; /* milliseconds */
        size_t finished, room;
};

static _Noreturn void die(const char *what)
{
        fprintf(stderr, "webhook_load: %s: %s\n", what, errno ? strerror(errno) : "wrong");
        exit(1);
}

static void read_file(const char *path, struct text *text)
{
        if (file_read_whole(path, (size_t)1 << 30, text, NULL) < 0)
                die(path);
}

static void make_request(struct load *load)
{
        _cleanup_text_ struct text body = {0};
        read_file(load->body_file, &body);
        text_printf(&load->request,
                    "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
                    "Content-Length: %zu\r\n",
                    load->path, load->host, body.length);
        if (load->token_file) {
                _cleanup_text_ struct text token = {0};
                read_file(load->token_file, &token);
                text_printf(&load->request, "Authorization: Bearer %.*s\r\n",
                            (int)strcspn(text_string(&token), "\n"), text_string(&token));
        }
        text_puts(&load->request, "\r\n");
        size_t head = load->request.length;
        text_append(&load->request, body.data, body.length);
        if (text_error(&load->request) < 0)
                die("out of memory");
        if (!load->distinct)
                return;
        const char *at = strstr(load->request.data + head, "\"request\"");
        at = at ? strchr(at + strlen("\"request\""), '"') : NULL;
        if (!at || strcspn(at + 1, "\"") != NUMBER_LENGTH)
                die("--distinct needs a label \"request\" of 16 characters in the body");
        load->label = (size_t)(at + 1 - load->request.data);
}

static void watch(struct load *load, struct connection *connection, int operation, uint32_t events)
{
        struct epoll_event event = {.events = events, .data.ptr = connection};
        if (epoll_ctl(load->poll, operation, connection->fd, &event) < 0)
                die("epoll_ctl");
}

static void open_connection(struct load *load, struct connection *connection)
{
        connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int on = 1;
        if (connection->fd < 0)
                die("socket");
        setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (connect(connection->fd, (const struct sockaddr *)&load->address, sizeof(load->address)) < 0 &&
            errno != EINPROGRESS)
                die(load->host);
        watch(load, connection, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

static void close_connection(struct connection *connection)
{
        if (connection->fd >= 0)
                close(connection->fd);
        connection->fd = -1;
}

static void finish(struct load *load, struct connection *connection, bool good)
{
        connection->busy = false;
        load->errors += !good;
        if (load->finished == load->room) {
                load->room = load->room ? load->room * 2 : 65536;
                load->times = reallocarray(load->times, load->room, sizeof(*load->times));
                if (!load->times)
                        die("out of memory");
        }
        load->times[load->finished++] = (double)(clock_monotonic() - connection->due) / 1e6;
}

static void broken(struct load *load, struct connection *connection)
{
        close_connection(connection);
        if (connection->busy)
                finish(load, connection, false);
}

static void send_rest(struct load *load, struct connection *connection)
{
        while (connection->busy && connection->sent < connection->request.length) {
                ssize_t n = send(connection->fd, connection->request.data + connection->sent,
                                 connection->request.length - connection->sent, MSG_NOSIGNAL);
                if (n < 0 && errno == EAGAIN) {
                        watch(load, connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
                        return;
                }
                if (n < 0) {
                        broken(load, connection);
                        return;
                }
                connection->sent += (size_t)n;
        }
        if (connection->fd >= 0)
                watch(load, connection, EPOLL_CTL_MOD, EPOLLIN);
}

static void begin(struct load *load, struct connection *connection, nsec due)
{
        if (connection->fd < 0)
                open_connection(load, connection);
        if (load->label > 0) {
                char number[NUMBER_LENGTH + 1];
                snprintf(number, sizeof(number), "%016llx",
                         (unsigned long long)((uint64_t)load->began << 20 ^ load->begun));
                memcpy(connection->request.data + load->label, number, NUMBER_LENGTH);
        }
        connection->busy = true;
        connection->due = due;
        connection->sent = connection->answered = 0;
        load->begun++;
        send_rest(load, connection);
}

static const char *header(const char *head, const char *name)
{
        for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
                if (strncasecmp(line + 2, name, strlen(name)) == 0)
                        return line + 2 + strlen(name);
        return NULL;
}

/* True when the answer is there whole. */
static bool is_whole(const struct connection *connection)
{
        const char *body = strstr(connection->answer, "\r\n\r\n");
        if (!body)
                return false;
        const char *length = header(connection->answer, "Content-Length:");
        size_t got = connection->answered - (size_t)(body + 4 - connection->answer);
        return length ? got >= strtoul(length, NULL, 10) : strstr(body, "\r\n0\r\n\r\n") != NULL;
}

static void receive(struct load *load, struct connection *connection)
{
        ssize_t n = recv(connection->fd, connection->answer + connection->answered,
                         ANSWER_LIMIT - 1 - connection->answered, 0);
        if (n < 0 && errno == EAGAIN)
                return;
        if (n <= 0) {
                broken(load, connection);
                return;
        }
        connection->answered += (size_t)n;
        connection->answer[connection->answered] = '\0';
        if (!connection->busy || !is_whole(connection)) {
                if (!connection->busy || connection->answered == ANSWER_LIMIT - 1)
                        broken(load, connection);
                return;
        }
        bool good = strncmp(connection->answer, "HTTP/1.1 200 ", 13) == 0;
        const char *closes = header(connection->answer, "Connection: close");
        finish(load, connection, good);
        if (closes)
                close_connection(connection);
}

static bool over(const struct load *load)
{
        return load->limit > 0 ? load->begun >= load->limit : clock_monotonic() >= load->ends;
}

static nsec due_at(const struct load *load, uint64_t request)
{
        return load->began + (nsec)((double)request / load->rate * 1e9);
}

/* Gives what is due to connections that are free; how long to wait then. */
static nsec begin_due(struct load *load)
{
        for (size_t i = 0; i < load->connection_count; i++) {
                struct connection *connection = &load->connections[i];
                nsec now = clock_monotonic();
                if (connection->busy)
                        continue;
                if (over(load))
                        break;
                nsec due = load->rate > 0 ? due_at(load, load->begun) : now;
                if (due > now)
                        return due - now;
                begin(load, connection, due);
        }
        return 100 * NSEC_PER_MSEC;
}

static void run(struct load *load)
{
        load->began = clock_monotonic();
        load->ends = load->began + seconds_to_nsec(load->seconds);
        while (!over(load) || load->finished < load->begun) {
                const struct timespec time = nsec_to_timespec(begin_due(load));
                struct epoll_event events[64];
                int count = epoll_pwait2(load->poll, events, 64, &time, NULL);
                for (int i = 0; i < count; i++) {
                        struct connection *connection = events[i].data.ptr;
                        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                                receive(load, connection);
                        else
                                send_rest(load, connection);
                }
                if (clock_monotonic() > load->ends + 30 * NSEC_PER_SEC && load->limit == 0)
                        die("no answers for 30 s");
        }
}

static int compare(const void *a, const void *b)
{
        const double *x = a, *y = b;
        return (*x > *y) - (*x < *y);
}

static void report(struct load *load)
{
        double seconds = nsec_to_seconds(clock_monotonic() - load->began);
        size_t count = load->finished;
        if (count == 0)
                die("no request was finished");
        qsort(load->times, count, sizeof(*load->times), compare);
        printf("{\"requests\": %zu, \"errors\": %llu, \"seconds\": %.3f, \"per_second\": %.1f, "
               "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
               count, (unsigned long long)load->errors, seconds, (double)count / seconds,
               load->times[count / 2], load->times[count * 99 / 100], load->times[count - 1]);
}

static void parse_address(struct load *load, const char *text)
{
        char host[64];
        unsigned port;
        errno = 0;
        load->host = text;
        load->address.sin_family = AF_INET;
        if (sscanf(text, "%63[^:]:%u", host, &port) != 2 || port > UINT16_MAX ||
            inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
                      &load->address.sin_addr) != 1)
                die(text);
        load->address.sin_port = htons((uint16_t)port);
}

int main(int argc, char **argv)
{
        static const struct option options[] = {
                {"address", required_argument, NULL, 'a'},     {"path", required_argument, NULL, 'p'},
                {"body", required_argument, NULL, 'b'},        {"seconds", required_argument, NULL, 's'},
                {"connections", required_argument, NULL, 'c'}, {"requests", required_argument, NULL, 'n'},
                {"token-file", required_argument, NULL, 't'},  {"rate", required_argument, NULL, 'r'},
                {"distinct", no_argument, NULL, 'd'},          {0},
        };
        struct load load = {.connection_count = 16, .seconds = 3};
        for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
                switch (option) {
                case 'a': parse_address(&load, optarg); break;
                case 'p': load.path = optarg; break;
                case 'b': load.body_file = optarg; break;
                case 's': load.seconds = strtod(optarg, NULL); break;
                case 'c': load.connection_count = strtoul(optarg, NULL, 10); break;
                case 'n': load.limit = strtoull(optarg, NULL, 10); break;
                case 't': load.token_file = optarg; break;
                case 'r': load.rate = strtod(optarg, NULL); break;
                case 'd': load.distinct = true; break;
                default: return 2;
                }
        }
        if (!load.host || !load.path || !load.body_file || load.connection_count == 0) {
                fprintf(stderr, "webhook_load: --address, --path and --body are needed\n");
                return 2;
        }
        make_request(&load);
        load.poll = epoll_create1(EPOLL_CLOEXEC);
        load.connections = calloc(load.connection_count, sizeof(*load.connections));
        if (load.poll < 0 || !load.connections)
                die("cannot start");
        for (size_t i = 0; i < load.connection_count; i++) {
                load.connections[i].fd = -1;
                text_append(&load.connections[i].request, load.request.data, load.request.length);
                if (text_error(&load.connections[i].request) < 0)
                        die("out of memory");
        }
        run(&load);
        report(&load);
        return 0;
}
