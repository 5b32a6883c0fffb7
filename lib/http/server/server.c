/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: libmicrohttpd started and stopped, and what it calls for each connection and request. */
#include "runbook/http_server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "lib/http/server/internal.h"
#include "runbook/log.h"
#include "runbook/wait.h"

enum {
        DEFAULT_CONNECTION_LIMIT = 512,
        SPARE_CONNECTIONS = 32, /* taken over the limit, to be told 503; more wait in the kernel's queue */
};

static const nsec DEFAULT_IDLE_TIMEOUT = 60 * NSEC_PER_SEC;
static const nsec DEFAULT_HEAD_TIMEOUT = 10 * NSEC_PER_SEC;

/* All bodies together: a few of the largest kind at once. */
static const size_t LEAST_BODY_BUDGET = (size_t)32 << 20;

/* How long http_server_stop() lets answers that are on their way arrive. */
static const nsec STOP_GRACE = 2 * NSEC_PER_SEC;

/* The request line was read. The exchange made here is what MHD hands back for the rest of the request. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
        return http_exchange_new(cls, connection, target);
}

static bool has_no_place(const struct http_exchange *exchange)
{
        const struct http_place *place = http_link_place(exchange->connection);
        return !place || http_places_refuse(&exchange->server->places, place);
}

/* A connection that has shown a whole head may idle for longer than one that has not. */
static void note_head(struct http_exchange *exchange)
{
        struct http_place *place = http_link_place(exchange->connection);
        if (!place || place->asked)
                return;
        place->asked = true;
        http_connection_patience(exchange->connection, exchange->server->idle_timeout);
}

/* It is known who asks. A peer that waits for "100 Continue" with a body nobody wants is answered right now.
 */
static enum MHD_Result admit(struct http_exchange *exchange)
{
        http_exchange_admit(exchange);
        if (!exchange->refusal || !http_exchange_refuses_early(exchange))
                return MHD_YES;
        exchange->closes = true;
        http_exchange_send_refusal(exchange);
        return http_exchange_send(exchange);
}

/* Nothing behind this head may be taken for a request. */
static enum MHD_Result refuse_head(struct http_exchange *exchange, const char *fault)
{
        exchange->begun = exchange->closes = true;
        http_refuse(exchange, MHD_HTTP_BAD_REQUEST, fault);
        http_exchange_send_refusal(exchange);
        return http_exchange_send(exchange);
}

/* The head was read. */
static enum MHD_Result begin(struct http_exchange *exchange, const char *method, const char *version)
{
        bool stopping = atomic_load(&exchange->server->stopping);
        note_head(exchange);
        const char *fault = http_framing_fault(exchange, method, version);
        if (fault)
                return refuse_head(exchange, fault);
        exchange->closes = stopping || has_no_place(exchange);
        if (exchange->closes)
                http_refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE,
                            stopping ? "shutting down" : "all connections are taken, try again");
        http_exchange_begin(exchange, method);
        if (exchange->server->secure && !http_exchange_refuses_anybody(exchange) &&
            !http_secure_ask(exchange))
                return MHD_YES;
        return admit(exchange);
}

/* The request is complete. */
static enum MHD_Result dispatch(struct http_exchange *exchange)
{
        struct http_server *server = exchange->server;
        exchange->dispatched = true;
        http_body_whole(exchange);
        atomic_fetch_add(&server->busy, 1);
        if (exchange->refusal)
                http_exchange_send_refusal(exchange);
        else
                exchange->route->handle(exchange, server->context);

        /* What was suspended may have been answered by now: everything else in it is its owner's. */
        if (exchange->suspended)
                return MHD_YES;
        if (!exchange->answered) {
                log_event(LOG_ERROR, "A handler neither answered nor suspended its exchange", "path",
                          exchange->route->path, NULL);
                http_reply_text(exchange, MHD_HTTP_INTERNAL_SERVER_ERROR, "internal error");
        }
        return http_exchange_send(exchange);
}

/* MHD calls this with the head, with each piece of the body, at the end, and after a suspension. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data, size_t *length,
                                  void **request)
{
        (void)cls, (void)url;
        struct http_exchange *exchange = *request;
        struct http_place *place = http_link_place(connection);
        if (!exchange)
                return MHD_NO; /* out of memory in on_target() */
        if (place)
                place->held = false;
        if (!exchange->begun)
                return begin(exchange, method, version);
        if (exchange->asking) {
                exchange->asking = false;
                http_secure_decide(exchange);
                return admit(exchange);
        }
        if (*length > 0) {
                bool taken = http_exchange_take_body(exchange, data, *length);
                *length = 0;
                return taken ? MHD_YES : MHD_NO;
        }
        return exchange->dispatched ? http_exchange_send(exchange) : dispatch(exchange);
}

