/* SPDX-License-Identifier: Apache-2.0 */
/* Threads for work that may hang: as many as work waits for, up to a limit; idle ones end by themselves. */
#include "runbook/workers.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

enum { IDLE_SECONDS = 30, STACK_BYTES = 256 * 1024 };

struct job {
        struct job *next;
        void (*run)(void *context);
        void *context;
};

/*
 * All fields under `lock`. Threads are detached: one that hangs can be joined by nobody. So the pool is
 * freed by whoever is last: workers_stop(), or the last thread that comes back after it has given up.
 */
struct workers {
        pthread_mutex_t lock;
        pthread_cond_t work;  /* there is a job, or the pool stops */
        pthread_cond_t ended; /* a thread has ended */
        struct job *first, **last;
        unsigned limit, threads, idle, queued;
        bool stopping;
        bool abandoned; /* workers_stop() has returned: the last thread frees */
};

static void pool_free(struct workers *workers)
{
        pthread_cond_destroy(&workers->work);
        pthread_cond_destroy(&workers->ended);
        pthread_mutex_destroy(&workers->lock);
        free(workers);
}

static struct timespec timespec_at(nsec instant)
{
        return (struct timespec){.tv_sec = (time_t)(instant / NSEC_PER_SEC),
                                 .tv_nsec = (long)(instant % NSEC_PER_SEC)};
}

/* The next job, waiting for one; NULL when this thread should end. With the lock held. */
static struct job *next_job(struct workers *workers)
{
        struct timespec until = timespec_at(clock_monotonic() + IDLE_SECONDS * NSEC_PER_SEC);
        int result = 0;

        workers->idle++;
        while (!workers->first && !workers->stopping && result != ETIMEDOUT)
                result = pthread_cond_timedwait(&workers->work, &workers->lock, &until);
        workers->idle--;
        struct job *job = workers->stopping ? NULL : workers->first;
        if (!job)
                return NULL;
        workers->first = job->next;
        if (!workers->first)
                workers->last = &workers->first;
        workers->queued--;
        return job;
}

static void *work(void *argument)
{
        struct workers *workers = argument;
        struct job *job;

        pthread_mutex_lock(&workers->lock);
        while ((job = next_job(workers))) {
                pthread_mutex_unlock(&workers->lock);
                job->run(job->context);
                free(job);
                pthread_mutex_lock(&workers->lock);
        }
        workers->threads--;
        pthread_cond_broadcast(&workers->ended);
        bool last = workers->abandoned && workers->threads == 0;
        pthread_mutex_unlock(&workers->lock);
        if (last)
                pool_free(workers);
        return NULL;
}

/* With the lock held. */
static int add_thread(struct workers *workers)
{
        pthread_attr_t attributes;
        pthread_t thread;
        size_t stack = STACK_BYTES > PTHREAD_STACK_MIN ? STACK_BYTES : (size_t)PTHREAD_STACK_MIN;

        int result = pthread_attr_init(&attributes);
        if (result != 0)
                return -result;
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, stack);
        workers->threads++;
        result = pthread_create(&thread, &attributes, work, workers);
        if (result != 0)
                workers->threads--;
        pthread_attr_destroy(&attributes);
        return -result;
}

int workers_new(unsigned limit, struct workers **ret, struct error *error)
{
        pthread_condattr_t monotonic;

        if (limit == 0)
                return error_set(error, EINVAL, "a pool of no threads would never work; the least is 1");
        struct workers *workers = calloc(1, sizeof *workers);
        if (!workers)
                return error_oom(error);
        workers->limit = limit;
        workers->last = &workers->first;
        pthread_mutex_init(&workers->lock, NULL);
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(&workers->work, &monotonic);
        pthread_cond_init(&workers->ended, &monotonic);
        pthread_condattr_destroy(&monotonic);
        *ret = workers;
        return 0;
}

void workers_allow(struct workers *workers, unsigned more)
{
        pthread_mutex_lock(&workers->lock);
        workers->limit += more;
        pthread_mutex_unlock(&workers->lock);
}

int workers_run(struct workers *workers, void (*run)(void *context), void *context)
{
        struct job *job = malloc(sizeof *job);
        if (!job)
                return -ENOMEM;
        *job = (struct job){.run = run, .context = context};

        pthread_mutex_lock(&workers->lock);
        int result = workers->stopping ? -EAGAIN : 0;

        /* One thread for each job that no idle thread will take. Where the system gives no more of them,
         * those there are will do; only the first one cannot be done without. */
        if (result == 0 && workers->queued >= workers->idle && workers->threads < workers->limit) {
                result = add_thread(workers);
                if (result < 0)
                        result = workers->threads > 0 ? 0 : -ENOMEM;
        }
        if (result == 0) {
                *workers->last = job;
                workers->last = &job->next;
                workers->queued++;
                pthread_cond_signal(&workers->work);
        }
        pthread_mutex_unlock(&workers->lock);
        if (result < 0)
                free(job);
        return result;
}

unsigned workers_stop(struct workers *workers, struct deadline deadline)
{
        pthread_mutex_lock(&workers->lock);
        workers->stopping = true;
        while (workers->first) {
                struct job *job = workers->first;
                workers->first = job->next;
                free(job);
        }
        workers->last = &workers->first;
        workers->queued = 0;
        pthread_cond_broadcast(&workers->work);

        struct timespec until = timespec_at(deadline.at);
        int result = 0;
        while (workers->threads > 0 && result != ETIMEDOUT)
                result = pthread_cond_timedwait(&workers->ended, &workers->lock, &until);

        unsigned hanging = workers->threads;
        workers->abandoned = hanging > 0;
        pthread_mutex_unlock(&workers->lock);
        if (hanging == 0)
                pool_free(workers);
        return hanging;
}
