/* SPDX-License-Identifier: Apache-2.0 */
/* An incident that failed, was not healed or could not be verified: what `on_failure` says is done, a person
 * is called, and then it has ended. */
#include <errno.h>

#include "responder/incident/escalate.h"
#include "responder/incident/stages/stages.h"
#include "responder/incident/steps.h"
#include "runbook/assert.h"

/* What `on_failure` says, of the step that failed or of the remediation. */
static enum on_failure policy_of(const struct incident_run *run)
{
        assert_that(!run->remediation || incident_fits(&run->incident, run->remediation),
                    "the steps are those it was opened with");
        const struct remediation *remediation = run->remediation;
        if (!remediation)
                return ON_FAILURE_ESCALATE;
        enum on_failure policy = (enum on_failure)remediation->on_failure;
        for (size_t i = 0; i < run->incident.step_count; i++) {
                enum step_status status = run->incident.steps[i].status;
                if (status == STEP_INTERRUPTED)
                        return ON_FAILURE_ESCALATE;
                if (run->incident.state == INCIDENT_FAILED && status == STEP_FAILED &&
                    remediation->steps[i].on_failure != ON_FAILURE_CONTINUE)
                        policy = (enum on_failure)remediation->steps[i].on_failure;
        }
        /* What may well have helped is not put back for want of an answer. */
        if (policy == ON_FAILURE_UNDO && run->incident.state == INCIDENT_UNVERIFIED)
                return ON_FAILURE_ESCALATE;
        /* After the last step there is nothing to continue with. */
        return policy == ON_FAILURE_CONTINUE ? ON_FAILURE_ESCALATE : policy;
}

static const char *lost_words(enum incident_state state)
{
        return state == INCIDENT_FAILED       ? "failed"
               : state == INCIDENT_NOT_HEALED ? "not healed"
                                              : "could not be verified";
}

static bool wanted_after_failure(const struct step *step _unused_, const struct step_record *record)
{
        return record->status == STEP_DONE || record->status == STEP_FAILED || record->status == STEP_UNDOING;
}

int stage_aftermath(struct incident_run *run, struct error *error)
{
        assert_that(incident_is_lost(run->incident.state), "only what is lost has an aftermath");
        assert_that(run->incident.ended_at == 0 && !run->parts->dry_run,
                    "it has not ended, and is no dry run");
        enum incident_state state = run->incident.state;
        enum on_failure policy = policy_of(run);
        int r = policy == ON_FAILURE_UNDO ? steps_undo(run, wanted_after_failure, error) : 0;
        if (r < 0)
                return r;
        const char *receiver = escalation_receiver(run);
        if (policy == ON_FAILURE_STOP || !receiver) {
                const struct incident_change ended = {.to = state, .event = "ended: nobody is to be called"};
                return run_enter(run, &ended, error);
        }
        _cleanup_free_ char *reason = NULL;
        r = journal_last_reason(run->parts->journal, run->incident.id, &reason, error);
        if (r >= 0)
                r = call_until_heard(run, MESSAGE_TROUBLE, lost_words(state), reason, error);
        if (r < 0)
                return r;
        _cleanup_json_ cJSON *detail = cJSON_CreateObject();
        if (detail)
                json_put(detail, "to", cJSON_CreateString(receiver));
        const struct incident_change escalated = {
                .to = INCIDENT_ESCALATED, .event = "escalated", .detail = detail};
        return run_enter(run, &escalated, error);
}
