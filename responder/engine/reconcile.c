/* SPDX-License-Identifier: Apache-2.0 */
/* Alertmanager never says that a silenced alert was resolved: it is asked about those that fell silent. */
#include "responder/engine/internal.h"
#include "runbook/log.h"

/* Alertmanager is asked about at most so many silent episodes at once, and this often at least and at most.
 */
#define SILENT_MOST 1000
#define RECONCILE_LEAST NSEC_PER_SEC
#define RECONCILE_MOST (10 * 60 * NSEC_PER_SEC)
#define ASK_TIMEOUT (10 * NSEC_PER_SEC)

/* On a worker: episodes of which nothing was heard for too long are closed when Alertmanager has them no
 * more. */
static void close_unknown(void *context)
{
        struct engine *engine = context;
        assert_that(atomic_load(&engine->reconciling), "Alertmanager is asked by one at a time");
        const struct incident_parts *parts = &engine->asking;
        const struct world *world = parts->world;
        nsec repeat = parts->set->targets.repeat_interval;
        nsec slack = repeat / 4 < RECONCILE_MOST ? repeat / 4 : RECONCILE_MOST;
        _cleanup_error_ struct error error = {0};
        struct episode_list silent = {0};

        int r = journal_silent(parts->journal, journal_steady(parts->journal) - repeat - slack, SILENT_MOST,
                               &silent, &error);
        for (size_t i = 0; r >= 0 && i < silent.count && !atomic_load(&engine->stopping); i++) {
                const struct episode *episode = &silent.items[i];
                bool active = true;
                if (episode->unreadable)
                        continue;
                r = world->alert_active(world->context, episode->alert.fingerprint,
                                        world_deadline(world, ASK_TIMEOUT), &active, &error);
                if (r >= 0 && !active)
                        r = journal_close_episode(parts->journal, episode->id, "alertmanager", &error);
        }
        if (r < 0)
                log_event(LOG_WARN, "Cannot ask Alertmanager for alerts that fell silent", "error",
                          error_text(&error), NULL);
        episode_list_release(&silent);
        parts_release(parts);
        atomic_store(&engine->reconciling, false);
        engine_wake(engine);
}

void engine_reconcile(struct look *look)
{
        assert_that(is_looking(look->engine), "the engine's thread says when");
        struct engine *engine = look->engine;
        const struct target_set *set = &engine->parts.set->targets;
        if (!set->alertmanager_url || !*set->alertmanager_url || set->repeat_interval <= 0)
                return;
        if (look->now >= engine->reconcile_at && !atomic_exchange(&engine->reconciling, true)) {
                nsec every = set->repeat_interval / 4;
                every = every < RECONCILE_LEAST  ? RECONCILE_LEAST
                        : every > RECONCILE_MOST ? RECONCILE_MOST
                                                 : every;
                engine->reconcile_at = look->now + every;
                if (engine_lend(engine, &engine->asking, WORLD_ASKS, NULL, close_unknown) < 0)
                        atomic_store(&engine->reconciling, false);
        }
        look_again_at(look, engine->reconcile_at);
}
