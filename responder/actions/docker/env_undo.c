/* SPDX-License-Identifier: Apache-2.0 */
/* The way back of docker.set_env, now or later: the values of before, or what a failed step has left half
 * done. */
#include <errno.h>

#include "responder/actions/docker/containers.h"
#include "responder/actions/docker/env.h"
#include "responder/actions/shared/plan.h"
#include "runbook/docker_recreate.h"
#include "runbook/wait.h"

/* Between two tries while the Engine is away. */
#define PAUSE_FIRST (500 * NSEC_PER_MSEC)
#define PAUSE_MOST (5 * NSEC_PER_SEC)
/* For a look whether anybody is there. */
#define LOOK_TIME (5 * NSEC_PER_SEC)
#define RESTORE_TRIES 3

/* What has become of a planned container: the one that we have made of it, whatever it is called by now, else
 * the one that has its name. */
static int inspect_changed(struct pass *pass, const cJSON *planned, cJSON **ret, struct error *error)
{
        const cJSON *changed = json_get(pass->progress, "run", NULL);
        const char *ours =
                json_string(json_get(pass_find(changed, json_string(planned, "id")), "state", NULL), "new");
        int r = -ENOENT;
        if (ours)
                r = docker_inspect(pass->docker, ours, pass->run->deadline, ret, error);
        return r != -ENOENT ? r
                            : docker_inspect(pass->docker, json_string(planned, "name"), pass->run->deadline,
                                             ret, error);
}

/* Sets back those of the variables that still have the value we gave them. True when one is restored. -ESTALE
 * when somebody else was at the container meanwhile. */
static int try_restore(struct pass *pass, const cJSON *planned, bool *ret_restored, struct error *error)
{
        _cleanup_json_ cJSON *inspected = NULL;
        int r = inspect_changed(pass, planned, &inspected, error);
        if (r == -ENOENT)
                return 0; /* what is not there any more has nothing to be undone */
        if (r < 0)
                return r;

        const char *names[ENV_VARIABLES_MAX], *values[ENV_VARIABLES_MAX];
        size_t count = 0;
        const cJSON *previous = NULL;
        cJSON_ArrayForEach(previous, json_get(planned, "previous", NULL))
        {
                const char *ours = json_string(json_get(pass->run->plan, "env", NULL), previous->string);
                const char *now = env_find(inspected, previous->string);
                const char *then = cJSON_GetStringValue(previous);
                if (count < ENV_VARIABLES_MAX && string_equal(now, ours) && !string_equal(now, then)) {
                        names[count] = previous->string;
                        values[count++] = then;
                }
        }
        if (count == 0)
                return 0;
        const struct purpose purpose = {DOCKER_RECREATE,
                                        pass_find(pass->list, json_string(inspected, "Id")) != NULL, 0};
        r = docker_ask_again(pass->run, pass->docker, &purpose, inspected, error);
        if (r >= 0)
                r = pass_recreate(pass, json_string(inspected, "Id"), inspected, names, values, count, error);
        *ret_restored = r >= 0;
        return r;
}

/* Whoever recreates a container while we are at it has decided what it is: that is looked at anew. */
static int restore_one(struct pass *pass, const cJSON *planned, bool *ret_restored, struct error *error)
{
        int r = -ESTALE;
        for (int tries = 0; r == -ESTALE && tries < RESTORE_TRIES; tries++)
                r = try_restore(pass, planned, ret_restored, error);
        return r;
}

/* The step failed or was interrupted midway: whatever it had changed is put back as it was. */
static int undo_midway(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        _cleanup_pass_ struct pass pass = {0};
        int r = pass_begin(&pass, run, "run", error);
        if (r >= 0)
                r = pass_roll_back(&pass, true, error);
        return r < 0 ? r : outcome_new(ret_outcome, error, "the old containers are in their places");
}

/*
 * True when every planned container was changed. The progress tells it and not the outcome, which an undo
 * that failed has replaced.
 */
static bool was_completed(const struct step_run *run)
{
        const cJSON *planned = NULL, *entries = json_get(run->progress, "run", NULL);
        cJSON_ArrayForEach(planned, json_get(run->plan, "containers", NULL))
        {
                if (json_bool(planned, "change", false) &&
                    !json_bool(pass_find(entries, json_string(planned, "id")), "done", false))
                        return false;
        }
        return true;
}

