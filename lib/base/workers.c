/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads for work that may hang: as many as work waits for, up to a limit; idle ones end by themselves.
 *
 * That threads come one after the other, and not one for each job at once, is for checks that are many.
 * Beside this pool a simple one was measured, of a queue and a condition (two cores, checks over HTTP): 1,000
 * healthy checks have 18.7 MB of resident memory and 12 threads here, 45.3 MB and 528 there, and a scrape of
 * them takes 30 % less CPU time; of 100, 6.5 MB against 11.6, and 22 % less. With 200 of 1,000 that hang it
 * is 25 MB against 43 to 48.
 */
#include "runbook/workers.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "runbook/wait.h"

enum { IDLE_SECONDS = 30, STACK_BYTES = 256 * 1024 };

enum {
        AT_ONCE = 8,    /* jobs that get a thread each at once */
        PATIENCE = 200, /* LULLs, a second: when all will not be taken in them, there are more threads */
};
#define LULL (5 * NSEC_PER_MSEC) /* after which it is looked how it goes */

struct job {
        struct job *next;
        void (*run)(void *context);
        void *context;
};

/* A thread that has nothing to do, on its own stack. */
struct sleeper {
        struct sleeper *below;
        sem_t call;
        bool called; /* it is no longer in the list, and its call is coming */
};

/*
 * Each thread that takes a job sees to it that another one comes while there are more, before it runs its
 * own: so there is always one on its way to a job that waits, and nobody calls all of them at once only to
 * have them queue for the lock. Whoever slept last is called first: its stack is still warm, and those that
 * are not needed end.
 *
 * A thread costs memory, and most jobs are soon done. So when many jobs come together, the first few get a
 * thread each, and one more stands by and looks every LULL how it goes. Where no job was taken, because those
 * that run wait for something or hang, more threads are let in, each time twice as many: a thousand jobs that
 * hang have one each after 40 ms. Where it goes on too slowly, a few more are.
 *
 * All fields under `lock`. A thread that has ended is joined by the one that ends next, and the last of them
 * by workers_stop(): what libraries keep for a thread is given back by then. One that hangs is joined by
 * nobody, so the pool is freed by whoever is last: workers_stop(), or the last thread that comes back after
 * it has given up.
 */
struct workers {
        pthread_mutex_t lock;
        pthread_cond_t lull;  /* only workers_stop() signals it */
        pthread_cond_t ended; /* a thread has ended */
        struct job *first, **last;
        struct sleeper *sleepers;
        unsigned limit, threads;
        unsigned queued, taken; /* jobs that wait; all that were ever taken */
        unsigned busy;          /* threads that run a job */
        unsigned room, step;    /* most of them for now; how many more came last */
        nsec put;               /* when the last job came */
        bool coming;            /* a thread was called or made and has not looked yet */
        bool watched;           /* a thread stands by */
        bool stopping;
        bool abandoned; /* workers_stop() has returned: the last thread frees */
        bool to_join;   /* `left` has ended, or is just about to */
        pthread_t left;
};

static void pool_free(struct workers *workers)
{
        pthread_cond_destroy(&workers->lull);
        pthread_cond_destroy(&workers->ended);
        pthread_mutex_destroy(&workers->lock);
        free(workers);
}

static void wait_for_call(sem_t *call)
{
        while (sem_wait(call) != 0)
                continue; /* EINTR */
}

/* With the lock held, which it lets go of meanwhile. False when nobody has called in IDLE_SECONDS. */
static bool sleep_until_called(struct workers *workers)
{
        const struct timespec until = nsec_to_timespec(clock_monotonic() + IDLE_SECONDS * NSEC_PER_SEC);
        struct sleeper self = {.below = workers->sleepers};
        int result;
        sem_init(&self.call, 0, 0);
        /* cppcheck-suppress autoVariables ; it is out of the list before this function returns */
        workers->sleepers = &self;
        pthread_mutex_unlock(&workers->lock);
        do
                result = sem_clockwait(&self.call, CLOCK_MONOTONIC, &until);
        while (result != 0 && errno == EINTR);
        pthread_mutex_lock(&workers->lock);

        if (result != 0 && self.called) {
                wait_for_call(&self.call); /* both at once: whoever calls must be done with `self` */
        } else if (result != 0) {
                struct sleeper **at = &workers->sleepers;
                while (*at != &self)
                        at = &(*at)->below;
                *at = self.below;
        }
        sem_destroy(&self.call);
        return self.called;
}

/* With the lock held: takes the top one out of those that sleep. The caller posts its call without the lock.
 */
static struct sleeper *pop_sleeper(struct workers *workers)
{
        struct sleeper *sleeper = workers->sleepers;
        if (sleeper) {
                workers->sleepers = sleeper->below;
                sleeper->called = true;
        }
        return sleeper;
}

static void call_sleeper(struct sleeper *sleeper)
{
        if (sleeper)
                sem_post(&sleeper->call);
}

/* With the lock held, which it lets go of meanwhile: stands by until the jobs need another thread, or none.
 */
static void watch_jobs(struct workers *workers)
{
        workers->watched = true;
        while (workers->first && !workers->stopping && workers->busy >= workers->room) {
                const nsec until = clock_monotonic() + LULL;
                unsigned before = workers->taken;
                while (!workers->stopping && condition_wait_until(&workers->lull, &workers->lock, until))
                        continue;
                workers->step = workers->taken == before ? 2 * workers->step : AT_ONCE;
                if (workers->queued > (workers->taken - before) * PATIENCE)
                        workers->room += workers->step;
        }
        workers->watched = false;
}

