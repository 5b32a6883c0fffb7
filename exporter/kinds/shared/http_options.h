/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all kinds that ask over HTTP have in common: URL, headers, credentials, TLS.
 *
 * kinds/shared is options and files that several kinds have alike, so that an operator writes them in one
 * way; here is no kind, and nothing that one kind alone needs. It uses exporter/check and the libraries.
 */
#ifndef EXPORTER_KINDS_SHARED_HTTP_OPTIONS_H
#define EXPORTER_KINDS_SHARED_HTTP_OPTIONS_H

#include "runbook/config.h"
#include "runbook/http_client.h"
#include "runbook/stream.h"

struct http_options {
        char *url;
        struct config_map headers;
        struct secret bearer_token;
        struct tls_options tls;
        char *proxy_url;
        bool follow_redirects;
};

/* clang-format off */
#define HTTP_OPTION_FIELDS(holder, member) \
        {"url", CONFIG_STRING, offsetof(holder, member.url), .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, \
         .help = "http:// or https://, without a password"}, \
        {"headers", CONFIG_MAP, offsetof(holder, member.headers), .help = "Sent with the request; no secrets here"}, \
        {"bearer_token", CONFIG_SECRET, offsetof(holder, member.bearer_token), \
         .help = "Sent as `Authorization: Bearer`; read anew for each request"}, \
        {"tls_config", CONFIG_OBJECT, offsetof(holder, member.tls), .fields = tls_option_fields, \
         .help = "As in Prometheus"}, \
        {"proxy_url", CONFIG_STRING, offsetof(holder, member.proxy_url), .flags = CONFIG_NOT_EMPTY, \
         .help = "http://, socks5:// or socks5h://, without a password; the environment's proxies are not used"}, \
        {"follow_redirects", CONFIG_BOOL, offsetof(holder, member.follow_redirects), .fallback = "false", \
         .help = "Ask again where the answer points to, at most ten times"}
/* clang-format on */

/* The headers as http_client takes them. */
struct http_headers {
        char **lines; /* closed by NULL */
};

/*
 * Checks what the table cannot, complaining about `node`, and renders the headers, with `extra` before them
 * (may be NULL). -EINVAL, -ENOMEM.
 */
int http_options_prepare(const struct http_options *options, struct config_node *node, const char *extra,
                         struct http_headers *ret);
void http_headers_release(struct http_headers *headers);

/* A request as the options say, to their URL. */
struct http_request http_options_request(const struct http_options *options,
                                         const struct http_headers *headers, struct deadline deadline);

#endif
