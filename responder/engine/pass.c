/* SPDX-License-Identifier: Apache-2.0 */
/* One pass of the engine: matches new episodes, and finds out for each active incident what comes next. */
#include <errno.h>

#include "responder/engine/guard.h"
#include "responder/engine/internal.h"
#include "runbook/log.h"

#define EPISODES_AT_ONCE 256

/* Longest sleep, should a wake-up ever be missed. */
#define LOOK_AGAIN (60 * NSEC_PER_SEC)

/* While another incident of the same remediation is being planned. */
#define SIBLING_AGAIN (500 * NSEC_PER_MSEC)

typedef int consider_function(struct pass *pass, struct incident *incident,
                              const struct remediation *remediation, struct error *error);
static consider_function consider_waiting, consider_running, consider_verifying, consider_lost,
        consider_ended;

/* What comes next in each state. */
static consider_function *const considerations[INCIDENT_STATE_COUNT] = {
        [INCIDENT_RECEIVED] = consider_waiting,
        [INCIDENT_HELD] = consider_waiting,
        [INCIDENT_AWAITING_APPROVAL] = consider_waiting,
        [INCIDENT_RUNNING] = consider_running,
        [INCIDENT_VERIFYING] = consider_verifying,
        [INCIDENT_FAILED] = consider_lost,
        [INCIDENT_NOT_HEALED] = consider_lost,
        [INCIDENT_HEALED] = consider_ended,
        [INCIDENT_ESCALATED] = consider_ended,
        [INCIDENT_EXPIRED] = consider_ended,
        [INCIDENT_DENIED] = consider_ended,
        [INCIDENT_CANCELLED] = consider_ended,
        [INCIDENT_PLANNED] = consider_ended,
};

/* `ret_matched` is false when no remediation is for it: then nothing was written. */
static int open_incidents(struct engine *engine, const struct episode *episode, bool *ret_matched,
                          struct error *error)
{
        const struct remediation_set *set = engine->options.set;
        struct journal_opening *openings = calloc(set->count + 1, sizeof(*openings));
        if (!openings)
                return error_oom(error);
        size_t count = 0;
        int r = 0;
        for (size_t i = 0; i < set->count && r >= 0; i++) {
                const struct remediation *remediation = &set->remediations[i];
                if (!matchers_match(&remediation->match, &episode->alert.labels))
                        continue;
                const char **names = calloc(remediation->step_count, sizeof(*names));
                if (!names) {
                        r = error_oom(error);
                        break;
                }
                for (size_t k = 0; k < remediation->step_count; k++)
                        names[k] = remediation->steps[k].action->name;
                openings[count++] =
                        (struct journal_opening){remediation->name, names, remediation->step_count};
        }
        if (r >= 0 && count > 0)
                r = journal_open_incidents(engine->options.journal, episode->id, openings, count, error);
        *ret_matched = count > 0;
        for (size_t i = 0; i < count; i++)
                free((void *)openings[i].actions);
        free(openings);
        return r;
}

static int match_episodes(struct pass *pass, struct error *error)
{
        struct episode_list list = {0};
        int r = journal_unmatched(pass->engine->options.journal, EPISODES_AT_ONCE, &list, error);
        if (r < 0)
                return r;
        int64_t passed_over[EPISODES_AT_ONCE];
        size_t count = 0;
        for (size_t i = 0; i < list.count && r >= 0; i++) {
                bool matched = true;
                r = open_incidents(pass->engine, &list.items[i], &matched, error);
                if (!matched)
                        passed_over[count++] = list.items[i].id;
        }
        if (r >= 0)
                r = journal_pass_over(pass->engine->options.journal, passed_over, count, error);
        if (list.count == EPISODES_AT_ONCE)
                pass_look_at(pass, pass->now);
        episode_list_release(&list);
        return r;
}

/* The remembered time for this incident has come, or there is none. */
static bool due(struct pass *pass, const struct incident *incident)
{
        struct engine *engine = pass->engine;
        struct track *track = engine_track(engine, incident->id);
        if (!track)
                return true;
        pthread_mutex_lock(&engine->mutex);
        nsec again = track->again;
        pthread_mutex_unlock(&engine->mutex);
        if (again <= pass->now)
                return true;
        pass_look_at(pass, again);
        return false;
}

/* Writes on the engine's own thread; that somebody else was faster only means looking again. */
static int write_entry(struct pass *pass, const struct journal_entry *entry, struct error *error)
{
        int r = journal_write(pass->engine->options.journal, entry, error);
        if (r >= 0 || r == -ESTALE) {
                pass_look_at(pass, pass->now);
                return 0;
        }
        return r;
}

