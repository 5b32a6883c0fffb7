/* SPDX-License-Identifier: Apache-2.0 */
/* One look at everything: finds out for each active incident what comes next. */
#include <errno.h>

#include "responder/engine/internal.h"
#include "responder/people/people.h"
#include "responder/remediation/definition.h"
#include "runbook/log.h"

typedef int look_function(struct look *look, struct incident *incident, const struct remediation *remediation,
                          struct error *error);
static look_function look_waiting, look_running, look_verifying, look_lost, look_ended;

/* What comes next in each state. */
static look_function *const looks[] = {
        [INCIDENT_RECEIVED] = look_waiting,
        [INCIDENT_HELD] = look_waiting,
        [INCIDENT_AWAITING_APPROVAL] = look_waiting,
        [INCIDENT_RUNNING] = look_running,
        [INCIDENT_VERIFYING] = look_verifying,
        [INCIDENT_FAILED] = look_lost,
        [INCIDENT_NOT_HEALED] = look_lost,
        [INCIDENT_UNVERIFIED] = look_lost,
        [INCIDENT_HEALED] = look_ended,
        [INCIDENT_DONE] = look_ended,
        [INCIDENT_ESCALATED] = look_ended,
        [INCIDENT_EXPIRED] = look_ended,
        [INCIDENT_DENIED] = look_ended,
        [INCIDENT_CANCELLED] = look_ended,
        [INCIDENT_PLANNED] = look_ended,
};
tables_agree(looks, INCIDENT_STATE_COUNT);

/* The remembered time for this incident has come, or there is none. */
static bool is_due(struct look *look, const struct incident *incident)
{
        struct engine *engine = look->engine;
        struct engine_slot *slot = slot_find(engine, incident->id);
        if (!slot)
                return true;
        pthread_mutex_lock(&engine->lock);
        nsec when = slot->look_at;
        pthread_mutex_unlock(&engine->lock);
        if (when <= look->now)
                return true;
        look_again_at(look, when);
        return false;
}

static int enter_for(struct look *look, const struct incident *incident, enum incident_state to,
                     const char *event, const char *reason, struct error *error)
{
        _cleanup_json_ cJSON *detail = reason ? reason_detail(reason, NULL) : NULL;
        const struct incident_change change = {.to = to, .event = event, .detail = detail};
        return look_enter(look, incident, &change, error);
}

/* In a dry run that is what came of it: nobody is called, and nothing follows. */
static int fail_planning(struct look *look, const struct incident *incident, const char *reason,
                         struct error *error)
{
        return parts_only_plan(&look->engine->parts, incident)
                       ? enter_for(look, incident, INCIDENT_PLANNED, "planned", reason, error)
                       : enter_for(look, incident, INCIDENT_FAILED, "planning failed", reason, error);
}

/* It is begun, or a person is asked whether it may be: `asks` says why, or is "". */
static int begin(struct look *look, struct incident *incident, const struct remediation *remediation,
                 const char *lock, const char *asks, struct error *error)
{
        struct engine_slot *slot = slot_claim(look->engine, incident->id);
        if (!slot)
                return error_oom(error);
        free(slot->run.asks);
        slot->run.asks = *asks ? strdup(asks) : NULL;
        slot->asks = *asks;
        if (*asks && !slot->run.asks)
                return error_oom(error);
        int r = engine_dispatch(look, incident, remediation, WORLD_RUNS, stage_start, lock, error);
        bool changes = remediation_changes(remediation) && !remediation->dry_run;
        if (r < 0 || *asks || !changes)
                return r;
        look->beginning++;
        return guard_note_acted(&look->acted, lock, error);
}

/* Nothing begins before that is known; what held it until now holds it no more. */
static int await_freshness(struct look *look, const struct incident *incident, const char *lock,
                           struct error *error)
{
        standing_ask_freshness(look);
        return incident->state == INCIDENT_HELD && !standing_holds(incident)
                       ? look_release_held(look, incident, lock, error)
                       : 0;
}

