/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker.prune: what `docker system prune -f` was for, one thing at a time and each of them named before.
 *
 * Never touched: containers of the project (also stopped ones), those that docker_recreate keeps for an undo
 * or that are in the middle of it, protected ones; images that any container refers to; networks that any
 * container refers to, running or not; volumes. The plan lists what would go; run() looks again and removes
 * what is in both lists, so nothing that came into use meanwhile, and nothing that became unused meanwhile.
 */
#include <errno.h>
#include <inttypes.h>

#include "responder/actions/docker/containers.h"
#include "responder/actions/shared/plan.h"

#define THINGS_MAX 500

struct prune_config {
        bool containers, networks, images, build_cache;
        nsec older_than;
};

static const struct config_field prune_fields[] = {
        {"containers", CONFIG_BOOL, offsetof(struct prune_config, containers), .fallback = "true",
         .help = "stopped containers that are not the project's"},
        {"networks", CONFIG_BOOL, offsetof(struct prune_config, networks), .fallback = "true",
         .help = "networks that no container refers to"},
        {"images", CONFIG_BOOL, offsetof(struct prune_config, images), .fallback = "true",
         .help = "dangling images that no container refers to"},
        {"build_cache", CONFIG_BOOL, offsetof(struct prune_config, build_cache), .fallback = "true",
         .help = "the builder's cache that was unused when the plan was made"},
        {"older_than", CONFIG_DURATION, offsetof(struct prune_config, older_than), .fallback = "0",
         .help = "only what was stopped, made or used for the last time so long ago"},
        {0},
};

static void prune_check(const void *configured, const struct target_set *targets, struct config_node *node)
{
        const struct prune_config *config = configured;
        docker_section_check(configured, targets, node);
        if (!config->containers && !config->networks && !config->images && !config->build_cache)
                config_complain(node, NULL, "nothing is left to prune");
        if (config->older_than < 0)
                config_complain(node, "older_than", "'older_than' must not be negative");
}

/* ---- what there is ---- */

struct survey {
        struct step_run *run;
        struct docker *docker;
        cJSON *all;                            /* every container, as listed */
        cJSON *containers, *networks, *images; /* what may go: {"id", "name", …} */
        int64_t cache_records, cache_bytes;
        nsec before; /* wall: what is younger stays */
};

static void survey_release(struct survey *survey)
{
        docker_free(survey->docker);
        cJSON_Delete(survey->all);
        cJSON_Delete(survey->containers);
        cJSON_Delete(survey->networks);
        cJSON_Delete(survey->images);
}
#define _cleanup_survey_ _cleanup_(survey_release)

static int add(cJSON *list, const char *id, const char *name, double bytes, struct error *error)
{
        /* The rest has its turn the next time. */
        if (cJSON_GetArraySize(list) >= THINGS_MAX)
                return 0;
        cJSON *item = cJSON_CreateObject();
        if (json_put(item, "id", json_text(id)) < 0 || json_put(item, "name", json_text(name)) < 0 ||
            (bytes > 0 && json_put(item, "bytes", cJSON_CreateNumber(bytes)) < 0)) {
                cJSON_Delete(item);
                return error_oom(error);
        }
        return json_append(list, item) < 0 ? error_oom(error) : 0;
}

/* When it stopped, or was made if it never ran. What cannot be told is "just now", and stays. */
static nsec stopped_at(const cJSON *inspected)
{
        nsec finished = docker_finished(inspected), created = docker_created(inspected);
        return finished > 0 ? finished : created > 0 ? created : clock_wall();
}

static bool is_stopped(const cJSON *container)
{
        const char *status = docker_status(container);
        return string_equal(status, "exited") || string_equal(status, "created") ||
               string_equal(status, "dead");
}

/* A container, or a network. */
static bool is_projects(const struct step_run *run, const cJSON *thing)
{
        const char *project = docker_compose_project(thing);
        return *project && string_equal(project, docker_project(run));
}

