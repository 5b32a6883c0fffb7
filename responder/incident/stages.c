/* SPDX-License-Identifier: Apache-2.0 */
/* The stretches of an incident's way up to its verdict: planning, running, verifying. */
#include "responder/incident/stages.h"

#include <errno.h>
#include <math.h>

#include "responder/incident/escalate.h"
#include "responder/incident/planning.h"
#include "runbook/log.h"

#define LOOK_TIMEOUT (10 * NSEC_PER_SEC)
#define LOOK_AGAIN NSEC_PER_SEC

static nsec since_alert(const struct incident *incident)
{
        nsec began = incident->alert.starts_at > 0 ? incident->alert.starts_at : incident->opened_at;
        nsec since = clock_wall() - began;
        return since > 0 ? since : 0;
}

/* All steps are over: what follows. */
static int after_steps(struct carry *carry, struct error *error)
{
        struct walk *walk = &carry->walk;
        if (verify_wanted(&walk->remediation->verify)) {
                *carry->memory = (struct carry_memory){0};
                carry->again = clock_monotonic();
                return carry_change(carry, INCIDENT_RUNNING, INCIDENT_VERIFYING, "verifying", NULL, error);
        }
        int r = carry_conclude(walk, INCIDENT_RUNNING, INCIDENT_HEALED, "healed: all steps done", NULL, NULL,
                               error);
        if (r >= 0)
                meters_healed(walk->options->meters, walk->incident.remediation,
                              since_alert(&walk->incident));
        return r;
}

int carry_run(struct carry *carry, struct error *error)
{
        struct walk *walk = &carry->walk;
        enum steps_end end = STEPS_STOPPING;
        int r = steps_run(walk, &end, error);
        if (r < 0)
                return r;
        switch (end) {
        case STEPS_COMPLETE:
        case STEPS_CUT: return after_steps(carry, error);
        case STEPS_CANCELLED:
                return carry_conclude(walk, INCIDENT_RUNNING, INCIDENT_CANCELLED, "cancelled", NULL, NULL,
                                      error);
        case STEPS_ASKING: {
                /* They are told once, and see it on the page; the incident itself waits durably. */
                _cleanup_free_ char *reason = NULL;
                _cleanup_error_ struct error why = {0};
                if (call_receiver(walk) && (call_reason(walk, &reason, &why) < 0 ||
                                            call_person(walk, "awaits approval", reason, &why) < 0))
                        carry_log(walk, LOG_WARN, "Cannot tell anyone that approval is awaited",
                                  error_text(&why));
                return 0;
        }
        case STEPS_FAILED: carry_log(walk, LOG_WARN, "Incident changed", NULL); return 0;
        case STEPS_PAUSED:
        case STEPS_STOPPING: return 0;
        }
        return 0;
}

/* Why a person has to agree first; NULL: nobody has to. */
static const char *approval_reason(const struct walk *walk, const struct planning *planning)
{
        if (walk->incident.approved)
                return NULL;
        if (planning->asks)
                return planning->asks;
        return walk->remediation->approval ? "the remediation asks for approval" : NULL;
}

static int await_approval(struct carry *carry, const char *reason, const cJSON *detail, struct error *error)
{
        struct walk *walk = &carry->walk;
        int r = carry_change(carry, walk->incident.state, INCIDENT_AWAITING_APPROVAL, "awaiting approval",
                             detail, error);
        if (r < 0 || !call_receiver(walk))
                return r;
        _cleanup_error_ struct error why = {0};
        if (call_person(walk, "awaits approval", reason, &why) < 0)
                carry_log(walk, LOG_WARN, "Cannot tell anyone that approval is awaited", error_text(&why));
        return 0;
}

int carry_start(struct carry *carry, struct error *error)
{
        struct walk *walk = &carry->walk;
        struct planning planning = {0};
        int r = planning_make(walk->remediation, walk->incident.steps, &walk->incident.alert,
                              walk->incident.number, walk->options->targets, &planning, error);
        if (r < 0)
                return r;
        const char *asks = approval_reason(walk, &planning);
        const char *reason = planning.failure ? planning.failure : asks;
        _cleanup_json_ cJSON *detail = cJSON_CreateObject();
        if (detail)
                json_put(detail, "plans", TAKE_PTR(planning.plans));
        if (detail && reason)
                json_put(detail, "reason", cJSON_CreateString(reason));

        enum incident_state from = walk->incident.state;
        if (walk->options->dry_run) {
                r = carry_conclude(walk, from, INCIDENT_PLANNED, "planned", NULL, detail, error);
        } else if (planning.failure) {
                r = carry_change(carry, from, INCIDENT_FAILED, "planning failed", detail, error);
                if (r >= 0)
                        r = carry_aftermath(carry, error);
        } else if (asks) {
                r = await_approval(carry, asks, detail, error);
        } else {
                bool first = walk->incident.running_at == 0;
                r = carry_change(carry, from, INCIDENT_RUNNING, "running", detail, error);
                if (r >= 0 && first)
                        meters_action_begun(walk->options->meters, walk->incident.remediation,
                                            since_alert(&walk->incident));
                if (r >= 0)
                        r = carry_run(carry, error);
        }
        planning_release(&planning);
        return r;
}

