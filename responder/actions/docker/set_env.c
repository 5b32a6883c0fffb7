/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker.set_env: containers recreated with another environment, each as a transaction (docker_recreate.h).
 *
 * progress: {"run": [entry …], "undo": [entry …]}, entry: {"id", "name", "done", "state"}, where `state` is
 * what docker_recreate() last wrote down. A run or an undo that begins again first rolls back what is not
 * `done`. What was kept for that goes when all replicas are changed: from then on an undo changes the values
 * back in what runs by then. They are compared first: what somebody else has set since stays.
 */
#include <errno.h>

#include "responder/actions/docker/containers.h"
#include "responder/actions/docker/env.h"
#include "responder/actions/docker/people.h"
#include "responder/actions/shared/plan.h"
#include "runbook/docker_access.h"

static const struct config_field set_env_fields[] = {
        {"service", CONFIG_STRING, offsetof(struct set_env_config, service),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY | CONFIG_BIND,
         .help = "the Compose service whose containers are recreated, one after the other"},
        {"env", CONFIG_MAP, offsetof(struct set_env_config, env),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY | CONFIG_BIND,
         .help = "the variables to set; old and new values are written into the journal, so not for secrets"},
        {"wait_healthy", CONFIG_DURATION, offsetof(struct set_env_config, wait_healthy), .fallback = "60s",
         .flags = CONFIG_POSITIVE | CONFIG_SPENT,
         .help = "how long each new container may take to be healthy before all is put back as it was"},
        {"stop_grace", CONFIG_DURATION, offsetof(struct set_env_config, stop_grace), .fallback = "0",
         .flags = CONFIG_SPENT,
         .help = "how long a container may take to stop before it is killed; 0: its own setting, or 10s"},
        REVIVE_STOPPED_FIELD(struct set_env_config),
        MIN_HEALTHY_FIELD(struct set_env_config),
        {0},
};

static void set_env_check(const void *configured, const struct target_set *targets, struct config_node *node)
{
        const struct set_env_config *config = configured;
        docker_section_check(configured, targets, node);
        docker_check_min_healthy(config->min_healthy, node);
        if (config->env.count > ENV_VARIABLES_MAX)
                config_complain(node, "env", "'env' has more than %d variables", ENV_VARIABLES_MAX);
        for (size_t i = 0; i < config->env.count; i++)
                if (!*config->env.keys[i] || strchr(config->env.keys[i], '='))
                        config_complain(node, "env", "\"%s\" is no name of a variable", config->env.keys[i]);
}

/* For a look whether anybody is there. */
#define LOOK_TIME (5 * NSEC_PER_SEC)
static int change_one(struct pass *pass, const cJSON *planned, struct error *error)
{
        const struct set_env_config *config = pass->run->config;
        const struct config_map *env = &config->env;
        struct purpose purpose = {DOCKER_RECREATE, config->revive_stopped, config->min_healthy};
        const char *id = json_string(planned, "id"), *name = json_string(planned, "name");
        const cJSON *entry = pass_find(pass->list, id);
        if (json_bool(entry, "done", false))
                return 0;

        /* Where a try before has put it back, that is it. */
        const char *returned = json_string(json_get(entry, "state", NULL), "returned");
        /* It may have been us who stopped it. */
        purpose.revive_stopped |= entry != NULL;
        purpose.min_healthy = entry ? 0 : purpose.min_healthy;
        _cleanup_json_ cJSON *inspected = NULL;
        int r = docker_inspect(pass->docker, returned ? returned : id, pass->run->deadline, &inspected,
                               error);
        if (r == -ENOENT || (r >= 0 && !string_equal(docker_name(inspected), name)))
                return error_set(error, ESTALE, "container %s was replaced since the plan was made", name);
        if (r >= 0)
                r = docker_ask_again(pass->run, pass->docker, &purpose, inspected, error);
        if (r < 0)
                return r;
        return pass_recreate(pass, id, inspected, (const char *const *)env->keys,
                             (const char *const *)env->values, env->count, error);
}

/* Values that are there already do not make a container healthy: what was not changed is waited for as well.
 */
static int await_unchanged(struct pass *pass, int *ret_count, struct error *error)
{
        const struct set_env_config *config = pass->run->config;
        struct deadline deadline = deadline_earlier(pass->run->deadline, deadline_in(config->wait_healthy));
        const cJSON *planned = NULL;
        cJSON_ArrayForEach(planned, json_get(pass->run->plan, "containers", NULL))
        {
                if (json_bool(planned, "change", false))
                        continue;
                const char *name = json_string(planned, "name");
                int r = docker_wait_healthy(pass->docker, json_string(planned, "id"), ENV_SETTLE, deadline,
                                            error);
                if (r == -ENOENT)
                        return error_set(error, ESTALE, "container %s was replaced since the plan was made",
                                         name);
                if (r < 0)
                        return error_prefix(error, r, "container %s has the values already, but", name);
                ++*ret_count;
        }
        return 0;
}

