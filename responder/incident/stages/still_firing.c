/* SPDX-License-Identifier: Apache-2.0 */
/* What was healed by its verification, or had no more steps, and whose alert goes on: it was not. */
#include "responder/incident/escalate.h"
#include "responder/incident/stages/stages.h"
#include "runbook/assert.h"

static char *describe(const struct incident_run *run)
{
        char since[DURATION_TEXT_MAX], at[TIME_TEXT_MAX];
        nsec ago = journal_steady(run->parts->journal) - run->incident.entered_steady;
        duration_format(ago / NSEC_PER_SEC * NSEC_PER_SEC, since);
        return text_format("%s at %s, but its alert still fires %s later",
                           incident_state_name(run->incident.state), time_format(run->incident.ended_at, at),
                           since);
}

int stage_still_firing(struct incident_run *run, struct error *error)
{
        assert_that(incident_went_well(run->incident.state) && run->incident.ended_at != 0,
                    "only what went well can be not healed after all");
        assert_that(!run->parts->dry_run, "a dry run heals nothing");
        const char *receiver = escalation_receiver(run);
        _cleanup_free_ char *reason = describe(run);
        _cleanup_json_ cJSON *detail = reason ? reason_detail(reason, NULL) : NULL;
        if (!detail || (receiver && json_put(detail, "to", cJSON_CreateString(receiver)) < 0))
                return error_oom(error);
        int r = receiver ? call_until_heard(run, MESSAGE_TROUBLE, "not healed", reason, error) : 0;
        if (r < 0)
                return r;
        const struct incident_change lost = {
                .to = receiver ? INCIDENT_ESCALATED : INCIDENT_NOT_HEALED,
                .event = "still firing",
                .detail = detail,
        };
        r = run_enter(run, &lost, error);
        if (r >= 0)
                meters_incident_ended(run->parts->meters, run->incident.remediation, lost.to);
        return r;
}
