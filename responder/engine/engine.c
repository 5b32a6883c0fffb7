/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's thread: sleeps until something changed or a time has come, then looks at everything once. */
#include "responder/engine/engine.h"

#include "responder/engine/internal.h"
#include "runbook/log.h"
#include "runbook/systemd.h"

/* Calls to engine_wake() are gathered for this long. Looking never takes more than half of the time. */
#define GATHER (5 * NSEC_PER_MSEC)
#define GATHER_MOST NSEC_PER_SEC
#define AFTER_ERROR NSEC_PER_SEC
#define REST (60 * NSEC_PER_SEC)

static nsec gather_time(nsec last_look)
{
        return last_look < GATHER ? GATHER : last_look > GATHER_MOST ? GATHER_MOST : last_look;
}

/* Until `at`, or something changed; meanwhile systemd is told that this thread, which decides, goes on. True:
 * something changed. */
static bool sleep_alive(const struct world *world, nsec at, nsec *alive)
{
        for (;;) {
                systemd_alive(world_monotonic(world), alive);
                bool woken = world->sleep(world->context, at < *alive ? at : *alive);
                if (woken || at <= *alive)
                        return woken;
        }
}

static void *look_until_stopped(void *context)
{
        struct engine *engine = context;
        assert_that(engine->threaded, "a thread looks only for an engine that has one");
        const struct world *world = engine->machine;
        engine->looker = pthread_self();
        nsec next = world_monotonic(world);
        nsec took = 0, alive = 0;
        bool failing = false;
        while (!atomic_load(&engine->stopping)) {
                if (sleep_alive(world, next, &alive) && !atomic_load(&engine->stopping)) {
                        world_pause(world, gather_time(took));
                        /* Whoever woke it meanwhile is served by the look that follows. */
                        world->sleep(world->context, 0);
                }
                if (atomic_load(&engine->stopping))
                        break;

                nsec began = world_monotonic(world);
                _cleanup_error_ struct error error = {0};
                int r = engine_look(engine, &next, &error);
                took = world_monotonic(world) - began;
                if (r < 0) {
                        if (!failing)
                                log_event(LOG_ERROR, "The engine cannot get on", "error", error_text(&error),
                                          NULL);
                        next = world_monotonic(world) + AFTER_ERROR;
                }
                failing = r < 0;
        }
        return NULL;
}

/* What a worker never began to do, because the pools were stopped first, has still what it was lent. */
static void take_back_loans(struct engine *engine)
{
        struct incident_parts *const loans[] = {&engine->outage.lent, &engine->silencing_by, &engine->asking,
                                                &engine->viewing_by, &engine->telling_by};
        for (size_t i = 0; i < N_ELEMENTS(loans); i++)
                parts_release(loans[i]);
        for (size_t i = 0; i < engine->slot_count; i++)
                parts_release(&engine->slots[i]->parts);
}

static void engine_free(struct engine *engine)
{
        take_back_loans(engine);
        if (engine->adopting)
                parts_release(&engine->coming);
        parts_release(&engine->parts);
        slots_free(engine);
        standing_free(engine);
        leases_release(&engine->leases);
        occupied_free(engine->occupied);
        free(engine->matched_with);
        incident_list_release(&engine->active);
        outage_release(&engine->outage);
        for (size_t i = 0; i < UNHEARD_COUNT; i++)
                letter_release(&engine->letters[i]);
        pthread_mutex_destroy(&engine->lock);
        free(engine);
}

/* NULL: out of memory. */
static struct engine *engine_make(const struct incident_parts *parts)
{
        assert_that(parts->world && parts->set && parts->journal && parts->meters,
                    "the engine has all its parts");
        struct engine *engine = calloc(1, sizeof(*engine));
        struct occupied *occupied = engine ? occupied_new() : NULL;
        if (!occupied) {
                free(engine);
                return NULL;
        }
        engine->parts = *parts;
        engine->parts.occupied = engine->occupied = occupied;
        engine->rest = REST;
        atomic_store(&engine->unanswered, true);
        engine->machine = parts->edition ? parts->edition->machine : parts->world;
        pthread_mutex_init(&engine->lock, NULL);
        return engine;
}

int engine_new(const struct incident_parts *parts, struct engine **ret, struct error *error)
{
        struct incident_parts held = *parts;
        struct engine *engine = engine_make(parts);
        if (!engine) {
                parts_release(&held);
                return error_oom(error);
        }
        *ret = engine;
        return 0;
}

int engine_start(const struct incident_parts *parts, struct engine **ret, struct error *error)
{
        struct incident_parts held = *parts;
        struct engine *engine = engine_make(parts);
        if (!engine) {
                parts_release(&held);
                return error_oom(error);
        }
        engine->threaded = true;
        int r = -pthread_create(&engine->thread, NULL, look_until_stopped, engine);
        if (r < 0) {
                engine_free(engine);
                return error_set(error, -r, "cannot start the engine's thread: %s", strerror(-r));
        }
        *ret = engine;
        return 0;
}

void engine_rest_at_most(struct engine *engine, nsec most)
{
        engine->rest = most;
}

void engine_hold_still(struct engine *engine)
{
        atomic_store(&engine->stopping, true);
}

struct engine *engine_stop(struct engine *engine, struct deadline deadline)
{
        if (!engine)
                return NULL;
        const struct world *world = engine->machine;
        engine_hold_still(engine);
        engine_wake(engine);
        if (engine->threaded)
                pthread_join(engine->thread, NULL);
        if (world->finish(world->context, deadline) > 0)
                return engine;
        engine_free(engine);
        return NULL;
}
