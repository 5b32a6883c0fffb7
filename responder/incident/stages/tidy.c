/* SPDX-License-Identifier: Apache-2.0 */
/* An incident that has ended: what is to be undone is undone, what was kept for an undo is let go. */
#include <errno.h>

#include "responder/incident/escalate.h"
#include "responder/incident/stages/stages.h"
#include "responder/incident/steps.h"
#include "responder/remediation/definition.h"
#include "runbook/assert.h"

static bool wanted_by_person(const struct step *step _unused_, const struct step_record *record)
{
        return record->status == STEP_DONE || record->status == STEP_FAILED ||
               record->status == STEP_UNDOING || record->status == STEP_INTERRUPTED ||
               record->status == STEP_UNDO_FAILED;
}

static bool wanted_when_resolved(const struct step *step, const struct step_record *record)
{
        return record->status == STEP_UNDOING ||
               (step->undo == UNDO_WHEN_RESOLVED && record->status == STEP_DONE && !record->settled);
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

bool tidy_wanted(const struct incident *incident, const struct remediation *remediation, bool *ret_undoes)
{
        assert_that(incident->ended_at != 0, "only what has ended is tidied up");
        assert_that(!remediation || incident_fits(incident, remediation),
                    "the steps are those it was opened with");
        bool wanted = incident->undo_requested || incident->cancel_requested;
        *ret_undoes = false;
        for (size_t i = 0; i < incident->step_count; i++) {
                enum tidy tidy = tidy_of(incident, step_of(remediation, i), &incident->steps[i]);
                wanted |= tidy != TIDY_NOTHING && tidy != TIDY_WAIT;
                *ret_undoes |= tidy == TIDY_UNDO;
        }
        return wanted;
}

static int mark_settled(struct incident_run *run, size_t index, const char *event, struct error *error)
{
        assert_that(!run->incident.steps[index].settled, "what is over is settled once");
        struct journal_entry entry = {.event = event, .step = index + 1, .settled = true};
        return run_write(run, &entry, error);
}

static int call_about_undo(struct incident_run *run, struct error *error)
{
        _cleanup_free_ char *reason = NULL;
        if (!escalation_receiver(run))
                return 0;
        int r = journal_last_reason(run->parts->journal, run->incident.id, &reason, error);
        return r < 0 ? r : call_until_heard(run, MESSAGE_TROUBLE, "could not be undone", reason, error);
}

/* What nobody will put right but a person: they are told once, until it is heard. */
static int leave_to_person(struct incident_run *run, size_t index, const char *why, struct error *error)
{
        const struct step_record *record = &run->incident.steps[index];
        _cleanup_free_ char *reason = text_format("step %zu (%s): %s", index + 1, record->action, why);
        _cleanup_json_ cJSON *detail = reason ? reason_detail(reason, NULL) : NULL;
        int r = detail ? 0 : error_oom(error);
        if (r >= 0 && escalation_receiver(run))
                r = call_until_heard(run, MESSAGE_TROUBLE, "has left something behind", reason, error);
        if (r < 0)
                return r;
        struct journal_entry entry = {
                .event = "left as it is for a person", .step = index + 1, .settled = true, .detail = detail};
        return run_write(run, &entry, error);
}

/* Somebody may have taken over what was kept, or its target is no longer known by its name: that does not end
 * by trying again. */
static int settle(struct incident_run *run, size_t index, struct error *error)
{
        _cleanup_error_ struct error why = {0};
        const struct step *step = step_of(run->remediation, index);
        bool elsewhere =
                step->action->settle && definition_check_target(step, &run->parts->set->targets, &why) < 0;
        int r = elsewhere ? -EBUSY : step_settle(run, index, &why);
        if (r == -EBUSY)
                return leave_to_person(run, index, error_text(&why), error);
        if (r < 0)
                error_move(error, &why);
        return r;
}

/* A step without its remediation is in force when it is not settled yet. About one that was interrupted a
 * person was called already. */
static int leave(struct incident_run *run, size_t index, struct error *error)
{
        const struct step_record *record = &run->incident.steps[index];
        if (run->remediation || record->status == STEP_STARTED || record->status == STEP_INTERRUPTED)
                return mark_settled(run, index, "left as it is for a person", error);
        const char *summary = json_string(record->outcome, "summary");
        _cleanup_free_ char *why = text_format(
                "remediations.yml has no %s with these steps any more, so what it did is neither put "
                "back nor let go of%s%s",
                run->incident.remediation, summary ? ": " : "", summary ? summary : "");
        return why ? leave_to_person(run, index, why, error) : error_oom(error);
}

static int tidy_step(struct incident_run *run, size_t index, struct error *error)
{
        assert_that(index < run->incident.step_count, "there is such a step");
        const struct step_record *record = &run->incident.steps[index];
        switch (tidy_of(&run->incident, step_of(run->remediation, index), record)) {
        case TIDY_SETTLE: return settle(run, index, error);
        case TIDY_MARK: return leave(run, index, error);
        case TIDY_CALL: {
                int r = call_about_undo(run, error);
                return r < 0 ? r : mark_settled(run, index, "undo failed: a person was called", error);
        }
        default: return 0;
        }
}

static int end_requests(struct incident_run *run, struct error *error)
{
        assert_that(run->incident.undo_requested || run->incident.cancel_requested,
                    "what ends was asked for");
        struct journal_entry entry = {
                .event = run->remediation ? "undo finished"
                                          : "undo impossible: remediations.yml has other steps now",
                .clear_requests = true,
        };
        return run_write(run, &entry, error);
}

int stage_tidy(struct incident_run *run, struct error *error)
{
        assert_that(run->incident.ended_at != 0, "only what has ended is tidied up");
        assert_that(!run->parts->dry_run, "a dry run has nothing to tidy up");
        int r = 0;
        if (run->incident.undo_requested && run->remediation)
                r = steps_undo(run, wanted_by_person, error);
        else if (!run->incident.episode_open && run->remediation)
                r = steps_undo(run, wanted_when_resolved, error);
        if (r < 0)
                return r;
        if (run->incident.undo_requested || run->incident.cancel_requested)
                r = end_requests(run, error);
        for (size_t i = run->incident.step_count; r >= 0 && i-- > 0;)
                r = tidy_step(run, i, error);
        return r;
}
