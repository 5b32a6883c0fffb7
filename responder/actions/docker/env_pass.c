/* SPDX-License-Identifier: Apache-2.0 */
/* Containers changed one after the other, each step of it written down: forth, and back. */
#include <errno.h>

#include "responder/actions/docker/containers.h"
#include "responder/actions/docker/env.h"
#include "runbook/docker_recreate.h"

#define STOP_GRACE (10 * NSEC_PER_SEC)
/* What the Engine may take for creating, renaming and starting. */
#define ENGINE_SLACK (20 * NSEC_PER_SEC)
/* To put things back there is time even when the step's own is up. */
#define ROLL_BACK_TIME (60 * NSEC_PER_SEC)

void pass_release(struct pass *pass)
{
        docker_free(pass->docker);
        cJSON_Delete(pass->progress);
        free(pass->tag);
}

int pass_begin(struct pass *pass, struct step_run *run, const char *which, struct error *error)
{
        pass->run = run;
        pass->progress = cJSON_IsObject(run->progress) ? json_copy(run->progress) : cJSON_CreateObject();
        pass->list = cJSON_GetObjectItemCaseSensitive(pass->progress, which);
        if (!pass->list) {
                pass->list = cJSON_CreateArray();
                if (json_put(pass->progress, which, pass->list) < 0)
                        return error_oom(error);
        }
        pass->tag = text_format("%s-%zu%s", run->incident, run->position, which[0] == 'u' ? "u" : "");
        if (!pass->tag)
                return error_oom(error);
        return targets_docker(run->targets, &pass->docker, error);
}

static int note_change(void *context, const cJSON *state, struct error *error)
{
        struct pass *pass = context;
        if (json_put(pass->entry, "state", json_copy(state)) < 0)
                return error_oom(error);
        return pass->run->write_progress(pass->run, pass->progress, error);
}

cJSON *pass_find(const cJSON *list, const char *id)
{
        cJSON *entry = NULL;
        cJSON_ArrayForEach(entry, list)
        {
                if (string_equal(json_string(entry, "id"), id))
                        return entry;
        }
        return NULL;
}

static cJSON *entry_of(struct pass *pass, const char *id, const char *name)
{
        cJSON *entry = pass_find(pass->list, id);
        if (entry)
                return entry;
        entry = cJSON_CreateObject();
        if (json_put(entry, "id", json_text(id)) < 0 || json_put(entry, "name", json_text(name)) < 0 ||
            json_put(entry, "done", cJSON_CreateFalse()) < 0) {
                cJSON_Delete(entry);
                return NULL;
        }
        return json_append(pass->list, entry) < 0 ? NULL : entry;
}

static int roll_back(struct pass *pass, cJSON *entry, struct deadline deadline, struct error *error)
{
        const cJSON *state = json_get(entry, "state", NULL);
        if (!cJSON_IsObject(state))
                return 0;
        if (json_put(entry, "done", cJSON_CreateFalse()) < 0)
                return error_oom(error);
        pass->entry = entry;
        return docker_recreate_roll_back(pass->docker, state, deadline, note_change, pass, error);
}

/* Rolls back, the last first, every entry of the pass, or those that are not done. Goes on after a failure.
 */
int pass_roll_back(struct pass *pass, bool done_too, struct error *error)
{
        int result = 0;
        struct deadline deadline = deadline_later(pass->run->deadline, deadline_in(ROLL_BACK_TIME));
        for (int i = cJSON_GetArraySize(pass->list) - 1; i >= 0; i--) {
                cJSON *entry = cJSON_GetArrayItem(pass->list, i);
                if (!done_too && json_bool(entry, "done", false))
                        continue;
                _cleanup_error_ struct error why = {0};
                int r = roll_back(pass, entry, deadline, &why);
                if (r < 0 && result >= 0) {
                        result = r;
                        error_move(error, &why);
                }
        }
        return result;
}

/* Recreates one container, planned as `id`, with `count` variables; NULL values are removed. */
int pass_recreate(struct pass *pass, const char *id, const cJSON *inspected, const char *const *names,
                  const char *const *values, size_t count, struct error *error)
{
        const struct set_env_config *config = pass->run->config;
        nsec grace = config->stop_grace > 0 ? config->stop_grace : STOP_GRACE;
        struct docker_change change = {
                .variables = names,
                .values = values,
                .count = count,
                .tag = pass->tag,
                .stop_grace = config->stop_grace,
                .healthy_settle = ENV_SETTLE,
                .wait_healthy = config->wait_healthy,
        };
        pass->entry = entry_of(pass, id, docker_name(inspected));
        if (!pass->entry)
                return error_oom(error);
        struct deadline deadline = deadline_earlier(pass->run->deadline,
                                                    deadline_in(grace + config->wait_healthy + ENGINE_SLACK));
        _cleanup_json_ cJSON *state = NULL;
        int r = docker_recreate(pass->docker, inspected, &change, deadline, note_change, pass, &state, error);
        if (r < 0)
                return docker_name_first(error, r, docker_name(inspected));
        if (json_put(pass->entry, "done", cJSON_CreateTrue()) < 0)
                return error_oom(error);
        return note_change(pass, state, error);
}

/* Lets go of what was kept of the containers of a list of entries. */
int pass_settle(struct docker *docker, const cJSON *list, struct deadline deadline, struct error *error)
{
        const cJSON *entry = NULL;
        cJSON_ArrayForEach(entry, list)
        {
                const cJSON *state = json_get(entry, "state", NULL);
                int r = 0;
                /* Of what was rolled back nothing is kept any more. */
                if (json_bool(entry, "done", false) && cJSON_IsObject(state))
                        r = docker_recreate_settle(docker, state, deadline, error);
                if (r < 0)
                        return r;
        }
        return 0;
}