/* `may_run`: its turn has come; else this is to find out whether it is still held. */
static int ask_guards(struct look *look, struct incident *incident, const struct remediation *remediation,
                      bool may_run, struct error *error)
{
        assert_that(remediation, "the guards are of a remediation");
        _cleanup_free_ char *lock = NULL;
        _cleanup_error_ struct error why = {0};
        if (remediation_lock(remediation, &incident->alert, incident->number, &lock, &why) < 0)
                return fail_planning(look, incident, error_text(&why), error);
        const struct guard_question question = {
                .journal = look->engine->parts.journal,
                .world = look->engine->parts.world,
                .remediation = remediation,
                .incident = incident,
                .lock = lock,
                .holders = &look->holders,
                .set = look->engine->parts.set,
                .acted = &look->acted,
                .beginning = look->beginning,
                .freshness = standing_freshness(look),
                .paused = look->paused,
                .now = look->steady,
                .maintained = look->maintained,
                .maintained_until = look->maintained_until,
        };
        struct guard_verdict verdict = {0};
        int r = look_check_guards(look, &question, &verdict, error);
        if (r < 0)
                return r;
        if (verdict.unasked)
                return await_freshness(look, incident, lock, error);
        if (verdict.guard && !verdict.asks)
                return look_hold(look, incident, remediation, lock, &verdict, error);
        bool may_begin = false, asked = false;
        r = standing_lets_begin(look, incident, lock, &may_begin, &asked, error);
        if (r >= 0 && may_begin && may_run)
                return begin(look, incident, remediation, lock, verdict.reason, error);
        bool is_free = may_begin || (!asked && !standing_holds(incident));
        return r >= 0 && is_free && incident->state == INCIDENT_HELD
                       ? look_release_held(look, incident, lock, error)
                       : r;
}

static int cancel_resolved(struct look *look, const struct incident *incident, struct error *error)
{
        _cleanup_json_ cJSON *detail =
                reason_detail(incident->running_at != 0 ? "the alert is resolved"
                                                        : "the alert was resolved before anything was run",
                              NULL);
        const struct incident_change cancelled = {
                .to = INCIDENT_CANCELLED, .event = "cancelled", .actor = "alert", .detail = detail};
        return look_enter(look, incident, &cancelled, error);
}

/* Why there is nothing that it could go by. */
static const char *nothing_to_go_by(const struct incident *incident)
{
        return incident->running_at != 0 && incident->definition
                       ? "this version of the responder cannot carry out what it was begun with"
                       : "remediations.yml no longer has this remediation with these steps";
}

static int look_waiting(struct look *look, struct incident *incident, const struct remediation *remediation,
                        struct error *error)
{
        assert_that(incident->ended_at == 0, "what waits has not ended");
        if (incident->cancel_requested)
                return enter_for(look, incident, INCIDENT_CANCELLED, "cancelled", NULL, error);
        bool asked = true, over = false;
        int r = incident->episode_open ? 0 : standing_is_over(look, incident, &over, &asked, error);
        if (r < 0 || over)
                return r < 0 ? r : cancel_resolved(look, incident, error);
        if (!remediation)
                return !asked ? 0 : fail_planning(look, incident, nothing_to_go_by(incident), error);
        nsec waited = look->steady - incident->waiting_steady;
        bool patient = standing_is_quiet(incident) || people_keep(incident);
        bool expires = !patient && waited >= remediation->expire;
        /* Whoever is to hear of its end, or to tell of it, may be out of reach for long. */
        if ((expires || !incident->episode_open) && look_outlives_guard(look, incident))
                return look_release_held(look, incident, incident->lock, error);
        if (!is_due(look, incident))
                return 0;
        if (expires)
                return engine_dispatch(look, incident, remediation, WORLD_CALLS, stage_expire, "", error);
        if (!patient)
                look_again_at(look, look->now + (remediation->expire - waited));
        if (!incident->episode_open)
                return standing_hold_end(look, incident, error);
        if (incident->state == INCIDENT_AWAITING_APPROVAL && !incident->approved)
                return look_unanswered(look, incident, remediation, error);
        bool may_run = turn_has_come(look, incident->remediation);
        return may_run || look_may_be_released(look, incident)
                       ? ask_guards(look, incident, remediation, may_run, error)
                       : look_tell_owed(look, incident, remediation, error);
}