static int survey_containers(struct survey *survey, struct error *error)
{
        const cJSON *container = NULL;
        cJSON_ArrayForEach(container, survey->all)
        {
                if (!is_stopped(container) || docker_is_kept(container) ||
                    is_projects(survey->run, container) ||
                    docker_refuse_protected(survey->run, container, NULL) < 0)
                        continue;
                _cleanup_json_ cJSON *inspected = NULL;
                const char *id = json_string(container, "Id");
                int r = docker_inspect(survey->docker, id, survey->run->deadline, &inspected, error);
                if (r == -ENOENT)
                        continue;
                if (r >= 0 && stopped_at(inspected) <= survey->before)
                        r = add(survey->containers, id, docker_name(container), 0, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool network_is_used(const cJSON *all, const char *id, const char *name)
{
        const cJSON *container = NULL, *endpoint = NULL;
        cJSON_ArrayForEach(container, all)
        {
                cJSON_ArrayForEach(endpoint, json_get(container, "NetworkSettings", "Networks", NULL))
                {
                        /* A container that never ran knows its networks by name only. */
                        if (string_equal(json_string(endpoint, "NetworkID"), id) ||
                            string_equal(endpoint->string, name))
                                return true;
                }
        }
        return false;
}

static bool network_is_built_in(const char *name)
{
        static const char *const names[] = {"bridge", "host", "none", "ingress", "docker_gwbridge"};
        for (size_t i = 0; i < N_ELEMENTS(names); i++)
                if (string_equal(name, names[i]))
                        return true;
        return false;
}

static int survey_networks(struct survey *survey, struct error *error)
{
        /* {"type":["custom"]} */
        static const char path[] = "/networks?filters=%7B%22type%22%3A%5B%22custom%22%5D%7D";
        _cleanup_json_ cJSON *networks = NULL;
        const cJSON *network = NULL;
        int r = docker_call(survey->docker, "GET", path, NULL, survey->run->deadline, &networks, error);
        cJSON_ArrayForEach(network, networks)
        {
                const char *id = json_string(network, "Id"), *name = json_string(network, "Name");
                const char *created = json_string(network, "Created");
                nsec at = 0;
                if (r < 0)
                        break;
                if (!id || !name || network_is_built_in(name) ||
                    !string_equal(json_string(network, "Scope"), "local") ||
                    is_projects(survey->run, network) || network_is_used(survey->all, id, name) || !created ||
                    time_parse(created, &at, NULL) < 0 || at > survey->before)
                        continue;
                r = add(survey->networks, id, name, 0, error);
        }
        return r;
}

static bool image_is_used(const cJSON *all, const char *id)
{
        const cJSON *container = NULL;
        cJSON_ArrayForEach(container, all)
        {
                if (string_equal(json_string(container, "ImageID"), id))
                        return true;
        }
        return false;
}

static int survey_images(struct survey *survey, struct error *error)
{
        /* {"dangling":["true"]} */
        static const char path[] = "/images/json?filters=%7B%22dangling%22%3A%5B%22true%22%5D%7D";
        _cleanup_json_ cJSON *images = NULL;
        const cJSON *image = NULL;
        int r = docker_call(survey->docker, "GET", path, NULL, survey->run->deadline, &images, error);
        cJSON_ArrayForEach(image, images)
        {
                const char *id = json_string(image, "Id");
                nsec created = (nsec)json_number(image, "Created", 0) * NSEC_PER_SEC;
                if (r < 0)
                        break;
                if (!id || image_is_used(survey->all, id) || created > survey->before)
                        continue;
                r = add(survey->images, id, "<none>", json_number(image, "Size", 0), error);
        }
        return r;
}

/* Only how much: the builder prunes by age, not by name. Older Engines take no `type` and look at all. */
static int survey_cache(struct survey *survey, struct error *error)
{
        _cleanup_json_ cJSON *usage = NULL;
        const cJSON *record = NULL;
        int r = docker_call(survey->docker, "GET", "/system/df?type=build-cache", NULL, survey->run->deadline,
                            &usage, error);
        cJSON_ArrayForEach(record, json_get(usage, "BuildCache", NULL))
        {
                const char *used = json_string(record, "LastUsedAt");
                nsec at = 0;
                if (json_bool(record, "InUse", false) || json_bool(record, "Shared", false) ||
                    (used && time_parse(used, &at, NULL) >= 0 && at > survey->before))
                        continue;
                survey->cache_records++;
                survey->cache_bytes += (int64_t)json_number(record, "Size", 0);
        }
        return r < 0 ? r : 0;
}

static int survey_make(struct survey *survey, struct step_run *run, struct error *error)
{
        const struct prune_config *config = run->config;
        survey->run = run;
        survey->before = clock_wall() - config->older_than;
        survey->containers = cJSON_CreateArray();
        survey->networks = cJSON_CreateArray();
        survey->images = cJSON_CreateArray();
        int r = targets_docker(run->targets, &survey->docker, error);
        if (r >= 0)
                r = docker_call(survey->docker, "GET", "/containers/json?all=1", NULL, run->deadline,
                                &survey->all, error);
        /* Without the list of containers everything would look unused. */
        if (r >= 0 && !cJSON_IsArray(survey->all))
                r = error_set(error, EPROTO, "the Engine's answer is no list of containers");
        if (r >= 0 && config->containers)
                r = survey_containers(survey, error);
        if (r >= 0 && config->networks)
                r = survey_networks(survey, error);
        if (r >= 0 && config->images)
                r = survey_images(survey, error);
        if (r >= 0 && config->build_cache)
                r = survey_cache(survey, error);
        return r;
}

/*
 * Unlike elsewhere, finding nothing is no failure here: that there be nothing unused is what a prune is for,
 * and what it would look at is not chosen by a selector that could be mistaken.
 */
static int prune_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        _cleanup_survey_ struct survey survey = {0};
        _cleanup_json_ cJSON *plan = NULL;
        int r = survey_make(&survey, run, error);
        if (r < 0)
                return r;
        int containers = cJSON_GetArraySize(survey.containers),
            networks = cJSON_GetArraySize(survey.networks), images = cJSON_GetArraySize(survey.images);
        r = plan_new(&plan, containers + networks + images + (survey.cache_records > 0), error,
                     "remove %d stopped container(s), %d network(s), %d image(s) and %" PRId64
                     " KiB of build cache",
                     containers, networks, images, survey.cache_bytes / 1024);
        if (r < 0)
                return r;
        int64_t now = clock_wall() / NSEC_PER_SEC;
        if (json_put(plan, "containers", TAKE_PTR(survey.containers)) < 0 ||
            json_put(plan, "networks", TAKE_PTR(survey.networks)) < 0 ||
            json_put(plan, "images", TAKE_PTR(survey.images)) < 0 ||
            json_put(plan, "build_cache_records", cJSON_CreateNumber((double)survey.cache_records)) < 0 ||
            json_put(plan, "build_cache_bytes", cJSON_CreateNumber((double)survey.cache_bytes)) < 0 ||
            json_put(plan, "planned_at", cJSON_CreateNumber((double)now)) < 0)
                return error_oom(error);
        *ret_plan = TAKE_PTR(plan);
        return 0;
}

/* ---- removal ---- */

struct removal {
        struct survey *survey;
        cJSON *removed, *kept;
};

static void removal_release(struct removal *removal)
{
        cJSON_Delete(removal->removed);
        cJSON_Delete(removal->kept);
}

static bool list_has(const cJSON *list, const char *id)
{
        const cJSON *item = NULL;
        cJSON_ArrayForEach(item, list)
        {
                if (string_equal(json_string(item, "id"), id))
                        return true;
        }
        return false;
}

static int tell(cJSON *list, const char *kind, const cJSON *item, const char *why, struct error *error)
{
        cJSON *line = json_copy(item);
        if (json_put(line, "kind", json_text(kind)) < 0 ||
            (why && json_put(line, "why", json_text(why)) < 0)) {
                cJSON_Delete(line);
                return error_oom(error);
        }
        return json_append(list, line) < 0 ? error_oom(error) : 0;
}

/*
 * Removes the planned things of one kind, one by one. What the Engine refuses is kept and told: it is in use
 * by something that the survey could not see.
 */
static int remove_things(struct removal *removal, const char *kind, const char *path, const char *query,
                         const cJSON *planned, const cJSON *now, struct error *error)
{
        const cJSON *item = NULL;
        cJSON_ArrayForEach(item, planned)
        {
                const char *id = json_string(item, "id");
                int r;
                if (!id || !*id)
                        continue;
                if (!list_has(now, id)) {
                        r = tell(removal->kept, kind, item, "came into use, or was gone", error);
                        if (r < 0)
                                return r;
                        continue;
                }
                _cleanup_free_ char *at = text_format("%s%s%s", path, id, query);
                _cleanup_error_ struct error why = {0};
                if (!at)
                        return error_oom(error);
                r = docker_call(removal->survey->docker, "DELETE", at, NULL, removal->survey->run->deadline,
                                NULL, &why);
                if (r < 0 && r != -ENOENT && r != -EEXIST && r != -EREMOTEIO) {
                        error_move(error, &why);
                        return r;
                }
                r = r < 0 ? tell(removal->kept, kind, item, error_text(&why), error)
                          : tell(removal->removed, kind, item, NULL, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The cache that has not been used since the plan, nor for older_than before it. */
static int prune_cache(struct removal *removal, int64_t *ret_bytes, struct error *error)
{
        const struct step_run *run = removal->survey->run;
        const struct prune_config *config = run->config;
        nsec since_plan = clock_wall() - (nsec)json_number(run->plan, "planned_at", 0) * NSEC_PER_SEC;
        if (json_number(run->plan, "build_cache_records", 0) <= 0)
                return 0;
        int64_t seconds = (config->older_than + (since_plan > 0 ? since_plan : 0)) / NSEC_PER_SEC;
        /* {"until":["<seconds>s"]} */
        _cleanup_free_ char *path = text_format(
                "/build/prune?filters=%%7B%%22until%%22%%3A%%5B%%22%" PRId64 "s%%22%%5D%%7D", seconds);
        _cleanup_json_ cJSON *answer = NULL;
        if (!path)
                return error_oom(error);
        int r = docker_call(removal->survey->docker, "POST", path, NULL, run->deadline, &answer, error);
        if (r >= 0)
                *ret_bytes = (int64_t)json_number(answer, "SpaceReclaimed", 0);
        return r;
}

static int prune_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct prune_config *config = run->config;
        _cleanup_survey_ struct survey survey = {0};
        _cleanup_(removal_release) struct removal removal = {
                .survey = &survey, .removed = cJSON_CreateArray(), .kept = cJSON_CreateArray()};
        _cleanup_json_ cJSON *outcome = NULL;
        int64_t cache_bytes = 0;
        if (!removal.removed || !removal.kept)
                return error_oom(error);
        int r = survey_make(&survey, run, error);
        /* `v=0`: volumes are never removed. Neither is anything forced. */
        if (r >= 0)
                r = remove_things(&removal, "container", "/containers/", "?v=0&force=0",
                                  json_get(run->plan, "containers", NULL), survey.containers, error);
        if (r >= 0)
                r = remove_things(&removal, "network", "/networks/", "",
                                  json_get(run->plan, "networks", NULL), survey.networks, error);
        if (r >= 0)
                r = remove_things(&removal, "image", "/images/", "?force=0",
                                  json_get(run->plan, "images", NULL), survey.images, error);
        if (r >= 0 && config->build_cache)
                r = prune_cache(&removal, &cache_bytes, error);
        if (r < 0)
                return r;

        r = outcome_new(&outcome, error, "%d thing(s) and %" PRId64 " KiB of build cache removed, %d kept",
                        cJSON_GetArraySize(removal.removed), cache_bytes / 1024,
                        cJSON_GetArraySize(removal.kept));
        if (r < 0)
                return r;
        if (json_put(outcome, "removed", TAKE_PTR(removal.removed)) < 0 ||
            json_put(outcome, "kept", TAKE_PTR(removal.kept)) < 0 ||
            json_put(outcome, "build_cache_bytes", cJSON_CreateNumber((double)cache_bytes)) < 0)
                return error_oom(error);
        *ret_outcome = TAKE_PTR(outcome);
        return 0;
}

/* Repeatable: it removes what its plan names and is still unused, and what is gone stays gone. */
const struct action action_docker_prune = {
        .name = "docker.prune",
        .help = "Removes stopped containers, unused networks, dangling images and build cache that nothing "
                "of "
                "the project, of an incident or of a rollback needs; never volumes.",
        .fields = prune_fields,
        .config_size = sizeof(struct prune_config),
        .effect = EFFECT_IRREVERSIBLE,
        .repeatable = true,
        .timeout = 300 * NSEC_PER_SEC,
        .check = prune_check,
        .plan = prune_plan,
        .run = prune_run,
};
