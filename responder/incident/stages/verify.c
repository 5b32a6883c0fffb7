/* SPDX-License-Identifier: Apache-2.0 */
/* A verifying incident: one look, and the verdict when there is one. */
#include <math.h>

#include "responder/incident/stages/stages.h"
#include "runbook/assert.h"

#define LOOK_TIMEOUT (10 * NSEC_PER_SEC)

/* When the incident began to be verified, by the monotonic clock, before a restart or after it. */
static nsec verifying_since(const struct incident_run *run)
{
        assert_that(run->incident.entered_steady <= journal_steady(run->parts->journal),
                    "steady time only passes");
        nsec ago = journal_steady(run->parts->journal) - run->incident.entered_steady;
        return world_monotonic(run->parts->world) - ago;
}

static cJSON *verdict_detail(const struct incident_run *run, const struct verify_answer *answer, nsec now)
{
        const struct verify_watch *watch = &run->watch;
        _cleanup_free_ char *passed_over = run_passed_over(run);
        cJSON *detail = cJSON_CreateObject();
        if (!detail)
                return NULL;
        json_put(detail, "seconds", cJSON_CreateNumber(nsec_to_seconds(now - watch->began)));
        json_put(detail, "looks", cJSON_CreateNumber((double)watch->looks));
        json_put(detail, "errors", cJSON_CreateNumber((double)watch->errors));
        if (answer->known && isfinite(answer->value))
                json_put(detail, "value", cJSON_CreateNumber(answer->value));
        if (passed_over)
                json_put(detail, "passed_over", cJSON_CreateString(passed_over));
        return detail;
}

static int end_healed(struct incident_run *run, const cJSON *detail, struct error *error)
{
        const struct incident_change healed = {.to = INCIDENT_HEALED, .event = "healed", .detail = detail};
        int r = run_enter(run, &healed, error);
        if (r >= 0)
                meters_healed(run->parts->meters, run->incident.remediation,
                              incident_age(run->parts->world, &run->incident));
        return r;
}

static int end_not_healed(struct incident_run *run, const struct verify_answer *answer, const char *why,
                          cJSON *take, struct error *error)
{
        assert_that(answer->known || why, "a verdict has an answer, or a reason");
        const struct verification *verify = &run->remediation->verify;
        char within[DURATION_TEXT_MAX];
        duration_format(verify->within, within);
        const char *what = verify->check ? verify->check : "the query";
        _cleanup_free_ char *reason =
                answer->known ? text_format("%s did not hold within %s", what, within)
                              : text_format("%s could not be asked within %s: %s", what, within, why);
        _cleanup_json_ cJSON *detail = reason ? reason_detail(reason, take) : take;
        const struct incident_change lost = {
                .to = INCIDENT_NOT_HEALED, .event = "not healed", .lock = run->lock, .detail = detail};
        int r = run_enter(run, &lost, error);
        return r < 0 ? r : stage_aftermath(run, error);
}

int stage_verify(struct incident_run *run, struct error *error)
{
        assert_that(run->incident.state == INCIDENT_VERIFYING, "only what has run is verified");
        assert_that(run->remediation && verify_wanted(&run->remediation->verify),
                    "there is something to ask");
        static const struct incident_change cancelled = {.to = INCIDENT_CANCELLED, .event = "cancelled"};
        const struct world *world = run->parts->world;
        if (run->incident.cancel_requested)
                return run_enter(run, &cancelled, error);

        struct verify_watch *watch = &run->watch;
        if (!run->watching) {
                *watch = (struct verify_watch){.began = verifying_since(run)};
                run->watching = true;
        }
        const struct verification *verify = &run->remediation->verify;
        struct alert_bindings bindings;
        alert_bindings_init(&bindings, &run->incident.alert, run->incident.number);
        struct verify_answer answer = {.value = NAN};
        _cleanup_error_ struct error why = {0};
        int asked = verify_ask(verify, run->remediation->bound ? NULL : &bindings.bindings, world,
                               world_deadline(world, LOOK_TIMEOUT), &answer, &why);
        if (asked < 0 && watch->errors == 0)
                run_warn(run, "Verification has no answer", error_text(&why));

        nsec now = world_monotonic(world);
        enum verdict verdict = verify_judge(verify, watch, &answer, now);
        if (verdict == VERDICT_PENDING) {
                run->look_again = verify_next(verify, watch, now);
                return 0;
        }
        cJSON *detail = verdict_detail(run, &answer, now);
        if (verdict == VERDICT_NOT_HEALED)
                return end_not_healed(run, &answer, error_text(&why), detail, error);
        int r = end_healed(run, detail, error);
        cJSON_Delete(detail);
        return r;
}
