/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker.logs: the last lines of containers, saved as evidence and sealed by SHA-256.
 *
 * Stopped containers are read too: what they logged last is evidence.
 * The Engine's bytes are kept as they came, each line behind the Engine's own time stamp.
 */
#include <errno.h>
#include <inttypes.h>

#include "responder/actions/docker/containers.h"
#include "responder/actions/shared/evidence.h"
#include "responder/actions/shared/plan.h"

#define CONTAINERS_MAX 200

struct logs_config {
        struct config_strings services;
        bool all_services;
        int64_t tail, max_size;
        nsec since;
};

static const struct config_field logs_fields[] = {
        {"services", CONFIG_STRINGS, offsetof(struct logs_config, services), .flags = CONFIG_BIND,
         .help = "the Compose services whose containers' logs are saved; or all_services"},
        {"all_services", CONFIG_BOOL, offsetof(struct logs_config, all_services), .fallback = "false",
         .help = "the logs of every container of the project"},
        {"tail", CONFIG_INT, offsetof(struct logs_config, tail), .fallback = "1000",
         .help = "the last lines of each container; 0: all of them"},
        {"since", CONFIG_DURATION, offsetof(struct logs_config, since), .fallback = "0",
         .help = "only what was logged so long ago at most; 0: ever"},
        {"max_size", CONFIG_SIZE, offsetof(struct logs_config, max_size), .fallback = "256MiB",
         .flags = CONFIG_POSITIVE,
         .help = "most bytes of one container's log; the file is cut there, and the outcome says so"},
        {0},
};

static void logs_check(const void *configured, const struct target_set *targets, struct config_node *node)
{
        const struct logs_config *config = configured;
        docker_section_check(configured, targets, node);
        if ((config->services.count > 0) == config->all_services)
                config_complain(node, NULL, "needs either services or `all_services: true`");
        for (size_t i = 0; i < config->services.count; i++)
                if (!*config->services.items[i])
                        config_complain(node, "services",
                                        "'services' holds an empty name, which selects nothing");
        if (config->tail < 0)
                config_complain(node, "tail", "'tail' must not be negative");
}

/* Puts what was listed at the end of `containers`. */
static int add_containers(const cJSON *listed, cJSON *containers, struct error *error)
{
        const cJSON *container = NULL;
        cJSON_ArrayForEach(container, listed)
        {
                cJSON *item = cJSON_CreateObject();
                if (json_put(item, "id", json_text(json_string(container, "Id"))) < 0 ||
                    json_put(item, "name", json_text(docker_name(container))) < 0 ||
                    json_put(item, "service", json_text(docker_service(container))) < 0 ||
                    json_put(item, "state", json_text(docker_status(container))) < 0) {
                        cJSON_Delete(item);
                        return error_oom(error);
                }
                if (json_append(containers, item) < 0)
                        return error_oom(error);
        }
        if (cJSON_GetArraySize(containers) > CONTAINERS_MAX)
                return error_set(error, E2BIG, "more than %d containers: name the services", CONTAINERS_MAX);
        return 0;
}

static int find_containers(struct step_run *run, cJSON *containers, struct error *error)
{
        const struct logs_config *config = run->config;
        _cleanup_docker_ struct docker *docker = NULL;
        size_t count = config->all_services ? 1 : config->services.count;
        int r = targets_docker(run->targets, &docker, error);
        for (size_t i = 0; r >= 0 && i < count; i++) {
                _cleanup_json_ cJSON *listed = NULL;
                r = config->all_services
                            ? docker_select_all(run, docker, &listed, error)
                            : docker_select(run, docker, config->services.items[i], &listed, error);
                if (r >= 0)
                        r = add_containers(listed, containers, error);
        }
        return r;
}

static int logs_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        const struct logs_config *config = run->config;
        _cleanup_json_ cJSON *containers = cJSON_CreateArray(), *plan = NULL;
        int r = find_containers(run, containers, error);
        if (r < 0)
                return r;

        int count = cJSON_GetArraySize(containers);
        if (config->tail > 0)
                r = plan_new(&plan, count, error,
                             "save the last %" PRId64 " log lines of %d container(s) as evidence",
                             config->tail, count);
        else
                r = plan_new(&plan, count, error, "save the whole logs of %d container(s) as evidence",
                             count);
        if (r < 0)
                return r;
        if (json_put(plan, "containers", TAKE_PTR(containers)) < 0)
                return error_oom(error);
        *ret_plan = TAKE_PTR(plan);
        return 0;
}

struct saving {
        struct evidence_file *file;
        uint64_t left;
        bool cut;
        struct error error; /* of the file; what the Engine client says of it is second-hand */
};

static int save_lines(void *context, int stream, const char *data, size_t length)
{
        (void)stream;
        struct saving *saving = context;
        if (length > saving->left) {
                length = (size_t)saving->left;
                saving->cut = true;
        }
        saving->left -= length;
        int r = evidence_write(saving->file, data, length, &saving->error);
        if (r < 0)
                return r;
        return saving->cut ? -EFBIG : 0;
}

