/* SPDX-License-Identifier: Apache-2.0 */
/* What the rooms of the HTTP client share: one transfer by libcurl, many at once, and requests that are
 * signed. */
#ifndef LIB_HTTP_CLIENT_INTERNAL_H
#define LIB_HTTP_CLIENT_INTERNAL_H

#include <curl/curl.h>

#include "runbook/http_client.h"

struct http_client {
        CURL *curl;
        CURLM *multi; /* for http_fetch_all(), with connections of its own; NULL until then */
        /* A certificate is shown once per connection: what the last one to `origin` was good for. */
        char *origin;
        int64_t tls_not_after;
};

/* One request on its way. Stays where it is: libcurl has its address. */
struct transfer {
        const struct http_request *request;
        struct http_response response;
        struct curl_slist *headers;
        struct curl_slist *connect_to; /* with a server name: where it is */
        char message[CURL_ERROR_SIZE];
        int result; /* negative once a callback ended the transfer */
};

/* Sets the handle up for a request. Nothing has to be ended when this fails. */
int http_transfer_begin(CURL *curl, struct transfer *transfer, const struct http_request *request,
                        struct error *error);

/* What the code stands for: a transfer that was ended because it had all that is wanted did not fail. */
CURLcode http_transfer_code(const struct transfer *transfer, CURLcode code);

/* What a code means to a caller, and whether it is the moment's: the peer is not there, or hangs up. */
int http_result_of(CURLcode code);
bool http_code_may_pass(CURLcode code);

/* What came of it, by libcurl's code; releases the transfer and clears the handle. */
int http_transfer_end(CURL *curl, struct transfer *transfer, CURLcode code, struct http_response *ret,
                      struct error *error);

/*
 * After requests to `url`: what OpenSSL keeps for each thread, 10 KB of it, is given back. The next request
 * is on any thread, and one that idles when the program ends would never free it.
 */
void http_thread_done(const char *url);

struct http_phases http_read_phases(CURL *curl);
bool http_has_connected(CURL *curl);

/* Where a request that timed out was waiting. */
const char *http_waiting_for(CURL *curl);

/* Sets the request's URL, its server name in the place of the host, and where that is to be found. */
int http_set_url(CURL *curl, struct transfer *transfer);

/* "https://host:port" of the URL; with `path`, the path as well. NULL: no URL. */
char *http_url_part(const char *string, bool path);

/* Appends a line to the request's headers, which are wiped in the end; false when out of memory. */
bool http_add_header(struct curl_slist **headers, const char *line);

/* The headers of a request that is signed, which are all that it has. */
int http_add_aws_headers(struct curl_slist **headers, const struct http_request *request,
                         struct error *error);

/* The same for a GET of `url` at the time `now` (of the wall clock), with the keys as they are now. */
int http_aws_sign(struct curl_slist **headers, const struct http_aws_signing *signing, const char *url,
                  nsec now, struct error *error);

#endif