static int try_undo(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        if (!was_completed(run))
                return undo_midway(run, ret_outcome, error);
        const cJSON *planned = NULL;

        _cleanup_pass_ struct pass pass = {0};
        int restored = 0;
        int r = pass_begin(&pass, run, "undo", error);
        if (r >= 0)
                r = pass_roll_back(&pass, false, error);
        cJSON_ArrayForEach(planned, json_get(run->plan, "containers", NULL))
        {
                bool did = false;
                if (r >= 0 && json_bool(planned, "change", false))
                        r = restore_one(&pass, planned, &did, error);
                restored += did;
        }
        if (r >= 0)
                r = pass_settle(pass.docker, pass.list, run->deadline, error);
        if (r >= 0)
                r = pass_settle(pass.docker, json_get(pass.progress, "run", NULL), run->deadline, error);
        if (r < 0)
                return r;
        return outcome_new(ret_outcome, error,
                           restored > 0 ? "%d container(s) recreated with the values of before"
                                        : "nothing to undo: %d container(s) still had our values",
                           restored);
}

/* An Engine that is away comes back: it is tried again until the time is up, which a restart gives anew. */
int env_undo(struct step_run *run, cJSON **ret_outcome, struct error *error)
{
        const struct set_env_config *config = run->config;
        for (nsec pause = PAUSE_FIRST;; pause = pause < PAUSE_MOST / 2 ? 2 * pause : PAUSE_MOST) {
                _cleanup_error_ struct error why = {0};
                int r = try_undo(run, ret_outcome, &why);
                if (r >= 0)
                        return r;
                bool again = docker_is_away(r) || r == -ENOTRECOVERABLE;
                if (again && deadline_left(run->deadline) > pause && pause_for(pause, run->deadline))
                        continue;
                return error_set(
                        error, -r,
                        "%s; by hand: POST /api/v1/incidents/%s/undo once that is mended, or docker-compose "
                        "up -d --force-recreate %s",
                        error_text(&why), run->incident, config->service);
        }
}

/* Whether something of a failed step is neither put back nor left to somebody else. What a version before has
 * kept is a matter of undo(), as it was then. */
static bool is_half_done(const cJSON *entry)
{
        const cJSON *state = json_get(entry, "state", NULL);
        return cJSON_IsObject(state) && json_string(state, "kept") && !docker_recreate_is_over(state);
}

/* How long it has been tried; begins at the first time, which is written down. */
static int tried_for(struct pass *pass, nsec *ret, struct error *error)
{
        int64_t now = clock_wall() / NSEC_PER_MSEC;
        int64_t since = (int64_t)json_number(pass->progress, "tried_since_ms", 0);
        *ret = 0;
        if (since > 0 && since <= now) {
                *ret = (now - since) * NSEC_PER_MSEC;
                return 0;
        }
        if (json_put(pass->progress, "tried_since_ms", cJSON_CreateNumber((double)now)) < 0)
                return error_oom(error);
        return pass->run->write_progress(pass->run, pass->progress, error);
}

/* The step failed, and its way back did: that is gone on with, for as long as it may take an Engine to come
 * back. Then it is a person's. */
static int put_back_late(struct step_run *run, struct error *error)
{
        const struct set_env_config *config = run->config;
        bool wanted = false;
        const cJSON *entry = NULL;
        cJSON_ArrayForEach(entry, json_get(run->progress, "run", NULL)) wanted =
                wanted || is_half_done(entry);
        if (!wanted)
                return 0;

        _cleanup_pass_ struct pass pass = {0};
        _cleanup_error_ struct error why = {0};
        _cleanup_json_ cJSON *listed = NULL;
        nsec tried = 0;
        int r = pass_begin(&pass, run, "run", &why);
        if (r >= 0)
                r = tried_for(&pass, &tried, &why);
        /* A look first: with nobody there, this thread is of more use elsewhere. */
        if (r >= 0)
                r = docker_list(pass.docker, docker_project(run), config->service, deadline_in(LOOK_TIME),
                                &listed, &why);
        if (r >= 0)
                r = pass_roll_back(&pass, true, &why);
        if (r >= 0)
                return 0;
        if (tried < ENV_TRY_AGAIN) {
                error_move(error, &why);
                return r;
        }
        return error_set(error, EBUSY,
                         "tried for " ENV_TRY_AGAIN_WORD
                         ", and not put back: %s; by hand: POST /api/v1/incidents/%s/undo, "
                         "or docker-compose up -d --force-recreate %s",
                         error_text(&why), run->incident, config->service);
}

int env_settle(struct step_run *run, struct error *error)
{
        if (!run->outcome)
                return put_back_late(run, error);
        const cJSON *changed = json_get(run->outcome, "containers", NULL);
        if (cJSON_GetArraySize(changed) == 0)
                return 0;
        _cleanup_docker_ struct docker *docker = NULL;
        int r = targets_docker(run->targets, &docker, error);
        return r < 0 ? r : pass_settle(docker, changed, run->deadline, error);
}
