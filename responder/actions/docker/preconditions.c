/* SPDX-License-Identifier: Apache-2.0 */
/* The questions of docker.* about a container, in their order. */
#include "responder/actions/docker/preconditions.h"

#include <errno.h>

#include "responder/actions/docker/containers.h"

enum { MIN_HEALTHY_MOST = 1000 };

int docker_leave(cJSON **left, const cJSON *inspected, const char *why, struct error *error)
{
        _cleanup_json_ cJSON *item = cJSON_CreateObject();
        if (!*left)
                *left = cJSON_CreateArray();
        if (json_put(item, "name", json_text(docker_name(inspected))) < 0 ||
            json_put(item, "state", json_text(docker_status(inspected))) < 0 ||
            json_put(item, "why", json_text(why)) < 0 || json_append(*left, TAKE_PTR(item)) < 0)
                return error_oom(error);
        return 0;
}

char *docker_left_sentence(const cJSON *left)
{
        struct text sentence = {0};
        const cJSON *item = NULL;
        cJSON_ArrayForEach(item, left)
        {
                const char *name = json_string(item, "name"), *state = json_string(item, "state"),
                           *why = json_string(item, "why");
                text_printf(&sentence, "%s%s (%s): %s",
                            sentence.length > 0 ? ", " : "; left as it is: ", name ? name : "?",
                            state ? state : "?", why ? why : "?");
        }
        if (sentence.length == 0 && text_error(&sentence) >= 0)
                return strdup("");
        return text_take(&sentence);
}

int docker_refuse_protected(const struct step_run *run, const cJSON *container, struct error *error)
{
        const struct config_strings *protect = &targets_set(run->targets)->protect;
        const char *name = docker_name(container);
        return config_strings_have(protect, name)
                       ? error_set(error, EPERM, "container %s is protected by the configuration", name)
                       : 0;
}

int docker_ask(const struct step_run *run, struct docker *docker, const struct purpose *purpose,
               const cJSON *everything, const cJSON *inspected, const char **ret_left, struct error *error)
{
        const char *left = NULL;
        int r = docker_refuse_protected(run, inspected, error);
        if (r >= 0)
                r = docker_may(everything, inspected, purpose->purpose, error);
        if (r >= 0 && !purpose->revive_stopped)
                r = docker_find_stopped_on_purpose(docker, inspected, run->deadline, &left, error);
        if (r >= 0)
                *ret_left = left;
        return r;
}

/* Of the same service of the same project. */
static bool stands_in(const cJSON *other, const cJSON *inspected)
{
        const char *health = docker_health(other);
        return !string_equal(json_string(other, "Id"), json_string(inspected, "Id")) &&
               string_equal(docker_service(other), docker_service(inspected)) &&
               string_equal(docker_compose_project(other), docker_compose_project(inspected)) &&
               !docker_is_one_off(other) && !docker_is_kept(other) && docker_marked_running(other) &&
               (string_equal(health, "healthy") || string_equal(health, "none"));
}

int docker_ask_others(const struct purpose *purpose, const cJSON *everything, const cJSON *inspected,
                      struct error *error)
{
        const cJSON *other;
        int64_t healthy = 0;
        cJSON_ArrayForEach(other, everything)
        {
                healthy += stands_in(other, inspected);
        }
        if (healthy >= purpose->min_healthy)
                return 0;
        return error_may_pass(error,
                              error_set(error, EAGAIN,
                                        "%s is left as it is: %lld other container(s) of service %s are "
                                        "healthy, and `min_healthy` wants %lld",
                                        docker_name(inspected), (long long)healthy, docker_service(inspected),
                                        (long long)purpose->min_healthy));
}

void docker_check_min_healthy(int64_t min_healthy, struct config_node *node)
{
        if (min_healthy < 0 || min_healthy > MIN_HEALTHY_MOST)
                config_complain(node, "min_healthy", "must be between 0 and %d", MIN_HEALTHY_MOST);
}

int docker_ask_again(const struct step_run *run, struct docker *docker, const struct purpose *purpose,
                     const cJSON *inspected, struct error *error)
{
        _cleanup_json_ cJSON *everything = NULL;
        const char *left = NULL, *name = docker_name(inspected);
        int r = docker_inspect_everything(docker, run->deadline, &everything, error);
        if (r >= 0)
                r = docker_ask(run, docker, purpose, everything, inspected, &left, error);
        if (r >= 0 && left)
                return error_set(
                        error, ENOTSUP,
                        "%s does not run any more, and is left as it is: %s; what would be right: docker "
                        "start %s when it is wanted again, or docker rm %s",
                        name, left, name, name);
        return r < 0 ? r : docker_ask_others(purpose, everything, inspected, error);
}

int docker_name_first(struct error *error, int result, const char *name)
{
        bool named = error && error->message && name && string_starts(error->message, name);
        return named ? result : error_prefix(error, result, "container %s", name ? name : "?");
}
