/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the HTTP server share.
 *
 * An exchange belongs to the event thread until http_suspend(). From then on its fields belong to whoever
 * holds the ledger's lock, and it lives until both the event thread and its owner have let go of it. Its
 * owner may do so after http_server_stop(): so what is done on any thread (answering, freeing) knows the
 * ledger alone, which lives as long as the last exchange, and never the server.
 */
#ifndef LIB_HTTP_SERVER_INTERNAL_H
#define LIB_HTTP_SERVER_INTERNAL_H

#include <gnutls/abstract.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "lib/http/server/places.h"
#include "runbook/http_server.h"

struct http_acceptor;
struct http_streams;

struct http_listener {
        int fd; /* -1 once MHD has it */
        uint16_t port;
        bool check_host; /* a TCP socket on loopback: only a Host of loopback is ours */
        char *path;      /* of a unix socket, else NULL */
        dev_t device;    /* of the socket file, so that nobody else's is removed */
        ino_t inode;
        struct sockaddr_storage bound; /* of a TCP socket that checks the host: where it listens */
};

/* What a server and its exchanges account for together; freed with the last of them. */
struct http_ledger {
        atomic_uint references; /* one of the server, one of each suspended exchange */
        /* Held for request bodies, of all exchanges: of routes that take much, and of those that take little.
         */
        atomic_size_t body_bytes, small_body_bytes;
        pthread_mutex_t lock;
        struct http_exchange *waiting; /* suspended and not answered; doubly linked */
};

struct http_server {
        struct http_ledger *ledger;
        struct MHD_Daemon *daemon;
        struct http_listener listeners[HTTP_LISTENERS_MAX]; /* MHD has the first, the acceptor the others */
        size_t listener_count;
        struct http_acceptor *acceptor; /* NULL: there is one listener */
        const struct http_route *routes;
        void *context;
        struct http_refusal (*admit)(struct http_exchange *exchange, void *context);
        bool (*comes_otherwise)(struct http_exchange *exchange, void *context);
        void (*on_done)(void *context, const char *route_path, unsigned status);
        unsigned stream_limit;
        nsec idle_timeout;
        size_t body_budget; /* of those that take much */

        char *external;               /* the authority of external_url; NULL: there is none */
        struct http_secure *secure;   /* NULL: no web configuration */
        struct http_places places;    /* event thread only */
        struct http_streams *streams; /* NULL: nobody listens */
        atomic_uint busy;             /* exchanges handed to a handler and not finished */
        atomic_bool stopping;
        pthread_cond_t changed; /* by the ledger's lock; while stopping: `busy` reached 0 */
};

struct http_exchange {
        struct http_server *server; /* for the event thread only */
        struct http_ledger *ledger;
        struct MHD_Connection *connection;
        const struct http_route *route; /* NULL: no route has this path */

        /* What the server itself will answer once the body has been read past; 0: nothing to complain of. */
        unsigned refusal;
        const char *refusal_text; /* static */
        bool closes;              /* the connection ends after a refusal */

        bool secured; /* answers carry headers of the web configuration, so that they are not shared */
        char *user;   /* who asks, when that was asked */
        bool asking;  /* suspended until there is a verdict on the password */
        int verdict;  /* enum web_verdict */

        bool begun, dispatched;
        bool suspended; /* set by the event thread before the owner knows, never unset */
        bool answered;
        unsigned holders; /* of a suspended exchange: the event thread, the owner */
        struct http_exchange *previous, *next;

        void *kept; /* see http_keep() */
        struct {
                const char *name;
                char *value;
        } headers[4]; /* of its own response */

        unsigned status;
        struct http_content *content;  /* the answer: either this … */
        struct MHD_Response *response; /* … or this */

        struct text body;
        bool body_small;     /* its route takes little */
        size_t body_claimed; /* accounted for in the ledger */
        size_t body_discarded;
        nsec body_since;

        uintptr_t target_begin, target_end; /* where it was in the head; only compared */
        bool target_has_control;

        /* All in `target`: the raw path, the decoded parameter, the query as decoded name\0value\0 pairs. */
        char *path, *parameter, *query, *query_end;
        char target[];
};

int http_listen(const char *address, struct http_listener *ret, struct error *error);

/* Removes the socket file, when it is still ours, and frees the path. Does not close. */
void http_listener_release(struct http_listener *listener);

/* Whether only a Host of loopback is ours on the connection of this descriptor. */
bool http_listeners_check_host(const struct http_server *server, int fd);

/* Brings to MHD who connects to any listener but the first; `ret` stays as it is when there is no other.
 * Stopped before MHD is. */
int http_acceptor_start(struct http_server *server, struct http_acceptor **ret);
struct http_acceptor *http_acceptor_stop(struct http_acceptor *acceptor);

/* An exchange for the raw request target; NULL when out of memory. */
struct http_exchange *http_exchange_new(struct http_server *server, struct MHD_Connection *connection,
                                        const char *target);
struct http_exchange *http_exchange_free(struct http_exchange *exchange);

struct http_ledger *http_ledger_new(void); /* NULL when out of memory */
struct http_ledger *http_ledger_unref(struct http_ledger *ledger);

