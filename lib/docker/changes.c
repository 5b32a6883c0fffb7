/* SPDX-License-Identifier: Apache-2.0 */
/* Single changes of one container, which going forward and going back share. */
#include "lib/docker/changes.h"

#include "lib/docker/internal.h"

int docker_container_call(struct docker *docker, const char *method, const char *id, const char *what,
                          const cJSON *body, struct deadline deadline, struct error *error)
{
        _cleanup_free_ char *path = text_format("/containers/%s%s", id, what);
        return path ? docker_call(docker, method, path, body, deadline, NULL, error) : error_oom(error);
}

int docker_rename(struct docker *docker, const char *id, const char *name, struct deadline deadline,
                  struct error *error)
{
        _cleanup_text_ struct text what = {0};
        text_puts(&what, "/rename?name=");
        text_put_escaped(&what, name);
        if (text_error(&what) < 0)
                return error_oom(error);
        return docker_container_call(docker, "POST", id, text_string(&what), NULL, deadline, error);
}

int docker_put_restart_policy(struct docker *docker, const char *id, const cJSON *policy,
                              struct deadline deadline, struct error *error)
{
        _cleanup_json_ cJSON *body = cJSON_CreateObject();
        if (json_put(body, "RestartPolicy", cJSON_Duplicate(policy, true)) < 0)
                return error_oom(error);
        return docker_container_call(docker, "POST", id, "/update", body, deadline, error);
}
