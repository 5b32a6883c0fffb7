/* SPDX-License-Identifier: Apache-2.0 */
/* What nothing needs: neither the project, nor another one, nor an undo, nor any container. */
#include "responder/actions/docker/unused.h"

#include <errno.h>

#include "responder/actions/docker/containers.h"
#include "responder/actions/shared/plan.h"

static void survey_release(struct survey *survey)
{
        cJSON_Delete(survey->all);
        unused_release(&survey->unused);
}

void unused_release(struct unused *unused)
{
        cJSON_Delete(unused->containers);
        cJSON_Delete(unused->networks);
        cJSON_Delete(unused->images);
        cJSON_Delete(unused->kept);
        *unused = (struct unused){0};
}

/* When it stopped, or was made if it never ran. What cannot be told is "just now", and stays. */
static nsec stopped_at(const struct survey *survey, const cJSON *inspected)
{
        nsec finished = docker_finished(inspected), created = docker_created(inspected);
        return finished > 0 ? finished : created > 0 ? created : survey->now;
}

static bool is_stopped(const cJSON *container)
{
        const char *status = docker_status(container);
        return string_equal(status, "exited") || string_equal(status, "created") ||
               string_equal(status, "dead");
}

/* Why a container or a network is not ours to remove, by its labels, for free(); NULL: it may be. */
static int belongs(const struct survey *survey, const cJSON *thing, char **ret_why, struct error *error)
{
        const char *project = docker_compose_project(thing), *keep = docker_label(thing, PRUNE_KEEP_LABEL);
        char *why = NULL;
        if (*keep && !string_equal(keep, "false"))
                why = strdup("has the label " PRUNE_KEEP_LABEL);
        else if (*project && string_equal(project, docker_project(survey->run)))
                why = strdup("belongs to the project");
        else if (*project && !config_strings_have(&survey->config->projects, project))
                why = text_format("belongs to Compose project %s, which is not named in `projects`", project);
        else {
                *ret_why = NULL;
                return 0;
        }
        *ret_why = why;
        return why ? 0 : error_oom(error);
}

/* One that does not run: removed, or kept with the reason. */
static int survey_container(struct survey *survey, const cJSON *inspected, struct error *error)
{
        static const struct purpose purpose = {DOCKER_REMOVE, .revive_stopped = true};
        const char *name = docker_name(inspected), *left = NULL;
        _cleanup_free_ char *why = NULL;
        int r = belongs(survey, inspected, &why, error);
        if (r < 0)
                return r;
        if (why)
                return survey_keep(survey, "container", name, why, error);

        _cleanup_error_ struct error refusal = {0};
        r = docker_ask(survey->run, survey->docker, &purpose, survey->all, inspected, &left, &refusal);
        if (r < 0)
                return survey_keep(survey, "container", name, error_text(&refusal), error);
        nsec used = stopped_at(survey, inspected);
        return used > survey->before
                       ? survey_keep_young(survey, "container", name, used, error)
                       : survey_add(survey->unused.containers, json_string(inspected, "Id"), name, 0, error);
}

static int survey_containers(struct survey *survey, struct error *error)
{
        const cJSON *container = NULL;
        cJSON_ArrayForEach(container, survey->all)
        {
                int r = is_stopped(container) ? survey_container(survey, container, error) : 0;
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
        return words_find(names, N_ELEMENTS(names), name) >= 0;
}

/* One that nobody uses. When somebody did for the last time the Engine does not tell: its age counts. */
static int survey_network(struct survey *survey, const cJSON *network, struct error *error)
{
        const char *id = json_string(network, "Id"), *name = json_string(network, "Name");
        const char *created = json_string(network, "Created");
        nsec at = 0;
        _cleanup_free_ char *why = NULL;
        int r = belongs(survey, network, &why, error);
        if (r < 0)
                return r;
        if (!why && !*docker_compose_project(network) &&
            !config_strings_have(&survey->config->network_names, name))
                return survey_keep(survey, "network", name,
                                   "was made by hand, and is not named in `network_names`", error);
        if (why)
                return survey_keep(survey, "network", name, why, error);
        if (!created || time_parse(created, &at, NULL) < 0)
                at = survey->now;
        return at > survey->before ? survey_keep_young(survey, "network", name, at, error)
                                   : survey_add(survey->unused.networks, id, name, 0, error);
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
                if (r < 0)
                        break;
                if (id && name && !network_is_built_in(name) &&
                    string_equal(json_string(network, "Scope"), "local") &&
                    !network_is_used(survey->all, id, name))
                        r = survey_network(survey, network, error);
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
                survey->unused.cache_records++;
                survey->unused.cache_bytes += json_number(record, "Size", 0);
        }
        return r < 0 ? r : 0;
}

/* By the Engine's clock, and ours where that is behind: what is removed was old by both. */
static nsec engine_now(const struct docker *docker)
{
        nsec ours = clock_wall(), engine = docker_time(docker);
        return engine > 0 && engine < ours ? engine : ours;
}

int unused_find(struct step_run *run, struct docker *docker, const struct prune_config *config,
                struct unused *ret, struct error *error)
{
        _cleanup_(survey_release) struct survey survey = {
                .run = run,
                .docker = docker,
                .config = config,
                .unused = {.containers = cJSON_CreateArray(),
                           .networks = cJSON_CreateArray(),
                           .images = cJSON_CreateArray(),
                           .kept = cJSON_CreateArray()},
        };
        int r = docker_inspect_everything(docker, run->deadline, &survey.all, error);
        survey.now = engine_now(docker);
        survey.before = survey.now - config->older_than;
        if (r >= 0 && config->containers)
                r = survey_containers(&survey, error);
        if (r >= 0 && config->networks)
                r = survey_networks(&survey, error);
        if (r >= 0 && config->images)
                r = survey_images(&survey, error);
        if (r >= 0 && config->build_cache)
                r = survey_cache(&survey, error);
        if (r < 0)
                return r;
        *ret = survey.unused;
        survey.unused = (struct unused){0};
        return 0;
}
