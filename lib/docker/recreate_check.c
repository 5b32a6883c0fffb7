/* SPDX-License-Identifier: Apache-2.0 */
/* What must not be recreated, because it could not be put back or others would lose it. */
#include <errno.h>
#include <string.h>

#include "lib/docker/internal.h"

/* Whether "container:<x>" means the container: by its id, the beginning of it, or its name. */
static bool means(const char *mode, const char *id, const char *name)
{
        static const char prefix[] = "container:";
        if (!mode || !string_starts(mode, prefix))
                return false;
        const char *other = mode + strlen(prefix);
        if (*other == '/')
                other++;
        return strcmp(other, name) == 0 || (strlen(other) >= 12 && string_starts(id, other));
}

static bool depends(const cJSON *other, const char *id, const char *name)
{
        static const char *const namespaces[] = {"NetworkMode", "PidMode", "IpcMode"};
        const cJSON *host_config = json_get(other, "HostConfig", NULL), *link;
        for (size_t i = 0; i < N_ELEMENTS(namespaces); i++)
                if (means(json_string(host_config, namespaces[i]), id, name))
                        return true;
        /* A link of the default bridge, "/name:/other/alias", is kept by the id. */
        size_t length = strlen(name);
        cJSON_ArrayForEach(link, json_get(host_config, "Links", NULL))
        {
                const char *text = cJSON_IsString(link) ? link->valuestring : "";
                text += *text == '/';
                if (strncmp(text, name, length) == 0 && text[length] == ':')
                        return true;
        }
        return false;
}

/* The list has NetworkMode only, so each container has to be looked at. */
static int check_dependents(struct docker *docker, const char *id, const char *name, struct deadline deadline,
                            struct error *error)
{
        _cleanup_json_ cJSON *list = NULL;
        const cJSON *item;
        int r = docker_call(docker, "GET", "/containers/json?all=1", NULL, deadline, &list, error);
        if (r < 0)
                return r;
        cJSON_ArrayForEach(item, list)
        {
                const char *other_id = json_string(item, "Id");
                if (!other_id || strcmp(other_id, id) == 0 || docker_is_kept(item))
                        continue;
                _cleanup_json_ cJSON *other = NULL;
                r = docker_inspect(docker, other_id, deadline, &other, error);
                if (r == -ENOENT)
                        continue;
                if (r < 0)
                        return r;
                if (depends(other, id, name))
                        return error_set(error, ENOTSUP,
                                         "%s uses a namespace of %s or is linked to it, and would lose it",
                                         docker_name(other), name);
        }
        return 0;
}

int docker_recreate_check(struct docker *docker, const cJSON *inspected, struct deadline deadline,
                          struct error *error)
{
        const char *id = json_string(inspected, "Id"), *name = docker_name(inspected);
        const cJSON *state = json_get(inspected, "State", NULL);
        if (!id || !*name)
                return error_set(error, EBADMSG, "Docker's description of the container is not complete");

        const char *reason = NULL;
        if (json_bool(json_get(inspected, "HostConfig", NULL), "AutoRemove", false))
                reason = "it removes itself when it stops, so it could not be put back";
        else if (*docker_label(inspected, "com.docker.swarm.task.id"))
                reason = "it is a task of Swarm, which would start another one";
        else if (docker_is_kept(inspected))
                reason = "it is kept for the roll back of an earlier change";
        else if (json_bool(state, "Paused", false))
                reason = "it is paused";
        else if (json_bool(state, "Dead", false) || string_equal(docker_status(inspected), "removing"))
                reason = "it is being removed";
        int r = reason ? 0 : docker_is_self(id, error);
        if (r < 0)
                return error_prefix(error, r, "whether %s is the container that the responder runs in", name);
        if (r > 0)
                reason = "it is the container that the responder runs in";
        if (reason)
                return error_set(error, ENOTSUP, "%s cannot be recreated: %s", name, reason);

        r = check_dependents(docker, id, name, deadline, error);
        if (r < 0)
                return r;
        _cleanup_json_ cJSON *paths = NULL;
        return docker_layer_find(docker, inspected, deadline, &paths, error);
}
