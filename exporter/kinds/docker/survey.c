/* SPDX-License-Identifier: Apache-2.0 */
/* The questions about all containers of a project, which are under way at once. */
#include "exporter/kinds/docker/survey.h"

#include <errno.h>
#include <string.h>

#include "runbook/docker_container.h"
#include "runbook/http_client.h"

/* With "one-shot" the Engine does not wait for a second measurement, of which counters have no need. Engines
 * that do not know the word still answer. */
#define STATS "/stats?stream=0&one-shot=1"

static struct docker_get *add_get(struct docker_survey *survey, const char *id, const char *what)
{
        struct docker_get *get = &survey->gets[survey->get_count++];
        struct text path = {0};
        text_puts(&path, "/containers/");
        http_put_escaped(&path, id);
        text_puts(&path, what);
        get->path = text_take(&path);
        return get;
}

static bool has_stats(const cJSON *listed)
{
        return docker_runs(listed) || strcmp(docker_status(listed), "paused") == 0;
}

static int prepare(struct docker_survey *survey, bool resources)
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
                if (!id)
                        continue;
                *item = (struct docker_surveyed){.listed = listed, .inspect = add_get(survey, id, "/json")};
                if (resources && has_stats(listed))
                        item->stats = add_get(survey, id, STATS);
                survey->count++;
        }
        for (size_t i = 0; i < survey->get_count; i++)
                if (!survey->gets[i].path)
                        return -ENOMEM;
        return 0;
}

int docker_survey(struct docker *docker, const char *project, bool resources, struct docker_watch *watch,
                  struct deadline deadline, struct docker_survey *ret, struct error *error)
{
        _cleanup_(docker_survey_release) struct docker_survey survey = {0};
        int r = docker_list(docker, project, NULL, deadline, &survey.list, error);
        if (r >= 0 && watch)
                r = docker_watch_count(watch, docker, project, deadline, error);
        if (r < 0)
                return r;
        if (prepare(&survey, resources) < 0)
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