/* The answer was sent, or the connection is gone; never called for what is still suspended. */
static void on_completed(void *cls, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode how)
{
        (void)connection, (void)how;
        struct http_server *server = cls;
        struct http_exchange *exchange = *request;
        if (!exchange)
                return;
        *request = NULL;

        bool last = true, dispatched = exchange->dispatched;
        if (server->on_done && exchange->status != 0)
                server->on_done(server->context, exchange->route ? exchange->route->path : NULL,
                                exchange->status);
        if (exchange->suspended) {
                pthread_mutex_lock(&server->ledger->lock);
                last = --exchange->holders == 0;
                pthread_mutex_unlock(&server->ledger->lock);
        }
        if (last)
                http_exchange_free(exchange);

        if (dispatched && atomic_fetch_sub(&server->busy, 1) == 1 && atomic_load(&server->stopping)) {
                pthread_mutex_lock(&server->ledger->lock);
                pthread_cond_broadcast(&server->changed);
                pthread_mutex_unlock(&server->ledger->lock);
        }
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
        struct http_server *server = cls;
        if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
                *socket_context = http_link_free(*socket_context, &server->places);
        } else {
                *socket_context = http_link_new(server->secure, &server->places, connection);
                http_connection_patience(connection, server->places.head_limit);
        }
}

/* Targets are decoded after they were taken apart, not before: a %2F is no slash, a %26 no ampersand. */
static size_t leave_escaped(void *cls, struct MHD_Connection *connection, char *string)
{
        (void)cls, (void)connection;
        return strlen(string);
}

static _printf_(2, 0) void on_log(void *cls, const char *format, va_list args)
{
        (void)cls;
        if (!log_enabled(LOG_DEBUG))
                return;
        _cleanup_text_ struct text text = {0};
        text_vprintf(&text, format, args);
        while (text.length > 0 && text.data[text.length - 1] == '\n')
                text.data[--text.length] = '\0';
        log_event(LOG_DEBUG, "libmicrohttpd", "detail", text_string(&text), NULL);
}

void http_suspend(struct http_exchange *exchange)
{
        struct http_server *server = exchange->server;
        struct http_ledger *ledger = exchange->ledger;
        atomic_fetch_add(&ledger->references, 1);
        exchange->suspended = true;
        exchange->holders = 2;

        pthread_mutex_lock(&ledger->lock);
        http_hold(exchange);
        if (atomic_load(&server->stopping))
                http_exchange_abandon(exchange);
        else {
                exchange->next = ledger->waiting;
                if (exchange->next)
                        exchange->next->previous = exchange;
                ledger->waiting = exchange;
        }
        pthread_mutex_unlock(&ledger->lock);
}

/* What a request's head and the answer's may take together. libmicrohttpd clears it for each request, which
 * is a tenth of the work of answering from memory with its own 32 KiB. */
#define HEAD_MEMORY ((size_t)16 * 1024)

/* The event thread takes no signals: they are for main. */
static struct MHD_Daemon *start_daemon(struct http_server *server, unsigned timeout_seconds)
{
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        bool tls = http_secure_has_tls(server->secure);
        /* An array has no place for a function but as a plain pointer. */
        const union {
                gnutls_certificate_retrieve_function2 *function;
                void *pointer;
        } callback = {.function = http_secure_no_certificate};
        struct MHD_OptionItem secure[] = {
                {tls ? MHD_OPTION_HTTPS_CERT_CALLBACK : MHD_OPTION_END, 0, callback.pointer},
                {MHD_OPTION_END, 0, NULL},
        };
        struct MHD_Daemon *daemon =
                MHD_start_daemon((tls ? MHD_USE_TLS : 0U) | MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO |
                                         MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
                                 0, NULL, NULL, on_request, server,
                                 /* first, so that it hears of problems with the others */
                                 MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,                              /**/
                                 MHD_OPTION_LISTEN_SOCKET, server->listeners[0].fd,                     /**/
                                 MHD_OPTION_URI_LOG_CALLBACK, on_target, server,                        /**/
                                 MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,                     /**/
                                 MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,                     /**/
                                 MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,                   /**/
                                 MHD_OPTION_CONNECTION_LIMIT, server->places.limit + SPARE_CONNECTIONS, /**/
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_MEMORY,                       /**/
                                 MHD_OPTION_STRICT_FOR_CLIENT, 1,                                       /**/
                                 MHD_OPTION_CONNECTION_TIMEOUT, timeout_seconds,                        /**/
                                 MHD_OPTION_ARRAY, secure,                                              /**/
                                 MHD_OPTION_END);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return daemon;
}

static size_t largest_body(const struct http_route *routes)
{
        size_t largest = 0;
        for (const struct http_route *route = routes; route->method; route++)
                if (route->body_limit > largest)
                        largest = route->body_limit;
        return largest;
}

