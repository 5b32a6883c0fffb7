/* SPDX-License-Identifier: Apache-2.0 */
/* What docker.set_env would do, found out by reading only. */
#include "responder/actions/docker/env.h"

#include <errno.h>

#include "responder/actions/docker/containers.h"
#include "responder/actions/shared/plan.h"
#include "runbook/docker_recreate.h"

const char *env_find(const cJSON *inspected, const char *name)
{
        const cJSON *pair = NULL;
        const char *found = NULL;
        size_t length = strlen(name);
        cJSON_ArrayForEach(pair, json_get(inspected, "Config", "Env", NULL))
        {
                const char *text = cJSON_GetStringValue(pair);
                if (text && strncmp(text, name, length) == 0 && text[length] == '=')
                        found = text + length + 1;
        }
        return found;
}

/* {"id", "name", "change", "previous": {…}} of one container. `ret_differs`: by its values. */
static cJSON *plan_container(const struct config_map *env, const cJSON *inspected, bool *ret_differs)
{
        _cleanup_json_ cJSON *item = cJSON_CreateObject();
        cJSON *previous = cJSON_CreateObject();
        if (json_put(item, "previous", previous) < 0)
                return NULL;
        bool differs = false;
        for (size_t i = 0; i < env->count; i++) {
                const char *value = env_find(inspected, env->keys[i]);
                differs = differs || !string_equal(value, env->values[i]);
                if (json_put(previous, env->keys[i], json_text(value)) < 0)
                        return NULL;
        }
        bool change = differs || !docker_marked_running(inspected);
        if (json_put(item, "id", json_text(json_string(inspected, "Id"))) < 0 ||
            json_put(item, "name", json_text(docker_name(inspected))) < 0 ||
            json_put(item, "change", cJSON_CreateBool(change)) < 0)
                return NULL;
        *ret_differs = differs;
        return TAKE_PTR(item);
}

static cJSON *env_object(const struct config_map *env)
{
        _cleanup_json_ cJSON *object = cJSON_CreateObject();
        for (size_t i = 0; i < env->count; i++)
                if (json_put(object, env->keys[i], cJSON_CreateString(env->values[i])) < 0)
                        return NULL;
        return TAKE_PTR(object);
}

/* What comes of looking at the service's containers. */
struct prospect {
        struct step_run *run;
        cJSON *containers;
        /* Those that have other values; that have these, and do not run; that run, and are not healthy. */
        struct text differ, down, waited_for;
        int changes;
};

static void prospect_release(struct prospect *prospect)
{
        cJSON_Delete(prospect->containers);
        text_free(&prospect->differ);
        text_free(&prospect->down);
        text_free(&prospect->waited_for);
}

/* What could not be put back is refused here, before anything is changed. */
static int plan_one(void *context, struct docker *docker, const cJSON *inspected, struct error *error)
{
        struct prospect *prospect = context;
        const struct set_env_config *config = prospect->run->config;
        const char *health = docker_health(inspected);
        bool differs = false;
        int r = docker_recreate_check(docker, inspected, prospect->run->deadline, error);
        if (r < 0)
                return r;
        if (json_append(prospect->containers, plan_container(&config->env, inspected, &differs)) < 0)
                return error_oom(error);
        bool down = !docker_marked_running(inspected);
        if (differs)
                docker_put_container(&prospect->differ, inspected);
        else if (down)
                docker_put_container(&prospect->down, inspected);
        else if (!docker_runs(inspected) || string_equal(health, "starting") ||
                 string_equal(health, "unhealthy"))
                text_printf(&prospect->waited_for, "%s%s (%s, health %s)",
                            prospect->waited_for.length > 0 ? ", " : "", docker_name(inspected),
                            docker_status(inspected), health);
        prospect->changes += differs || down;
        return 0;
}

/* The sentence of the plan. */
static void put_summary(struct prospect *prospect, const char *left, struct text *ret)
{
        const struct set_env_config *config = prospect->run->config;
        _cleanup_text_ struct text variables = {0};
        words_put(&variables, (const char *const *)config->env.keys, config->env.count, ", ");
        if (prospect->differ.length > 0)
                text_printf(ret, "recreate with another %s: %s", text_string(&variables),
                            text_string(&prospect->differ));
        if (prospect->down.length > 0)
                text_printf(ret, "%srecreate, as it has %s as wanted but does not run: %s",
                            ret->length > 0 ? "; " : "", text_string(&variables),
                            text_string(&prospect->down));
        if (prospect->changes == 0)
                text_printf(ret, "nothing to do: %s has %s as wanted already", config->service,
                            text_string(&variables));
        if (prospect->waited_for.length > 0)
                text_printf(ret, "; to become healthy: %s", text_string(&prospect->waited_for));
        text_puts(ret, left);
}

int env_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        const struct set_env_config *config = run->config;
        const struct purpose purpose = {DOCKER_RECREATE, config->revive_stopped, config->min_healthy};
        _cleanup_(prospect_release) struct prospect prospect = {.run = run,
                                                                .containers = cJSON_CreateArray()};
        _cleanup_json_ cJSON *plan = NULL, *left = NULL;
        _cleanup_text_ struct text summary = {0};
        int r = docker_inspect_each(run, config->service, &purpose, plan_one, &prospect, &left, error);
        if (r < 0)
                return r;
        _cleanup_free_ char *sentence = docker_left_sentence(left);
        if (!sentence || text_error(&prospect.differ) < 0 || text_error(&prospect.down) < 0 ||
            text_error(&prospect.waited_for) < 0)
                return error_oom(error);
        put_summary(&prospect, sentence, &summary);
        r = text_error(&summary) < 0 ? error_oom(error)
                                     : plan_new(&plan, prospect.changes, error, "%s", text_string(&summary));
        if (r < 0)
                return r;
        if (json_put(plan, "env", env_object(&config->env)) < 0 ||
            json_put(plan, "containers", TAKE_PTR(prospect.containers)) < 0 ||
            (left && json_put(plan, "left", TAKE_PTR(left)) < 0))
                return error_oom(error);
        *ret_plan = TAKE_PTR(plan);
        return 0;
}