static int look_running(struct look *look, struct incident *incident, const struct remediation *remediation,
                        struct error *error)
{
        assert_that(incident->ended_at == 0 && incident->running_at != 0,
                    "what runs has begun, and not ended");
        if (!remediation)
                return enter_for(look, incident, INCIDENT_FAILED, "failed", nothing_to_go_by(incident),
                                 error);
        if (look->paused || look->maintained || look->engine->parts.dry_run || !is_due(look, incident))
                return 0;
        return engine_dispatch(look, incident, remediation, WORLD_RUNS, stage_run, incident->lock, error);
}

static int look_verifying(struct look *look, struct incident *incident, const struct remediation *remediation,
                          struct error *error)
{
        assert_that(incident->ended_at == 0 && incident->running_at != 0,
                    "what is verified has run, and not ended");
        if (!remediation || !verify_wanted(&remediation->verify))
                return enter_for(look, incident, INCIDENT_UNVERIFIED, "could not be verified",
                                 "remediations.yml no longer has this verification", error);
        if (look->engine->parts.dry_run || (!incident->cancel_requested && !is_due(look, incident)))
                return 0;
        return engine_dispatch(look, incident, remediation, WORLD_LOOKS, stage_verify, incident->lock, error);
}

/* Whether some step is still to be undone, or may be. */
static bool may_undo(const struct incident *incident, const struct remediation *remediation)
{
        bool undoes = remediation && remediation->on_failure == ON_FAILURE_UNDO, left = false;
        for (size_t i = 0; remediation && i < remediation->step_count; i++) {
                enum step_status status = incident->steps[i].status;
                undoes |= remediation->steps[i].on_failure == ON_FAILURE_UNDO;
                left |= remediation->steps[i].action->undo &&
                        (status == STEP_DONE || status == STEP_FAILED || status == STEP_UNDOING);
        }
        return undoes && left;
}

/* Failed, not healed or not known to be: not ended before what `on_failure` asks for is done. */
static int look_lost(struct look *look, struct incident *incident, const struct remediation *remediation,
                     struct error *error)
{
        if (incident->ended_at != 0)
                return look_ended(look, incident, remediation, error);
        if (look->engine->parts.dry_run || !is_due(look, incident))
                return 0;
        /* Steps that hang must not keep a person from being called. */
        if (!may_undo(incident, remediation))
                return engine_dispatch(look, incident, remediation, WORLD_CALLS, stage_aftermath,
                                       incident->lock, error);
        /* While the kill switch kept it from its undo, somebody else may have taken the lock. */
        if (guard_lock_holder(&look->holders, incident->id, incident->lock))
                return 0;
        return engine_dispatch(look, incident, remediation, WORLD_RUNS, stage_aftermath, incident->lock,
                               error);
}

/* What was begun is finished. */
static bool is_undoing(const struct incident *incident)
{
        for (size_t i = 0; i < incident->step_count; i++)
                if (incident->steps[i].status == STEP_UNDOING)
                        return true;
        return false;
}

/* Whether what is left of it, and is wanted, can be tidied up now. */
static int may_tidy(struct look *look, const struct incident *incident, bool undoes, bool *ret,
                    struct error *error)
{
        bool asked;
        *ret = false;
        if (!is_due(look, incident))
                return 0;
        if (undoes && (((look->paused || look->maintained) && !incident->undo_requested) ||
                       guard_lock_holder(&look->holders, incident->id, incident->lock)))
                return 0;
        if (undoes && !incident->undo_requested && !is_undoing(incident))
                return standing_is_over(look, incident, ret, &asked, error);
        *ret = true;
        return 0;
}

