/* SPDX-License-Identifier: Apache-2.0 */
/* The owner of an incident's state: every change is written, counted and logged here. */
#include "responder/incident/run.h"

#include <errno.h>
#include <stdio.h>

#include "responder/incident/chain.h"
#include "responder/journal/transition.h"
#include "responder/remediation/definition.h"
#include "runbook/assert.h"
#include "runbook/log.h"

#define WRITE_AGAIN NSEC_PER_SEC
/* What was decided is not acted upon when it is older, once it could be written down: its alert may be over.
 */
#define DECIDED_MOST (10 * NSEC_PER_SEC)

nsec run_decided_until(const struct incident_run *run)
{
        return world_monotonic(run->parts->world) + DECIDED_MOST;
}

bool incident_may_be_undone(const struct incident *incident)
{
        for (size_t i = 0; i < incident->step_count; i++) {
                enum step_status status = incident->steps[i].status;
                if (action_undoes(incident->steps[i].action) &&
                    (status == STEP_DONE || status == STEP_FAILED || status == STEP_INTERRUPTED ||
                     status == STEP_UNDO_FAILED || status == STEP_UNDOING))
                        return true;
        }
        return false;
}

bool incident_fits(const struct incident *incident, const struct remediation *remediation)
{
        if (!remediation || remediation->step_count != incident->step_count)
                return false;
        for (size_t i = 0; i < incident->step_count; i++)
                if (!string_equal(remediation->steps[i].action->name, incident->steps[i].action))
                        return false;
        return true;
}

nsec incident_age(const struct world *world, const struct incident *incident)
{
        nsec began = incident->alert.starts_at > 0 ? incident->alert.starts_at : incident->opened_at;
        nsec since = world_wall(world) - began;
        return since > 0 ? since : 0;
}

cJSON *reason_detail(const char *reason, cJSON *take)
{
        assert_that(reason, "a detail gives a reason");
        cJSON *detail = take ? take : cJSON_CreateObject();
        if (detail && json_put(detail, "reason", cJSON_CreateString(reason)) < 0) {
                cJSON_Delete(detail);
                return NULL;
        }
        return detail;
}

static void log_change(const struct incident *incident, const struct incident_change *change, bool ends)
{
        bool lost = incident_is_lost(change->to);
        log_event(lost && !ends ? LOG_WARN : LOG_INFO,
                  ends                          ? "Incident ended"
                  : change->to == INCIDENT_HELD ? "Incident held"
                                                : "Incident changed",
                  "incident", incident->number, "remediation", incident->remediation, "state",
                  incident_state_name(change->to), "guard", change->guard, "reason",
                  json_string(change->detail, "reason"), NULL);
}

/* Of who has to be told that something is over, what is owed with an end: that the incident ended well or by
 * a person; of what was given up, that its alert has ended, when that is so. */
static const char *owed_to_who_keeps_open(const struct incident *incident,
                                          const struct incident_change *change)
{
        const struct transition *way = transition_find(incident->state, change->to, change->event);
        if (!way || !way->ends)
                return "";
        if (!incident_was_given_up(change->to))
                return OWES_END;
        return incident->episode_open ? OWES_OVER : "";
}

/* Who hears of it. Of what has begun the journal says it: `*ret_begun`, NULL for anything else. */
static const char *receiver_of(const struct incident_parts *parts, const struct incident *incident,
                               cJSON **ret_begun)
{
        const struct remediation *remediation = remediation_find(parts->set, incident->remediation);
        if (incident->running_at != 0 && incident->definition)
                (void)definition_read(incident->definition, ret_begun, NULL);
        return *ret_begun    ? json_string(*ret_begun, "escalate_to")
               : remediation ? remediation_receiver(remediation, &incident->alert.labels)
                             : parts->set->escalate_to;
}

/* The first one does, or one of those who were told after him. */
static bool keeps_open(const struct incident_parts *parts, const struct incident *incident,
                       const char *receiver)
{
        const char *keepers[CHAIN_NEXT_MOST];
        size_t count = 0;
        return receiver_keeps_open(target_set_receiver(&parts->set->targets, receiver)) ||
               (chain_keepers(parts, incident, keepers, &count, NULL) >= 0 && count > 0);
}

bool incident_is_kept_open(const struct incident_parts *parts, const struct incident *incident)
{
        _cleanup_json_ cJSON *begun = NULL;
        const char *receiver = receiver_of(parts, incident, &begun);
        return !parts_only_plan(parts, incident) && !receiver_is_nobody(receiver) &&
               keeps_open(parts, incident, receiver);
}

