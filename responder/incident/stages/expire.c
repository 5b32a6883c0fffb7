/* SPDX-License-Identifier: Apache-2.0 */
/* An incident that waited too long: a person is called, then it has expired. */
#include "responder/incident/escalate.h"
#include "responder/incident/question.h"
#include "responder/incident/stages/stages.h"
#include "runbook/assert.h"

/* By what it was kept waiting, and until when that would have been. */
static char *waited_for(const struct incident_run *run)
{
        const struct incident *incident = &run->incident;
        char until[TIME_TEXT_MAX], expire[DURATION_TEXT_MAX];
        nsec deadline = question_deadline(incident, run->remediation);
        bool unanswered = incident->state == INCIDENT_AWAITING_APPROVAL && deadline != 0 &&
                          deadline <= journal_steady(run->parts->journal);
        duration_format(unanswered ? run->remediation->approval.deadline : run->remediation->expire, expire);
        if (incident->state == INCIDENT_AWAITING_APPROVAL)
                return text_format("nobody approved it within %s", expire);
        if (incident->state != INCIDENT_HELD)
                return text_format("it was not looked at for longer than %s", expire);
        return text_format("it was held for %s, by `%s`%s%s", expire, incident->guard,
                           incident->guard_until != 0 ? ", which would have held it until " : "",
                           incident->guard_until != 0 ? time_format(incident->guard_until, until) : "");
}

int stage_expire(struct incident_run *run, struct error *error)
{
        assert_that(run->incident.state >= INCIDENT_RECEIVED &&
                            run->incident.state <= INCIDENT_AWAITING_APPROVAL,
                    "only what waits expires");
        assert_that(run->remediation, "it is the file that says for how long it may wait");
        _cleanup_free_ char *reason = waited_for(run);
        const char *receiver = parts_only_plan(run->parts, &run->incident) ? NULL : escalation_receiver(run);
        int r = reason ? 0 : error_oom(error);
        if (r >= 0 && receiver)
                r = call_until_heard(run, MESSAGE_TROUBLE, "expired", reason, error);
        if (r < 0)
                return r;
        _cleanup_json_ cJSON *detail = reason_detail(reason, NULL);
        if (receiver && json_put(detail, "to", cJSON_CreateString(receiver)) < 0)
                return error_oom(error);
        const struct incident_change expired = {.to = INCIDENT_EXPIRED, .event = "expired", .detail = detail};
        return run_enter(run, &expired, error);
}
