/* SPDX-License-Identifier: Apache-2.0 */
/* What every step of a remediation would do right now, found out by reading only. */
#include "responder/incident/planning.h"

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
        return names[effect];
}

int step_open(struct step_work *work, const struct step *step, size_t position, const struct alert *alert,
              const char *incident, struct targets *targets, struct error *error)
{
        void *config = calloc(1, step->action->config_size > 0 ? step->action->config_size : 1);
        if (!config) {
                error_oom(error);
                return -ENOMEM;
        }

        struct alert_bindings bindings;
        alert_bindings_init(&bindings, alert, incident);
        int r = config_bind(step->action->fields, step->config, &bindings.bindings, config, error);
        if (r < 0) {
                free(config);
                return r;
        }
        *work = (struct step_work){
                .run = {.config = config,
                        .alert = alert,
                        .incident = incident,
                        .position = position,
                        .targets = targets,
                        .deadline = deadline_in(PLAN_TIMEOUT)},
                .step = step,
                .config = config,
        };
        return 0;
}

void step_close(struct step_work *work)
{
        if (!work->config)
                return;
        config_release(work->step->action->fields, work->config);
        free(work->config);
        *work = (struct step_work){0};
}

int step_plan(struct step_work *work, cJSON **ret_plan, struct error *error)
{
        _cleanup_json_ cJSON *plan = NULL;
        work->run.deadline = deadline_in(PLAN_TIMEOUT);
        work->run.plan = NULL;
        int r = work->step->action->plan(&work->run, &plan, error);
        if (r < 0)
                return r;
        if (!cJSON_IsObject(plan))
                return error_set(error, EPROTO, "%s made no plan", work->step->action->name);
        *ret_plan = TAKE_PTR(plan);
        return 0;
}

bool step_exceeds_max(const struct step *step, size_t position, const cJSON *plan, char **ret_reason)
{
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

/* Plans one step into `item`: 0 also when it failed, which `why` then holds. */
static int plan_one(const struct step *step, size_t position, const struct alert *alert, const char *incident,
                    struct targets *targets, cJSON **ret_plan, struct error *why)
{
        struct step_work work = {0};
        int r = step_open(&work, step, position, alert, incident, targets, why);
        if (r < 0)
                return r;
        r = step_plan(&work, ret_plan, why);
        step_close(&work);
        return r;
}

int planning_make(const struct remediation *remediation, const struct step_record *records,
                  const struct alert *alert, const char *incident, struct targets *targets,
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
                int r = plan_one(step, i + 1, alert, incident, targets, &plan, &why);

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