/* Whether somebody is to be told of the new state, apart from the ends that wait until they were heard. */
static const char *owed_by(const struct incident_parts *parts, const struct incident *incident,
                           const struct incident_change *change)
{
        const struct remediation *remediation = remediation_find(parts->set, incident->remediation);
        const char *end = incident_state_name(change->to);
        _cleanup_json_ cJSON *begun = NULL;
        const char *receiver = receiver_of(parts, incident, &begun);
        if (parts_only_plan(parts, incident) || receiver_is_nobody(receiver))
                return "";
        if (change->to == INCIDENT_AWAITING_APPROVAL)
                return OWES_APPROVAL;
        if (change->to == INCIDENT_HELD)
                return change->tells && (string_equal(change->event, EVENT_YIELDED) ||
                                         !incident_was_told_of(incident, change->guard))
                               ? OWES_HELD
                               : "";
        if (begun ? definition_tells(begun, remediation, end) : remediation_tells(remediation, end))
                return OWES_END;
        return keeps_open(parts, incident, receiver) ? owed_to_who_keeps_open(incident, change) : "";
}

static struct journal_entry entry_of(const struct incident_parts *parts, const struct incident *incident,
                                     const struct incident_change *change)
{
        return (struct journal_entry){
                .incident = incident->id,
                .actor = change->actor ? change->actor : "engine",
                .event = change->event,
                .expect = incident->state,
                .state = change->to,
                .guard = change->guard,
                .guard_until = change->guard_until,
                .owes = owed_by(parts, incident, change),
                .lock = change->lock,
                .definition = change->definition,
                .asked = change->asked,
                .step = change->step,
                .step_status = change->step_status,
                .letter = change->letter,
                .valid_until = change->valid_until,
                .detail = change->detail,
        };
}

/* What follows from a change that was written. */
static void tell_change(const struct incident_parts *parts, const struct incident *incident,
                        const struct incident_change *change)
{
        const struct transition *way = transition_find(incident->state, change->to, change->event);
        bool ends = way && way->ends;
        if (ends)
                meters_incident_ended(parts->meters, incident->remediation, change->to);
        if (change->guard)
                alert_outcomes_held(parts->meters, change->guard);
        log_change(incident, change, ends);
}

/* There is no such way: a mistake in this program. What it would do next nobody can tell, so a person has to
 * look. */
static void go_astray(const struct incident_parts *parts, const struct incident *incident,
                      struct error *error)
{
        enum incident_state to =
                incident->state == INCIDENT_VERIFYING ? INCIDENT_UNVERIFIED : INCIDENT_FAILED;
        log_event(LOG_ERROR, "An incident went astray", "incident", incident->number, "state",
                  incident_state_name(incident->state), "error", error_text(error), NULL);
        _cleanup_json_ cJSON *detail = reason_detail(error_text(error), NULL);
        const struct incident_change lost = {.to = to, .event = "went astray", .detail = detail};
        if (!transition_find(incident->state, to, lost.event))
                return;
        const struct journal_entry entry = entry_of(parts, incident, &lost);
        if (journal_write(parts->journal, &entry, NULL) >= 0)
                tell_change(parts, incident, &lost);
}

int incident_enter(const struct incident_parts *parts, const struct incident *incident,
                   const struct incident_change *change, struct error *error)
{
        assert_that(incident->id != 0 && change->event, "a change is of an incident, by an event");
        assert_that(change->to != INCIDENT_UNCHANGED, "a change leads somewhere");
        assert_that((change->to == INCIDENT_HELD) == (change->guard != NULL),
                    "who is held has a guard, and nobody else");
        assert_that(change->step <= incident->step_count, "a change is of a step that there is");
        struct journal_entry entry = entry_of(parts, incident, change);
        _cleanup_error_ struct error why = {0};
        _cleanup_json_ cJSON *begun = NULL, *chain = NULL;
        int r = chain_change(parts, incident, receiver_of(parts, incident, &begun), change, &entry, &chain,
                             &why);
        if (r >= 0)
                r = journal_write(parts->journal, &entry, &why);
        if (r >= 0)
                tell_change(parts, incident, change);
        else if (r == -EPROTO)
                go_astray(parts, incident, &why);
        if (r < 0)
                error_move(error, &why);
        return r;
}

/* What never changes stays where it is, for a running step has it before its eyes: the number, the alert's
 * strings. */
static void renew_incident(struct incident *incident, struct incident *fresh)
{
        assert_that(fresh->id == incident->id && fresh->step_count == incident->step_count,
                    "an incident stays the same one, with the same steps");
        char *number = fresh->number;
        struct alert alert = fresh->alert;
        fresh->number = incident->number;
        fresh->alert = incident->alert;
        fresh->alert.starts_at = alert.starts_at;
        incident->number = number;
        incident->alert = alert;
        incident_release(incident);
        *incident = *fresh;
}

