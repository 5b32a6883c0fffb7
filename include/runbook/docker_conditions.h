/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has to be known of a container before a step changes it: one set of questions, asked by all of them.
 *
 * The table in lib/docker/conditions.c says for each state, and each way in which others depend on a
 * container, what it stands in the way of, and what would be right. What a person has stopped is a question
 * of its own, as whoever asks may have been told to start it anyway. One thread at a time for what takes a
 * `struct docker`; any thread for the rest.
 */
#ifndef RUNBOOK_DOCKER_CONDITIONS_H
#define RUNBOOK_DOCKER_CONDITIONS_H

#include "runbook/docker.h"

/* What is to be done to it. */
enum docker_purpose {
        DOCKER_RESTART = 1 << 0,  /* stopped and started: it stays the same container */
        DOCKER_RECREATE = 1 << 1, /* removed and made anew under its name */
        DOCKER_REMOVE = 1 << 2,   /* removed for good; it does not run */
};

/* All containers of the Engine, inspected, whoever made them: what may depend on one. An array, for
 * cJSON_Delete(). */
int docker_inspect_everything(struct docker *docker, struct deadline deadline, cJSON **ret,
                              struct error *error);

/*
 * 0 when nothing stands in the way; -ENOTSUP with a sentence that names the container, the reason and what
 * would be right; another errno when that could not be found out, which is no leave. `everything` is of
 * docker_inspect_everything().
 */
int docker_may(const cJSON *everything, const cJSON *inspected, enum docker_purpose purpose,
               struct error *error);

/*
 * Why a container that does not run has to be left as it is, as far as the Engine tells: a person has stopped
 * it, it has ended well, or was never started. NULL when it runs, or has crashed, or could not be started, so
 * that it may be started again. In doubt it is left. The string is static.
 *
 * By the state first: with the restart policies "always" and "unless-stopped" the Engine starts again
 * whatever ends by itself, so what stays down was stopped; with "on-failure" what failed, until the policy
 * has given up. With "no" its status tells (0, and 130, 137 or 143 as after SIGINT, SIGKILL and SIGTERM,
 * unless it was for want of memory), and, where the Engine still remembers them, its `events` (of
 * docker_events(), may be NULL) tell for certain.
 */
const char *docker_stopped_on_purpose(const cJSON *inspected, const cJSON *events);

/* The same, with the events asked for where they matter; an Engine that does not tell any is no failure. */
int docker_find_stopped_on_purpose(struct docker *docker, const cJSON *inspected, struct deadline deadline,
                                   const char **ret, struct error *error);

#endif
