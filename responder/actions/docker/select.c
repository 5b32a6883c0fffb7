/* SPDX-License-Identifier: Apache-2.0 */
/* Which containers a step means, and which it must leave alone. */
#include <errno.h>

#include "responder/actions/shared/plan.h"

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

int docker_refuse_protected(const struct step_run *run, const cJSON *container, struct error *error)
{
        const struct config_strings *protect = &targets_set(run->targets)->protect;
        const char *name = docker_name(container);
        for (size_t i = 0; i < protect->count; i++)
                if (string_equal(protect->items[i], name))
                        return error_set(error, EPERM, "container %s is protected by the configuration",
                                         name);
        int r = docker_is_self(json_string(container, "Id"), error);
        if (r > 0)
                return error_set(error, EPERM, "container %s is the one this responder runs in", name);
        return r < 0 ? error_prefix(error, r, "whether container %s is the one this responder runs in", name)
                     : 0;
}

char *docker_state_text(const cJSON *inspected)
{
        nsec started = docker_started(inspected);
        const char *status = docker_status(inspected);
        if (!docker_marked_running(inspected) || started == 0)
                return text_format("%s", *status ? status : "unknown");
        char duration[DURATION_TEXT_MAX];
        /* Whole seconds are enough for a person. */
        nsec up = (clock_wall() - started) / NSEC_PER_SEC * NSEC_PER_SEC;
        return text_format("up %s", duration_format(up > 0 ? up : 0, duration));
}
