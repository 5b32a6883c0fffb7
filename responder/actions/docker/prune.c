/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker.prune: what `docker system prune -f` was for, one thing at a time and each of them named before.
 *
 * Nothing goes that was in use in the last `older_than`. Never touched: containers of the project (also
 * stopped ones), of other Compose projects unless they are named, those that docker_recreate keeps for a way
 * back, that others depend on, protected ones; images that any container refers to, and what the last
 * deployment of the project has replaced; networks that any container refers to, running or not, and those
 * that were made by hand unless they are named; what has the label runbook.keep; volumes. The plan lists what
 * would go and what stays, with the reason; run() looks again and removes what is in both lists, so nothing
 * that came into use meanwhile, and nothing that became unused meanwhile.
 */
#include <errno.h>
#include <inttypes.h>

#include "responder/actions/docker/containers.h"
#include "responder/actions/docker/unused.h"
#include "responder/actions/shared/plan.h"
#include "runbook/docker_access.h"

static const struct config_field prune_fields[] = {
        {"older_than", CONFIG_DURATION, offsetof(struct prune_config, older_than), .fallback = "7d",
         .flags = CONFIG_POSITIVE,
         .help = "only what was in use for the last time so long ago: a container when it ended, an image "
                 "when "
                 "the next version of it was named, build cache when it was used, a network when it was "
                 "made"},
        {"containers", CONFIG_BOOL, offsetof(struct prune_config, containers), .fallback = "true",
         .help = "stopped containers that belong to no Compose project, or to one of `projects`"},
        {"networks", CONFIG_BOOL, offsetof(struct prune_config, networks), .fallback = "true",
         .help = "networks that no container refers to, of `projects` and `network_names`"},
        {"images", CONFIG_BOOL, offsetof(struct prune_config, images), .fallback = "true",
         .help = "dangling images that no container refers to, but what the last deployment of the project "
                 "has "
                 "replaced"},
        {"build_cache", CONFIG_BOOL, offsetof(struct prune_config, build_cache), .fallback = "true",
         .help = "the builder's cache that was unused when the plan was made"},
        {"projects", CONFIG_STRINGS, offsetof(struct prune_config, projects),
         .help = "other Compose projects, whose stopped containers and unused networks may go, too"},
        {"network_names", CONFIG_STRINGS, offsetof(struct prune_config, network_names),
         .help = "networks that were made by hand and may go when nothing refers to them"},
        {0},
};

static void check_names(const struct config_strings *names, const char *key, bool wanted,
                        struct config_node *node)
{
        for (size_t i = 0; i < names->count; i++)
                if (!*names->items[i])
                        config_complain(node, key, "'%s' holds an empty name", key);
        if (names->count > 0 && !wanted)
                config_complain(node, key, "'%s' names what is not looked for", key);
}

static void prune_check(const void *configured, const struct target_set *targets, struct config_node *node)
{
        const struct prune_config *config = configured;
        const char *own = targets->docker.project;
        docker_section_check(configured, targets, node);
        if (!config->containers && !config->networks && !config->images && !config->build_cache)
                config_complain(node, NULL, "nothing is left to prune");
        check_names(&config->projects, "projects", config->containers || config->networks, node);
        check_names(&config->network_names, "network_names", config->networks, node);
        if (own && *own && config_strings_have(&config->projects, own))
                config_complain(node, "projects",
                                "\"%s\" is the project itself, whose things are never removed", own);
}

/*
 * Unlike elsewhere, finding nothing is no failure here: that there be nothing unused is what a prune is for,
 * and what it would look at is not chosen by a selector that could be mistaken.
 */
static int prune_plan(struct step_run *run, cJSON **ret_plan, struct error *error)
{
        _cleanup_docker_ struct docker *docker = NULL;
        _cleanup_(unused_release) struct unused unused = {0};
        _cleanup_json_ cJSON *plan = NULL;
        int r = targets_docker(run->targets, &docker, error);
        if (r >= 0)
                r = unused_find(run, docker, run->config, &unused, error);
        if (r < 0)
                return r;
        int containers = cJSON_GetArraySize(unused.containers),
            networks = cJSON_GetArraySize(unused.networks), images = cJSON_GetArraySize(unused.images);
        r = plan_new(&plan, containers + networks + images + (unused.cache_records > 0), error,
                     "remove %d stopped container(s), %d network(s), %d image(s) and %.0f "
                     "KiB of build cache; %d unused thing(s) are kept",
                     containers, networks, images, unused.cache_bytes / 1024,
                     cJSON_GetArraySize(unused.kept));
        if (r < 0)
                return r;
        int64_t now = clock_wall() / NSEC_PER_SEC;
        if (json_put(plan, "containers", TAKE_PTR(unused.containers)) < 0 ||
            json_put(plan, "networks", TAKE_PTR(unused.networks)) < 0 ||
            json_put(plan, "images", TAKE_PTR(unused.images)) < 0 ||
            json_put(plan, "kept", TAKE_PTR(unused.kept)) < 0 ||
            json_put(plan, "build_cache_records", cJSON_CreateNumber((double)unused.cache_records)) < 0 ||
            json_put(plan, "build_cache_bytes", cJSON_CreateNumber(unused.cache_bytes)) < 0 ||
            json_put(plan, "planned_at", cJSON_CreateNumber((double)now)) < 0)
                return error_oom(error);
        *ret_plan = TAKE_PTR(plan);
        return 0;
}