/* When the incident began to be verified, by the journal; now, when it cannot tell. */
static nsec verifying_since(const struct walk *walk)
{
        nsec now = clock_monotonic(), wall = clock_wall(), since = wall;
        _cleanup_json_ cJSON *timeline = NULL;
        if (journal_timeline(walk->options->journal, walk->incident.id, &timeline, NULL) < 0)
                return now;
        const cJSON *row;
        cJSON_ArrayForEach(row, timeline)
        {
                const char *at = json_string(row, "at");
                if (at && string_equal(json_string(row, "event"), "verifying"))
                        time_parse(at, &since, NULL);
        }
        return since < wall ? now - (wall - since) : now;
}

static cJSON *verdict_detail(const struct verify_watch *watch, const struct verify_answer *answer, nsec now)
{
        cJSON *detail = cJSON_CreateObject();
        if (!detail)
                return NULL;
        json_put(detail, "seconds", cJSON_CreateNumber(nsec_to_seconds(now - watch->began)));
        json_put(detail, "looks", cJSON_CreateNumber((double)watch->looks));
        json_put(detail, "errors", cJSON_CreateNumber((double)watch->errors));
        if (answer->known && isfinite(answer->value))
                json_put(detail, "value", cJSON_CreateNumber(answer->value));
        return detail;
}

static int not_healed(struct carry *carry, const struct verify_answer *answer, const char *why, cJSON *take,
                      struct error *error)
{
        const struct verification *verify = &carry->walk.remediation->verify;
        char within[DURATION_TEXT_MAX];
        duration_format(verify->within, within);
        const char *what = verify->check ? verify->check : "the query";
        _cleanup_free_ char *reason =
                answer->known ? text_format("%s did not hold within %s", what, within)
                              : text_format("%s could not be asked within %s: %s", what, within, why);
        _cleanup_json_ cJSON *detail = reason ? reason_detail(reason, take) : take;
        return carry_change(carry, INCIDENT_VERIFYING, INCIDENT_NOT_HEALED, "not healed", detail, error);
}

int carry_verify(struct carry *carry, struct error *error)
{
        struct walk *walk = &carry->walk;
        if (walk->incident.cancel_requested)
                return carry_conclude(walk, INCIDENT_VERIFYING, INCIDENT_CANCELLED, "cancelled", NULL, NULL,
                                      error);

        struct verify_watch *watch = &carry->memory->watch;
        if (!carry->memory->watching) {
                *watch = (struct verify_watch){.began = verifying_since(walk)};
                carry->memory->watching = true;
        }
        const struct verification *verify = &walk->remediation->verify;
        struct alert_bindings bindings;
        alert_bindings_init(&bindings, &walk->incident.alert, walk->incident.number);
        struct verify_answer answer = {.value = NAN};
        _cleanup_error_ struct error why = {0};
        if (verify_ask(verify, &bindings.bindings, walk->options->targets, deadline_in(LOOK_TIMEOUT), &answer,
                       &why) < 0 &&
            watch->errors == 0)
                carry_log(walk, LOG_WARN, "Verification has no answer", error_text(&why));

        nsec now = clock_monotonic();
        enum verdict verdict = verify_judge(verify, watch, &answer, now);
        if (verdict == VERDICT_PENDING) {
                carry->again = verify_next(verify, watch, now);
                return 0;
        }
        cJSON *detail = verdict_detail(watch, &answer, now);
        if (verdict == VERDICT_NOT_HEALED) {
                int r = not_healed(carry, &answer, error_text(&why), detail, error);
                return r < 0 ? r : carry_aftermath(carry, error);
        }
        int r = carry_conclude(walk, INCIDENT_VERIFYING, INCIDENT_HEALED, "healed", NULL, detail, error);
        cJSON_Delete(detail);
        if (r >= 0)
                meters_healed(walk->options->meters, walk->incident.remediation,
                              since_alert(&walk->incident));
        return r;
}
