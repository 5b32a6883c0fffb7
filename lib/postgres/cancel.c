/* SPDX-License-Identifier: Apache-2.0 */
/* Cancelling a statement within a bounded time, although PQcancel() has none. */
#include <pthread.h>

#include "lib/postgres/internal.h"
#include "runbook/wait.h"

#define PATIENCE (500 * NSEC_PER_MSEC)

/* Shared by the two threads; the last one that lets go of it frees it. */
struct cancellation {
        PGcancel *request;
        pthread_mutex_t lock;
        pthread_cond_t done_changed;
        bool done;
        unsigned users;
};

static struct cancellation *cancellation_free(struct cancellation *cancellation)
{
        PQfreeCancel(cancellation->request);
        pthread_cond_destroy(&cancellation->done_changed);
        pthread_mutex_destroy(&cancellation->lock);
        free(cancellation);
        return NULL;
}

static void let_go(struct cancellation *cancellation, bool done)
{
        pthread_mutex_lock(&cancellation->lock);
        cancellation->done |= done;
        bool last = --cancellation->users == 0;
        pthread_cond_signal(&cancellation->done_changed);
        pthread_mutex_unlock(&cancellation->lock);
        if (last)
                cancellation_free(cancellation);
}

static void *send_request(void *context)
{
        struct cancellation *cancellation = context;
        char message[256];
        /* A failure needs no word: the statement is over, or statement_timeout ends it. */
        (void)PQcancel(cancellation->request, message, sizeof(message));
        let_go(cancellation, true);
        return NULL;
}

static struct cancellation *cancellation_new(PGconn *connection)
{
        struct cancellation *cancellation = calloc(1, sizeof(*cancellation));
        if (!cancellation)
                return NULL;
        condition_init(&cancellation->done_changed);
        pthread_mutex_init(&cancellation->lock, NULL);
        cancellation->users = 2;
        cancellation->request = PQgetCancel(connection);
        return cancellation->request ? cancellation : cancellation_free(cancellation);
}

static bool start_thread(struct cancellation *cancellation)
{
        pthread_attr_t attributes;
        pthread_t thread;
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        int failure = pthread_create(&thread, &attributes, send_request, cancellation);
        pthread_attr_destroy(&attributes);
        return failure == 0;
}

void postgres_cancel(PGconn *connection)
{
        struct cancellation *cancellation = cancellation_new(connection);
        if (!cancellation)
                return;
        if (!start_thread(cancellation)) {
                cancellation_free(cancellation);
                return;
        }

        const nsec until = clock_monotonic() + PATIENCE;
        pthread_mutex_lock(&cancellation->lock);
        while (!cancellation->done &&
               condition_wait_until(&cancellation->done_changed, &cancellation->lock, until))
                ;
        pthread_mutex_unlock(&cancellation->lock);
        let_go(cancellation, false);
}
