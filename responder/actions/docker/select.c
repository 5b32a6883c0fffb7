/* SPDX-License-Identifier: Apache-2.0 */
/* Which containers a step means, and which it must leave alone. */
#include <errno.h>
#include <stdio.h>

#include "responder/actions/shared/plan.h"

#define SHORT_ID 12

const char *docker_project(const struct step_run *run)
{
        const char *project = targets_set(run->targets)->docker.project;
        return project ? project : "";
}

void docker_section_check(const void *config _unused_, const struct target_set *targets,
                          struct config_node *node)
{
        if (!targets->docker.host || !*targets->docker.host)
                config_complain(node, NULL, "needs a `docker:` section at the top of the file");
}

int docker_select(struct step_run *run, struct docker *docker, const char *service, cJSON **ret,
                  struct error *error)
{
        if (!service || !*service)
                return error_set(error, EINVAL, "an empty service name selects nothing");
        const char *project = docker_project(run);
        _cleanup_json_ cJSON *listed = NULL;
        int r = docker_list(docker, project, service, run->deadline, &listed, error);
        if (r < 0)
                return r;
        if (cJSON_GetArraySize(listed) == 0)
                return error_set(error, ESRCH, "no container of service \"%s\" in Compose project \"%s\"",
                                 service, project);
        *ret = TAKE_PTR(listed);
        return 0;
}

/*
 * A container's own /etc/hostname is a bind mount from the Engine's directory of that container, which names
 * it by its id; the control group does where it has no namespace of its own. A host that runs dockerd has
 * neither: there such mounts lie elsewhere.
 */
static bool file_names(const char *path, const char *id, const char *also)
{
        FILE *file = fopen(path, "re");
        if (!file)
                return false;
        char *line = NULL;
        size_t capacity = 0;
        bool found = false;
        while (!found && getline(&line, &capacity, file) > 0)
                found = strstr(line, id) && (!also || strstr(line, also));
        free(line);
        fclose(file);
        return found;
}

bool docker_is_self(const char *id)
{
        if (!id || strlen(id) < SHORT_ID)
                return false;
        char host[256] = "";
        if (gethostname(host, sizeof(host) - 1) == 0 && strlen(host) == SHORT_ID &&
            strncmp(host, id, SHORT_ID) == 0)
                return true;
        return file_names("/proc/self/cgroup", id, NULL) ||
               file_names("/proc/self/mountinfo", id, " /etc/hostname ");
}

int docker_refuse_protected(const struct step_run *run, const cJSON *container, struct error *error)
{
        const struct config_strings *protect = &targets_set(run->targets)->protect;
        const char *name = docker_name(container);
        for (size_t i = 0; i < protect->count; i++)
                if (string_equal(protect->items[i], name))
                        return error_set(error, EPERM, "container %s is protected by the configuration",
                                         name);
        if (docker_is_self(json_string(container, "Id")))
                return error_set(error, EPERM, "container %s is the one this responder runs in", name);
        return 0;
}

char *docker_state_text(const cJSON *inspected)
{
        const cJSON *state = json_get(inspected, "State", NULL);
        const char *status = json_string(state, "Status");
        const char *started = json_string(state, "StartedAt");
        nsec at = 0;
        if (!json_bool(state, "Running", false) || !started || time_parse(started, &at, NULL) < 0)
                return text_format("%s", status ? status : "unknown");
        char duration[DURATION_TEXT_MAX];
        /* Whole seconds are enough for a person. */
        nsec up = (clock_wall() - at) / NSEC_PER_SEC * NSEC_PER_SEC;
        return text_format("up %s", duration_format(up > 0 ? up : 0, duration));
}
