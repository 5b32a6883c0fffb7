/* SPDX-License-Identifier: Apache-2.0 */
/* The libcurl handle for requests that leave no connection behind: one for each thread. */
#ifndef LIB_HTTP_CLIENT_HANDLE_H
#define LIB_HTTP_CLIENT_HANDLE_H

#include <curl/curl.h>

#include "runbook/http_client.h"

/* Whether the request asks for its connection to be closed: then nothing of it is kept in the handle. */
bool http_closes(const struct http_request *request);

/* This thread's handle, made when it is first asked for and freed when the thread ends. NULL: no memory. */
CURL *http_thread_handle(void);

#endif
