/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP over TCP, TLS and unix sockets, by libcurl: one request, one deadline for all of it.
 *
 * A client keeps its connections open between requests (for GET and HEAD; what may change something is sent
 * on a new one, and so never twice). One thread at a time may use it. Proxies in the environment are not
 * used. No content encoding is asked for; what comes in one that libcurl knows is decoded. Errors name the
 * URL without user, password and query: -ETIMEDOUT, -ECONNREFUSED, -EHOSTUNREACH (name did not resolve),
 * -EPROTO (TLS or HTTP broken), -EMSGSIZE (body over the limit), -EIO. A status of 4xx or 5xx is an answer,
 * not an error.
 *
 * lib/http/client is the one place that knows libcurl; what is asked and what an answer means is for those
 * who use it. It uses lib/base.
 */
#ifndef RUNBOOK_HTTP_CLIENT_H
#define RUNBOOK_HTTP_CLIENT_H

#include "runbook/clock.h"
#include "runbook/error.h"
#include "runbook/secret.h"
#include "runbook/text.h"

struct http_client;

/*
 * The keys that a plain GET is signed with for AWS (Signature Version 4), read anew for each request. The
 * query of its URL must be sorted by names and percent-encoded; there are no other headers and no body.
 */
struct http_aws_signing {
        const char *region, *service;
        const struct secret *access_key, *secret_key;
        const struct secret *session_token; /* NULL or unset: there is none */
};

/* What was seen of a server, also when its answer failed behind it. */
struct http_seen {
        long status;           /* 0: none was told */
        int64_t tls_not_after; /* of a certificate that was refused, seconds since the epoch; 0: it is not
                                  known */
};

struct http_request {
        const char *method; /* NULL: GET */
        const char *url;
        bool url_is_secret; /* its path, too, as that of a Slack webhook: errors name scheme and host only */
        const char *unix_socket;    /* a path: connect there instead of to the URL's host */
        const char *const *headers; /* "Name: value", closed by NULL; may be NULL */
        const void *body;
        size_t body_length;
        size_t body_limit; /* of the answer, decoded; 0: 4 MiB */
        bool cuts_body;    /* beyond the limit nothing more is read, and that is no error: see `cut` */
        struct http_seen *ret_seen; /* a refused certificate costs one more connection, which nothing is sent
                                       on; or NULL */
        bool follows;               /* redirects, at most ten of them */
        const char *proxy_url;      /* http:// or socks5://; NULL: none, whatever the environment says */
        const char
                *server_name; /* TLS: whom to ask for and whose certificate to expect; NULL: the URL's host */
        struct deadline deadline;
        const struct secret *bearer;                /* sent as Authorization; may be NULL */
        const struct http_aws_signing *aws;         /* NULL: not signed */
        const char *ca_file, *cert_file, *key_file; /* TLS; may be NULL */
        bool insecure; /* do not verify the peer; an operator's explicit choice */

        /* When set, the body goes here in pieces and not into the response; a negative errno ends the
         * transfer. body_limit then does not apply. */
        int (*on_data)(void *context, const char *data, size_t length);
        void *context;
};

/* Seconds from the start to the end of each phase; 0 for a phase that did not happen. */
struct http_phases {
        double resolve, connect, tls, processing, transfer, total;
};

struct http_response {
        long status;
        struct text body;
        bool cut;            /* `body` is only its beginning */
        struct text headers; /* raw header lines of the final answer */
        struct http_phases phases;
        int64_t tls_not_after; /* seconds since the epoch of the leaf certificate; 0 without TLS */
};

#define _cleanup_http_response_ _cleanup_(http_response_release)

/* Once per process, by main, before threads start. Also has SIGPIPE ignored, which TLS needs. */
int http_client_global_init(struct error *error);

struct http_client *http_client_new(void); /* NULL when out of memory */
struct http_client *http_client_free(struct http_client *client);
DEFINE_CLEANUP(struct http_client *, http_client_free);
#define _cleanup_http_client_ _cleanup_(http_client_free_p)

int http_fetch(struct http_client *client, const struct http_request *request, struct http_response *ret,
               struct error *error);

/* One of several requests that are under way at once. (An http_exchange is the server's side of one.) */
struct http_call {
        struct http_request request;
        int result; /* what http_fetch() would have answered */
        struct http_response response;
        struct error error;
};

/*
 * All of them, as far as HTTP_AT_ONCE allows at the same time, over connections that are kept as well. For
 * GET and HEAD. Each has its own result and deadline; the certificate's date is not told. 0, or -ENOMEM: then
 * the calls hold nothing that would have to be released.
 */
enum { HTTP_AT_ONCE = 32 };
int http_fetch_all(struct http_client *client, struct http_call *calls, size_t count, struct error *error);
void http_call_release(struct http_call *call);

/* The URL of a request as errors have it: without user, password and query. NULL: no memory. */
char *http_url_shown(const struct http_request *request);

/* The value of a response header, case-insensitively, appended to `value`; false when absent. */
bool http_response_header(const struct http_response *response, const char *name, struct text *value);
/* What the clock of who answered said, to the second (its header Date); false when it says none. */
bool http_response_date(const struct http_response *response, nsec *ret_wall);
void http_response_release(struct http_response *response);

/*
 * Whether a daemon of ours at this base URL, or unix:FILE, answers within four seconds, with whatever it has
 * to say of who asks: a 401 is an answer, too, and its certificate is not judged. -EREMOTEIO for one that
 * cannot (5xx); else as http_fetch().
 */
int http_find_alive(const char *url, struct error *error);

/* Appends an operator's base URL without the slashes at its end, then `path`, which begins with one. */
void http_put_url(struct text *text, const char *base, const char *path);

#endif
