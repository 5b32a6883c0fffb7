/* SPDX-License-Identifier: Apache-2.0 */
/* Containers chosen, looked at and told. */
#include "responder/actions/docker/containers.h"

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

/* `service` NULL: of all. */
static int select_containers(struct step_run *run, struct docker *docker, const char *service, cJSON **ret,
                             struct error *error)
{
        const char *project = docker_project(run);
        _cleanup_json_ cJSON *listed = NULL;
        int r = docker_list(docker, project, service, run->deadline, &listed, error);
        if (r < 0)
                return r;
        if (cJSON_GetArraySize(listed) == 0)
                return error_set(error, ESRCH, "no container%s%s%s in Compose project \"%s\"",
                                 service ? " of service \"" : "", service ? service : "", service ? "\"" : "",
                                 project);
        *ret = TAKE_PTR(listed);
        return 0;
}

int docker_select(struct step_run *run, struct docker *docker, const char *service, cJSON **ret,
                  struct error *error)
{
        if (!service || !*service)
                return error_set(error, EINVAL, "an empty service name selects nothing");
        return select_containers(run, docker, service, ret, error);
}

int docker_select_all(struct step_run *run, struct docker *docker, cJSON **ret, struct error *error)
{
        return select_containers(run, docker, NULL, ret, error);
}

/* Nothing but what is to be left: then there is nothing that the step could do. */
static int refuse_all_left(const char *service, const cJSON *left, struct error *error)
{
        const char *first = json_string(cJSON_GetArrayItem(left, 0), "name");
        _cleanup_free_ char *sentence = docker_left_sentence(left);
        return error_set(
                error, ENOTSUP,
                "nothing of service \"%s\" is to be started%s; what would be right: docker start %s when "
                "it is wanted again, or `revive_stopped: true` in this step",
                service, sentence ? sentence : "", first ? first : "it");
}

/* One container: shown, left or refused. */
static int inspect_one(struct step_run *run, struct docker *docker, const struct purpose *purpose,
                       const cJSON *everything, const cJSON *entry, cJSON **ret_inspected, cJSON **left,
                       struct error *error)
{
        const char *why = NULL;
        _cleanup_json_ cJSON *inspected = NULL;
        int r = docker_inspect(docker, json_string(entry, "Id"), run->deadline, &inspected, error);
        if (r >= 0 && purpose)
                r = docker_ask(run, docker, purpose, everything, inspected, &why, error);
        if (r >= 0 && why)
                r = docker_leave(left, inspected, why, error);
        if (r >= 0 && !why)
                *ret_inspected = TAKE_PTR(inspected);
        return r;
}

int docker_inspect_each(struct step_run *run, const char *service, const struct purpose *purpose,
                        docker_each_container *each, void *context, cJSON **ret_left, struct error *error)
{
        _cleanup_docker_ struct docker *docker = NULL;
        _cleanup_json_ cJSON *listed = NULL, *everything = NULL, *left = NULL;
        int r = targets_docker(run->targets, &docker, error);
        if (r >= 0)
                r = docker_select(run, docker, service, &listed, error);
        if (r >= 0 && purpose)
                r = docker_inspect_everything(docker, run->deadline, &everything, error);
        if (r < 0)
                return r;

        int shown = 0;
        const cJSON *entry = NULL;
        cJSON_ArrayForEach(entry, listed)
        {
                _cleanup_json_ cJSON *inspected = NULL;
                r = inspect_one(run, docker, purpose, everything, entry, &inspected, &left, error);
                /* Each is healthy again before the next: by then there are the more. */
                if (r >= 0 && inspected && purpose && shown == 0)
                        r = docker_ask_others(purpose, everything, inspected, error);
                if (r >= 0 && inspected) {
                        r = each(context, docker, inspected, error);
                        shown++;
                }
                if (r < 0)
                        return r;
        }
        if (shown == 0)
                return refuse_all_left(service, left, error);
        if (ret_left)
                *ret_left = TAKE_PTR(left);
        return 0;
}

cJSON *docker_describe_container(const cJSON *inspected)
{
        double restarts = docker_restart_count(inspected);
        _cleanup_json_ cJSON *item = cJSON_CreateObject();
        if (json_put(item, "id", json_text(json_string(inspected, "Id"))) < 0 ||
            json_put(item, "name", json_text(docker_name(inspected))) < 0 ||
            json_put(item, "image", json_text(docker_image(inspected))) < 0 ||
            json_put(item, "image_id", json_text(docker_image_id(inspected))) < 0 ||
            json_put(item, "version", json_text(docker_version(inspected))) < 0 ||
            json_put(item, "state", json_text(docker_status(inspected))) < 0 ||
            json_put(item, "health", json_text(docker_health(inspected))) < 0 ||
            json_put(item, "started_at", json_text(docker_started_at(inspected))) < 0 ||
            json_put(item, "restarts", restarts < 0 ? cJSON_CreateNull() : cJSON_CreateNumber(restarts)) < 0)
                return NULL;
        return TAKE_PTR(item);
}

void docker_put_container(struct text *names, const cJSON *inspected)
{
        const char *status = docker_status(inspected);
        nsec started = docker_started(inspected);
        text_printf(names, "%s%s (", names->length > 0 ? ", " : "", docker_name(inspected));
        if (!docker_marked_running(inspected) || started == 0) {
                text_printf(names, "%s)", *status ? status : "unknown");
                return;
        }
        char duration[DURATION_TEXT_MAX];
        /* Whole seconds are enough for a person. */
        nsec up = (clock_wall() - started) / NSEC_PER_SEC * NSEC_PER_SEC;
        text_printf(names, "up %s)", duration_format(up > 0 ? up : 0, duration));
}

struct description {
        cJSON *containers;
        struct text *names;
};

static int describe_one(void *context, struct docker *docker _unused_, const cJSON *inspected,
                        struct error *error)
{
        struct description *description = context;
        docker_put_container(description->names, inspected);
        return json_append(description->containers, docker_describe_container(inspected)) < 0
                       ? error_oom(error)
                       : 0;
}

int docker_describe_service(struct step_run *run, const char *service, cJSON *ret_containers,
                            struct text *ret_names, struct error *error)
{
        struct description description = {ret_containers, ret_names};
        int r = docker_inspect_each(run, service, NULL, describe_one, &description, NULL, error);
        return r >= 0 && text_error(ret_names) < 0 ? error_oom(error) : r;
}

int docker_plan_service(struct step_run *run, const char *what, const char *service,
                        const struct purpose *purpose, cJSON **ret_plan, struct error *error)
{
        _cleanup_json_ cJSON *containers = cJSON_CreateArray(), *plan = NULL, *left = NULL;
        _cleanup_text_ struct text names = {0};
        struct description description = {containers, &names};
        int r = docker_inspect_each(run, service, purpose, describe_one, &description, &left, error);
        _cleanup_free_ char *sentence = docker_left_sentence(left);
        if (r >= 0 && (text_error(&names) < 0 || !sentence))
                r = error_oom(error);
        if (r >= 0)
                r = plan_new(&plan, cJSON_GetArraySize(containers), error, "%s %s: %s%s", what, service,
                             text_string(&names), sentence);
        if (r < 0)
                return r;
        if (json_put(plan, "containers", TAKE_PTR(containers)) < 0 ||
            (left && json_put(plan, "left", TAKE_PTR(left)) < 0))
                return error_oom(error);
        *ret_plan = TAKE_PTR(plan);
        return 0;
}
