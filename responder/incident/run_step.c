/* SPDX-License-Identifier: Apache-2.0 */
/* One step before the eyes of its action: what it is shown, what it reports, and how long it took. */
#include "responder/incident/run_step.h"

#include <errno.h>

#include "responder/incident/planning.h"
#include "responder/incident/report.h"
#include "responder/remediation/steps.h"
#include "runbook/assert.h"

const struct step *run_step_at(const struct incident_run *run, size_t index)
{
        assert_that(run->remediation && index < run->remediation->step_count, "there is such a step");
        return &run->remediation->steps[index];
}

struct step_record *run_record_at(struct incident_run *run, size_t index)
{
        assert_that(index < run->incident.step_count, "there is such a step");
        return &run->incident.steps[index];
}

bool run_step_was_begun(const struct step_record *record)
{
        return record->plan || record->status == STEP_UNDOING;
}

cJSON *run_failure_detail(const struct incident_run *run, size_t index, const char *what,
                          const char *sentence)
{
        _cleanup_free_ char *reason = text_format("step %zu (%s) %s: %s", index + 1,
                                                  run_step_at(run, index)->action->name, what, sentence);
        cJSON *detail = reason ? reason_detail(reason, NULL) : NULL;
        if (detail)
                json_put(detail, "summary", cJSON_CreateString(sentence));
        if (detail)
                json_put(detail, "failed", cJSON_CreateTrue());
        return detail;
}

/* The action reports how far it is. The incident is not read anew: the action has the plan before its eyes.
 */
static int write_progress(struct step_run *step, const cJSON *state, struct error *error)
{
        assert_that(step->config && step->position > 0, "who reports is a step that runs");
        struct incident_run *run = step->engine;
        struct step_record *record = run_record_at(run, step->position - 1);
        _cleanup_json_ cJSON *copy = cJSON_Duplicate(state, true);
        if (!copy)
                return error_oom(error);
        struct journal_entry entry = {
                .event = "progress", .step = step->position, .step_status = STEP_PROGRESS, .detail = state};
        int r = run_put(run, &entry, error);
        if (r < 0)
                return r;
        cJSON_Delete(record->progress);
        record->progress = TAKE_PTR(copy);
        step->progress = record->progress;
        return 0;
}

void run_show_record(struct incident_run *run, size_t index, struct deadline deadline)
{
        assert_that(run->step.config && run->step.position == index + 1, "a step sees its own record alone");
        const struct step_record *record = run_record_at(run, index);
        /* What failed midway has no outcome: what it left is the sentence about it. */
        bool has_outcome = record->outcome && !json_bool(record->outcome, "failed", false);
        run->step.plan = record->plan;
        run->step.progress = record->progress;
        run->step.outcome = has_outcome ? record->outcome : NULL;
        run->step.deadline = deadline;
}

int run_open_step(struct incident_run *run, size_t index, struct error *error)
{
        assert_that(!run->step.config, "one step at a time");
        int r = step_open(run_step_at(run, index), index + 1, &run->incident.alert, run->incident.number,
                          &run->step, error);
        run->step.opened_at = run->incident.opened_at;
        run->step.write_progress = write_progress;
        run->step.engine = run;
        return r;
}

void run_close_step(struct incident_run *run, size_t index)
{
        step_close(run_step_at(run, index), &run->step);
}

int run_enter_service(const struct incident_run *run, const struct step *bound, char **ret_entered,
                      struct error *error)
{
        struct occupied *occupied = run->parts->occupied;
        _cleanup_free_ char *service = NULL, *holder = NULL;
        int r = occupied ? step_service(bound, &service, error) : 0;
        if (r >= 0 && service)
                r = occupied_enter(occupied, service, run->incident.number, &holder, error);
        if (holder)
                return error_may_pass(
                        error, error_set(error, EBUSY, "a step of %s is at the service %s", holder, service));
        *ret_entered = r > 0 ? TAKE_PTR(service) : NULL;
        return r < 0 ? r : 0;
}

void run_leave_service(const struct incident_run *run, const char *entered)
{
        if (entered)
                occupied_leave(run->parts->occupied, entered);
}

int run_act(struct incident_run *run, const struct action *action, const char *what, cJSON **ret_outcome,
            struct error *why)
{
        const struct world *world = run->parts->world;
        struct report report = {0};
        run->step.outcome = NULL;
        nsec began = world_monotonic(world);
        int result = action->tells ? report_make(run, MESSAGE_NOTE, what, NULL, &report, why) : 0;
        run->step.about = action->tells ? &report.message : NULL;
        if (result >= 0)
                result = world->run_step(world->context, action, &run->step, ret_outcome, why);
        run->step.about = NULL;
        report_release(&report);
        meters_step(run->parts->meters, action->name, result >= 0, world_monotonic(world) - began);
        return result;
}
