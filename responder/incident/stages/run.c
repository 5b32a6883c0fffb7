/* SPDX-License-Identifier: Apache-2.0 */
/* A running incident goes on with its steps; and what follows when they are over. */
#include "responder/incident/stages/stages.h"
#include "responder/incident/steps.h"
#include "runbook/assert.h"

/* All steps are over. */
static int end_steps(struct incident_run *run, struct error *error)
{
        assert_that(run->incident.state == INCIDENT_RUNNING, "what ends its steps has run");
        if (verify_wanted(&run->remediation->verify)) {
                run->watching = false;
                run->look_again = world_monotonic(run->parts->world);
                const struct incident_change verifying = {.to = INCIDENT_VERIFYING, .event = "verifying"};
                return run_enter(run, &verifying, error);
        }
        _cleanup_free_ char *passed_over = run_passed_over(run);
        _cleanup_json_ cJSON *detail = passed_over ? cJSON_CreateObject() : NULL;
        if (detail)
                json_put(detail, "passed_over", cJSON_CreateString(passed_over));
        /* Nothing asks whether it helped: so nobody says that it did. */
        const struct incident_change done = {
                .to = INCIDENT_DONE, .event = "all steps done", .detail = detail};
        return run_enter(run, &done, error);
}

int stage_run(struct incident_run *run, struct error *error)
{
        assert_that(run->incident.state == INCIDENT_RUNNING && run->remediation,
                    "it runs, by its remediation");
        assert_that(!run->parts->dry_run, "a dry run runs nothing");
        static const struct incident_change cancelled = {.to = INCIDENT_CANCELLED, .event = "cancelled"};
        enum steps_end end = STEPS_STOPPING;
        int r = run_take_up(run, error);
        if (r >= 0)
                r = steps_run(run, &end, error);
        if (r < 0)
                return r;
        switch (end) {
        case STEPS_COMPLETE:
        case STEPS_CUT: return end_steps(run, error);
        case STEPS_CANCELLED: return run_enter(run, &cancelled, error);
        case STEPS_ASKING:
        case STEPS_YIELDED:
        case STEPS_FAILED:
        case STEPS_WAITING:
        case STEPS_PAUSED:
        case STEPS_STOPPING: return 0;
        }
        return 0;
}
