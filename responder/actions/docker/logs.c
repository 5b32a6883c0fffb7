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
#include "runbook/docker_access.h"

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

/* A log that was saved and sealed; or, in place of one, why there is none. */
struct saved {
        char *path;
        uint64_t size;
        char sum[DIGEST_TEXT_MAX];
        bool cut;            /* it was larger than what is kept */
        struct error failed; /* it could not be read, or not to its end */
};

static void saved_release(struct saved *saved)
{
        free(saved->path);
        error_clear(&saved->failed);
}

/* Whether it is this container's log that cannot be read (by a driver that keeps none, or a broken file), and
 * not the Engine that cannot be asked. */
static bool is_unreadable(int result)
{
        return result == -EREMOTEIO || result == -EEXIST || result == -EBADMSG;
}

/* Where the evidence of this incident lies, and how much of it there may be. */
static struct evidence_place place_of(const struct step_run *run)
{
        const struct target_set *set = targets_set(run->targets);
        return (struct evidence_place){.directory = set->evidence_directory,
                                       .incident = run->incident,
                                       .opened_at = run->opened_at,
                                       .per_incident = set->evidence_per_incident,
                                       .total = set->evidence_total,
                                       .keep_free = set->evidence_keep_free};
}

/* Begins a file, unless it was sealed before a crash: then it is done, if it still is what was sealed. */
static int begin_file(struct step_run *run, const char *file_name, struct evidence_file **ret_file,
                      struct saved *ret, struct error *error)
{
        const struct evidence_place place = place_of(run);
        int r = evidence_create(&place, file_name, ret_file, error);
        return r == -EEXIST ? evidence_find(&place, file_name, ret->sum, &ret->path, &ret->size, error) : r;
}

static int save_log(struct step_run *run, struct docker *docker, const char *id, const char *file_name,
                    struct saved *ret, struct error *error)
{
        const struct logs_config *config = run->config;
        _cleanup_evidence_ struct evidence_file *file = NULL;
        int r = begin_file(run, file_name, &file, ret, error);
        if (r < 0 || !file)
                return r;

        /* What the bounds of evidence leave is less, some day. */
        uint64_t room = evidence_room(file), most = (uint64_t)config->max_size;
        if (most > room)
                most = room;
        struct saving saving = {.file = file, .left = most};
        _cleanup_error_ struct error why = {0};
        nsec since = config->since > 0 ? clock_wall() - config->since : 0;
        r = docker_logs(docker, id, config->tail, since, run->deadline, save_lines, &saving, &why);
        if (saving.error.message) {
                error_move(error, &saving.error);
                return r;
        }
        ret->cut = saving.cut;
        if (r < 0 && !saving.cut && is_unreadable(r)) {
                error_move(&ret->failed, &why);
                if (saving.left == most)
                        return 0; /* nothing came of it */
        } else if (r < 0 && !saving.cut) {
                error_move(error, &why);
                return r;
        }
        return evidence_seal(TAKE_PTR(file), ret->sum, &ret->path, &ret->size, error);
}

/* In place of a log: why there is none, sealed like one, so that its absence is no gap. */
static int save_note(struct step_run *run, const char *name, struct saved *ret, struct error *error)
{
        _cleanup_free_ char *file_name = text_format("step%zu-%s.unreadable.txt", run->position, name);
        _cleanup_free_ char *note = text_format("%s\n", error_text(&ret->failed));
        _cleanup_evidence_ struct evidence_file *file = NULL;
        if (!file_name || !note)
                return error_oom(error);
        int r = begin_file(run, file_name, &file, ret, error);
        if (r >= 0 && file)
                r = evidence_write(file, note, strlen(note), error);
        return r < 0 || !file ? r : evidence_seal(TAKE_PTR(file), ret->sum, &ret->path, &ret->size, error);
}

/* What an outcome says of a file. */
static cJSON *describe_saved(const char *container, const struct saved *saved)
{
        _cleanup_json_ cJSON *item = cJSON_CreateObject();
        const char *failed = saved->failed.message;
        if (json_put(item, "container", json_text(container)) < 0 ||
            json_put(item, "path", json_text(saved->path)) < 0 ||
            json_put(item, "sha256", json_text(saved->sum)) < 0 ||
            json_put(item, "bytes", cJSON_CreateNumber((double)saved->size)) < 0 ||
            (saved->cut && json_put(item, "cut", cJSON_CreateTrue()) < 0) ||
            (failed && json_put(item, "why", json_text(failed)) < 0))
                return NULL;
        return TAKE_PTR(item);
}

