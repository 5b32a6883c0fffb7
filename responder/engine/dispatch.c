/* SPDX-License-Identifier: Apache-2.0 */
/* An incident that something can be done about, given to a worker. */
#include <errno.h>

#include "responder/engine/internal.h"
#include "responder/incident/escalate.h"
#include "runbook/log.h"

#define STAGE_AGAIN (5 * NSEC_PER_SEC)

/* On a worker. */
static void carry_on(void *context)
{
        struct engine_slot *slot = context;
        assert_that(slot->stage && slot->run.incident.id == slot->incident,
                    "a worker has its own incident, and a stage");
        struct engine *engine = slot->engine;
        struct incident_run *run = &slot->run;
        _cleanup_error_ struct error error = {0};

        run->look_again = 0;
        int r = slot->stage(run, &error);
        nsec now = world_monotonic(engine->machine);
        if (r == -ESTALE) {
                run->look_again = now;
        } else if (r < 0) {
                if (r != -ECANCELED)
                        log_event(LOG_WARN, "Incident waits", "incident", run->incident.number, "error",
                                  error_text(&error), NULL);
                if (run->look_again == 0)
                        run->look_again = now + STAGE_AGAIN;
        }

        parts_release(&slot->parts);
        pthread_mutex_lock(&engine->lock);
        slot->busy = false;
        slot->look_at = run->look_again;
        pthread_mutex_unlock(&engine->lock);
        engine_wake(engine);
}

/* What stays in the list: enough to keep the lock from others in this look. */
static struct incident leave_behind(const struct incident *taken, const char *lock)
{
        assert_that(lock, "whoever is carried has a lock, be it an empty one");
        return (struct incident){
                .id = taken->id,
                .state = INCIDENT_RUNNING,
                .lock = strdup(lock),
                .number = strdup(taken->number),
                .remediation = strdup(taken->remediation),
                .running_at = taken->running_at,
                .taken = taken->taken,
                .hands_steady = taken->hands_steady,
                .stale = true,
        };
}

static void set_busy(struct engine_slot *slot, bool busy)
{
        pthread_mutex_lock(&slot->engine->lock);
        slot->busy = busy;
        pthread_mutex_unlock(&slot->engine->lock);
}

int engine_dispatch(struct look *look, struct incident *incident, const struct remediation *remediation,
                    enum world_pool pool, incident_stage *stage, const char *lock, struct error *error)
{
        assert_that(stage && incident->state != INCIDENT_UNCHANGED, "an incident is carried on by a stage");
        assert_that(!remediation || incident_fits(incident, remediation),
                    "the steps are those it was opened with");
        struct engine *engine = look->engine;
        const struct world *world = engine->parts.world;
        struct engine_slot *slot = slot_claim(engine, incident->id);
        _cleanup_free_ char *lock_copy = strdup(lock ? lock : "");
        if (!slot || !lock_copy)
                return error_oom(error);

        assert_that(!slot->was_busy, "an incident is in one worker's hands");
        free(slot->lock);
        slot->lock = TAKE_PTR(lock_copy);
        slot->stage = stage;
        slot->runs = pool == WORLD_RUNS && incident->ended_at == 0;
        if (slot->runs)
                turn_begins(look, incident->remediation);
        struct incident_run *run = &slot->run;
        incident_release(&run->incident);
        slot->parts = engine->parts;
        run->parts = &slot->parts;
        run->stopping = &engine->stopping;
        run->remediation = remediation;
        run->incident = *incident;
        run->level = stage == stage_climb ? run->level : 0;
        run->lock = slot->lock;
        *incident = leave_behind(&run->incident, slot->lock);
        look_note(look, incident);

        parts_hold(&slot->parts);
        set_busy(slot, true);
        slot->was_busy = true;
        const char *whose = pool == WORLD_CALLS ? escalation_receiver(run) : run->incident.remediation;
        int r = world->run(world->context, pool, whose, carry_on, slot);
        if (r < 0) {
                set_busy(slot, false);
                parts_release(&slot->parts);
                return error_set(error, -r, "no worker takes it: %s", strerror(-r));
        }
        return 0;
}