static int end_waiting(struct pass *pass, const struct incident *incident, enum incident_state state,
                       const char *event, const char *actor, const char *reason, struct error *error)
{
        _cleanup_json_ cJSON *detail = reason ? reason_detail(reason, NULL) : NULL;
        const struct journal_entry entry = {
                .incident = incident->id,
                .actor = actor,
                .event = event,
                .expect = incident->state,
                .state = state,
                .clear_requests = state != INCIDENT_FAILED,
                .detail = detail,
        };
        int r = journal_write(pass->engine->options.journal, &entry, error);
        pass_look_at(pass, pass->now);
        if (r == -ESTALE)
                return 0;
        if (r >= 0) {
                if (state != INCIDENT_FAILED)
                        meters_incident_ended(pass->engine->options.meters, incident->remediation, state);
                log_event(LOG_INFO, "Incident changed", "incident", incident->number, "remediation",
                          incident->remediation, "state", incident_state_name(state), "reason", reason, NULL);
        }
        return r;
}

static int hold(struct pass *pass, const struct incident *incident, const char *lock,
                const struct guard_verdict *verdict, struct error *error)
{
        if (verdict->until != 0)
                pass_look_at(pass, pass->now + (verdict->until - pass->wall));
        if (incident->state == INCIDENT_HELD && string_equal(incident->guard, verdict->guard) &&
            incident->guard_until == verdict->until)
                return 0;
        _cleanup_json_ cJSON *detail = cJSON_CreateObject();
        if (detail) {
                json_put(detail, "guard", cJSON_CreateString(verdict->guard));
                if (*verdict->holder)
                        json_put(detail, "holder", cJSON_CreateString(verdict->holder));
        }
        const struct journal_entry entry = {
                .incident = incident->id,
                .actor = "engine",
                .event = "held",
                .expect = incident->state,
                .state = INCIDENT_HELD,
                .guard = verdict->guard,
                .guard_until = verdict->until,
                .lock = lock,
                .detail = detail,
        };
        log_event(LOG_INFO, "Incident held", "incident", incident->number, "remediation",
                  incident->remediation, "guard", verdict->guard, NULL);
        return write_entry(pass, &entry, error);
}

/* Another incident of the same remediation is being planned: it is counted by the limit once it runs. */
static bool sibling_starts(const struct pass *pass, const struct incident *incident)
{
        for (size_t i = 0; i < pass->active.count; i++) {
                const struct incident *other = &pass->active.items[i];
                if (other->id == incident->id || !string_equal(other->remediation, incident->remediation))
                        continue;
                const struct track *track = engine_track(pass->engine, other->id);
                if (track && track->busy_then && other->running_at == 0)
                        return true;
        }
        return false;
}

static int bind_lock(const struct remediation *remediation, const struct incident *incident, char **ret,
                     struct error *error)
{
        struct alert_bindings bindings;
        alert_bindings_init(&bindings, &incident->alert, incident->number);
        if (remediation->lock)
                return bind_text(remediation->lock, &bindings.bindings, BIND_PLAIN, ret, error);
        char *copy = strdup(remediation->name);
        if (!copy)
                return error_oom(error);
        *ret = copy;
        return 0;
}

static int consider_guards(struct pass *pass, struct incident *incident,
                           const struct remediation *remediation, struct error *error)
{
        _cleanup_free_ char *lock = NULL;
        _cleanup_error_ struct error why = {0};
        if (bind_lock(remediation, incident, &lock, &why) < 0)
                return end_waiting(pass, incident, INCIDENT_FAILED, "planning failed", "engine",
                                   error_text(&why), error);
        if (sibling_starts(pass, incident)) {
                pass_look_at(pass, pass->now + SIBLING_AGAIN);
                return 0;
        }

        struct guard_verdict verdict = {0};
        int r = guard_check(pass->engine->options.journal, remediation, incident, lock, &pass->active,
                            pass->paused, pass->wall, &verdict, error);
        if (r < 0)
                return r;
        if (verdict.guard)
                return hold(pass, incident, lock, &verdict, error);
        return engine_dispatch(pass, incident, remediation, POOL_RUNS, carry_start, lock, error);
}

static int consider_waiting(struct pass *pass, struct incident *incident,
                            const struct remediation *remediation, struct error *error)
{
        bool begun = incident->running_at != 0;
        if (incident->cancel_requested)
                return end_waiting(pass, incident, INCIDENT_CANCELLED, "cancelled", "engine", NULL, error);
        if (!incident->episode_open)
                return end_waiting(pass, incident, INCIDENT_CANCELLED, "cancelled", "alert",
                                   begun ? "the alert is resolved"
                                         : "the alert was resolved before anything was run",
                                   error);
        if (!remediation)
                return end_waiting(pass, incident, INCIDENT_FAILED, "planning failed", "engine",
                                   "remediations.yml no longer has this remediation with these steps", error);
        if (!due(pass, incident))
                return 0;
        if (pass->wall - incident->opened_at >= remediation->expire)
                return engine_dispatch(pass, incident, remediation, POOL_LOOKS, carry_expire, "", error);
        pass_look_at(pass, pass->now + (incident->opened_at + remediation->expire - pass->wall));
        if (incident->state == INCIDENT_AWAITING_APPROVAL && !incident->approved)
                return 0;
        return consider_guards(pass, incident, remediation, error);
}