static struct http_server *server_new(const struct http_server_options *options)
{
        struct http_server *server = calloc(1, sizeof(*server));
        if (!server)
                return NULL;
        server->ledger = http_ledger_new();
        if (!server->ledger) {
                free(server);
                return NULL;
        }
        server->routes = options->routes;
        server->context = options->context;
        server->admit = options->admit;
        server->on_done = options->on_done;
        server->comes_otherwise = options->comes_otherwise;
        server->stream_limit = options->stream_limit;
        server->places.limit =
                options->connection_limit > 0 ? options->connection_limit : DEFAULT_CONNECTION_LIMIT;
        server->idle_timeout = options->idle_timeout > 0 ? options->idle_timeout : DEFAULT_IDLE_TIMEOUT;
        server->places.head_limit = options->head_timeout > 0 ? options->head_timeout : DEFAULT_HEAD_TIMEOUT;
        if (server->places.head_limit > server->idle_timeout)
                server->places.head_limit = server->idle_timeout;
        server->body_budget = 4 * largest_body(options->routes);
        if (server->body_budget < LEAST_BODY_BUDGET)
                server->body_budget = LEAST_BODY_BUDGET;
        condition_init(&server->changed);
        return server;
}

/* Nobody serves any more; late answers find the ledger. */
static void server_free(struct http_server *server)
{
        http_streams_free(server->streams);
        http_secure_free(server->secure);
        free(server->external);
        pthread_cond_destroy(&server->changed);
        http_ledger_unref(server->ledger);
        free(server);
}

/* Those from `first` on. */
static void close_listeners(struct http_server *server, size_t first)
{
        for (size_t i = 0; i < server->listener_count; i++) {
                http_listener_release(&server->listeners[i]);
                if (i >= first)
                        close(server->listeners[i].fd);
        }
}

static int open_listeners(struct http_server *server, const char *const *addresses, struct error *error)
{
        for (size_t i = 0; addresses[i]; i++) {
                if (i == HTTP_LISTENERS_MAX)
                        return error_set(error, EINVAL, "more than %d listen addresses", HTTP_LISTENERS_MAX);
                int r = http_listen(addresses[i], &server->listeners[i], error);
                if (r < 0)
                        return r;
                server->listener_count++;
        }
        return 0;
}

int http_server_open(const struct http_server_options *options, struct http_server **ret, struct error *error)
{
        struct http_server *server = server_new(options);
        if (!server) {
                error_oom(error);
                return -ENOMEM;
        }

        int r = options->external_url
                        ? http_external_authority(options->external_url, &server->external, error)
                        : 0;
        if (r >= 0 && options->web_config_file)
                r = http_secure_new(options->web_config_file, options->must_authenticate, &server->secure,
                                    error);
        if (r >= 0)
                r = open_listeners(server, options->listen_addresses, error);
        if (r < 0) {
                close_listeners(server, 0);
                server_free(server);
                return r;
        }
        *ret = server;
        return 0;
}

int http_server_run(struct http_server *server, struct error *error)
{
        /* Before the first request comes. */
        int r = server->stream_limit > 0 ? http_streams_new(server->stream_limit, &server->streams) : 0;
        if (r < 0)
                return error_set_errno(error, -r, "cannot start the HTTP server");
        server->daemon = start_daemon(server, http_seconds(server->idle_timeout));
        if (!server->daemon) {
                /* The socket is not closed here: some versions of MHD do so when they fail, some do not. */
                server->listeners[0].fd = -1;
                return error_set(error, EIO, "cannot start the HTTP server");
        }
        r = http_acceptor_start(server, &server->acceptor);
        return r < 0 ? error_set_errno(error, -r, "cannot start the HTTP server") : 0;
}

int http_server_start(const struct http_server_options *options, struct http_server **ret,
                      struct error *error)
{
        struct http_server *server = NULL;
        int r = http_server_open(options, &server, error);
        if (r < 0)
                return r;
        r = http_server_run(server, error);
        if (r < 0) {
                http_server_stop(server);
                return r;
        }
        *ret = server;
        return 0;
}

struct http_server *http_server_stop(struct http_server *server)
{
        if (!server)
                return NULL;

        /* The listening socket may be closed only when the event thread has ended. */
        server->acceptor = http_acceptor_stop(server->acceptor);
        MHD_socket listening = server->daemon ? MHD_quiesce_daemon(server->daemon) : server->listeners[0].fd;
        close_listeners(server, 1);

        struct http_ledger *ledger = server->ledger;
        atomic_store(&server->stopping, true);
        http_secure_stop(server->secure);
        http_streams_end(server->streams, true);
        pthread_mutex_lock(&ledger->lock);
        while (ledger->waiting) {
                struct http_exchange *exchange = ledger->waiting;
                ledger->waiting = exchange->next;
                http_exchange_abandon(exchange);
        }
        nsec until = clock_monotonic() + STOP_GRACE;
        while (atomic_load(&server->busy) > 0 && condition_wait_until(&server->changed, &ledger->lock, until))
                ;
        pthread_mutex_unlock(&ledger->lock);

        if (server->daemon)
                MHD_stop_daemon(server->daemon);
        if (listening != MHD_INVALID_SOCKET)
                close(listening);
        server_free(server);
        return NULL;
}

uint16_t http_server_port(const struct http_server *server)
{
        return server->listeners[0].port;
}
