/* SPDX-License-Identifier: Apache-2.0 */
/* Libmicrohttpd listens on one socket; who connects to another one is brought to it by a thread. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "lib/http/server/internal.h"
#include "runbook/wait.h"

static const nsec NO_DESCRIPTORS_PAUSE = 100 * NSEC_PER_MSEC;

struct http_acceptor {
        struct http_server *server;
        pthread_t thread;
        int stop; /* an eventfd */
};

/* False when there is nothing more to accept just now. */
static bool accept_one(const struct http_server *server, int listening)
{
        struct sockaddr_storage address = {0};
        socklen_t length = sizeof(address);
        int fd = accept4(listening, (struct sockaddr *)&address, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
                /* Closes the socket when there is no place for it at all. */
                MHD_add_connection(server->daemon, fd, (const struct sockaddr *)&address, length);
                return true;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
                pause_for(NO_DESCRIPTORS_PAUSE, DEADLINE_NEVER);
        return errno == EINTR || errno == ECONNABORTED;
}

static void *accept_all(void *context)
{
        const struct http_acceptor *acceptor = context;
        const struct http_server *server = acceptor->server;
        struct pollfd fds[HTTP_LISTENERS_MAX] = {{.fd = acceptor->stop, .events = POLLIN}};
        for (size_t i = 1; i < server->listener_count; i++)
                fds[i] = (struct pollfd){.fd = server->listeners[i].fd, .events = POLLIN};
        while (fds[0].revents == 0) {
                if (poll(fds, server->listener_count, -1) < 0)
                        continue;
                for (size_t i = 1; i < server->listener_count; i++)
                        while (fds[i].revents != 0 && accept_one(server, fds[i].fd))
                                ;
        }
        return NULL;
}

int http_acceptor_start(struct http_server *server, struct http_acceptor **ret)
{
        if (server->listener_count < 2)
                return 0;
        struct http_acceptor *acceptor = calloc(1, sizeof(*acceptor));
        if (!acceptor)
                return -ENOMEM;
        acceptor->server = server;
        acceptor->stop = eventfd(0, EFD_CLOEXEC);
        int r = acceptor->stop < 0 ? -errno : 0;
        if (r >= 0) {
                sigset_t all, before;
                sigfillset(&all);
                pthread_sigmask(SIG_SETMASK, &all, &before);
                r = -pthread_create(&acceptor->thread, NULL, accept_all, acceptor);
                pthread_sigmask(SIG_SETMASK, &before, NULL);
        }
        if (r < 0) {
                if (acceptor->stop >= 0)
                        close(acceptor->stop);
                free(acceptor);
                return r;
        }
        *ret = acceptor;
        return 0;
}

struct http_acceptor *http_acceptor_stop(struct http_acceptor *acceptor)
{
        if (!acceptor)
                return NULL;
        eventfd_write(acceptor->stop, 1);
        pthread_join(acceptor->thread, NULL);
        close(acceptor->stop);
        free(acceptor);
        return NULL;
}
