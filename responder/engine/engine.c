/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's thread: sleeps until something changed or a time has come, then looks at everything once. */
#include "responder/engine/engine.h"

#include <errno.h>
#include <time.h>

#include "responder/engine/internal.h"
#include "runbook/log.h"

#define RUNS_AT_ONCE 8
#define LOOKS_AT_ONCE 8

/* Calls to engine_wake() are gathered for this long. A pass never takes more than half of the time. */
#define GATHER (5 * NSEC_PER_MSEC)
#define GATHER_MOST NSEC_PER_SEC
#define AFTER_ERROR NSEC_PER_SEC

/* Sleeps until woken (true) or the time has come. */
static bool wait_until(struct engine *engine, nsec when)
{
        const struct timespec time = {.tv_sec = (time_t)(when / NSEC_PER_SEC),
                                      .tv_nsec = (long)(when % NSEC_PER_SEC)};
        pthread_mutex_lock(&engine->mutex);
        int r = 0;
        while (!engine->woken && r != ETIMEDOUT)
                r = pthread_cond_timedwait(&engine->changed, &engine->mutex, &time);
        bool woken = engine->woken;
        pthread_mutex_unlock(&engine->mutex);
        return woken;
}

static void gather(nsec last_pass)
{
        nsec pause = last_pass < GATHER ? GATHER : last_pass > GATHER_MOST ? GATHER_MOST : last_pass;
        const struct timespec time = {.tv_sec = (time_t)(pause / NSEC_PER_SEC),
                                      .tv_nsec = (long)(pause % NSEC_PER_SEC)};
        nanosleep(&time, NULL);
}

static void *engine_main(void *context)
{
        struct engine *engine = context;
        nsec next = clock_monotonic();
        nsec took = 0;
        bool failing = false;
        while (!atomic_load(&engine->stopping)) {
                if (wait_until(engine, next))
                        gather(took);
                if (atomic_load(&engine->stopping))
                        break;
                pthread_mutex_lock(&engine->mutex);
                engine->woken = false;
                pthread_mutex_unlock(&engine->mutex);

                nsec began = clock_monotonic();
                _cleanup_error_ struct error error = {0};
                int r = engine_pass(engine, &next, &error);
                took = clock_monotonic() - began;
                if (r < 0) {
                        if (!failing)
                                log_event(LOG_ERROR, "The engine cannot get on", "error", error_text(&error),
                                          NULL);
                        next = clock_monotonic() + AFTER_ERROR;
                }
                failing = r < 0;
        }
        return NULL;
}

static void engine_destroy(struct engine *engine)
{
        while (engine->tracks) {
                struct track *track = engine->tracks;
                engine->tracks = track->next;
                engine_track_free(track);
        }
        pthread_cond_destroy(&engine->changed);
        pthread_mutex_destroy(&engine->mutex);
        free(engine);
}

int engine_start(const struct engine_options *options, struct engine **ret, struct error *error)
{
        struct engine *engine = calloc(1, sizeof(*engine));
        if (!engine)
                return error_oom(error);
        engine->options = *options;
        pthread_mutex_init(&engine->mutex, NULL);
        pthread_condattr_t attributes;
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&engine->changed, &attributes);
        pthread_condattr_destroy(&attributes);

        int r = workers_new(RUNS_AT_ONCE, &engine->runs, error);
        if (r >= 0)
                r = workers_new(LOOKS_AT_ONCE, &engine->looks, error);
        if (r >= 0) {
                r = -pthread_create(&engine->thread, NULL, engine_main, engine);
                if (r < 0)
                        error_set(error, -r, "cannot start the engine's thread: %s", strerror(-r));
        }
        if (r < 0) {
                if (engine->runs)
                        workers_stop(engine->runs, deadline_in(0));
                if (engine->looks)
                        workers_stop(engine->looks, deadline_in(0));
                engine_destroy(engine);
                return r;
        }
        *ret = engine;
        return 0;
}

struct engine *engine_stop(struct engine *engine, struct deadline deadline)
{
        if (!engine)
                return NULL;
        atomic_store(&engine->stopping, true);
        engine_wake(engine);
        pthread_join(engine->thread, NULL);
        unsigned hanging = workers_stop(engine->runs, deadline);
        hanging += workers_stop(engine->looks, deadline);
        if (hanging > 0)
                return engine;
        engine_destroy(engine);
        return NULL;
}
