/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing a container as a transaction: the new one beside the old, swapped, and the old one put back on any
 * failure.
 *
 * Order: create the new one under a temporary name → stop the old and take its restart policy → rename old to
 * its backup name, new to the name → start the new → wait healthy. The old one stays, stopped, until
 * docker_recreate_settle() removes it (never its volumes) or docker_recreate_roll_back() puts it back.
 *
 * The state is one JSON object, {"old","new","name","backup","temporary","restart_policy","phase"}, given to
 * `progress` before each change of the outside, so that a crash anywhere can be carried on or rolled back
 * from what was written down last. Names are derived from `tag` (an incident's id), so that a container
 * created just before a crash is found again.
 */
#ifndef RUNBOOK_DOCKER_RECREATE_H
#define RUNBOOK_DOCKER_RECREATE_H

#include "runbook/docker.h"

/* Durably writes the state down; a negative errno stops the transaction (and rolls it back). */
typedef int (*docker_progress)(void *context, const cJSON *state, struct error *error);

/* What shall be different. Variables set to NULL are removed from the environment. */
struct docker_change {
        const char *const *variables;
        const char *const *values;
        size_t count;
        const char *tag;
        nsec stop_grace;     /* 0: the container's own, or 10 s */
        nsec healthy_settle; /* how long to run when it has no health check */
};

/*
 * Refuses before anything changed what could not be put back: AutoRemove containers, those others depend
 * on by `container:` network mode, and this process' own container. -ENOTSUP with the reason.
 */
int docker_recreate_check(struct docker *docker, const cJSON *inspected, struct deadline deadline,
                          struct error *error);

/* Carries out the change. On failure the old container is back and running, or the error says that it is not.
 */
int docker_recreate(struct docker *docker, const cJSON *inspected, const struct docker_change *change,
                    struct deadline deadline, docker_progress progress, void *context, cJSON **ret_state,
                    struct error *error);

/* After a crash or to undo: puts the old container back from a written state. Repeatable. */
int docker_recreate_roll_back(struct docker *docker, const cJSON *state, struct deadline deadline,
                              struct error *error);

/* Removes the stopped old container; fine when it is gone already. Repeatable. */
int docker_recreate_settle(struct docker *docker, const cJSON *state, struct deadline deadline,
                           struct error *error);

#endif
