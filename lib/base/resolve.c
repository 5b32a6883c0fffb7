/* SPDX-License-Identifier: Apache-2.0 */
/* Looking host names up, by a thread that may be left behind; and connecting to what was found. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "runbook/socket.h"
#include "runbook/wait.h"

enum { MOST_LEFT_BEHIND = 64 }; /* lookups that hang: getaddrinfo() ends when resolv.conf says */

static atomic_uint under_way;

/* Of two: who asks, and the thread that looks up. The last one frees it. */
struct lookup {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool done, abandoned;
        int failure; /* of getaddrinfo() */
        struct addrinfo *found;
        char *port;
        char host[];
};

static void lookup_free(struct lookup *lookup)
{
        if (lookup->found)
                freeaddrinfo(lookup->found);
        pthread_cond_destroy(&lookup->changed);
        pthread_mutex_destroy(&lookup->lock);
        free(lookup);
}

static struct lookup *lookup_new(const char *host, const char *port)
{
        size_t host_size = strlen(host) + 1, port_size = strlen(port) + 1;
        struct lookup *lookup = calloc(1, sizeof(*lookup) + host_size + port_size);
        if (!lookup)
                return NULL;
        memcpy(lookup->host, host, host_size);
        lookup->port = lookup->host + host_size;
        memcpy(lookup->port, port, port_size);
        pthread_mutex_init(&lookup->lock, NULL);
        condition_init(&lookup->changed);
        return lookup;
}

static void *look_up(void *context)
{
        struct lookup *lookup = context;
        const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
        struct addrinfo *found = NULL;
        int failure = getaddrinfo(lookup->host, lookup->port, &hints, &found);
        pthread_mutex_lock(&lookup->lock);
        lookup->failure = failure;
        lookup->found = failure ? NULL : found;
        lookup->done = true;
        bool abandoned = lookup->abandoned;
        pthread_cond_signal(&lookup->changed);
        pthread_mutex_unlock(&lookup->lock);
        if (abandoned)
                lookup_free(lookup);
        atomic_fetch_sub(&under_way, 1);
        return NULL;
}

/* Signals are for others. */
static int start_thread(struct lookup *lookup)
{
        pthread_t thread;
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        int failure = pthread_create(&thread, NULL, look_up, lookup);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (!failure)
                pthread_detach(thread);
        return -failure;
}

static int wait_for_answer(struct lookup *lookup, struct deadline deadline, struct addrinfo **ret,
                           const char **ret_reason)
{
        pthread_mutex_lock(&lookup->lock);
        while (!lookup->done && condition_wait_until(&lookup->changed, &lookup->lock, deadline.at))
                ;
        lookup->abandoned = !lookup->done;
        bool abandoned = lookup->abandoned;
        pthread_mutex_unlock(&lookup->lock);
        if (abandoned)
                return -ETIMEDOUT;
        int failure = lookup->failure;
        *ret = lookup->found;
        lookup->found = NULL;
        lookup_free(lookup);
        if (failure)
                *ret_reason = gai_strerror(failure);
        return failure ? -EHOSTUNREACH : 0;
}

int socket_resolve(const char *host, const char *port, struct deadline deadline, struct addrinfo **ret,
                   const char **ret_reason)
{
        const struct addrinfo numeric = {.ai_socktype = SOCK_STREAM,
                                         .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST};
        if (getaddrinfo(host, port, &numeric, ret) == 0)
                return 0;
        if (atomic_fetch_add(&under_way, 1) >= MOST_LEFT_BEHIND) {
                atomic_fetch_sub(&under_way, 1);
                return -EAGAIN;
        }
        struct lookup *lookup = lookup_new(host, port);
        int r = lookup ? start_thread(lookup) : -ENOMEM;

        if (r < 0) {
                atomic_fetch_sub(&under_way, 1);
                if (lookup)
                        lookup_free(lookup);
                return r;
        }
        return wait_for_answer(lookup, deadline, ret, ret_reason);
}

int socket_connect_any(const struct addrinfo *addresses, struct deadline deadline, int *ret_fd,
                       const struct addrinfo **ret_address)
{
        size_t left = 0;
        int r = -EHOSTUNREACH;
        for (const struct addrinfo *at = addresses; at; at = at->ai_next)
                left++;
        for (const struct addrinfo *at = addresses; at; at = at->ai_next, left--) {
                /* An address that swallows everything leaves time for the others. */
                struct deadline share = deadline_in(deadline_left(deadline) / (nsec)left);
                r = socket_connect(at->ai_addr, at->ai_addrlen, deadline_earlier(deadline, share), ret_fd);
                if (r < 0)
                        continue;
                if (ret_address)
                        *ret_address = at;
                return 0;
        }
        return r;
}
