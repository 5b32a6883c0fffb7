/* SPDX-License-Identifier: Apache-2.0 */
/* The guards let an incident through: every step is planned before the first runs, and a person asked where
 * one must be. */
#include <errno.h>

#include "responder/incident/patience.h"
#include "responder/incident/planning.h"
#include "responder/incident/question.h"
#include "responder/incident/stages/stages.h"
#include "responder/incident/trust.h"
#include "responder/incident/yield.h"
#include "responder/remediation/definition.h"
#include "runbook/assert.h"

/* What is planned: the plans themselves, and what an incident that has not begun yet would be begun with. */
struct start {
        struct planning planning;
        cJSON *definition; /* NULL: the journal has it already */
        char *changed;     /* what a person has approved was something else; NULL: was not */
        char *needed;      /* why `approval:` asks a person; NULL: it does not */
        char *distrust;    /* likewise of `trust:` */
        cJSON *question;   /* NULL: nobody is asked */
};

static void start_release(struct start *start)
{
        planning_release(&start->planning);
        cJSON_Delete(start->definition);
        free(start->changed);
        free(start->needed);
        free(start->distrust);
        cJSON_Delete(start->question);
}

static int define(struct incident_run *run, struct start *start, struct error *error)
{
        _cleanup_error_ struct error why = {0};
        if (run->incident.running_at != 0)
                return 0;
        int r = definition_make(run->remediation, &run->parts->set->targets, &run->incident.alert,
                                run->incident.number, &start->definition, &why);
        if (r >= 0 && run->incident.definition) {
                r = run_differs(run, &start->changed, error);
                if (!start->changed)
                        cJSON_Delete(TAKE_PTR(start->definition));
                return r;
        }
        if (r >= 0)
                return 0;
        if (r != -ENOMEM && !start->planning.failure)
                start->planning.failure = text_format("it cannot be planned: %s", error_text(&why));
        return r != -ENOMEM && start->planning.failure ? 0 : error_oom(error);
}

/* As long as the first step that matters may take, but no longer than a person should wait to be called. */
static nsec time_to_plan(const struct remediation *remediation)
{
        for (size_t i = 0; i < remediation->step_count; i++) {
                const struct step *step = &remediation->steps[i];
                if (step->essential)
                        return step->timeout < PATIENCE_TO_PLAN ? step->timeout : PATIENCE_TO_PLAN;
        }
        return PATIENCE_TO_PLAN;
}

/* Whether a person is to be asked by `approval:` or `trust:`, and whether what he has agreed to is still what
 * would run. */
static int find_question(struct incident_run *run, struct start *start, struct error *error)
{
        const struct incident *incident = &run->incident;
        /* What has begun has no `approval:` any more: the file has it, and it was asked about then. */
        if (!incident->approved && incident->running_at != 0)
                return 0;
        int r = 0;
        if (!incident->approved)
                r = question_needed(run->remediation, run->parts->set, start->planning.plans, run->lock,
                                    world_wall(run->parts->world), run->parts->journal, &start->needed,
                                    error);
        else if (!start->changed && !start->planning.failure)
                r = question_differs(run, start->planning.plans, &start->changed, error);
        if (r >= 0 && incident->running_at == 0 && !question_is_answered(incident))
                r = trust_asks(run->remediation, run->parts->journal, &start->distrust, error);
        return r;
}

static int make_start(struct incident_run *run, struct start *ret, struct error *error)
{
        struct start start = {0};
        patience_begin(run, PATIENCE_START, 0, time_to_plan(run->remediation));
        int r = planning_make(run->remediation, run->incident.steps, &run->incident.alert,
                              run->incident.number, run->parts->world, &start.planning, error);
        if (r >= 0)
                r = define(run, &start, error);
        if (r >= 0)
                r = find_question(run, &start, error);
        if (r < 0) {
                start_release(&start);
                return r;
        }
        *ret = start;
        return 0;
}

/* Why a person has to agree first; NULL: nobody has to. An approval is of what was to be run then, and a
 * deadline has answered what `approval:` asks alone. */
static const char *approval_reason(const struct incident_run *run, const struct start *start)
{
        const char *others = start->planning.asks ? start->planning.asks
                             : run->asks          ? run->asks
                                                  : start->distrust;
        if (start->changed || question_is_answered(&run->incident))
                return start->changed;
        return start->needed && !start->planning.asks ? start->needed : others;
}

