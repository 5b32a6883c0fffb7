/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that are left when an incident is cut short. */
#include "responder/incident/cut.h"

#include "runbook/assert.h"

static bool has_begun(const struct step_record *record)
{
        return record->status != STEP_WAITING && record->status != STEP_SKIPPED;
}

static bool anything_begun(const struct incident *incident)
{
        for (size_t i = 0; i < incident->step_count; i++)
                if (has_begun(&incident->steps[i]))
                        return true;
        return false;
}

/* What failed before its plan was journaled has changed nothing. */
static bool anything_changed(const struct incident *incident)
{
        for (size_t i = 0; i < incident->step_count; i++)
                if (has_begun(&incident->steps[i]) && incident->steps[i].plan &&
                    action_changes(incident->steps[i].action))
                        return true;
        return false;
}

static bool anything_skipped(const struct incident *incident)
{
        for (size_t i = 0; i < incident->step_count; i++)
                if (incident->steps[i].status == STEP_SKIPPED)
                        return true;
        return false;
}

int cut_skips(struct incident_run *run, size_t index, bool *ret, struct error *error)
{
        const struct incident *incident = &run->incident;
        assert_that(incident->steps[index].status == STEP_WAITING, "what has begun is finished");
        bool over = incident->cancel_requested || anything_skipped(incident);
        int r = over ? 0 : run_is_resolved(run, &over, error);
        if (r >= 0)
                *ret = over && (!run->remediation->steps[index].action->tells || !anything_changed(incident));
        return r;
}

int cut_skip(struct incident_run *run, size_t index, struct error *error)
{
        const char *why = run->incident.cancel_requested ? "cancelled" : "the alert is resolved";
        _cleanup_json_ cJSON *detail = reason_detail(why, NULL);
        struct journal_entry entry = {
                .event = "step skipped", .step = index + 1, .step_status = STEP_SKIPPED, .detail = detail};
        return run_write(run, &entry, error);
}

enum steps_end cut_end(const struct incident *incident)
{
        if (!anything_skipped(incident))
                return STEPS_COMPLETE;
        return incident->cancel_requested || !anything_begun(incident) ? STEPS_CANCELLED : STEPS_CUT;
}
