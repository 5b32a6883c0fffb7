/* SPDX-License-Identifier: Apache-2.0 */
/* The stretches after the verdict: calling a person, undoing, letting go of what was kept. */
#include <errno.h>

#include "responder/incident/escalate.h"
#include "responder/incident/stages.h"
#include "runbook/log.h"

#define BACKOFF_FIRST NSEC_PER_SEC
#define BACKOFF_MOST (60 * NSEC_PER_SEC)

/* Calls a person; when nobody could be reached, the next try is set, and -EAGAIN returned. */
static int call_until_heard(struct carry *carry, const char *what, const char *reason, struct error *error)
{
        struct carry_memory *memory = carry->memory;
        int r = call_person(&carry->walk, what, reason, error);
        if (r >= 0) {
                memory->backoff = 0;
                return 0;
        }
        memory->backoff = memory->backoff == 0 ? BACKOFF_FIRST : memory->backoff * 2;
        if (memory->backoff > BACKOFF_MOST)
                memory->backoff = BACKOFF_MOST;
        carry->again = clock_monotonic() + memory->backoff;
        return error_prefix(error, -EAGAIN, "nobody was reached");
}

/* What `on_failure` says, of the step that failed or of the remediation. */
static enum on_failure policy_of(const struct walk *walk)
{
        const struct remediation *remediation = walk->remediation;
        if (!remediation)
                return ON_FAILURE_ESCALATE;
        enum on_failure policy = (enum on_failure)remediation->on_failure;
        for (size_t i = 0; i < walk->incident.step_count; i++) {
                enum step_status status = walk->incident.steps[i].status;
                if (status == STEP_INTERRUPTED)
                        return ON_FAILURE_ESCALATE;
                if (walk->incident.state == INCIDENT_FAILED && status == STEP_FAILED &&
                    remediation->steps[i].on_failure != ON_FAILURE_CONTINUE)
                        policy = (enum on_failure)remediation->steps[i].on_failure;
        }
        /* After the last step there is nothing to continue with. */
        return policy == ON_FAILURE_CONTINUE ? ON_FAILURE_ESCALATE : policy;
}

static bool wanted_after_failure(_unused_ const struct step *step, const struct step_record *record)
{
        return record->status == STEP_DONE || record->status == STEP_FAILED || record->status == STEP_UNDOING;
}

static bool wanted_by_person(const struct step *step, const struct step_record *record)
{
        return wanted_after_failure(step, record) || record->status == STEP_INTERRUPTED ||
               record->status == STEP_UNDO_FAILED;
}

static bool wanted_when_resolved(const struct step *step, const struct step_record *record)
{
        return record->status == STEP_UNDOING ||
               (step->undo == UNDO_WHEN_RESOLVED && record->status == STEP_DONE && !record->settled);
}

int carry_aftermath(struct carry *carry, struct error *error)
{
        struct walk *walk = &carry->walk;
        enum incident_state state = walk->incident.state;
        enum on_failure policy = policy_of(walk);
        int r = 0;
        if (policy == ON_FAILURE_UNDO) {
                bool paused = false;
                nsec since = 0;
                r = journal_paused(walk->options->journal, &paused, &since, error);
                if (r >= 0 && paused)
                        return 0;
                if (r >= 0)
                        r = steps_undo(walk, wanted_after_failure, error);
        }
        if (r < 0)
                return r == -ECANCELED ? 0 : r;
        if (policy == ON_FAILURE_STOP || !call_receiver(walk))
                return carry_conclude(walk, state, state, "ended: nobody is to be called", NULL, NULL, error);

        _cleanup_free_ char *reason = NULL;
        r = call_reason(walk, &reason, error);
        if (r >= 0)
                r = call_until_heard(carry, state == INCIDENT_FAILED ? "failed" : "not healed", reason,
                                     error);
        if (r < 0)
                return r;
        _cleanup_json_ cJSON *detail = cJSON_CreateObject();
        if (detail)
                json_put(detail, "to", cJSON_CreateString(call_receiver(walk)));
        return carry_conclude(walk, state, INCIDENT_ESCALATED, "escalated", NULL, detail, error);
}

int carry_expire(struct carry *carry, struct error *error)
{
        struct walk *walk = &carry->walk;
        enum incident_state state = walk->incident.state;
        const char *what =
                state == INCIDENT_AWAITING_APPROVAL ? "nobody approved it in time" : "held for too long";
        if (!walk->options->dry_run && call_receiver(walk)) {
                int r = call_until_heard(carry, "expired", what, error);
                if (r < 0)
                        return r;
        }
        _cleanup_json_ cJSON *detail = reason_detail(what, NULL);
        return carry_conclude(walk, state, INCIDENT_EXPIRED, "expired", NULL, detail, error);
}

