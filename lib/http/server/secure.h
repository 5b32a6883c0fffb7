/* SPDX-License-Identifier: Apache-2.0 */
/* What those files of the HTTP server share that know its web configuration. */
#ifndef LIB_HTTP_SERVER_SECURE_H
#define LIB_HTTP_SERVER_SECURE_H

#include "lib/http/server/access/internal.h"
#include "lib/http/server/places.h"

struct http_secure;
struct http_link;

struct http_secure {
        struct web_config *config;
        struct web_stamp tried[WEB_FILES]; /* of the last attempt to read it again */
        struct web_checker *checker;
        bool must_authenticate;
};

/* What a connection keeps for as long as it is open. */
struct http_link {
        struct web_config *config; /* its TLS was made by it */
        struct web_peer peer;
        struct http_place place;
};

/* Reads the configuration again when one of its files has changed, and keeps it when that fails. */
void http_secure_refresh(struct http_secure *secure);
struct http_link *http_link_of(struct MHD_Connection *connection); /* NULL: it keeps nothing */

#endif