/* With the lock held, when there is one. */
static struct job *take_job(struct workers *workers)
{
        struct job *job = workers->first;
        workers->first = job->next;
        if (!workers->first)
                workers->last = &workers->first;
        workers->queued--;
        workers->taken++;
        workers->busy++;
        return job;
}

/* The next job, waiting for one; NULL when this thread should end. With the lock held. */
static struct job *next_job(struct workers *workers)
{
        while (!workers->stopping) {
                if (workers->first && workers->busy < workers->room)
                        return take_job(workers);
                if (workers->first && !workers->watched) {
                        watch_jobs(workers);
                        continue;
                }
                if (!sleep_until_called(workers))
                        break;
                workers->coming = false;
        }
        return NULL;
}

static int add_thread(struct workers *workers);

/*
 * With the lock held: sees to it that a thread is on its way when there is a job. `ret` is then to be called.
 * Where the system gives no more threads, those there are will do; -ENOMEM: there is none.
 */
static int send_for_one(struct workers *workers, struct sleeper **ret)
{
        *ret = NULL;
        if (!workers->first || workers->coming || (workers->busy >= workers->room && workers->watched))
                return 0;
        *ret = pop_sleeper(workers);
        workers->coming = *ret || (workers->threads < workers->limit && add_thread(workers) >= 0);
        return workers->threads > 0 ? 0 : -ENOMEM;
}

static void *run_jobs(void *argument)
{
        struct workers *workers = argument;
        struct sleeper *next;
        struct job *job;
        pthread_mutex_lock(&workers->lock);
        workers->coming = false;
        while ((job = next_job(workers))) {
                send_for_one(workers, &next);
                pthread_mutex_unlock(&workers->lock);
                call_sleeper(next);
                job->run(job->context);
                free(job);
                pthread_mutex_lock(&workers->lock);
                workers->busy--;
        }
        const pthread_t before = workers->left;
        const bool joins = workers->to_join;
        workers->left = pthread_self();
        workers->to_join = true;
        workers->threads--;
        pthread_cond_broadcast(&workers->ended);
        bool last = workers->abandoned && workers->threads == 0;
        pthread_mutex_unlock(&workers->lock);
        if (joins)
                pthread_join(before, NULL);
        if (last) {
                pthread_detach(pthread_self());
                pool_free(workers);
        }
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
        pthread_attr_setstacksize(&attributes, stack);
        workers->threads++;
        result = pthread_create(&thread, &attributes, run_jobs, workers);
        if (result != 0)
                workers->threads--;
        pthread_attr_destroy(&attributes);
        return -result;
}

int workers_new(unsigned limit, struct workers **ret, struct error *error)
{
        if (limit == 0)
                return error_set(error, EINVAL, "a pool of no threads would never work; the least is 1");
        struct workers *workers = calloc(1, sizeof(*workers));
        if (!workers)
                return error_oom(error);
        workers->limit = limit;
        workers->last = &workers->first;
        pthread_mutex_init(&workers->lock, NULL);
        condition_init(&workers->lull);
        condition_init(&workers->ended);
        *ret = workers;
        return 0;
}

void workers_allow(struct workers *workers, unsigned more)
{
        struct sleeper *next;
        pthread_mutex_lock(&workers->lock);
        workers->limit += more;
        send_for_one(workers, &next);
        pthread_mutex_unlock(&workers->lock);
        call_sleeper(next);
}

/* With the lock held. Those that were busy before are not counted: they may hang. */
static void put_job(struct workers *workers, struct job *job)
{
        nsec now = clock_monotonic();
        if (!workers->first && now - workers->put > LULL) {
                workers->room = workers->busy + AT_ONCE;
                workers->step = AT_ONCE / 2;
        }
        workers->put = now;
        *workers->last = job;
        workers->last = &job->next;
        workers->queued++;
}

int workers_run(struct workers *workers, void (*run)(void *context), void *context)
{
        return workers_try(workers, UINT_MAX, run, context);
}

int workers_try(struct workers *workers, unsigned most, void (*run)(void *context), void *context)
{
        struct sleeper *next = NULL;
        struct job *job = malloc(sizeof(*job));
        if (!job)
                return -ENOMEM;
        *job = (struct job){.run = run, .context = context};

        pthread_mutex_lock(&workers->lock);
        int result = workers->stopping ? -EAGAIN : workers->queued >= most ? -EBUSY : 0;
        if (result == 0) {
                struct job **before = workers->last;
                put_job(workers, job);
                result = send_for_one(workers, &next);
                if (result < 0) {
                        *before = NULL;
                        workers->last = before;
                        workers->queued--;
                }
        }
        pthread_mutex_unlock(&workers->lock);
        call_sleeper(next);
        if (result < 0)
                free(job);
        return result;
}

/* With the lock held. */
static void call_all(struct workers *workers)
{
        for (struct sleeper *sleeper; (sleeper = pop_sleeper(workers));)
                call_sleeper(sleeper);
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
        pthread_cond_broadcast(&workers->lull);
        call_all(workers);

        while (workers->threads > 0 && condition_wait_until(&workers->ended, &workers->lock, deadline.at))
                ;

        unsigned hanging = workers->threads;
        workers->abandoned = hanging > 0;
        pthread_mutex_unlock(&workers->lock);
        if (hanging > 0)
                return hanging;
        if (workers->to_join)
                pthread_join(workers->left, NULL);
        pool_free(workers);
        return 0;
}
