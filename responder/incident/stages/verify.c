/* SPDX-License-Identifier: Apache-2.0 */
/* A verifying incident: one look, and the verdict when there is one. */
#include <math.h>

#include "responder/incident/stages/stages.h"
#include "runbook/assert.h"
#include "runbook/bind.h"

/* How much of the time before the alert is looked back at, how far at most, in how many points. */
#define BEFORE_ALERT (5 * 60 * NSEC_PER_SEC)
#define BACK_MOST (2 * 3600 * NSEC_PER_SEC)
#define BACK_WITHIN NSEC_PER_SEC
enum { POINTS_MOST = 49 };

/* When the incident began to be verified, by the monotonic clock, before a restart or after it. */
static nsec verifying_since(const struct incident_run *run)
{
        assert_that(run->incident.entered_steady <= journal_steady(run->parts->journal),
                    "steady time only passes");
        nsec ago = journal_steady(run->parts->journal) - run->incident.entered_steady;
        return world_monotonic(run->parts->world) - ago;
}

static cJSON *verdict_detail(const struct incident_run *run, const struct verify_answer *answer)
{
        const struct verify_watch *watch = &run->watch;
        const cJSON *values = run->values.list;
        _cleanup_free_ char *passed_over = run_passed_over(run);
        cJSON *detail = cJSON_CreateObject();
        if (!detail)
                return NULL;
        json_put(detail, "seconds", cJSON_CreateNumber(nsec_to_seconds(watch->last - watch->began)));
        json_put(detail, "seen_seconds", cJSON_CreateNumber(nsec_to_seconds(watch->seen)));
        json_put(detail, "looks", cJSON_CreateNumber((double)watch->looks));
        json_put(detail, "errors", cJSON_CreateNumber((double)watch->errors));
        if (answer->known && isfinite(answer->value))
                json_put(detail, "value", cJSON_CreateNumber(answer->value));
        if (values)
                json_put(detail, "values", cJSON_Duplicate(values, true));
        if (values && run->before)
                json_put(detail, "before", cJSON_Duplicate(run->before, true));
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

static char *not_healed_reason(const struct verification *verify, const struct verify_watch *watch,
                               const struct verify_answer *answer)
{
        char within[DURATION_TEXT_MAX], wanted[DURATION_TEXT_MAX], held[DURATION_TEXT_MAX];
        const char *what = verify->check ? verify->check : "the query";
        duration_format(verify->within, within);
        if (answer->holds)
                return text_format("%s holds now, but not yet for %s within %s: for %s", what,
                                   duration_format(verify->hold_for, wanted), within,
                                   duration_format(watch->held, held));
        if (isnan(answer->value))
                return text_format("%s did not hold within %s", what, within);
        return text_format("%s did not hold within %s: it was about %g", what, within, answer->value);
}

static char *unknown_reason(const struct verification *verify, const struct verify_watch *watch,
                            const char *why)
{
        char within[DURATION_TEXT_MAX];
        duration_format(verify->within, within);
        return text_format("%s gave no answer for %s: %s%s", verify->check ? verify->check : "the query",
                           within, why,
                           watch->looks == watch->errors ? ""
                           : watch->holds                ? "; where it had an answer last, it held"
                                                         : "; where it had an answer last, it did not hold");
}

/* Whatever came of it but health: a person is to hear of it. */
static int end_lost(struct incident_run *run, enum verdict verdict, const struct verify_answer *answer,
                    const char *why, cJSON *take, struct error *error)
{
        assert_that(answer->known || why, "a verdict has an answer, or a reason");
        const struct verification *verify = &run->remediation->verify;
        bool unknown = verdict == VERDICT_UNKNOWN;
        _cleanup_free_ char *reason = unknown ? unknown_reason(verify, &run->watch, why ? why : "")
                                              : not_healed_reason(verify, &run->watch, answer);
        _cleanup_json_ cJSON *detail = reason ? reason_detail(reason, take) : take;
        const struct incident_change lost = {
                .to = unknown ? INCIDENT_UNVERIFIED : INCIDENT_NOT_HEALED,
                .event = unknown ? "could not be verified" : "not healed",
                .lock = run->lock,
                .detail = detail,
        };
        int r = run_enter(run, &lost, error);
        return r < 0 ? r : stage_aftermath(run, error);
}

/* One look, taken into account; `ret_answer` may be that there is none, and `why` tells of what then. */
static enum verdict look_once(struct incident_run *run, struct verify_answer *ret_answer, struct error *why)
{
        const struct world *world = run->parts->world;
        const struct verification *verify = &run->remediation->verify;
        struct verify_watch *watch = &run->watch;
        struct alert_bindings bindings;
        alert_bindings_init(&bindings, &run->incident.alert, run->incident.number);
        nsec begun = world_monotonic(world);
        int asked =
                verify_ask(verify, run->remediation->bound ? NULL : &bindings.bindings, world,
                           begun - watch->began, world_deadline(world, VERIFY_LOOK_MOST), ret_answer, why);
        if (asked < 0 && (watch->looks == 0 || watch->known))
                run_warn(run, "Verification has no answer", error_text(why));
        enum verdict verdict = verify_judge(verify, watch, ret_answer, begun, world_monotonic(world));
        verify_keep(&run->values, begun - watch->began, asked < 0 ? NAN : ret_answer->value,
                    verdict != VERDICT_PENDING);
        return verdict;
}

/* For the picture: from before the alert until now, asked for once. Who does not answer at once costs that
 * alone, for a look that comes late counts for nothing. */
static void look_back(struct incident_run *run)
{
        const struct world *world = run->parts->world;
        const struct verification *verify = &run->remediation->verify;
        if (!world->query_past || !verify->query)
                return;
        struct alert_bindings bindings;
        alert_bindings_init(&bindings, &run->incident.alert, run->incident.number);
        _cleanup_free_ char *query = NULL;
        if (!run->remediation->bound &&
            bind_text(verify->query, &bindings.bindings, BIND_PROMQL, &query, NULL) < 0)
                return;
        nsec to = world_wall(world), age = incident_age(world, &run->incident) + BEFORE_ALERT;
        nsec began = to - (world_monotonic(world) - run->watch.began);
        cJSON *past = NULL;
        if (world->query_past(world->context, query ? query : verify->query,
                              to - (age < BACK_MOST ? age : BACK_MOST), to, POINTS_MOST,
                              world_deadline(world, BACK_WITHIN), &past, NULL) < 0)
                return;
        cJSON *pair;
        cJSON_ArrayForEach(pair, past)
        {
                cJSON *at = pair->child;
                if (at)
                        cJSON_SetNumberValue(at, at->valuedouble - nsec_to_seconds(began));
        }
        run->before = past;
}

int stage_verify(struct incident_run *run, struct error *error)
{
        assert_that(run->incident.state == INCIDENT_VERIFYING, "only what has run is verified");
        assert_that(run->remediation && verify_wanted(&run->remediation->verify),
                    "there is something to ask");
        static const struct incident_change cancelled = {.to = INCIDENT_CANCELLED, .event = "cancelled"};
        if (run->incident.cancel_requested)
                return run_enter(run, &cancelled, error);

        if (!run->watching) {
                run->watch = (struct verify_watch){.began = verifying_since(run)};
                cJSON_Delete(run->values.list);
                run->values = (struct verify_values){0};
                cJSON_Delete(run->before);
                run->before = NULL;
        }
        struct verify_answer answer = {.value = NAN};
        _cleanup_error_ struct error why = {0};
        enum verdict verdict = look_once(run, &answer, &why);
        if (!run->watching)
                look_back(run);
        run->watching = true;
        run->look_again = run->watch.due;
        if (verdict == VERDICT_PENDING)
                return 0;
        cJSON *detail = verdict_detail(run, &answer);
        if (verdict != VERDICT_HEALED)
                return end_lost(run, verdict, &answer, error_text(&why), detail, error);
        int r = end_healed(run, detail, error);
        cJSON_Delete(detail);
        return r;
}