static int consider_running(struct pass *pass, struct incident *incident,
                            const struct remediation *remediation, struct error *error)
{
        if (!remediation)
                return end_waiting(pass, incident, INCIDENT_FAILED, "failed", "engine",
                                   "remediations.yml no longer has this remediation with these steps", error);
        if (pass->paused || pass->engine->options.dry_run || !due(pass, incident))
                return 0;
        return engine_dispatch(pass, incident, remediation, POOL_RUNS, carry_run, incident->lock, error);
}

static int consider_verifying(struct pass *pass, struct incident *incident,
                              const struct remediation *remediation, struct error *error)
{
        if (!remediation || !verify_wanted(&remediation->verify))
                return end_waiting(pass, incident, INCIDENT_NOT_HEALED, "not healed", "engine",
                                   "remediations.yml no longer has this verification", error);
        if (pass->engine->options.dry_run || (!incident->cancel_requested && !due(pass, incident)))
                return 0;
        return engine_dispatch(pass, incident, remediation, POOL_LOOKS, carry_verify, incident->lock, error);
}

static bool may_undo(const struct remediation *remediation)
{
        bool undoes = remediation && remediation->on_failure == ON_FAILURE_UNDO;
        for (size_t i = 0; remediation && i < remediation->step_count; i++)
                undoes |= remediation->steps[i].on_failure == ON_FAILURE_UNDO;
        return undoes;
}

/* Failed or not healed: not ended before what `on_failure` asks for is done. */
static int consider_lost(struct pass *pass, struct incident *incident, const struct remediation *remediation,
                         struct error *error)
{
        if (incident->ended_at != 0)
                return consider_ended(pass, incident, remediation, error);
        if (pass->engine->options.dry_run || !due(pass, incident))
                return 0;
        /* Steps that hang must not keep a person from being called. */
        return engine_dispatch(pass, incident, remediation, may_undo(remediation) ? POOL_RUNS : POOL_LOOKS,
                               carry_aftermath, incident->lock, error);
}

static int consider_ended(struct pass *pass, struct incident *incident, const struct remediation *remediation,
                          struct error *error)
{
        bool undoes = false;
        if (pass->engine->options.dry_run || !carry_tidy_wanted(incident, remediation, &undoes) ||
            !due(pass, incident))
                return 0;
        if (undoes && ((pass->paused && !incident->undo_requested) ||
                       guard_lock_holder(&pass->active, incident->id, incident->lock)))
                return 0;
        return engine_dispatch(pass, incident, remediation, POOL_RUNS, carry_tidy,
                               undoes ? incident->lock : "", error);
}

static int consider(struct pass *pass, struct incident *incident, struct error *error)
{
        struct track *track = engine_track(pass->engine, incident->id);
        if (track && track->busy_then)
                return 0;
        consider_function *function = considerations[incident->state];
        if (!function)
                return 0;
        const struct remediation *remediation =
                remediation_find(pass->engine->options.set, incident->remediation);
        return function(pass, incident, walk_fits(remediation, incident) ? remediation : NULL, error);
}

/* Before the journal is read: who is busy now is passed over, however the journal then reads. */
static void tracks_begin(struct engine *engine)
{
        pthread_mutex_lock(&engine->mutex);
        for (struct track *track = engine->tracks; track; track = track->next) {
                track->busy_then = track->busy;
                track->seen = track->busy;
        }
        pthread_mutex_unlock(&engine->mutex);
}

/* Whoever is in the hands of a worker holds the lock that the worker was given. */
static void tracks_mark(struct pass *pass)
{
        for (size_t i = 0; i < pass->active.count; i++) {
                struct incident *incident = &pass->active.items[i];
                struct track *track = engine_track(pass->engine, incident->id);
                if (!track)
                        continue;
                track->seen = true;
                if (track->busy_then && track->lock && *track->lock) {
                        char *lock = strdup(track->lock);
                        if (!lock)
                                continue;
                        free(incident->lock);
                        incident->lock = lock;
                        incident->state = INCIDENT_RUNNING;
                }
        }
}

static void tracks_end(struct engine *engine)
{
        pthread_mutex_lock(&engine->mutex);
        for (struct track **place = &engine->tracks; *place;) {
                struct track *track = *place;
                if (track->seen || track->busy_then) {
                        place = &track->next;
                        continue;
                }
                *place = track->next;
                engine_track_free(track);
        }
        pthread_mutex_unlock(&engine->mutex);
}

int engine_pass(struct engine *engine, nsec *ret_next, struct error *error)
{
        struct pass pass = {.engine = engine, .now = clock_monotonic(), .wall = clock_wall()};
        pass.next = pass.now + LOOK_AGAIN;
        nsec since = 0;

        int r = match_episodes(&pass, error);
        if (r < 0)
                return r;
        tracks_begin(engine);
        r = journal_paused(engine->options.journal, &pass.paused, &since, error);
        if (r >= 0)
                r = journal_active(engine->options.journal, &pass.active, error);
        if (r >= 0) {
                tracks_mark(&pass);
                for (size_t i = 0; i < pass.active.count && r >= 0; i++)
                        r = consider(&pass, &pass.active.items[i], error);
                tracks_end(engine);
                engine_reconcile(&pass);
        }
        incident_list_release(&pass.active);
        *ret_next = pass.next;
        return r;
}
