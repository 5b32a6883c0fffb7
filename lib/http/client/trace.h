/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the HTTP client: its steps, for who listens to a request's deadline. */
#ifndef LIB_HTTP_CLIENT_TRACE_H
#define LIB_HTTP_CLIENT_TRACE_H

#include <curl/curl.h>

#include "runbook/http_client.h"

/* Says what is asked, and has libcurl call back when it connects and when it is connected. */
void http_trace_begin(CURL *curl, const struct http_request *request);

/* A status line as it came, with its line break. */
void http_trace_status(const struct http_request *request, const char *line, size_t length);

#endif
