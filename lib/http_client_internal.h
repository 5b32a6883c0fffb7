/* SPDX-License-Identifier: Apache-2.0 */
/* What the rooms of the HTTP client share. */
#ifndef LIB_HTTP_CLIENT_INTERNAL_H
#define LIB_HTTP_CLIENT_INTERNAL_H

#include <curl/curl.h>

#include "runbook/http_client.h"

/* Appends a line to the request's headers, which are wiped in the end; false when out of memory. */
bool http_add_header(struct curl_slist **headers, const char *line);

/* http_aws.c: the headers of a request that is signed, which are all that it has. */
int http_add_aws_headers(struct curl_slist **headers, const struct http_request *request,
                         struct error *error);

/* Has libcurl sign the request with the keys as they are now. */
int http_set_aws(CURL *curl, const struct http_aws_signing *signing, struct error *error);

#endif
