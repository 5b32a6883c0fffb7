/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker.restart: one container after the other, and no restart is ever asked for twice.
 *
 * The Engine carries a restart out even when its client is gone. So State.StartedAt is the witness: the plan
 * writes it down, and a container that has a later one was restarted, by whomever the answer got lost to.
 */
#include <errno.h>

#include "responder/actions/docker/containers.h"
#include "responder/actions/shared/plan.h"
#include "runbook/wait.h"

/* A container without a health check counts as well when it has run for so long. */
#define SETTLE (2 * NSEC_PER_SEC)
/* What the Engine may need beyond the grace it was given: to kill, to unmount, to start. */
#define ENGINE_SLACK (15 * NSEC_PER_SEC)
#define LOOK_EVERY (250 * NSEC_PER_MSEC)
/* When the step's own time is up as well, there is still time to find out what became of it. */
#define LAST_LOOK (5 * NSEC_PER_SEC)

struct restart_config {
        char *service;
        nsec wait_healthy, stop_grace;
};

static const struct config_field restart_fields[] = {
        {"service", CONFIG_STRING, offsetof(struct restart_config, service),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY | CONFIG_BIND,
         .help = "the Compose service whose containers are restarted, one after the other"},
        {"wait_healthy", CONFIG_DURATION, offsetof(struct restart_config, wait_healthy), .fallback = "60s",
         .flags = CONFIG_POSITIVE | CONFIG_SPENT,
         .help = "how long each container may take to be healthy (or, without a health check, to run for "
                 "2s)"},
        {"stop_grace", CONFIG_DURATION, offsetof(struct restart_config, stop_grace), .fallback = "10s",
         .flags = CONFIG_SPENT,
         .help = "how long a container may take to stop by itself before the Engine kills it"},
        {0},
};

static int restart_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        const struct restart_config *config = run->config;
        return docker_plan_service(run, "restart service", config->service, true, ret_plan, error);
}

/*
 * Looks until the container runs with another StartedAt than `before`, or until the deadline (-ETIMEDOUT).
 * Failures to look are failures of the moment, except that it is gone.
 */
static int wait_restarted(struct docker *docker, const char *id, const char *before, struct deadline deadline,
                          struct error *error)
{
        for (;;) {
                _cleanup_json_ cJSON *inspected = NULL;
                int r = docker_inspect(docker, id, deadline, &inspected, error);
                if (r == -ENOENT)
                        return r;
                if (r >= 0 && docker_marked_running(inspected) &&
                    strcmp(docker_started_at(inspected), before) != 0)
                        return 0;
                if (!pause_for(LOOK_EVERY, deadline))
                        return error_set(error, ETIMEDOUT,
                                         "the Engine was asked to restart it and has not until now");
        }
}

/* Asks the Engine once. Whatever does not come back as a clear answer is looked into, not asked again. */
static int ask_restart(struct step_run *run, struct docker *docker, const char *id, const char *before,
                       nsec grace, struct error *error)
{
        struct deadline deadline = deadline_earlier(run->deadline, deadline_in(grace + ENGINE_SLACK));
        _cleanup_free_ char *path = text_format("/containers/%s/restart?t=%lld", id,
                                                (long long)((grace + NSEC_PER_SEC - 1) / NSEC_PER_SEC));
        if (!path)
                return error_oom(error);
        _cleanup_error_ struct error answer = {0};
        int r = docker_call(docker, "POST", path, NULL, deadline, NULL, &answer);
        if (r >= 0)
                return 0;
        if (r == -EREMOTEIO || r == -ENOENT || r == -EEXIST || r == -ENOMEM) {
                error_move(error, &answer);
                return r;
        }
        return wait_restarted(docker, id, before, deadline_later(run->deadline, deadline_in(LAST_LOOK)),
                              error);
}

/* Writes down that this container is about to be asked, among those asked before. */
static int tell_progress(struct step_run *run, const char *id, cJSON *asked, struct error *error)
{
        int64_t now = clock_wall() / NSEC_PER_MSEC;
        if (json_put(asked, id, cJSON_CreateNumber((double)now)) < 0)
                return error_oom(error);
        _cleanup_json_ cJSON *progress = cJSON_CreateObject();
        if (json_put(progress, "asked_at_ms", json_copy(asked)) < 0)
                return error_oom(error);
        return run->write_progress(run, progress, error);
}