/* One run of the action. */
struct removal {
        struct step_run *run;
        struct docker *docker;
        struct unused unused; /* now */
        cJSON *removed, *kept;
};

static void removal_release(struct removal *removal)
{
        docker_free(removal->docker);
        unused_release(&removal->unused);
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

static int put_line(cJSON *list, const char *kind, const cJSON *item, const char *why, struct error *error)
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
                        r = put_line(removal->kept, kind, item, "came into use, or was gone", error);
                        if (r < 0)
                                return r;
                        continue;
                }
                _cleanup_free_ char *at = text_format("%s%s%s", path, id, query);
                _cleanup_error_ struct error why = {0};
                if (!at)
                        return error_oom(error);
                r = docker_call(removal->docker, "DELETE", at, NULL, removal->run->deadline, NULL, &why);
                if (r < 0 && r != -ENOENT && r != -EEXIST && r != -EREMOTEIO) {
                        error_move(error, &why);
                        return r;
                }
                r = r < 0 ? put_line(removal->kept, kind, item, error_text(&why), error)
                          : put_line(removal->removed, kind, item, NULL, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The cache that has not been used since the plan, nor for older_than before it. */
static int prune_cache(struct removal *removal, double *ret_bytes, struct error *error)
{
        const struct step_run *run = removal->run;
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
        int r = docker_call(removal->docker, "POST", path, NULL, run->deadline, &answer, error);
        if (r >= 0)
                *ret_bytes = json_number(answer, "SpaceReclaimed", 0);
        return r;
}

static int prune_run(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct prune_config *config = run->config;
        _cleanup_(removal_release) struct removal removal = {
                .run = run, .removed = cJSON_CreateArray(), .kept = cJSON_CreateArray()};
        _cleanup_json_ cJSON *outcome = NULL;
        double cache_bytes = 0;
        if (!removal.removed || !removal.kept)
                return error_oom(error);
        int r = targets_docker(run->targets, &removal.docker, error);
        if (r >= 0)
                r = unused_find(run, removal.docker, config, &removal.unused, error);
        /* `v=0`: volumes are never removed. Neither is anything forced. */
        if (r >= 0)
                r = remove_things(&removal, "container", "/containers/", "?v=0&force=0",
                                  json_get(run->plan, "containers", NULL), removal.unused.containers, error);
        if (r >= 0)
                r = remove_things(&removal, "network", "/networks/", "",
                                  json_get(run->plan, "networks", NULL), removal.unused.networks, error);
        if (r >= 0)
                r = remove_things(&removal, "image", "/images/", "?force=0",
                                  json_get(run->plan, "images", NULL), removal.unused.images, error);
        if (r >= 0 && config->build_cache)
                r = prune_cache(&removal, &cache_bytes, error);
        if (r < 0)
                return r;

        const cJSON *item = NULL;
        cJSON_ArrayForEach(item, removal.unused.kept)
        {
                if (json_append(removal.kept, json_copy(item)) < 0)
                        return error_oom(error);
        }
        r = outcome_new(&outcome, error, "%d thing(s) and %.0f KiB of build cache removed, %d kept",
                        cJSON_GetArraySize(removal.removed), cache_bytes / 1024,
                        cJSON_GetArraySize(removal.kept));
        if (r < 0)
                return r;
        if (json_put(outcome, "removed", TAKE_PTR(removal.removed)) < 0 ||
            json_put(outcome, "kept", TAKE_PTR(removal.kept)) < 0 ||
            json_put(outcome, "build_cache_bytes", cJSON_CreateNumber(cache_bytes)) < 0)
                return error_oom(error);
        *ret_outcome = TAKE_PTR(outcome);
        return 0;
}

/* Not how large it is, nor what stays. */
static const char *const prune_counts[] = {"containers id name", "networks id name", "images id name", NULL};

/* Repeatable: it removes what its plan names and is still unused, and what is gone stays gone. */
const struct action action_docker_prune = {
        .name = "docker.prune",
        .help = "Removes what has been out of use for a while: stopped containers, unused networks, dangling "
                "images and build cache that neither the project, nor another one, nor an incident or a roll "
                "back "
                "needs; never volumes.",
        .fields = prune_fields,
        .config_size = sizeof(struct prune_config),
        .effect = EFFECT_IRREVERSIBLE,
        .repeatable = true,
        .timeout = 300 * NSEC_PER_SEC,
        .target = TARGET_DOCKER,
        .docker_access = DOCKER_ACCESS_LOOK | DOCKER_ACCESS_PRUNE,
        .check = prune_check,
        .counts = prune_counts,
        .plan = prune_plan,
        .run = prune_run,
};
