/* SPDX-License-Identifier: Apache-2.0 */
/* The guards let an incident through: every step is planned before the first runs, and a person asked where
 * one must be. */
#include "responder/incident/escalate.h"
#include "responder/incident/planning.h"
#include "responder/incident/stages/stages.h"
#include "runbook/assert.h"

/* Why a person has to agree first; NULL: nobody has to. */
static const char *approval_reason(const struct incident_run *run, const struct planning *planning)
{
        if (run->incident.approved)
                return NULL;
        if (planning->asks)
                return planning->asks;
        return run->remediation->approval ? "the remediation asks for approval" : NULL;
}

static cJSON *planning_detail(struct planning *planning, const char *reason)
{
        cJSON *detail = cJSON_CreateObject();
        if (detail)
                json_put(detail, "plans", TAKE_PTR(planning->plans));
        if (detail && reason)
                json_put(detail, "reason", cJSON_CreateString(reason));
        return detail;
}

static int begin_running(struct incident_run *run, const cJSON *detail, struct error *error)
{
        assert_that(!run->parts->dry_run && run->lock, "what runs has its lock, and is no dry run");
        bool first = run->incident.running_at == 0;
        const struct incident_change running = {
                .to = INCIDENT_RUNNING, .event = "running", .lock = run->lock, .detail = detail};
        int r = run_enter(run, &running, error);
        if (r < 0)
                return r;
        if (first)
                meters_action_begun(run->parts->meters, run->incident.remediation,
                                    incident_age(run->parts->world, &run->incident));
        return stage_run(run, error);
}

/* Into `change`, with the bound lock written down; and what follows from it at once. */
static int enter_planned(struct incident_run *run, enum incident_state to, const char *event,
                         const cJSON *detail, struct error *error)
{
        const struct incident_change change = {.to = to, .event = event, .lock = run->lock, .detail = detail};
        return run_enter(run, &change, error);
}

int stage_start(struct incident_run *run, struct error *error)
{
        assert_that(run->incident.state >= INCIDENT_RECEIVED &&
                            run->incident.state <= INCIDENT_AWAITING_APPROVAL,
                    "only what waits is started");
        assert_that(incident_fits(&run->incident, run->remediation),
                    "the steps are those it was opened with");
        struct planning planning = {0};
        int r = planning_make(run->remediation, run->incident.steps, &run->incident.alert,
                              run->incident.number, run->parts->world, &planning, error);
        if (r < 0)
                return r;
        const char *asks = approval_reason(run, &planning);
        const char *reason = planning.failure ? planning.failure : asks;
        _cleanup_json_ cJSON *detail = planning_detail(&planning, reason);

        if (run->parts->dry_run) {
                r = enter_planned(run, INCIDENT_PLANNED, "planned", detail, error);
        } else if (planning.failure) {
                r = enter_planned(run, INCIDENT_FAILED, "planning failed", detail, error);
                if (r >= 0)
                        r = stage_aftermath(run, error);
        } else if (asks) {
                r = enter_planned(run, INCIDENT_AWAITING_APPROVAL, "awaiting approval", detail, error);
                if (r >= 0)
                        call_for_approval(run);
        } else {
                r = begin_running(run, detail, error);
        }
        planning_release(&planning);
        return r;
}
