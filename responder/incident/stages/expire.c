/* SPDX-License-Identifier: Apache-2.0 */
/* An incident that waited too long: a person is called, then it has expired. */
#include "responder/incident/escalate.h"
#include "responder/incident/stages/stages.h"
#include "runbook/assert.h"

int stage_expire(struct incident_run *run, struct error *error)
{
        assert_that(run->incident.state >= INCIDENT_RECEIVED &&
                            run->incident.state <= INCIDENT_AWAITING_APPROVAL,
                    "only what waits expires");
        const char *what = run->incident.state == INCIDENT_AWAITING_APPROVAL ? "nobody approved it in time"
                                                                             : "held for too long";
        if (!run->parts->dry_run && escalation_receiver(run)) {
                int r = call_until_heard(run, "expired", what, error);
                if (r < 0)
                        return r;
        }
        _cleanup_json_ cJSON *detail = reason_detail(what, NULL);
        const struct incident_change expired = {.to = INCIDENT_EXPIRED, .event = "expired", .detail = detail};
        return run_enter(run, &expired, error);
}
