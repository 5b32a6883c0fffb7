/* SPDX-License-Identifier: Apache-2.0 */
/* What is read from the Engine's description of a container, and from its entry in a list. */
#include "runbook/docker_container.h"

#include <limits.h>
#include <string.h>

#include "lib/docker/internal.h"

#define KILLED 137 /* the status of what SIGKILL ended */

static const cJSON *state_of(const cJSON *inspected)
{
        return json_get(inspected, "State", NULL);
}

static const char *or_empty(const char *string)
{
        return string ? string : "";
}

const char *docker_label(const cJSON *container, const char *name)
{
        const cJSON *labels = json_get(container, "Labels", NULL);
        if (!labels)
                labels = json_get(container, "Config", "Labels", NULL);
        if (!labels)
                labels = json_get(container, "Actor", "Attributes", NULL);
        return or_empty(json_string(labels, name));
}

const char *docker_name(const cJSON *container)
{
        const char *name = json_string(container, "Name");
        const cJSON *names = json_get(container, "Names", NULL), *item;
        /* A list also has the names by which links know it: "/other/alias". */
        cJSON_ArrayForEach(item, names)
        {
                if (cJSON_IsString(item) && *item->valuestring && !strchr(item->valuestring + 1, '/'))
                        name = item->valuestring;
        }
        if (!name)
                name = json_string(json_get(container, "Actor", "Attributes", NULL), "name");
        name = or_empty(name);
        return *name == '/' ? name + 1 : name;
}

const char *docker_service(const cJSON *container)
{
        return docker_label(container, DOCKER_LABEL_SERVICE);
}

const char *docker_compose_project(const cJSON *container)
{
        return docker_label(container, DOCKER_LABEL_PROJECT);
}

int docker_number(const cJSON *container)
{
        long number = strtol(docker_label(container, DOCKER_LABEL_NUMBER), NULL, 10);
        return number > 0 && number <= INT_MAX ? (int)number : 0;
}

/* As "db:service_healthy:false,cache:service_started:false". */
size_t docker_next_needed(const cJSON *container, const char **at, const char **ret_service)
{
        const char *next = *at ? *at + strcspn(*at, ",") : docker_label(container, DOCKER_LABEL_DEPENDS_ON);
        next += strspn(next, ", ");
        size_t length = strcspn(next, ":,");
        *at = next;
        *ret_service = next;
        return length;
}

bool docker_is_one_off(const cJSON *container)
{
        return strcmp(docker_label(container, DOCKER_LABEL_ONE_OFF), "True") == 0;
}

bool docker_is_kept(const cJSON *container)
{
        const char *mark = strstr(docker_name(container), DOCKER_KEPT_MARK);
        const char *end = mark ? strrchr(mark, '.') : NULL;
        return end && end > mark && (strcmp(end, DOCKER_KEPT_OLD) == 0 || strcmp(end, DOCKER_KEPT_NEW) == 0);
}

const char *docker_version(const cJSON *inspected)
{
        static const char *const labels[] = {"version", "org.opencontainers.image.version"};
        for (size_t i = 0; i < N_ELEMENTS(labels); i++) {
                const char *version = docker_label(inspected, labels[i]);
                if (*version)
                        return version;
        }
        return NULL;
}

const char *docker_image(const cJSON *inspected)
{
        return json_string(json_get(inspected, "Config", NULL), "Image");
}

const char *docker_image_id(const cJSON *inspected)
{
        return json_string(inspected, "Image");
}

const char *docker_status(const cJSON *container)
{
        const cJSON *state = state_of(container);
        return or_empty(cJSON_IsString(state) ? state->valuestring : json_string(state, "Status"));
}

bool docker_runs(const cJSON *container)
{
        return strcmp(docker_status(container), "running") == 0;
}

bool docker_marked_running(const cJSON *inspected)
{
        return json_bool(state_of(inspected), "Running", false);
}

bool docker_has_ended(const cJSON *container)
{
        static const char *const ended[] = {"exited", "restarting", "dead"};
        for (size_t i = 0; i < N_ELEMENTS(ended); i++)
                if (strcmp(docker_status(container), ended[i]) == 0)
                        return true;
        return false;
}

int docker_exit_status(const cJSON *inspected)
{
        double code = json_number(state_of(inspected), "ExitCode", -1);
        return code >= 0 && code <= INT_MAX ? (int)code : -1;
}

bool docker_ended_for_memory(const cJSON *inspected)
{
        return docker_exit_status(inspected) == KILLED && json_bool(state_of(inspected), "OOMKilled", false);
}

bool docker_is_restarted(const cJSON *inspected)
{
        const char *policy = json_string(json_get(inspected, "HostConfig", "RestartPolicy", NULL), "Name");
        return policy && (strcmp(policy, "always") == 0 || strcmp(policy, "unless-stopped") == 0);
}

double docker_restart_count(const cJSON *inspected)
{
        return json_number(inspected, "RestartCount", -1);
}

const char *docker_health(const cJSON *inspected)
{
        const char *status = json_string(json_get(inspected, "State", "Health", NULL), "Status");
        return status && *status ? status : "none";
}

/* What did not come to pass is of the year 1. */
static nsec time_of(const cJSON *json, const char *key)
{
        const char *string = json_string(json, key);
        nsec wall = 0;
        return string && time_parse(string, &wall, NULL) >= 0 && wall > 0 ? wall : 0;
}

nsec docker_created(const cJSON *inspected)
{
        return time_of(inspected, "Created");
}

nsec docker_started(const cJSON *inspected)
{
        return time_of(state_of(inspected), "StartedAt");
}

nsec docker_finished(const cJSON *inspected)
{
        return time_of(state_of(inspected), "FinishedAt");
}

const char *docker_started_at(const cJSON *inspected)
{
        return or_empty(json_string(state_of(inspected), "StartedAt"));
}

const char *docker_event_action(const cJSON *event)
{
        return or_empty(json_string(event, "Action"));
}

const char *docker_event_container(const cJSON *event)
{
        if (!string_equal(json_string(event, "Type"), "container"))
                return "";
        return or_empty(json_string(json_get(event, "Actor", NULL), "ID"));
}
