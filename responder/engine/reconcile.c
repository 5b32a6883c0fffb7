/* SPDX-License-Identifier: Apache-2.0 */
/* Alertmanager never says that a silenced alert was resolved: it is asked about those that fell silent. */
#include <errno.h>

#include "responder/engine/internal.h"
#include "runbook/log.h"

/* Alertmanager is asked about at most so many silent episodes at once, and this often at least and at most.
 */
#define SILENT_MOST 1000
#define RECONCILE_LEAST NSEC_PER_SEC
#define RECONCILE_MOST (10 * 60 * NSEC_PER_SEC)

/* Those of the silent that are over by what the neighbours say, which are asked once for all of them. */
static int close_those_over(struct engine *engine, const struct episode_list *silent, struct error *error)
{
        struct incident_parts *parts = &engine->asking;
        const struct target_set *set = &parts->set->targets;
        struct alert_view view = {0};
        int r = 0;
        view_ask(parts->world, set, false, &view);
        if (!view.has_alertmanager)
                r = error_set(error, EIO, "%s",
                              view.no_alertmanager ? view.no_alertmanager : "out of memory");
        for (size_t i = 0; r >= 0 && i < silent->count && !atomic_load(&engine->stopping); i++)
                if (!silent->items[i].unreadable &&
                    view_of_alert(&view, set, &silent->items[i].alert).says == ALERT_SAYS_OVER)
                        r = journal_close_episode(parts->journal, silent->items[i].id, "alertmanager", error);
        view_release(&view);
        return r;
}

/* On a worker: episodes of which nothing was heard for too long are closed when they are over. */
static void close_silent(void *context)
{
        struct engine *engine = context;
        assert_that(atomic_load(&engine->reconciling), "Alertmanager is asked by one at a time");
        struct incident_parts *parts = &engine->asking;
        nsec repeat = parts->set->targets.repeat_interval;
        nsec slack = repeat / 4 < RECONCILE_MOST ? repeat / 4 : RECONCILE_MOST;
        _cleanup_error_ struct error error = {0};
        struct episode_list silent = {0};

        int r = journal_silent(parts->journal, journal_steady(parts->journal) - repeat - slack, SILENT_MOST,
                               &silent, &error);
        if (r >= 0 && silent.count > 0)
                r = close_those_over(engine, &silent, &error);
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
                if (engine_lend(engine, &engine->asking, WORLD_ASKS, NULL, close_silent) < 0)
                        atomic_store(&engine->reconciling, false);
        }
        look_again_at(look, engine->reconcile_at);
}
