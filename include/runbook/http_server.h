/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server on libmicrohttpd: routes from a table, limits on everything, requests that can wait.
 *
 * One event thread serves all connections. A handler runs on it and must not block: what takes time is
 * given to another thread, and the exchange answered later from there. Until it is answered the connection
 * is suspended and costs no thread. Every exchange is answered exactly once; one that is dropped by its peer
 * while it waits still is (the answer then goes nowhere).
 *
 * Who only connects keeps nobody out: when all places are taken, a new connection gets that of one whose
 * request is not being worked on, of the address that has the most of them; and the last quarter of
 * all is for addresses that have few. Bodies share a budget, of which what has arrived takes its part: when
 * it is used up, the connection ends whose body came so far and no further. Bodies of up to 64 KiB have their
 * own.
 *
 * Answered by the server itself, each with one line of text: 404, 405 with Allow, 411/413 for bodies over
 * the route's limit, 401 and 403 by the web configuration, 503 when all connections are taken, 421 for a Host
 * that is not ours while listening on loopback (DNS rebinding), 403 for a state-changing request with a
 * foreign Origin or Sec-Fetch-Site. HEAD is served by GET.
 */
#ifndef RUNBOOK_HTTP_SERVER_H
#define RUNBOOK_HTTP_SERVER_H

#include <sys/types.h>

#include "runbook/clock.h"
#include "runbook/digest.h"
#include "runbook/error.h"
#include "runbook/text.h"

struct http_server;
struct http_exchange;

typedef void http_handler(struct http_exchange *exchange, void *context);

struct http_route {
        const char *method; /* "GET", "POST"; NULL closes the table */
        const char *path;   /* "/metrics"; one "{id}" stands for one path segment, and "/{word}" at the end,
                               behind   such, for one more, which the handler reads off http_path() */
        http_handler *handle;
        size_t body_limit; /* bytes taken of a request's body; 0: none is accepted */
        const void *data;  /* the route's own, for its handler: see http_route_data() */
};

/* What is answered by the head of a request alone; status 0: nothing, it goes on. */
struct http_refusal {
        unsigned status;  /* 401 and 403 are meant; 503: it cannot be known now */
        const char *text; /* one sentence, static */
};

/* A listen address: the socket that systemd has passed to this process. */
#define HTTP_SYSTEMD_SOCKET "systemd:"

/* Of several, for options. */
enum { HTTP_LISTENERS_MAX = 16 };
#define HTTP_ADDRESSES(...) ((const char *const[]){__VA_ARGS__, NULL})

struct http_server_options {
        /* ":9877", "127.0.0.1:9878", "[::1]:9878", "unix:/run/x.sock", HTTP_SYSTEMD_SOCKET */
        const char *const *listen_addresses; /* closed by NULL: see HTTP_ADDRESSES() */
        const struct http_route *routes;
        void *context;             /* given to every handler */
        unsigned connection_limit; /* 0: 512 */
        nsec idle_timeout; /* 0: 60 s; suspended exchanges do not count; a body has as long as a whole */
        nsec head_timeout; /* 0: 10 s; for the first head of a connection, at most idle_timeout */
        /* May refuse a request that has a route, before its body is taken; on the event thread, as the
         * handlers. NULL: everybody may ask for everything. */
        struct http_refusal (*admit)(struct http_exchange *exchange, void *context);
        /* With users in the web configuration: whether a request that shows no password may come to admit()
         * all the same, which then finds out who it is or refuses it. On the event thread; NULL: none may. */
        bool (*comes_otherwise)(struct http_exchange *exchange, void *context);
        /* Told of every finished exchange, on the event thread; may be NULL. For counting by code. The path
         * is the route's, NULL when none has it. */
        void (*on_done)(void *context, const char *route_path, unsigned status);
        const char *web_config_file; /* --web.config.file; NULL: plain HTTP for everybody */
        /* "https://runbook.example": where browsers reach a proxy that forwards to it, whose name in Host and
         * Origin is as ours; NULL: there is none. See http_external_authority(). */
        const char *external_url;
        unsigned stream_limit;  /* most http_reply_events() at once; 0: there are none */
        bool must_authenticate; /* a changed web configuration that lets everybody in is not taken */
};

int http_server_start(const struct http_server_options *options, struct http_server **ret,
                      struct error *error);

/* The same in two steps, for who gives up rights in between: the first reads the web configuration and
 * listens, the second starts the thread that serves. */
int http_server_open(const struct http_server_options *options, struct http_server **ret,
                     struct error *error);
int http_server_run(struct http_server *server, struct error *error);

/* Stops accepting, waits for handlers, answers what is still suspended with 503, frees. Takes NULL. */
struct http_server *http_server_stop(struct http_server *server);

/* The port that was bound first, for listen addresses with port 0; 0 for a unix socket. */
uint16_t http_server_port(const struct http_server *server);

/* What a Host is when a URL is asked for: "runbook.example:8443" of "https://runbook.example:8443/". -EINVAL
 * for what is no http(s) URL of a whole host: pages link to each other from its root. */
int http_external_authority(const char *url, char **ret, struct error *error);

/* True for 127.0.0.0/8, ::1, localhost and unix sockets, also those of systemd. -EINVAL when it is no address
 * at all. */
int http_address_is_loopback(const char *listen_address, bool *ret, struct error *error);

/*
 * What was asked; valid until the exchange is answered. The path parameter is percent-decoded, the path is
 * not. Headers are there for the handler only: once it has returned, the server may be stopped any time.
 */
const void *http_route_data(const struct http_exchange *exchange);
const char *http_path(const struct http_exchange *exchange);
const char *http_path_parameter(const struct http_exchange *exchange);
const char *http_query(const struct http_exchange *exchange,
                       const char *name); /* first value, NULL: absent */
