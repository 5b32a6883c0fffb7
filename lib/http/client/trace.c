/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of an HTTP request, by libcurl's callbacks: so they are told when they happen. */
#include "lib/http/client/trace.h"

#include <netdb.h>
#include <sys/socket.h>

#include "runbook/trace.h"

/* As libcurl would open it; it makes it non-blocking. */
static curl_socket_t open_socket(void *context, curlsocktype purpose _unused_, struct curl_sockaddr *address)
{
        struct trace *trace = context;
        char host[NI_MAXHOST], port[NI_MAXSERV];
        if (address->family == AF_UNIX)
                trace_add(trace, "connecting to the socket");
        else if (getnameinfo(&address->addr, address->addrlen, host, sizeof(host), port, sizeof(port),
                             NI_NUMERICHOST | NI_NUMERICSERV) == 0)
                trace_add(trace, "connecting to %s, port %s", host, port);
        return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int before_request(void *context, char *peer, char *own _unused_, int peer_port, int own_port _unused_)
{
        struct trace *trace = context;
        if (peer && *peer && *peer != '/')
                trace_add(trace, "connected to %s, port %d: sending the request", peer, peer_port);
        else
                trace_add(trace, "connected: sending the request");
        return CURL_PREREQFUNC_OK;
}

void http_trace_begin(CURL *curl, const struct http_request *request)
{
        struct trace *trace = request->deadline.trace;
        if (!trace)
                return;
        _cleanup_free_ char *url = http_url_shown(request);
        trace_add(trace, "%s %s%s%s%s", request->method ? request->method : "GET", url ? url : "the URL",
                  request->unix_socket ? " over " : "", request->unix_socket ? request->unix_socket : "",
                  request->bearer && secret_is_set(request->bearer) ? ", with a bearer token" : "");
        curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, trace);
        curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, before_request);
        curl_easy_setopt(curl, CURLOPT_PREREQDATA, trace);
}

void http_trace_status(const struct http_request *request, const char *line, size_t length)
{
        while (length > 0 &&
               (line[length - 1] == '\r' || line[length - 1] == '\n' || line[length - 1] == ' '))
                length--;
        trace_step(request->deadline, "answered with %.*s", (int)length, line);
}
