/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker.restart: one container after the other, and no restart is ever asked for twice.
 *
 * The Engine carries a restart out even when its client is gone. So State.StartedAt is the witness: the plan
 * writes it down, and a container that has a later one was restarted, by whomever the answer got lost to.
 */
#include <errno.h>

#include "responder/actions/docker/containers.h"
#include "responder/actions/docker/people.h"
#include "responder/actions/shared/plan.h"
#include "runbook/docker_access.h"
#include "runbook/wait.h"

/* A container without a health check counts as well when it has run for so long. */
#define SETTLE (2 * NSEC_PER_SEC)
/* What the Engine may need beyond the grace it was given: to kill, to unmount, to start. */
#define ENGINE_SLACK (15 * NSEC_PER_SEC)
#define LOOK_EVERY (250 * NSEC_PER_MSEC)
/* A restart that the Engine has failed with, perhaps because it ends: how often and how long a start is
 * tried. */
#define START_EVERY NSEC_PER_SEC
#define START_TIME (60 * NSEC_PER_SEC)
/* When the step's own time is up as well, there is still time to find out what became of it. */
#define LAST_LOOK (5 * NSEC_PER_SEC)

struct restart_config {
        char *service;
        nsec wait_healthy, stop_grace;
        bool revive_stopped;
        int64_t min_healthy;
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
        REVIVE_STOPPED_FIELD(struct restart_config),
        MIN_HEALTHY_FIELD(struct restart_config),
        {0},
};

static void restart_check(const void *configured, const struct target_set *targets, struct config_node *node)
{
        const struct restart_config *config = configured;
        docker_section_check(configured, targets, node);
        docker_check_min_healthy(config->min_healthy, node);
}

static struct purpose purpose_of(const struct step_run *run)
{
        const struct restart_config *config = run->config;
        return (struct purpose){DOCKER_RESTART, config->revive_stopped, config->min_healthy};
}

static int restart_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        const struct restart_config *config = run->config;
        const struct purpose purpose = purpose_of(run);
        return docker_plan_service(run, "restart service", config->service, &purpose, ret_plan, error);
}

/* Waiting for a restart that was asked for. */
struct awaited {
        const char *id, *before; /* the container, and its StartedAt of before */
        bool cut_off;            /* no answer came, or one that it failed: it may be down for good */
        bool refused;            /* the second: then what runs as before was not restarted */
        struct error why;        /* of the last look or start that failed */
};

/* An Engine that ends in the middle of a restart leaves the container stopped, and with the policy
 * "unless-stopped" it takes that for a person's wish: it is started, which harms none that runs already. */
static void start_if_down(struct docker *docker, struct awaited *awaited, const cJSON *inspected,
                          struct deadline deadline)
{
        _cleanup_free_ char *path = text_format("/containers/%s/start", awaited->id);
        if (path && string_equal(docker_status(inspected), "exited"))
                (void)docker_call(docker, "POST", path, NULL, deadline, NULL, &awaited->why);
}

/* One look: 1: it was restarted; 0: not yet. Failures to look are failures of the moment, except that it is
 * gone. */
static int look_restarted(struct docker *docker, struct awaited *awaited, struct deadline deadline,
                          struct error *error)
{
        _cleanup_json_ cJSON *inspected = NULL;
        _cleanup_error_ struct error why = {0};
        int r = docker_inspect(docker, awaited->id, deadline, &inspected, &why);
        if (r == -ENOENT) {
                error_move(error, &why);
                return r;
        }
        if (r < 0) {
                error_move(&awaited->why, &why);
                return 0;
        }
        bool runs = docker_marked_running(inspected);
        if (runs && strcmp(docker_started_at(inspected), awaited->before) != 0)
                return 1;
        if (runs && awaited->refused) {
                error_move(error, &awaited->why);
                return -EREMOTEIO;
        }
        if (awaited->cut_off)
                start_if_down(docker, awaited, inspected, deadline);
        return 0;
}