/*
 * After a crash: a restart that was written down may be on its way still, with the old StartedAt to be seen.
 * Waits as long as the Engine may take for it. True when it came to be.
 */
static int wait_for_earlier(struct step_run *run, struct docker *docker, const char *id, const char *before,
                            double asked_at_ms, bool *ret_restarted, struct error *error)
{
        const struct restart_config *config = run->config;
        nsec since = clock_wall() - (nsec)asked_at_ms * NSEC_PER_MSEC;
        if (since < 0)
                since = 0;
        nsec left = config->stop_grace + ENGINE_SLACK - since;
        _cleanup_error_ struct error why = {0};
        int r = wait_restarted(docker, id, before,
                               deadline_earlier(run->deadline, deadline_in(left > 0 ? left : 0)), &why);
        if (r < 0 && r != -ETIMEDOUT) {
                error_move(error, &why);
                return r;
        }
        *ret_restarted = r >= 0;
        return 0;
}

static int restart_one(struct step_run *run, struct docker *docker, const cJSON *planned, cJSON *asked,
                       cJSON *results, struct error *error)
{
        const struct restart_config *config = run->config;
        const char *id = json_string(planned, "id"), *before = json_string(planned, "started_at");
        _cleanup_json_ cJSON *inspected = NULL, *after = NULL;
        int r = docker_inspect(docker, id, run->deadline, &inspected, error);
        if (r >= 0)
                r = docker_refuse_protected(run, inspected, error);
        if (r < 0)
                return r;

        /* Restarted since the plan: by us before a crash, or by somebody else. Either way it is done. */
        bool restarted = strcmp(docker_started_at(inspected), before) != 0;
        const cJSON *earlier = json_get(asked, id, NULL);
        if (!restarted && earlier)
                r = wait_for_earlier(run, docker, id, before, cJSON_GetNumberValue(earlier), &restarted,
                                     error);
        if (r >= 0 && !restarted) {
                r = tell_progress(run, id, asked, error);
                if (r >= 0)
                        r = ask_restart(run, docker, id, before, config->stop_grace, error);
        }
        if (r >= 0)
                r = docker_wait_healthy(docker, id, SETTLE,
                                        deadline_earlier(run->deadline, deadline_in(config->wait_healthy)),
                                        error);
        if (r >= 0)
                r = docker_inspect(docker, id, run->deadline, &after, error);
        if (r < 0)
                return r;
        return json_append(results, docker_describe_container(after)) < 0 ? error_oom(error) : 0;
}

static int restart_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct restart_config *config = run->config;
        const cJSON *containers = json_get(run->plan, "containers", NULL), *earlier = NULL, *planned = NULL;
        _cleanup_docker_ struct docker *docker = NULL;
        int r = targets_docker(run->targets, &docker, error);
        if (r < 0)
                return r;

        earlier = json_get(run->progress, "asked_at_ms", NULL);
        _cleanup_json_ cJSON *asked = earlier ? json_copy(earlier) : cJSON_CreateObject();
        _cleanup_json_ cJSON *results = cJSON_CreateArray(), *outcome = NULL;
        if (!asked || !results)
                return error_oom(error);
        cJSON_ArrayForEach(planned, containers)
        {
                const char *name = json_string(planned, "name");
                r = restart_one(run, docker, planned, asked, results, error);
                if (r < 0)
                        return error_prefix(error, r, "container %s", name ? name : "?");
        }
        r = outcome_new(&outcome, error, "restarted %d container(s) of service %s, healthy again",
                        cJSON_GetArraySize(results), config->service);
        if (r < 0)
                return r;
        if (json_put(outcome, "containers", TAKE_PTR(results)) < 0)
                return error_oom(error);
        *ret_outcome = TAKE_PTR(outcome);
        return 0;
}

/* Repeatable, because run() knows by StartedAt and by its progress what was restarted before. */
const struct action action_docker_restart = {
        .name = "docker.restart",
        .help = "Restarts the containers of a Compose service, one after the other, each healthy before the "
                "next.",
        .fields = restart_fields,
        .config_size = sizeof(struct restart_config),
        .effect = EFFECT_IRREVERSIBLE,
        .repeatable = true,
        .timeout = 300 * NSEC_PER_SEC,
        .target = TARGET_DOCKER,
        .check = docker_section_check,
        .plan = restart_plan,
        .run = restart_run,
};
