/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing a container as a transaction: the new one beside the old, swapped, and the old one put back on any
 * failure.
 *
 * Order: create the new one under a temporary name → take the old one's restart policy and stop it → rename
 * old to its backup name, new to the name → start the new → wait healthy. The old one stays, stopped, until
 * docker_recreate_settle() removes it (never its volumes) or docker_recreate_roll_back() puts it back.
 *
 * The state is one JSON object,
 * {"old","new","name","backup","temporary","restart_policy","running","started_at", "phase","drift"}, given
 * to `progress` before each change of the outside, so that a crash anywhere can be rolled back from what was
 * written down last. `phase` names the change that comes next: creating, holding (the restart policy),
 * stopping, parking (old to its backup name), naming, starting; and in what docker_recreate() returns,
 * running. It never holds the environment. Names are derived from `tag`, so that a container created just
 * before a crash is found again: it must be one of its own for each step of each incident
 * ("INC-2026-0001-3").
 *
 * The new container is described as the old one is, whatever it is: its labels too. Compose therefore takes
 * it for its own and up to date, and the next change of compose.yml (or --force-recreate) undoes the change:
 * `drift` says so in a sentence for a person.
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
 * Refuses before anything changed what could not be put back or made the same again: AutoRemove containers,
 * those that others depend on by a `container:` namespace or a link, Swarm's, paused ones, this process' own
 * container, and one in whose layer more was changed than can be carried over. -ENOTSUP with the reason.
 * Reads only.
 */
int docker_recreate_check(struct docker *docker, const cJSON *inspected, struct deadline deadline,
                          struct error *error);

/*
 * Carries out the change. Whatever fails, by the deadline or before, the old container is put back as it was,
 * which takes its own time (at most a minute and the stop grace more); -ENOTRECOVERABLE, and the error says
 * why, when that failed too.
 */
int docker_recreate(struct docker *docker, const cJSON *inspected, const struct docker_change *change,
                    struct deadline deadline, docker_progress progress, void *context, cJSON **ret_state,
                    struct error *error);

/*
 * After a crash or to undo: puts the old container back from a written state, running if it was, and removes
 * the new one. Repeatable, from any phase. -ESTALE, with nothing changed, when the old one is gone (settled).
 */
int docker_recreate_roll_back(struct docker *docker, const cJSON *state, struct deadline deadline,
                              struct error *error);

/* Removes the stopped old container; fine when it is gone already, or was put back. Repeatable. */
int docker_recreate_settle(struct docker *docker, const cJSON *state, struct deadline deadline,
                           struct error *error);

#endif
