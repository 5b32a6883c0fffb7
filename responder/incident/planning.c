/* SPDX-License-Identifier: Apache-2.0 */
/* What every step of a remediation would do right now, found out by reading only. */
#include "responder/incident/planning.h"
#include "runbook/assert.h"

#include <errno.h>
#include <inttypes.h>

#define PLAN_TIMEOUT (30 * NSEC_PER_SEC)

const char *effect_name(enum effect effect)
{
        static const char *const names[] = {
                [EFFECT_READ_ONLY] = "read only",
                [EFFECT_REVERSIBLE] = "reversible",
                [EFFECT_IRREVERSIBLE] = "irreversible",
        };
        tables_agree(names, EFFECT_COUNT);
        assert_that(effect < EFFECT_COUNT, "an effect is one of these");
        return names[effect];
}

int step_open(const struct step *step, size_t position, const struct alert *alert, const char *incident,
              struct step_run *ret, struct error *error)
{
        assert_that(position > 0 && alert && incident, "a step is the n-th, of an incident");
        const struct action *action = step->action;
        if (step->unbound)
                return error_set(error, ENOKEY, "%s", step->unbound);
        void *config = calloc(1, action->config_size > 0 ? action->config_size : 1);
        if (!config)
                return error_oom(error);
        struct alert_bindings bindings;
        alert_bindings_init(&bindings, alert, incident);
        int r = config_bind(action->fields, step->config, step->bound ? NULL : &bindings.bindings, config,
                            error);
        if (r < 0) {
                free(config);
                return r;
        }
        *ret = (struct step_run){
                .config = config, .alert = alert, .incident = incident, .position = position};
        return 0;
}

void step_close(const struct step *step, struct step_run *run)
{
        if (!run->config)
                return;
        config_release(step->action->fields, run->config);
        free(run->config);
        *run = (struct step_run){0};
}

int step_plan(const struct world *world, const struct step *step, struct step_run *run, cJSON **ret_plan,
              struct error *error)
{
        assert_that(run->config, "a step is planned with what is bound for it");
        _cleanup_json_ cJSON *plan = NULL;
        run->deadline = world_deadline(world, step->timeout < PLAN_TIMEOUT ? step->timeout : PLAN_TIMEOUT);
        run->plan = NULL;
        int r = world->plan_step(world->context, step->action, run, &plan, error);
        if (r < 0)
                return r;
        if (!cJSON_IsObject(plan))
                return error_set(error, EPROTO, "%s made no plan", step->action->name);
        *ret_plan = TAKE_PTR(plan);
        return 0;
}

bool step_exceeds_max(const struct step *step, size_t position, const cJSON *plan, char **ret_reason)
{
        assert_that(cJSON_IsObject(plan), "a plan is an object");
        int64_t count = (int64_t)json_number(plan, "targets", 0);
        if (step->max <= 0 || count <= step->max)
                return false;
        *ret_reason = text_format("step %zu (%s) would touch %" PRId64 ", more than its max of %" PRId64,
                                  position, step->action->name, count, step->max);
        return true;
}

static cJSON *plans_add(cJSON *plans, const struct step *step, size_t position)
{
        cJSON *item = cJSON_CreateObject();
        if (!item || !cJSON_AddNumberToObject(item, "step", (double)position) ||
            !cJSON_AddStringToObject(item, "action", step->action->name) ||
            !cJSON_AddStringToObject(item, "effect", effect_name(step->action->effect)) ||
            !cJSON_AddBoolToObject(item, "essential", step->essential) ||
            !cJSON_AddItemToArray(plans, item)) {
                cJSON_Delete(item);
                return NULL;
        }
        return item;
}

static int plan_one(const struct step *step, size_t position, const struct alert *alert, const char *incident,
                    const struct world *world, cJSON **ret_plan, struct error *why)
{
        struct step_run run = {0};
        int r = step_open(step, position, alert, incident, &run, why);
        if (r < 0)
                return r;
        r = step_plan(world, step, &run, ret_plan, why);
        step_close(step, &run);
        return r;
}

/* What an essential step that cannot be planned keeps from being done. `begins`: one that changes something
 * goes before it. */
static void note_failure(struct planning *planning, const struct step *step, size_t position, int result,
                         bool begins, struct error *why)
{
        bool all = result == -ENOKEY || !begins || step->on_failure == ON_FAILURE_UNDO;
        char **sentence = all ? &planning->failure : &planning->stops;
        if (*sentence)
                return;
        *sentence = text_format("step %zu (%s) cannot be planned: %s", position, step->action->name,
                                error_text(why));
        if (!all)
                return;
        planning->failed = position;
        error_move(&planning->why, why);
}

/* Plans one step into `item`. 0, or what its own failure is; `why` then says so, as the item does. */
static int plan_into(struct planning *planning, const struct step *step, size_t position, cJSON *item,
                     const struct alert *alert, const char *incident, const struct world *world,
                     struct error *why)
{
        _cleanup_json_ cJSON *plan = NULL;
        _cleanup_free_ char *exceeds = NULL;
        int r = plan_one(step, position, alert, incident, world, &plan, why);
        bool asks = r >= 0 && step_exceeds_max(step, position, plan, &exceeds);
        /* Of what only accompanies the cure nobody is asked: the cure does not wait for it. */
        if (asks && !step->essential)
                r = error_set(why, E2BIG, "%s", exceeds ? exceeds : "too many targets");
        else if (asks && !planning->asks && !planning->stops)
                planning->asks = TAKE_PTR(exceeds);
        int put = r < 0 ? json_put(item, "error", json_text(error_text(why)))
                        : json_put(item, "plan", TAKE_PTR(plan));
        return put < 0 ? error_oom(why) : r;
}

/* What the others are done for, and not what is only looked at on the way. */
static bool is_cure(const struct step *step)
{
        return step->essential && step->action->effect != EFFECT_READ_ONLY;
}

/* Whether a step is done with, and need not be planned. */
static bool is_over(const struct step_record *record)
{
        return record->status != STEP_WAITING && record->status != STEP_STARTED;
}

static int plan_all(const struct remediation *remediation, const struct step_record *records,
                    const struct alert *alert, const char *incident, const struct world *world,
                    struct planning *planning, struct error *error)
{
        bool begins = false;
        for (size_t i = 0; i < remediation->step_count; i++) {
                const struct step *step = &remediation->steps[i];
                _cleanup_error_ struct error why = {0};
                if (records && is_over(&records[i])) {
                        begins |= is_cure(step);
                        continue;
                }
                cJSON *item = plans_add(planning->plans, step, i + 1);
                int r = item ? plan_into(planning, step, i + 1, item, alert, incident, world, &why) : -ENOMEM;
                if (r == -ENOMEM)
                        return error_oom(error);
                if (r < 0 && step->essential)
                        note_failure(planning, step, i + 1, r, begins, &why);
                begins |= r >= 0 && is_cure(step);
        }
        return 0;
}

int planning_make(const struct remediation *remediation, const struct step_record *records,
                  const struct alert *alert, const char *incident, const struct world *world,
                  struct planning *ret, struct error *error)
{
        struct planning planning = {.plans = cJSON_CreateArray()};
        int r = planning.plans ? plan_all(remediation, records, alert, incident, world, &planning, error)
                               : error_oom(error);
        if (r < 0) {
                planning_release(&planning);
                return r;
        }
        *ret = planning;
        return 0;
}

void planning_release(struct planning *planning)
{
        cJSON_Delete(planning->plans);
        free(planning->failure);
        free(planning->stops);
        free(planning->asks);
        error_clear(&planning->why);
        *planning = (struct planning){0};
}