/* What is to be done about one step of an ended incident. */
enum tidy { TIDY_NOTHING, TIDY_WAIT, TIDY_UNDO, TIDY_SETTLE, TIDY_MARK, TIDY_CALL };

static enum tidy tidy_of(const struct incident *incident, const struct step *step,
                         const struct step_record *record)
{
        /* Half undone is worse than either end: an undo that was begun is finished. */
        if (record->status == STEP_UNDOING)
                return step ? TIDY_UNDO : TIDY_MARK;
        if (incident->undo_requested && step && step->action->undo && wanted_by_person(step, record))
                return TIDY_UNDO;
        if (record->settled && !(step && step->undo == UNDO_WHEN_RESOLVED))
                return TIDY_NOTHING;
        switch (record->status) {
        case STEP_DONE:
                if (step && step->undo == UNDO_WHEN_RESOLVED && !record->settled)
                        return incident->episode_open ? TIDY_WAIT : TIDY_UNDO;
                return record->settled ? TIDY_NOTHING : step ? TIDY_SETTLE : TIDY_MARK;
        case STEP_FAILED: return record->settled ? TIDY_NOTHING : step ? TIDY_SETTLE : TIDY_MARK;
        case STEP_STARTED:
        case STEP_INTERRUPTED:
                /* A person has to look at it: what it kept stays for them. */
                return record->settled ? TIDY_NOTHING : TIDY_MARK;
        case STEP_UNDO_FAILED: return record->settled ? TIDY_NOTHING : TIDY_CALL;
        default: return TIDY_NOTHING;
        }
}

static const struct step *step_of(const struct remediation *remediation, size_t index)
{
        return remediation ? &remediation->steps[index] : NULL;
}

bool carry_tidy_wanted(const struct incident *incident, const struct remediation *remediation,
                       bool *ret_undoes)
{
        bool wanted = incident->undo_requested || incident->cancel_requested;
        *ret_undoes = false;
        for (size_t i = 0; i < incident->step_count; i++) {
                enum tidy tidy = tidy_of(incident, step_of(remediation, i), &incident->steps[i]);
                wanted |= tidy != TIDY_NOTHING && tidy != TIDY_WAIT;
                *ret_undoes |= tidy == TIDY_UNDO;
        }
        return wanted;
}

static int mark_settled(struct walk *walk, size_t index, const char *event, struct error *error)
{
        struct journal_entry entry = {.event = event, .step = index + 1, .settled = true};
        return walk_write(walk, &entry, error);
}

static int tidy_step(struct carry *carry, size_t index, struct error *error)
{
        struct walk *walk = &carry->walk;
        const struct step_record *record = &walk->incident.steps[index];
        switch (tidy_of(&walk->incident, step_of(walk->remediation, index), record)) {
        case TIDY_SETTLE: return step_settle(walk, index, error);
        case TIDY_MARK: return mark_settled(walk, index, "left as it is for a person", error);
        case TIDY_CALL:
                if (call_receiver(walk)) {
                        _cleanup_free_ char *reason = NULL;
                        int r = call_reason(walk, &reason, error);
                        if (r >= 0)
                                r = call_until_heard(carry, "could not be undone", reason, error);
                        if (r < 0)
                                return r;
                }
                return mark_settled(walk, index, "undo failed: a person was called", error);
        default: return 0;
        }
}

int carry_tidy(struct carry *carry, struct error *error)
{
        struct walk *walk = &carry->walk;
        int r = 0;
        if (walk->incident.undo_requested && walk->remediation)
                r = steps_undo(walk, wanted_by_person, error);
        else if (!walk->incident.episode_open && walk->remediation)
                r = steps_undo(walk, wanted_when_resolved, error);
        if (r < 0)
                return r == -ECANCELED ? 0 : r;
        if (walk->incident.undo_requested || walk->incident.cancel_requested) {
                struct journal_entry entry = {
                        .event = walk->remediation ? "undo finished"
                                                   : "undo impossible: remediations.yml has other steps now",
                        .clear_requests = true,
                };
                r = walk_write(walk, &entry, error);
        }
        for (size_t i = walk->incident.step_count; r >= 0 && i-- > 0;)
                r = tidy_step(carry, i, error);
        return r;
}
