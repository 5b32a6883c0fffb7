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
        run->deadline = world_deadline(world, PLAN_TIMEOUT);
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

int planning_make(const struct remediation *remediation, const struct step_record *records,
                  const struct alert *alert, const char *incident, const struct world *world,
                  struct planning *ret, struct error *error)
{
        struct planning planning = {.plans = cJSON_CreateArray()};
        int result = planning.plans ? 0 : error_oom(error);
        for (size_t i = 0; result >= 0 && i < remediation->step_count; i++) {
                const struct step *step = &remediation->steps[i];
                if (records && records[i].status != STEP_WAITING && records[i].status != STEP_STARTED)
                        continue;
                _cleanup_error_ struct error why = {0};
                _cleanup_json_ cJSON *plan = NULL;
                cJSON *item = plans_add(planning.plans, step, i + 1);
                int r = plan_one(step, i + 1, alert, incident, world, &plan, &why);

                if (r < 0 && !planning.failure && (r == -ENOKEY || step->on_failure != ON_FAILURE_CONTINUE))
                        planning.failure = text_format("step %zu (%s) cannot be planned: %s", i + 1,
                                                       step->action->name, error_text(&why));
                if (r >= 0 && !planning.asks)
                        step_exceeds_max(step, i + 1, plan, &planning.asks);
                if (!item || (r < 0 ? json_put(item, "error", cJSON_CreateString(error_text(&why)))
                                    : json_put(item, "plan", TAKE_PTR(plan))) < 0)
                        result = error_oom(error);
        }
        if (result < 0) {
                planning_release(&planning);
                return result;
        }
        *ret = planning;
        return 0;
}

void planning_release(struct planning *planning)
{
        cJSON_Delete(planning->plans);
        free(planning->failure);
        free(planning->asks);
        *planning = (struct planning){0};
}
