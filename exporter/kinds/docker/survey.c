/* SPDX-License-Identifier: Apache-2.0 */
/* The questions about all containers of a project, which are under way at once. */
#include "exporter/kinds/docker/survey.h"

#include <errno.h>
#include <string.h>

#include "exporter/kinds/shared/globs.h"
#include "runbook/docker_container.h"
#include "runbook/http_client.h"

/* With "one-shot" the Engine does not wait for a second measurement, of which counters have no need. Engines
 * that do not know the word still answer. */
#define STATS "/stats?stream=0&one-shot=1"

/* What the questions of docker_container.h, this kind and its statistics ask for. The rest of what the Engine
 * tells of a container is many times as much. */
static const char *const inspected_members[] = {"Name",
                                                "Image",
                                                "Created",
                                                "RestartCount",
                                                "State",
                                                "Config.Image",
                                                "Config.Labels",
                                                "HostConfig.RestartPolicy",
                                                "HostConfig.NanoCpus",
                                                "HostConfig.CpuQuota",
                                                "HostConfig.Memory",
                                                NULL};
static const char *const stats_members[] = {"read",
                                            "cpu_stats.cpu_usage.total_usage",
                                            "cpu_stats.throttling_data",
                                            "memory_stats.usage",
                                            "memory_stats.stats.inactive_file",
                                            "memory_stats.stats.total_inactive_file",
                                            "networks",
                                            "blkio_stats.io_service_bytes_recursive",
                                            "pids_stats.current",
                                            NULL};

static struct docker_get *add_get(struct docker_survey *survey, const char *id, const char *what,
                                  const char *const members[])
{
        struct docker_get *get = &survey->gets[survey->get_count++];
        struct text path = {0};
        text_puts(&path, "/containers/");
        text_put_escaped(&path, id);
        text_puts(&path, what);
        get->path = text_take(&path);
        get->members = members;
        return get;
}

static bool has_stats(const cJSON *listed)
{
        return docker_runs(listed) || strcmp(docker_status(listed), "paused") == 0;
}

static bool is_included(const struct docker_config *config, const cJSON *container)
{
        const char *name = docker_name(container);
        return (config->include.count == 0 || globs_match(&config->include, name)) &&
               !globs_match(&config->exclude, name);
}

static int prepare(struct docker_survey *survey, const struct docker_config *config, bool resources)
{
        size_t most = (size_t)cJSON_GetArraySize(survey->list);
        const cJSON *listed;
        survey->items = calloc(most + 1, sizeof(*survey->items));
        survey->gets = calloc(2 * most + 1, sizeof(*survey->gets));
        if (!survey->items || !survey->gets)
                return -ENOMEM;
        cJSON_ArrayForEach(listed, survey->list)
        {
                const char *id = json_string(listed, "Id");
                struct docker_surveyed *item = &survey->items[survey->count];
                if (!id || !is_included(config, listed))
                        continue;
                *item = (struct docker_surveyed){.listed = listed,
                                                 .inspect = add_get(survey, id, "/json", inspected_members)};
                if (resources && has_stats(listed))
                        item->stats = add_get(survey, id, STATS, stats_members);
                survey->count++;
        }
        for (size_t i = 0; i < survey->get_count; i++)
                if (!survey->gets[i].path)
                        return -ENOMEM;
        return 0;
}

int docker_survey(struct docker *docker, const struct docker_config *config, bool resources,
                  struct docker_watch *watch, struct deadline deadline, struct docker_survey *ret,
                  struct error *error)
{
        _cleanup_(docker_survey_release) struct docker_survey survey = {0};
        const char *project = config->docker.project;
        int r = project ? docker_list(docker, project, NULL, deadline, &survey.list, error)
                        : docker_list_everything(docker, deadline, &survey.list, error);
        if (r >= 0 && watch)
                r = docker_watch_count(watch, docker, project, deadline, error);
        if (r < 0)
                return r;
        if (prepare(&survey, config, resources) < 0)
                return error_oom(error);
        r = docker_get_all(docker, survey.gets, survey.get_count, deadline, error);
        if (r < 0)
                return r;
        *ret = survey;
        survey = (struct docker_survey){0};
        return 0;
}

void docker_survey_release(struct docker_survey *survey)
{
        for (size_t i = 0; i < survey->get_count; i++)
                docker_get_release(&survey->gets[i]);
        free(survey->gets);
        free(survey->items);
        cJSON_Delete(survey->list);
        *survey = (struct docker_survey){0};
}