/* A parameter of the query that is none of `known`, which is closed by NULL; NULL: there is none. */
const char *http_query_unknown(const struct http_exchange *exchange, const char *const *known);
const char *http_header(const struct http_exchange *exchange, const char *name);
const struct text *http_body(const struct http_exchange *exchange);

/* The first field of that name in a body that is a form; free() it. NULL: there is none, or no memory. */
char *http_form_value(const struct http_exchange *exchange, const char *name);

/*
 * Who asks: the user whose password was right or, where there are no users, the first name of the verified
 * client certificate (a subject alternative name, or the common name without any). NULL: nobody was asked.
 */
const char *http_user(const struct http_exchange *exchange);

/*
 * Checks the password of a user as if the request had shown it, behind whoever waits for that already. From
 * the handler, after http_suspend(); `done` is called once, from any thread, possibly at once, and must wait
 * for nothing: the exchange is then its own.
 */
enum http_password { HTTP_PASSWORD_WRONG, HTTP_PASSWORD_RIGHT, HTTP_PASSWORD_BUSY };
void http_check_password(struct http_exchange *exchange, const char *user, const char *password,
                         void (*done)(void *context, enum http_password verdict), void *context);

/* What stands for a user's password, and changes with it. -ENOENT: there is no such user. For admit() and the
 * handler only. */
int http_password_mark(const struct http_exchange *exchange, const char *user,
                       char ret[static DIGEST_TEXT_MAX]);

/* Whether it was a password, and not a certificate, or would have to be. For admit() and the handler only. */
bool http_user_by_password(const struct http_exchange *exchange);

/* From now on http_user() is this; for admit(). Takes the string, NULL for nobody. */
void http_set_user(struct http_exchange *exchange, char *take);

/* Whether that is his name, or one of the names of his certificate. For the handler only. */
bool http_user_is(const struct http_exchange *exchange, const char *name);

/*
 * Whether the peer is on this host: 127.0.0.0/8, ::1, a unix socket. A proxy on this host is, whoever asks by
 * it. For the handler only.
 */
bool http_peer_is_loopback(const struct http_exchange *exchange);

/* The user that the kernel says is behind a unix socket; false for all other peers. For admit() and the
 * handler only. */
bool http_peer_uid(const struct http_exchange *exchange, uid_t *ret);

/* Calls `each` for every value of a repeated query parameter such as collect[]. */
void http_query_each(const struct http_exchange *exchange, const char *name,
                     void (*each)(void *context, const char *value), void *context);

/* Bytes that may be sent to many peers at once; reference-counted, thread-safe, immutable. */
struct http_content;
struct http_content *http_content_new(struct text *take); /* takes the buffer; NULL when out of memory */
struct http_content *http_content_ref(struct http_content *content);
struct http_content *http_content_unref(struct http_content *content);
/* A header of all answers with it, before the first one; four at most. The strings are borrowed for ever. */
void http_content_set_header(struct http_content *content, const char *name, const char *value);
size_t http_content_length(const struct http_content *content);
const char *http_content_data(const struct http_content *content);

/*
 * Leaves the exchange open after its handler returns. Called by the handler, on the event thread; from then
 * on one other thread owns the exchange and answers it with one of the functions below.
 */
void http_suspend(struct http_exchange *exchange);

/*
 * What admit() or the handler wants to be known by whoever answers, freed with the exchange; takes it, and
 * frees what was kept before. Set before http_suspend(), read by whoever owns the exchange.
 */
void http_keep(struct http_exchange *exchange, void *take);
void *http_kept(const struct http_exchange *exchange); /* NULL: nothing */

/* A header of the answer that is yet to be given, four at most; the name is borrowed for ever, the value
 * taken (NULL: out of memory, there is none). Not of http_reply_content(). By whoever owns the exchange. */
void http_set_header(struct http_exchange *exchange, const char *name, char *take);

/* Answers a form: the browser goes on to a page of ours, "/incidents/INC-2026-0001". */
void http_reply_elsewhere(struct http_exchange *exchange, const char *path);

/* Answers. From the handler, or, after http_suspend(), from any one thread. */
void http_reply(struct http_exchange *exchange, unsigned status, const char *content_type, struct text *take);
void http_reply_content(struct http_exchange *exchange, unsigned status, const char *content_type,
                        struct http_content *content);
/*
 * Answers with a stream of server-sent events, from the handler only: "change" at once when `heard` is not
 * http_server_news() of now, and whenever that is told; a comment now and then, so that both sides notice
 * when the other has gone. 503 when there are as many as may be, or three quarters of these have the same
 * address. A stream has a connection's place and no thread; it ends after a quarter of an hour at the latest.
 */
void http_reply_events(struct http_exchange *exchange, uint64_t heard);

/* Something has changed: who listens is to ask again, within a moment in which calls are gathered. Any
 * thread; never waits for a peer. Only with a `stream_limit`, as the next two. */
void http_server_tell(struct http_server *server);

/* What the last change is called; by no process before was it called so. For http_reply_events(). */
uint64_t http_server_news(struct http_server *server);

/* Ends those there are: who still may listens again. */
void http_server_end_streams(struct http_server *server);

/* "<sentence>\n" as text/plain; a 503 with Retry-After. */
void http_reply_text(struct http_exchange *exchange, unsigned status, const char *format, ...) _printf_(3, 4);

#define HTTP_TYPE_JSON "application/json"
#define HTTP_TYPE_HTML "text/html; charset=utf-8"
#define HTTP_TYPE_TEXT "text/plain; charset=utf-8"

#endif