/* How long its alert may go on, as it was begun; what does not say so goes by the file. It is looked up once,
 * for there may be thousands of these. */
static int weigh(struct look *look, struct incident *incident, nsec *ret, struct error *error)
{
        int r = incident->weighed
                        ? 0
                        : definition_still_firing(incident->definition, &incident->still_firing, error);
        if (r < 0)
                return r;
        incident->weighed = true;
        *ret = incident->still_firing;
        if (*ret < 0) {
                const struct remediation *named =
                        remediation_find(look->engine->parts.set, incident->remediation);
                *ret = named ? named->still_firing : STILL_FIRING_AFTER;
        }
        return 0;
}

/* What was healed, or done, so long ago, and whose alert goes on, was not. 0: not yet, or not known. */
static int look_healed(struct look *look, struct incident *incident, bool *ret_lost, struct error *error)
{
        nsec after = 0;
        *ret_lost = false;
        if (!incident_went_well(incident->state) || !incident->episode_open)
                return 0;
        int r = weigh(look, incident, &after, error);
        if (r < 0 || after == 0)
                return r;
        nsec due = incident->entered_steady + after;
        if (look->steady < due) {
                look_again_at(look, look->now + (due - look->steady));
                return 0;
        }
        return is_due(look, incident) ? standing_still_fires(look, incident, due, ret_lost, error) : 0;
}

static int look_ended(struct look *look, struct incident *incident, const struct remediation *remediation,
                      struct error *error)
{
        assert_that(incident->ended_at != 0, "it has ended");
        bool undoes = false, may = false, lost = false;
        if (look->engine->parts.dry_run)
                return 0;
        bool wanted = tidy_wanted(incident, remediation, &undoes);
        int r = wanted ? may_tidy(look, incident, undoes, &may, error) : 0;
        if (r < 0)
                return r;
        if (!may && (wanted || *incident->owes))
                return look_tell_owed(look, incident, remediation, error);
        if (!may) {
                r = look_healed(look, incident, &lost, error);
                return r < 0 || !lost ? r
                                      : engine_dispatch(look, incident, remediation, WORLD_CALLS,
                                                        stage_still_firing, "", error);
        }
        return engine_dispatch(look, incident, remediation, WORLD_RUNS, stage_tidy,
                               undoes ? incident->lock : "", error);
}

/* What an incident goes by: what it was begun with, out of the journal; before that, and where a version of
 * before kept nothing, what the file has under its name with the same steps. NULL: nothing. */
static int find_remediation(struct look *look, const struct incident *incident,
                            const struct remediation **ret, struct error *error)
{
        const struct remediation *named = remediation_find(look->engine->parts.set, incident->remediation);
        *ret = incident_fits(incident, named) ? named : NULL;
        if (incident->running_at == 0 || !incident->definition)
                return 0;
        _cleanup_error_ struct error why = {0};
        struct engine_slot *slot = slot_claim(look->engine, incident->id);
        if (!slot)
                return error_oom(error);
        assert_that(!slot->was_busy, "what a worker has is its own");
        *ret = NULL;
        int r = run_restore(&slot->run, incident, &why);
        if (r == -ENOMEM)
                return error_oom(error);
        if (r >= 0)
                *ret = slot->run.begun;
        return 0;
}

/* The others go on; a person is told of one after the other. */
static int set_aside(struct look *look, const struct incident *incident, struct error *error)
{
        struct engine_slot *slot = slot_claim(look->engine, incident->id);
        if (!slot)
                return error_oom(error);
        slot->seen = true;
        if (!slot->aside_logged)
                log_event(LOG_ERROR, "Incident set aside", "incident", incident->number, "error",
                          incident->unreadable, NULL);
        slot->aside_logged = true;
        if (!slot->aside_told && !look->aside)
                look->aside = incident;
        return 0;
}