/* A log that was saved and sealed. */
struct saved {
        char *path;
        uint64_t size;
        char sum[DIGEST_TEXT_MAX];
        bool cut; /* it was larger than what is kept */
};

static void saved_release(struct saved *saved)
{
        free(saved->path);
}

static int save_log(struct step_run *run, struct docker *docker, const char *id, const char *file_name,
                    struct saved *ret, struct error *error)
{
        const struct logs_config *config = run->config;
        const char *directory = targets_set(run->targets)->evidence_directory;
        _cleanup_evidence_ struct evidence_file *file = NULL;
        int r = evidence_create(directory, run->incident, file_name, &file, error);
        /* Sealed before a crash: then it is done, if it still is what was sealed. */
        if (r == -EEXIST)
                return evidence_find(directory, run->incident, file_name, ret->sum, &ret->path, &ret->size,
                                     error);
        if (r < 0)
                return r;

        struct saving saving = {.file = file, .left = (uint64_t)config->max_size};
        _cleanup_error_ struct error why = {0};
        nsec since = config->since > 0 ? clock_wall() - config->since : 0;
        r = docker_logs(docker, id, config->tail, since, run->deadline, save_lines, &saving, &why);
        if (saving.error.message) {
                error_move(error, &saving.error);
                return r;
        }
        if (r < 0 && !saving.cut) {
                error_move(error, &why);
                return r;
        }
        ret->cut = saving.cut;
        return evidence_seal(TAKE_PTR(file), ret->sum, &ret->path, &ret->size, error);
}

static int save_container(struct step_run *run, struct docker *docker, const cJSON *container, cJSON *files,
                          struct error *error)
{
        const char *name = json_string(container, "name");
        _cleanup_free_ char *file_name =
                text_format("step%zu-%s.log", run->position, name ? name : "unnamed");
        _cleanup_(saved_release) struct saved saved = {0};
        if (!file_name)
                return error_oom(error);
        int r = save_log(run, docker, json_string(container, "id"), file_name, &saved, error);
        if (r < 0)
                return error_prefix(error, r, "container %s", name);

        cJSON *item = cJSON_CreateObject();
        if (json_put(item, "container", json_text(name)) < 0 ||
            json_put(item, "path", json_text(saved.path)) < 0 ||
            json_put(item, "sha256", json_text(saved.sum)) < 0 ||
            json_put(item, "bytes", cJSON_CreateNumber((double)saved.size)) < 0 ||
            (saved.cut && json_put(item, "cut", cJSON_CreateTrue()) < 0)) {
                cJSON_Delete(item);
                return error_oom(error);
        }
        return json_append(files, item) < 0 ? error_oom(error) : 0;
}

static int logs_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const cJSON *container = NULL;
        _cleanup_docker_ struct docker *docker = NULL;
        _cleanup_json_ cJSON *files = cJSON_CreateArray(), *missing = cJSON_CreateArray(), *outcome = NULL;
        int r = targets_docker(run->targets, &docker, error);
        if (r < 0)
                return r;
        cJSON_ArrayForEach(container, json_get(run->plan, "containers", NULL))
        {
                r = save_container(run, docker, container, files, error);
                /* One that was removed since must not cost us the logs of the others; it is told. */
                if (r == -ENOENT && json_append(missing, json_text(json_string(container, "name"))) >= 0)
                        continue;
                if (r < 0)
                        return r;
        }
        int saved = cJSON_GetArraySize(files), gone = cJSON_GetArraySize(missing);
        if (saved == 0)
                return error_set(error, ESRCH, "none of the planned containers is there any more");
        error_clear(error);
        r = outcome_new(&outcome, error, "logs of %d container(s) saved and sealed in %s/%s%s", saved,
                        targets_set(run->targets)->evidence_directory, run->incident,
                        gone > 0 ? "; some containers were gone" : "");
        if (r < 0)
                return r;
        if (json_put(outcome, "files", TAKE_PTR(files)) < 0 ||
            (gone > 0 && json_put(outcome, "missing", TAKE_PTR(missing)) < 0))
                return error_oom(error);
        *ret_outcome = TAKE_PTR(outcome);
        return 0;
}

/* Read-only for what it reads; repeatable, because a file that is sealed already is kept as it is. */
const struct action action_docker_logs = {
        .name = "docker.logs",
        .help = "Saves the logs of containers as evidence, one file each, sealed by SHA-256.",
        .fields = logs_fields,
        .config_size = sizeof(struct logs_config),
        .effect = EFFECT_READ_ONLY,
        .repeatable = true,
        .timeout = 120 * NSEC_PER_SEC,
        .target = TARGET_DOCKER,
        .check = logs_check,
        .plan = logs_plan,
        .run = logs_run,
};
