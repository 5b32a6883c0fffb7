/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of database connections, and the fault that empties it. */
#include "service.h"

#include <pthread.h>
#include <stdlib.h>

enum { IDLE_MAX = 8, LEAKED_MAX = 1000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct pg *idle[IDLE_MAX];
static int idle_count, open_count;
static struct pg *leaked[LEAKED_MAX];

struct pg *pool_take(void)
{
        struct pg *pg = NULL;
        pthread_mutex_lock(&lock);
        bool room = idle_count > 0 || open_count < settings.pg_max;
        if (idle_count > 0)
                pg = idle[--idle_count];
        else if (room)
                open_count++;
        pthread_mutex_unlock(&lock);
        if (pg || !room)
                return pg;
        pg = pg_connect(2);
        if (!pg) {
                pthread_mutex_lock(&lock);
                open_count--;
                pthread_mutex_unlock(&lock);
        }
        return pg;
}

void pool_give(struct pg *pg, bool usable)
{
        pthread_mutex_lock(&lock);
        bool keep = usable && idle_count < IDLE_MAX;
        if (keep)
                idle[idle_count++] = pg;
        else
                open_count--;
        pthread_mutex_unlock(&lock);
        if (!keep)
                pg_close(pg);
}

/* The bug this plays: somebody takes connections for a query that never ends, and nobody gives them back. */
void pool_leak(int seconds)
{
        char text[16];
        snprintf(text, sizeof(text), "%d", seconds);
        int count = 0;
        while (count < LEAKED_MAX) {
                struct pg *pg = pool_take();
                if (!pg)
                        break;
                pg_send(pg, "SELECT pg_sleep($1::float8)", (const char *const[]){text}, 1);
                leaked[count++] = pg;
        }
        log_line("error", "msg=\"connection pool exhausted\" leaked=%d max=%d", count, settings.pg_max);
}

void pool_count(int *ret_open, int *ret_max)
{
        pthread_mutex_lock(&lock);
        *ret_open = open_count;
        pthread_mutex_unlock(&lock);
        *ret_max = settings.pg_max;
}
