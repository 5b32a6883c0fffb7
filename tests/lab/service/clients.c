/* SPDX-License-Identifier: Apache-2.0 */
/* Those who ask a service for something: its clients, and whoever breaks it. */
#include "service.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLIENTS_MAX = 8, PAUSE_MICROSECONDS = 500000, PATIENCE_SECONDS = 10 };

struct client {
        char host[128];
        int port;
        const char *key;
};

/* Sends the request and reads the answer to its end; its status, 0 when there was none. */
static int ask(const char *host, int port, const char *request)
{
        char head[13] = {0}, byte;
        int status = 0, fd = net_connect(host, port, PATIENCE_SECONDS);
        if (fd < 0)
                return 0;
        if (net_write(fd, request, strlen(request)) && net_read(fd, head, sizeof(head) - 1) &&
            sscanf(head, "HTTP/1.1 %d", &status) == 1)
                while (net_read(fd, &byte, 1))
                        ;
        close(fd);
        return status;
}

static void *go_on(void *context)
{
        struct client *client = context;
        char request[512];
        int was = 200;
        snprintf(request, sizeof(request),
                 "GET /api/v1/contexts HTTP/1.1\r\nHost: %s\r\nX-API-Key: %s\r\nConnection: close\r\n\r\n",
                 client->host, client->key);
        for (;;) {
                int status = ask(client->host, client->port, request);
                if (status != was)
                        log_line("info", "msg=\"answered\" by=%s status=%d", client->host, status);
                was = status;
                usleep(PAUSE_MICROSECONDS);
        }
        return NULL;
}

int clients_run(const char *key, int count, char *const *addresses)
{
        static struct client clients[CLIENTS_MAX];
        for (int i = 0; i < count && i < CLIENTS_MAX; i++) {
                pthread_t thread;
                clients[i].key = key;
                if (sscanf(addresses[i], "%127[^:]:%d", clients[i].host, &clients[i].port) != 2 ||
                    pthread_create(&thread, NULL, go_on, &clients[i]) != 0) {
                        log_line("error", "msg=\"no host:port\" address=%s", addresses[i]);
                        return 1;
                }
        }
        for (;;)
                pause();
}

int clients_fault(const char *query)
{
        char request[768];
        snprintf(request, sizeof(request),
                 "POST /fault?%.500s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
                 "Connection: close\r\n\r\n",
                 query);
        return ask("127.0.0.1", settings.port, request) == 200 ? 0 : 1;
}