static int change_all(struct pass *pass, int *ret_unchanged, struct error *error)
{
        const cJSON *planned = NULL;
        cJSON_ArrayForEach(planned, json_get(pass->run->plan, "containers", NULL))
        {
                int r = json_bool(planned, "change", false) ? change_one(pass, planned, error) : 0;
                if (r < 0)
                        return r;
        }
        return await_unchanged(pass, ret_unchanged, error);
}

/*
 * The step has failed with `result`: all or nothing, the replicas that were changed before go back too. What
 * cannot be put back now set_env_settle() tries again; until then a person knows how to.
 */
static int give_up(struct pass *pass, int result, struct error *error)
{
        const struct step_run *run = pass->run;
        const struct set_env_config *config = run->config;
        _cleanup_error_ struct error why = {0};
        _cleanup_json_ cJSON *listed = NULL;
        /* When the Engine was away for all the time that there is to put one back, there is no more of it. */
        int r = result != -ENOTRECOVERABLE ? 0
                                           : docker_list(pass->docker, docker_project(run), config->service,
                                                         deadline_in(LOOK_TIME), &listed, &why);
        if (r >= 0 && pass_roll_back(pass, true, &why) >= 0)
                return result == -ENOTRECOVERABLE
                               ? error_prefix(error, result,
                                              "all is in its place again, at a later try than this")
                               : result;
        if (result != -ENOTRECOVERABLE && error)
                error_prefix(error, result, "%s; the step had failed before", error_text(&why));
        if (!error)
                return -ENOTRECOVERABLE;
        _cleanup_free_ char *sentence = strdup(error_text(error));
        return error_set(error, ENOTRECOVERABLE,
                         "%s; this is tried again for " ENV_TRY_AGAIN_WORD
                         ", also after a restart; by hand: POST "
                         "/api/v1/incidents/%s/undo, or docker-compose up -d --force-recreate %s",
                         sentence ? sentence : "failed", run->incident, config->service);
}

static int put_outcome(const struct pass *pass, int unchanged, cJSON **ret, struct error *error)
{
        const struct step_run *run = pass->run;
        const struct set_env_config *config = run->config;
        int changed = cJSON_GetArraySize(pass->list);
        const char *drift = json_string(json_get(cJSON_GetArrayItem(pass->list, 0), "state", NULL), "drift");
        _cleanup_free_ char *left = docker_left_sentence(json_get(run->plan, "left", NULL));
        _cleanup_text_ struct text summary = {0};
        if (changed > 0)
                text_printf(&summary, "%d container(s) of %s recreated with the new environment", changed,
                            config->service);
        if (unchanged > 0)
                text_printf(&summary, "%s%d container(s) of %s had these values already and are healthy",
                            changed > 0 ? "; " : "", unchanged, config->service);
        if (drift)
                text_printf(&summary, "; %s", drift);
        text_puts(&summary, left);
        return text_error(&summary) < 0 || !left ? error_oom(error)
                                                 : outcome_new(ret, error, "%s", text_string(&summary));
}

static int set_env_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        _cleanup_pass_ struct pass pass = {0};
        _cleanup_json_ cJSON *outcome = NULL;
        int unchanged = 0;
        int r = pass_begin(&pass, run, "run", error);
        if (r >= 0)
                r = pass_roll_back(&pass, false, error);
        if (r < 0)
                return r;
        r = change_all(&pass, &unchanged, error);
        if (r < 0)
                return give_up(&pass, r, error);

        /* What cannot be let go of now is let go of, or told, when the incident has ended. */
        (void)pass_settle(pass.docker, pass.list, run->deadline, NULL);
        r = put_outcome(&pass, unchanged, &outcome, error);
        if (r < 0)
                return r;
        if (json_put(outcome, "containers", json_copy(pass.list)) < 0)
                return error_oom(error);
        *ret_outcome = TAKE_PTR(outcome);
        return 0;
}

static const char *const set_env_counts[] = {"env", "containers name change previous", NULL};

static int env_people(struct step_run *run, const struct people_asked *asked, struct sighting *ret,
                      struct error *error)
{
        const struct set_env_config *config = run->config;
        return docker_people(run, config->service, asked, ret, error);
}

/* Repeatable, because run() first puts back what its progress says a crash left half-done. */
const struct action action_docker_set_env = {
        .name = "docker.set_env",
        .help = "Recreates the containers of a Compose service with changed environment variables; each is "
                "put back "
                "as it was when the new one does not become healthy. What Compose makes of it stands in "
                "[responder.md](responder.md#beside-compose).",
        .fields = set_env_fields,
        .config_size = sizeof(struct set_env_config),
        .effect = EFFECT_REVERSIBLE,
        .repeatable = true,
        .timeout = 300 * NSEC_PER_SEC,
        .target = TARGET_DOCKER,
        .docker_access = DOCKER_ACCESS_LOOK | DOCKER_ACCESS_RECREATE,
        .check = set_env_check,
        .counts = set_env_counts,
        .plan = env_plan,
        .people = env_people,
        .run = set_env_run,
        .undo = env_undo,
        .settle = env_settle,
};