/* What one run of the step has come to. */
struct collection {
        cJSON *files, *unreadable, *missing;
        struct text failures; /* ", web_1: Docker: …" */
};

static void collection_release(struct collection *collection)
{
        cJSON_Delete(collection->files);
        cJSON_Delete(collection->unreadable);
        cJSON_Delete(collection->missing);
        text_free(&collection->failures);
}

static int save_container(struct step_run *run, struct docker *docker, const cJSON *container,
                          struct collection *collection, struct error *error)
{
        const char *name = json_string(container, "name");
        name = name ? name : "unnamed";
        _cleanup_free_ char *file_name = text_format("step%zu-%s.log", run->position, name);
        _cleanup_(saved_release) struct saved saved = {0};
        if (!file_name)
                return error_oom(error);
        _cleanup_error_ struct error why = {0};
        int r = save_log(run, docker, json_string(container, "id"), file_name, &saved, &why);
        /* One that was removed since must not cost us the logs of the others; it is told. */
        if (r == -ENOENT)
                return json_append(collection->missing, json_text(name)) < 0 ? error_oom(error) : 0;
        bool unread = r >= 0 && !saved.path;
        if (unread)
                r = save_note(run, name, &saved, &why);
        if (r < 0) {
                error_move(error, &why);
                return error_prefix(error, r, "container %s", name);
        }
        if (saved.failed.message)
                text_printf(&collection->failures, "%s%s: %s", collection->failures.length > 0 ? ", " : "",
                            name, saved.failed.message);
        r = json_append(unread ? collection->unreadable : collection->files, describe_saved(name, &saved));
        return r < 0 || text_error(&collection->failures) < 0 ? error_oom(error) : 0;
}

static int put_outcome(struct collection *collection, cJSON **ret, struct error *error)
{
        int saved = cJSON_GetArraySize(collection->files), gone = cJSON_GetArraySize(collection->missing);
        const char *failures = text_string(&collection->failures);
        if (saved == 0 && *failures)
                return error_set(error, EREMOTEIO, "none of the logs can be read: %s", failures);
        if (saved == 0)
                return error_set(error, ESRCH, "none of the planned containers is there any more");
        _cleanup_json_ cJSON *outcome = NULL;
        const char *path = json_string(cJSON_GetArrayItem(collection->files, 0), "path");
        const char *end = path ? strrchr(path, '/') : NULL;
        int r = outcome_new(&outcome, error, "logs of %d container(s) saved and sealed in %.*s%s%s%s", saved,
                            (int)(end ? end - path : 0), path ? path : "",
                            *failures ? "; not to be read (whole): " : "", failures,
                            gone > 0 ? "; some containers were gone" : "");
        if (r < 0)
                return r;
        bool unread = cJSON_GetArraySize(collection->unreadable) > 0;
        if (json_put(outcome, "files", TAKE_PTR(collection->files)) < 0 ||
            (unread && json_put(outcome, "unreadable", TAKE_PTR(collection->unreadable)) < 0) ||
            (gone > 0 && json_put(outcome, "missing", TAKE_PTR(collection->missing)) < 0))
                return error_oom(error);
        *ret = TAKE_PTR(outcome);
        return 0;
}

static int logs_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const cJSON *container = NULL;
        _cleanup_docker_ struct docker *docker = NULL;
        _cleanup_(collection_release) struct collection collection = {
                .files = cJSON_CreateArray(),
                .unreadable = cJSON_CreateArray(),
                .missing = cJSON_CreateArray(),
        };
        int r = targets_docker(run->targets, &docker, error);
        cJSON_ArrayForEach(container, json_get(run->plan, "containers", NULL))
        {
                if (r >= 0)
                        r = save_container(run, docker, container, &collection, error);
        }
        return r < 0 ? r : put_outcome(&collection, ret_outcome, error);
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
        .docker_access = DOCKER_ACCESS_LOOK | DOCKER_ACCESS_LOGS,
        .check = logs_check,
        .plan = logs_plan,
        .run = logs_run,
};