static cJSON *planning_detail(struct start *start, const char *reason)
{
        cJSON *detail = cJSON_CreateObject();
        if (detail && json_put(detail, "plans", cJSON_Duplicate(start->planning.plans, true)) < 0) {
                cJSON_Delete(detail);
                return NULL;
        }
        if (detail && start->definition &&
            json_put(detail, "definition", cJSON_Duplicate(start->definition, true)) < 0) {
                cJSON_Delete(detail);
                return NULL;
        }
        if (detail && reason)
                json_put(detail, "reason", cJSON_CreateString(reason));
        return detail;
}

static int begin_running(struct incident_run *run, const struct start *start, const cJSON *detail,
                         struct error *error)
{
        assert_that(!parts_only_plan(run->parts, &run->incident) && run->lock,
                    "what runs has its lock, and is no dry run");
        bool first = run->incident.running_at == 0;
        const struct incident_change running = {
                .to = INCIDENT_RUNNING,
                .event = "running",
                .lock = run->lock,
                .definition = start->definition,
                .detail = detail,
                .valid_until = run_decided_until(run),
        };
        int r = run_enter(run, &running, error);
        if (r < 0)
                return r;
        if (first)
                meters_action_begun(run->parts->meters, run->incident.remediation,
                                    incident_age(run->parts->world, &run->incident));
        return stage_run(run, error);
}

/* Into `to`, with the bound lock written down. */
static int enter_planned(struct incident_run *run, enum incident_state to, const char *event,
                         const cJSON *detail, struct error *error)
{
        const struct incident_change change = {.to = to, .event = event, .lock = run->lock, .detail = detail};
        return run_enter(run, &change, error);
}

/* What a person agrees to is written down with the question. */
static int ask_person(struct incident_run *run, struct start *start, const cJSON *detail, struct error *error)
{
        bool own = start->needed && !start->planning.asks && !run->asks && !start->distrust;
        int r = question_make(run, start->planning.plans, start->definition, own, &start->question, error);
        if (r < 0)
                return r;
        const struct incident_change asks = {
                .to = INCIDENT_AWAITING_APPROVAL,
                .event = "awaiting approval",
                .lock = run->lock,
                .definition = start->definition,
                .asked = start->question,
                .detail = detail,
        };
        return run_enter(run, &asks, error);
}

/* Into what comes next, by what was planned. */
static int go_on(struct incident_run *run, struct start *start, struct error *error)
{
        const char *failure = start->planning.failure, *asks = approval_reason(run, start);
        const char *reason = failure ? failure : asks ? asks : start->planning.stops;
        _cleanup_json_ cJSON *detail = planning_detail(start, reason);
        patience_end(run);
        if (!detail)
                return error_oom(error);
        if (parts_only_plan(run->parts, &run->incident))
                return enter_planned(run, INCIDENT_PLANNED, "planned", detail, error);
        if (failure) {
                int r = enter_planned(run, INCIDENT_FAILED, "planning failed", detail, error);
                return r < 0 ? r : stage_aftermath(run, error);
        }
        return asks ? ask_person(run, start, detail, error) : begin_running(run, start, detail, error);
}

/* Plans may take long, and be tried again: what no guard holds any more is not shown as held meanwhile. */
static int leave_guard(struct incident_run *run, struct error *error)
{
        const struct incident_change released = {.to = INCIDENT_RECEIVED,
                                                 .event = "released",
                                                 .lock = run->lock,
                                                 .valid_until = run_decided_until(run)};
        return run->incident.state == INCIDENT_HELD ? run_enter(run, &released, error) : 0;
}

int stage_start(struct incident_run *run, struct error *error)
{
        assert_that(run->incident.state >= INCIDENT_RECEIVED &&
                            run->incident.state <= INCIDENT_AWAITING_APPROVAL,
                    "only what waits is started");
        assert_that(incident_fits(&run->incident, run->remediation),
                    "the steps are those it was opened with");
        struct start start = {0};
        int r = yield_to_people(run, 0, run->incident.step_count, error);
        if (r != 0)
                return r < 0 ? r : 0;
        r = leave_guard(run, error);
        if (r >= 0)
                r = make_start(run, &start, error);
        if (r < 0)
                return r;
        bool waits = start.planning.failure && !parts_only_plan(run->parts, &run->incident);
        r = waits ? patience_again(run, "planning waits", &start.planning.why, error) : 0;
        if (r == 0)
                r = go_on(run, &start, error);
        start_release(&start);
        return r < 0 ? r : 0;
}
