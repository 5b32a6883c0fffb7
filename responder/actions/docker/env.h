/* SPDX-License-Identifier: Apache-2.0 */
/* What docker.set_env is given, and what it finds when it plans. */
#ifndef RESPONDER_ACTIONS_DOCKER_ENV_H
#define RESPONDER_ACTIONS_DOCKER_ENV_H

#include "responder/remediation/action.h"

struct set_env_config {
        char *service;
        struct config_map env;
        nsec wait_healthy, stop_grace;
        bool revive_stopped;
        int64_t min_healthy;
};

/* The value of a variable of an inspected container, NULL when it is not set. The last of a name counts. */
const char *env_find(const cJSON *inspected, const char *name);

/*
 * plan() of docker.set_env: {"env": {…}, "containers": [{"id", "name", "change", "previous": {…}}], "left"}.
 * Only a container that has the values, and runs, is not to be changed; whether it is healthy as well, run()
 * waits for.
 */
int env_plan(struct step_run *run, cJSON **ret_plan, struct error *error);

/* One pass over containers, forth ("run") or back ("undo"). */
struct pass {
        struct step_run *run;
        struct docker *docker;
        cJSON *progress; /* all of it */
        cJSON *list;     /* this pass' entries in it */
        cJSON *entry;    /* the one at work */
        char *tag;
};
void pass_release(struct pass *pass);
#define _cleanup_pass_ _cleanup_(pass_release)
int pass_begin(struct pass *pass, struct step_run *run, const char *which, struct error *error);

/* The entry of a container, by the id that it was planned with; NULL: it was not begun. */
cJSON *pass_find(const cJSON *list, const char *id);

/* Recreates one container, planned as `id`, with `count` variables; NULL values are removed. */
int pass_recreate(struct pass *pass, const char *id, const cJSON *inspected, const char *const *names,
                  const char *const *values, size_t count, struct error *error);

/* Rolls back, the last first, every entry of the pass, or those that are not done. Goes on after a failure,
 * and, while the Engine is away, for a minute at least. */
int pass_roll_back(struct pass *pass, bool done_too, struct error *error);

/* Lets go of what was kept of the containers of a list of entries. */
int pass_settle(struct docker *docker, const cJSON *list, struct deadline deadline, struct error *error);

/* undo() and settle() of docker.set_env. What could not be put back when the step failed is tried again by
 * the second, for ENV_TRY_AGAIN. */
#define ENV_TRY_AGAIN (3600 * NSEC_PER_SEC)
#define ENV_TRY_AGAIN_WORD "1h"
int env_undo(struct step_run *run, cJSON **ret_outcome, struct error *error);
int env_settle(struct step_run *run, struct error *error);

#define ENV_VARIABLES_MAX 100
/* How long what has no health check has to run. */
#define ENV_SETTLE (2 * NSEC_PER_SEC)

#endif
