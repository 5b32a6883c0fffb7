/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes that a version before had begun or not yet settled: it kept the old container itself, stopped, as
 * "<name>.runbook-<tag>.old" and with Compose's labels. Its journals are carried on from: what it kept is put
 * back, or removed when all is well.
 *
 * Going back looks at what is there and never trusts the phase for it, with one exception: a stop that was
 * asked for goes on in the Engine when its client is gone. So a container that still runs since before the
 * change is stopped to the end first, when the phase says that a stop may be under way; otherwise "start"
 * would find it running and do nothing, and then it would stop.
 */
#include <errno.h>
#include <string.h>

#include "lib/docker/changes.h"
#include "lib/docker/internal.h"
#include "lib/docker/transaction.h"

/* The new container, known by its id or, when the crash came before that was written down, by its first name.
 */
static int find_new(struct docker *docker, const cJSON *state, struct deadline deadline, cJSON **ret,
                    struct error *error)
{
        const char *id = json_string(state, "new");
        int r = docker_inspect(docker, id ? id : json_string(state, "temporary"), deadline, ret, error);
        return r == -ENOENT ? 0 : r;
}

static int remove_new(struct docker *docker, const cJSON *state, struct deadline deadline,
                      struct error *error)
{
        _cleanup_json_ cJSON *found = NULL;
        int r = find_new(docker, state, deadline, &found, error);
        if (r < 0 || !found)
                return r;
        const char *id = json_string(found, "Id");
        if (strcmp(id, json_string(state, "old")) == 0)
                return error_set(error, EINVAL, "the new container is the old one");

        if (docker_marked_running(found)) {
                /* It may be serving: it gets its own grace. One that does not stop is killed below. */
                (void)docker_container_call(docker, "POST", id, "/stop", NULL, deadline, NULL);
        }
        /* Never with v=1: the volumes are the old one's. */
        r = docker_container_call(docker, "DELETE", id, "?force=1", NULL, deadline, error);
        return r == -ENOENT ? 0 : r;
}

static bool same_policy(const cJSON *a, const cJSON *b)
{
        return string_equal(json_string(a, "Name"), json_string(b, "Name")) &&
               json_number(a, "MaximumRetryCount", 0) == json_number(b, "MaximumRetryCount", 0);
}

static int put_back(struct docker *docker, const cJSON *state, const cJSON *old, struct deadline deadline,
                    struct error *error)
{
        const char *id = json_string(state, "old"), *name = json_string(state, "name");
        const cJSON *policy = json_get(state, "restart_policy", NULL);
        int r = docker_end_stop(docker, state, old, deadline, error);
        if (r < 0)
                return r;
        if (strcmp(docker_name(old), name) != 0) {
                r = docker_rename(docker, id, name, deadline, error);
                if (r < 0)
                        return r;
        }
        if (json_string(policy, "Name") &&
            !same_policy(policy, json_get(old, "HostConfig", "RestartPolicy", NULL))) {
                r = docker_put_restart_policy(docker, id, policy, deadline, error);
                if (r < 0)
                        return r;
        }
        if (!json_bool(state, "running", true))
                return 0;

        r = docker_container_call(docker, "POST", id, "/start", NULL, deadline, error);
        if (r < 0 && r != -EALREADY)
                return r;
        return 0;
}

static int check_state(const cJSON *state, struct error *error)
{
        static const char *const needed[] = {"old", "name", "backup", "temporary", "phase"};
        for (size_t i = 0; i < N_ELEMENTS(needed); i++) {
                const char *value = json_string(state, needed[i]);
                if (!value || !*value)
                        return error_set(error, EINVAL, "the written state of the change lacks \"%s\"",
                                         needed[i]);
        }
        return 0;
}

/* The old container as it is now; -EINVAL when the state is none, -ENOENT when the container is gone. */
static int inspect_old(struct docker *docker, const cJSON *state, struct deadline deadline, cJSON **ret,
                       struct error *error)
{
        int r = check_state(state, error);
        return r < 0 ? r : docker_inspect(docker, json_string(state, "old"), deadline, ret, error);
}

bool docker_before_is(const cJSON *state)
{
        return json_string(state, "backup") != NULL;
}

int docker_before_roll_back(struct docker *docker, const cJSON *state, struct deadline deadline,
                            struct error *error)
{
        _cleanup_json_ cJSON *old = NULL;
        int r = inspect_old(docker, state, deadline, &old, error);
        if (r == -ENOENT)
                return error_set(error, ESTALE, "the old container of %s is gone, so it cannot be put back",
                                 json_string(state, "name"));
        if (r >= 0)
                r = remove_new(docker, state, deadline, error);
        if (r >= 0)
                r = put_back(docker, state, old, deadline, error);
        return r < 0 ? error_prefix(error, r, "cannot put %s back", json_string(state, "name")) : 0;
}

int docker_before_settle(struct docker *docker, const cJSON *state, struct deadline deadline,
                         struct error *error)
{
        _cleanup_json_ cJSON *old = NULL;
        int r = inspect_old(docker, state, deadline, &old, error);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        if (strcmp(docker_name(old), json_string(state, "backup")) != 0)
                return 0; /* it was put back, or a person has taken it over */
        if (docker_marked_running(old))
                return error_set(error, EBUSY, "%s runs, so it is not removed", docker_name(old));

        r = docker_container_call(docker, "DELETE", json_string(state, "old"), "", NULL, deadline, error);
        if (r == -ENOENT)
                return 0;
        return r < 0 ? error_prefix(error, r, "cannot remove %s", docker_name(old)) : 0;
}
