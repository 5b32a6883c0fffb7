/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing a container as a transaction: stopped, removed and made anew under the same name and labels, and
 * put back on any failure.
 *
 * Order: make what is kept for the way back → stop the old one and remove it (never its volumes) → create the
 * new one under the name → start it → wait healthy. At no time do two containers have the labels by which
 * Compose finds its own: what is kept is a container that is never started and has none of them,
 * "<name>.runbook-<tag>.old". It goes by docker_recreate_settle(), or once docker_recreate_roll_back() has
 * made the old one again from it: with its description, its volumes and the files that were put into its
 * layer; what its program wrote there since it was started is lost either way, as are the logs that the
 * Engine keeps.
 *
 * Compose, or a person, may do anything meanwhile. What they have made or removed is never undone: the change
 * is given up and theirs is left.
 *
 * The state is one JSON object,
 * {"old","new","name","kept","tag","restart_policy","running","started_at","phase", "drift"}, given to
 * `progress` before each change of the outside, so that a crash anywhere can be rolled back from what was
 * written down last. `phase` names the change that comes next: keeping, stopping, removing, creating,
 * starting; in what docker_recreate() returns, running; and on the way back: returning (the new one is about
 * to be removed), returned ("returned" is the id of what stands there now) and left (it is somebody else's,
 * or gone by their hand). It never holds the environment. The name of what is kept, and the label
 * "runbook.change" of what is made, come from `tag`, so that a container created just before a crash is known
 * again: it must be one of its own for each step of each incident ("INC-2026-0001-3").
 *
 * The new container's labels are the old one's otherwise. Compose therefore takes it for its own and up to
 * date, and the next change of compose.yml (or --force-recreate) undoes the change: `drift` says so in words
 * for a person.
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
        const char *tag;     /* letters, digits, '.', '_' and '-' */
        nsec stop_grace;     /* 0: the container's own, or 10 s */
        nsec healthy_settle; /* how long to run when it has no health check */
        nsec wait_healthy;   /* how long it may take from its start to be healthy; 0: until the deadline */
};

/*
 * What docker_recreate() refuses before anything is changed, beside what docker_may() does: a container in
 * whose layer more was changed than can be carried over. -ENOTSUP with the reason. Reads only.
 */
int docker_recreate_check(struct docker *docker, const cJSON *inspected, struct deadline deadline,
                          struct error *error);

/* Whether a written state tells that all is over: put back, or left to somebody else. */
bool docker_recreate_is_over(const cJSON *state);

/*
 * Carries out the change. Whatever fails, by the deadline or before, the container is put back as it was,
 * which takes its own time (at most a minute and the stop grace more), and is tried again for so long while
 * the Engine is away; -ENOTRECOVERABLE, and the error says why, when that failed too; -ESTALE when somebody
 * else has replaced or removed it meanwhile.
 */
int docker_recreate(struct docker *docker, const cJSON *inspected, const struct docker_change *change,
                    struct deadline deadline, docker_progress progress, void *context, cJSON **ret_state,
                    struct error *error);

/*
 * After a crash or to undo: puts the container back from a written state, running if it was, and removes the
 * new one; what is somebody else's by now is left. Repeatable, from any phase; tried again until the deadline
 * while the Engine is away. `progress` (may be NULL) is
 * given the state as it goes on, and may replace `state` by it; its failure does not stop the way back.
 * -ESTALE, with nothing changed, when what was kept is gone (settled); -EBUSY when somebody has started it,
 * so that it stays.
 */
int docker_recreate_roll_back(struct docker *docker, const cJSON *state, struct deadline deadline,
                              docker_progress progress, void *context, struct error *error);

/* Removes what was kept; fine when it is gone already. Repeatable. -EBUSY when somebody has started it. */
int docker_recreate_settle(struct docker *docker, const cJSON *state, struct deadline deadline,
                           struct error *error);

#endif
