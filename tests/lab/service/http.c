/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 with one request a connection: enough for curl, Prometheus and Docker's health check. */
#include "service.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { HEAD_MAX = 8192 };

bool http_parameter(const char *query, const char *name, char *ret, size_t size)
{
        size_t length = strlen(name);
        for (const char *at = query; at && *at; at = strchr(at, '&'), at = at ? at + 1 : NULL) {
                if (strncmp(at, name, length) != 0 || at[length] != '=')
                        continue;
                snprintf(ret, size, "%.*s", (int)strcspn(at + length + 1, "&"), at + length + 1);
                return true;
        }
        return false;
}

static void take_header(char *line, struct request *request, size_t *ret_length)
{
        char *value = strchr(line, ':');
        if (!value)
                return;
        *value++ = '\0';
        value += strspn(value, " ");
        if (strcasecmp(line, "X-API-Key") == 0)
                snprintf(request->key, sizeof(request->key), "%s", value);
        else if (strcasecmp(line, "X-Forwarded-For") == 0)
                snprintf(request->address, sizeof(request->address), "%s", value);
        else if (strcasecmp(line, "Content-Length") == 0)
                *ret_length = strtoul(value, NULL, 10);
}

/* Reads the head byte by byte, so that nothing of the body is lost, and then the body. */
static bool read_request(int fd, struct request *request)
{
        char head[HEAD_MAX], *rest = NULL, target[1024];
        size_t at = 0, length = 0;
        while (at < 4 || memcmp(head + at - 4, "\r\n\r\n", 4) != 0)
                if (at == sizeof(head) - 1 || !net_read(fd, head + at++, 1))
                        return false;
        head[at] = '\0';
        char *line = strtok_r(head, "\r\n", &rest);
        if (!line || sscanf(line, "%7s %1023s", request->method, target) != 2)
                return false;
        char *query = strchr(target, '?');
        if (query)
                *query++ = '\0';
        snprintf(request->path, sizeof(request->path), "%.255s", target);
        snprintf(request->query, sizeof(request->query), "%.511s", query ? query : "");
        while ((line = strtok_r(NULL, "\r\n", &rest)))
                take_header(line, request, &length);
        if (length >= sizeof(request->body))
                return false;
        request->body_length = length;
        return net_read(fd, request->body, length);
}

static void *serve_one(void *context)
{
        int fd = (int)(intptr_t)context;
        struct request request = {.address = "127.0.0.1"};
        struct answer answer = {.status = 200, .type = "application/json"};
        char *body = NULL, head[256];
        size_t length = 0;
        if (read_request(fd, &request) && (answer.body = open_memstream(&body, &length))) {
                api_answer(&request, &answer);
                fclose(answer.body);
                int n = snprintf(head, sizeof(head),
                                 "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                                 "Connection: close\r\n\r\n",
                                 answer.status, answer.status < 400 ? "OK" : "Refused", answer.type, length);
                if (net_write(fd, head, (size_t)n))
                        net_write(fd, body, length);
                free(body);
        }
        shutdown(fd, SHUT_WR);
        close(fd);
        return NULL;
}

int http_serve(void)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons((unsigned short)settings.port),
                .sin_addr.s_addr = htonl(settings.everywhere ? INADDR_ANY : INADDR_LOOPBACK),
        };
        struct timeval timeout = {.tv_sec = 10};
        pthread_attr_t attributes;
        int on = 1;
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
            listen(listener, 128) < 0) {
                log_line("error", "msg=\"cannot listen\" port=%d", settings.port);
                return 1;
        }
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, 256 * 1024);
        for (;;) {
                pthread_t thread;
                int fd = accept(listener, NULL, NULL);
                if (fd < 0)
                        continue;
                setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
                setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
                if (pthread_create(&thread, &attributes, serve_one, (void *)(intptr_t)fd) != 0)
                        close(fd);
        }
}
