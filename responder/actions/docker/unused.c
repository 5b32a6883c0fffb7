/* SPDX-License-Identifier: Apache-2.0 */
/* What nothing needs: neither the project, nor an undo, nor any container. */
#include "responder/actions/docker/unused.h"

#include <errno.h>

#include "responder/actions/docker/containers.h"
#include "responder/actions/shared/plan.h"

#define THINGS_MAX 500

struct survey {
        struct step_run *run;
        struct docker *docker;
        cJSON *all;           /* every container, as listed */
        nsec before;          /* wall: what is younger stays */
        struct unused unused; /* what may go */
};

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
        *unused = (struct unused){0};
}

static int add_unused(cJSON *list, const char *id, const char *name, double bytes, struct error *error)
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
                        r = add_unused(survey->unused.containers, id, docker_name(container), 0, error);
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
                r = add_unused(survey->unused.networks, id, name, 0, error);
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
                r = add_unused(survey->unused.images, id, "<none>", json_number(image, "Size", 0), error);
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
                survey->unused.cache_bytes += (int64_t)json_number(record, "Size", 0);
        }
        return r < 0 ? r : 0;
}

int unused_find(struct step_run *run, struct docker *docker, const struct prune_config *config,
                struct unused *ret, struct error *error)
{
        _cleanup_(survey_release) struct survey survey = {
                .run = run,
                .docker = docker,
                .before = clock_wall() - config->older_than,
                .unused = {.containers = cJSON_CreateArray(),
                           .networks = cJSON_CreateArray(),
                           .images = cJSON_CreateArray()},
        };
        int r = docker_call(docker, "GET", "/containers/json?all=1", NULL, run->deadline, &survey.all, error);
        /* Without the list of containers everything would look unused. */
        if (r >= 0 && !cJSON_IsArray(survey.all))
                r = error_set(error, EPROTO, "the Engine's answer is no list of containers");
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