/* What is ambiguous in the head, in words that live for ever; NULL: nothing. With what MHD gave on_request().
 */
const char *http_framing_fault(const struct http_exchange *exchange, const char *method, const char *version);

/*
 * Decodes %XX (in queries also `+`) from [from, end) to `to` and closes it with NUL; returns the place after
 * it. What is not two hex digits stays as it is, and so does %00, which no C string can hold.
 */
char *http_percent_decode(char *to, const char *from, const char *end, bool plus_is_space);

/* Whether there is a control character but a tab in what came with a head. */
bool http_has_control(const char *word, size_t length);

/* Finds the route, and whatever has to be refused by the head of the request alone whoever asks. */
void http_exchange_begin(struct http_exchange *exchange, const char *method);

/* Whether what is refused so far may be told to somebody who has not said who he is. */
bool http_exchange_refuses_anybody(const struct http_exchange *exchange);

/* bodies.c: takes bytes that have come into account, and gives them back; false when there is no room, which
 * is refused. Until the body is whole, what it has may be taken away again by ending its connection. */
bool http_body_claim(struct http_exchange *exchange, size_t length);
void http_body_whole(struct http_exchange *exchange);

/* As MHD has durations: whole seconds, not less than asked for. */
static inline unsigned http_seconds(nsec duration)
{
        return (unsigned)((duration + NSEC_PER_SEC - 1) / NSEC_PER_SEC);
}

/* How long the connection may be silent from now on. On the event thread. */
void http_connection_patience(struct MHD_Connection *connection, nsec patience);

/* Looks at the declared length, once it is known who asks. */
void http_exchange_admit(struct http_exchange *exchange);

/* Takes a piece of the body; false when the connection has to be given up. */
bool http_exchange_take_body(struct http_exchange *exchange, const char *data, size_t length);

/* Whether the refusal cannot wait until the body was read past; the connection has to end then. */
bool http_exchange_refuses_early(const struct http_exchange *exchange);

void http_refuse(struct http_exchange *exchange, unsigned status, const char *text);

/* The account that its body is of, and giving back what it has there; any thread. */
atomic_size_t *http_body_account(struct http_exchange *exchange);
void http_body_drop(struct http_exchange *exchange);

struct MHD_Response *http_response_new(char *data, size_t length, const char *content_type);
struct MHD_Response *http_content_response_once(struct http_content *content, const char *content_type);
bool http_content_prepare(struct http_content *content, const char *content_type);
struct MHD_Response *http_content_response(const struct http_content *content);

/* Queues the answer of an exchange with MHD. */
enum MHD_Result http_exchange_send(struct http_exchange *exchange);

/* Answers with the refusal. */
void http_exchange_send_refusal(struct http_exchange *exchange);

/* Answers with a response of one's own, which is taken; NULL: the connection ends. */
void http_reply_response(struct http_exchange *exchange, unsigned status, struct MHD_Response *take);

/* streams.c: at most `limit` at once. Ending them for good lets no more in; then libmicrohttpd may be
 * stopped, and what they were freed. */
int http_streams_new(unsigned limit, struct http_streams **ret);
void http_streams_end(struct http_streams *streams, bool for_good);
struct http_streams *http_streams_free(struct http_streams *streams);

/* Answers a waiting exchange with 503; under the ledger's lock. */
void http_exchange_abandon(struct http_exchange *exchange);

struct http_link;
int http_secure_new(const char *path, bool must_authenticate, struct http_secure **ret, struct error *error);

/* Ends what waits for a verdict. */
void http_secure_stop(struct http_secure *secure);
struct http_secure *http_secure_free(struct http_secure *secure);
bool http_secure_has_tls(const struct http_secure *secure);

/* What a new connection keeps in its socket context, its place among it; NULL when out of memory. */
struct http_link *http_link_new(struct http_secure *secure, struct http_places *places,
                                struct MHD_Connection *connection);
struct http_link *http_link_free(struct http_link *link, struct http_places *places);
struct http_place *http_link_place(struct MHD_Connection *connection); /* NULL: it has no link */

/* What libmicrohttpd knows of a connection: whoever is at the other end (NULL: not known), its socket (-1),
 * and how long its request's head is (0). Event thread. */
const struct sockaddr *http_connection_address(struct MHD_Connection *connection);
int http_connection_fd(struct MHD_Connection *connection);
size_t http_connection_head_size(struct MHD_Connection *connection);

/* Suspends the connection, whose place nobody gets as long as it is. */
void http_hold(struct http_exchange *exchange);
int http_secure_no_certificate(gnutls_session_t session, const gnutls_datum_t *authorities, int count,
                               const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                               gnutls_pcert_st **certificates, unsigned *certificate_count,
                               gnutls_privkey_t *key);

/* Asks who it is, and refuses; false when the answer has to be waited for, with the exchange suspended. */
bool http_secure_ask(struct http_exchange *exchange);
void http_secure_decide(struct http_exchange *exchange);
void http_secure_put_headers(const struct http_secure *secure, struct MHD_Response *response);

#endif