/* Looks until the container runs with another StartedAt than before, or until the deadline (-ETIMEDOUT). */
static int wait_restarted(struct docker *docker, struct awaited *awaited, struct deadline deadline,
                          struct error *error)
{
        for (;;) {
                int r = look_restarted(docker, awaited, deadline, error);
                if (r != 0)
                        return r > 0 ? 0 : r;
                if (pause_for(awaited->refused ? START_EVERY : LOOK_EVERY, deadline))
                        continue;
                const char *why = awaited->why.message;
                return error_set(error, ETIMEDOUT,
                                 "the Engine was asked to restart it and has not until now%s%s",
                                 why ? ": " : "", why ? why : "");
        }
}

/* Asks the Engine once. Whatever does not come back as done is looked into, not asked again. */
static int ask_restart(struct step_run *run, struct docker *docker, const char *id, const char *before,
                       nsec grace, struct error *error)
{
        struct deadline deadline = deadline_earlier(run->deadline, deadline_in(grace + ENGINE_SLACK));
        _cleanup_free_ char *path = text_format("/containers/%s/restart?t=%lld", id,
                                                (long long)((grace + NSEC_PER_SEC - 1) / NSEC_PER_SEC));
        if (!path)
                return error_oom(error);
        struct awaited awaited = {.id = id, .before = before};
        int r = docker_call(docker, "POST", path, NULL, deadline, NULL, &awaited.why);
        if (r == -ENOENT || r == -EEXIST || r == -ENOMEM)
                error_move(error, &awaited.why);
        else if (r < 0) {
                awaited.refused = r == -EREMOTEIO;
                awaited.cut_off = awaited.refused || docker_is_away(r);
                deadline = deadline_later(run->deadline, deadline_in(LAST_LOOK));
                if (awaited.refused)
                        deadline = deadline_earlier(deadline, deadline_in(START_TIME));
                r = wait_restarted(docker, &awaited, deadline, error);
        }
        error_clear(&awaited.why);
        return r < 0 ? r : 0;
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
        struct awaited awaited = {.id = id, .before = before};
        _cleanup_error_ struct error why = {0};
        int r = wait_restarted(docker, &awaited,
                               deadline_earlier(run->deadline, deadline_in(left > 0 ? left : 0)), &why);
        error_clear(&awaited.why);
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
        const cJSON *earlier = json_get(asked, id, NULL);
        struct purpose purpose = purpose_of(run);
        /* What was asked for before may have stopped it, and not have started it yet. */
        purpose.revive_stopped |= earlier != NULL;
        purpose.min_healthy = earlier ? 0 : purpose.min_healthy;
        int r = docker_inspect(docker, id, run->deadline, &inspected, error);
        if (r >= 0)
                r = docker_ask_again(run, docker, &purpose, inspected, error);
        if (r < 0)
                return r;

        /* Restarted since the plan: by us before a crash, or by somebody else. Either way it is done. */
        bool restarted = strcmp(docker_started_at(inspected), before) != 0;
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
                        return docker_name_first(error, r, name);
        }
        _cleanup_free_ char *left = docker_left_sentence(json_get(run->plan, "left", NULL));
        if (!left)
                return error_oom(error);
        r = outcome_new(&outcome, error, "restarted %d container(s) of service %s, healthy again%s",
                        cJSON_GetArraySize(results), config->service, left);
        if (r < 0)
                return r;
        if (json_put(outcome, "containers", TAKE_PTR(results)) < 0)
                return error_oom(error);
        *ret_outcome = TAKE_PTR(outcome);
        return 0;
}

static const char *const restart_counts[] = {"containers name image_id", NULL};

static int restart_people(struct step_run *run, const struct people_asked *asked, struct sighting *ret,
                          struct error *error)
{
        const struct restart_config *config = run->config;
        return docker_people(run, config->service, asked, ret, error);
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
        .docker_access = DOCKER_ACCESS_LOOK | DOCKER_ACCESS_RESTART,
        .check = restart_check,
        .counts = restart_counts,
        .plan = restart_plan,
        .people = restart_people,
        .run = restart_run,
};