/* Nothing is left to be done about it; it is looked at for its alert alone. */
static bool is_at_rest(const struct incident *incident)
{
        bool rests = incident_went_well(incident->state) && !incident->cancel_requested &&
                     !incident->undo_requested && !incident->resend_requested && !*incident->owes &&
                     !incident_climbs(incident);
        for (size_t i = 0; i < incident->step_count && rests; i++) {
                const struct step_record *step = &incident->steps[i];
                rests = step->settled || step->status == STEP_WAITING || step->status == STEP_SKIPPED ||
                        step->status == STEP_UNDONE;
        }
        return rests;
}

static int look_at(struct look *look, struct incident *incident, struct error *error)
{
        assert_that(incident->state < INCIDENT_STATE_COUNT, "a state is one of these");
        if (incident->unreadable)
                return set_aside(look, incident, error);
        struct engine_slot *slot = slot_find(look->engine, incident->id);
        look_function *function = looks[incident->state];
        bool lost = false;
        int r = 0;
        if (!function || (slot && slot->was_busy))
                return 0;
        /* There may be thousands of these: what they were begun with need not be kept. */
        if (is_at_rest(incident)) {
                r = look->engine->parts.dry_run ? 0 : look_healed(look, incident, &lost, error);
                if (slot && !lost)
                        slot->run.begun = remediation_free(slot->run.begun);
                if (r < 0 || !lost)
                        return r;
        }
        const struct remediation *remediation = NULL;
        r = find_remediation(look, incident, &remediation, error);
        if (r >= 0 && incident->resend_requested && !look->engine->parts.dry_run)
                return engine_dispatch(look, incident, remediation, WORLD_CALLS, stage_resend,
                                       incident->ended_at == 0 ? incident->lock : "", error);
        bool called = false;
        if (r >= 0)
                r = look_climb(look, incident, remediation, &called, error);
        return r < 0 || called ? r : function(look, incident, remediation, error);
}

static int look_once(struct look *look, struct error *error)
{
        struct engine *engine = look->engine;
        nsec since = 0;
        int r = match_episodes(look, error);
        if (r < 0)
                return r;
        standing_begin(look);
        slots_begin(engine);
        r = journal_paused(engine->parts.journal, &look->paused, &since, error);
        if (r >= 0)
                r = engine_maintain(look, error);
        if (r >= 0)
                r = journal_active(engine->parts.journal, &engine->active, error);
        if (r >= 0) {
                slots_mark(engine);
                r = leases_look(look, error);
                if (r >= 0)
                        r = look_gather(look, error);
                if (r >= 0)
                        r = turns_take(look, error);
                for (unsigned rank = 0; rank < TURN_RANKS; rank++)
                        for (size_t i = 0; i < engine->active.count && r >= 0; i++)
                                if (turn_rank(look, i) == rank)
                                        r = look_at(look, &engine->active.items[i], error);
                slots_sweep(engine);
                engine_reconcile(look);
                engine_prune(look);
                engine_tell_unmatched(look);
        }
        look_release(look);
        turns_release(look);
        return r;
}

int engine_look(struct engine *engine, nsec *ret_next, struct error *error)
{
        assert_that(is_looking(engine), "the engine's thread looks, and nobody else");
        engine_take_over(engine);
        const struct world *world = engine->parts.world;
        struct look look = {.engine = engine,
                            .now = world_monotonic(world),
                            .wall = world_wall(world),
                            .steady = journal_steady(engine->parts.journal)};
        look.next = look.now + engine->rest;
        _cleanup_error_ struct error why = {0};
        enum journal_standing standing = outage_ask(&look, &why);
        int r = standing == JOURNAL_UNUSABLE ? 0 : look_once(&look, error);
        outage_note(&look, standing, &why, r, error);
        free(look.episode_aside.unreadable);
        *ret_next = look.next;
        return r;
}