int run_refresh(struct incident_run *run, struct error *error)
{
        assert_that(run->incident.number, "an incident in a worker's hands has a number");
        struct incident fresh = {0};
        int r = journal_find(run->parts->journal, run->incident.number, &fresh, error);
        if (r >= 0 && fresh.unreadable)
                r = error_set(error, EUCLEAN, "it is set aside: %s", fresh.unreadable);
        if (r >= 0 && fresh.step_count != run->incident.step_count)
                r = error_set(error, EUCLEAN, "the journal has lost steps of it");
        if (r >= 0)
                renew_incident(&run->incident, &fresh);
        else
                incident_release(&fresh);
        return r;
}

/* Whether a write that failed is to be tried again, after a while. */
static bool may_try_again(struct incident_run *run, int result, const struct error *why, const char *event,
                          bool *told)
{
        if (result == -ESTALE || result == -EPROTO || result == -ECANCELED || atomic_load(run->stopping))
                return false;
        if (!*told)
                log_event(LOG_ERROR, "Cannot write to the journal, trying until it works", "incident",
                          run->incident.number, "event", event, "error", error_text(why), NULL);
        *told = true;
        world_pause(run->parts->world, WRITE_AGAIN);
        return true;
}

/* One line for each step that is over, whatever came of it. */
static void log_step(const struct incident_run *run, const struct journal_entry *entry)
{
        static const bool over[STEP_STATUS_COUNT] = {
                [STEP_DONE] = true,    [STEP_FAILED] = true, [STEP_INTERRUPTED] = true,
                [STEP_SKIPPED] = true, [STEP_UNDONE] = true, [STEP_UNDO_FAILED] = true,
        };
        char step[24];
        const char *said = json_string(entry->detail, "summary");
        if (entry->step == 0 || !over[entry->step_status])
                return;
        snprintf(step, sizeof(step), "%zu", entry->step);
        bool good = entry->step_status == STEP_DONE || entry->step_status == STEP_UNDONE ||
                    entry->step_status == STEP_SKIPPED;
        log_event(good ? LOG_INFO : LOG_WARN, "A step is over", "incident", run->incident.number, "step",
                  step, "action", run->incident.steps[entry->step - 1].action, "event", entry->event, "said",
                  said ? said : json_string(entry->detail, "reason"), NULL);
}

int run_put(struct incident_run *run, struct journal_entry *entry, struct error *error)
{
        assert_that(entry->event && entry->state == INCIDENT_UNCHANGED,
                    "a state changes by run_enter() alone");
        assert_that(entry->step <= run->incident.step_count, "an entry is of a step that there is");
        entry->incident = run->incident.id;
        if (!entry->actor)
                entry->actor = "engine";
        for (bool told = false;;) {
                _cleanup_error_ struct error why = {0};
                int r = journal_write(run->parts->journal, entry, &why);
                if (r >= 0) {
                        log_step(run, entry);
                        return 0;
                }
                if (!may_try_again(run, r, &why, entry->event, &told)) {
                        error_move(error, &why);
                        return r;
                }
        }
}

int run_write(struct incident_run *run, struct journal_entry *entry, struct error *error)
{
        int r = run_put(run, entry, error);
        return r < 0 ? r : run_refresh(run, error);
}

int run_enter(struct incident_run *run, const struct incident_change *change, struct error *error)
{
        for (bool told = false;;) {
                _cleanup_error_ struct error why = {0};
                int r = incident_enter(run->parts, &run->incident, change, &why);
                if (r >= 0)
                        return run_refresh(run, error);
                if (!may_try_again(run, r, &why, change->event, &told)) {
                        error_move(error, &why);
                        return r;
                }
        }
}

char *run_passed_over(const struct incident_run *run)
{
        struct text text = {0};
        for (size_t i = 0; i < run->incident.step_count; i++) {
                const struct step_record *record = &run->incident.steps[i];
                const char *summary = json_string(record->outcome, "summary");
                if (record->status == STEP_FAILED)
                        text_printf(&text, "%sstep %zu (%s): %s", text.length > 0 ? "; " : "", i + 1,
                                    record->action, summary ? summary : "failed");
        }
        return text.length > 0 ? text_take(&text) : NULL;
}

void run_warn(const struct incident_run *run, const char *message, const char *reason)
{
        log_event(LOG_WARN, message, "incident", run->incident.number, "remediation",
                  run->incident.remediation, "state", incident_state_name(run->incident.state), "reason",
                  reason, NULL);
}
