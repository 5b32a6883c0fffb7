/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a step of docker.* may touch a container: the one set of questions that each of them asks, when it
 * plans and again right before it acts.
 *
 * Some containers must not be touched, and the step is refused: those named in `protect:`, and those that
 * docker_may() refuses (docker_conditions.h). Others are meant to be as they are, and are left: what somebody
 * has stopped is not started, unless the step says `revive_stopped: true`.
 */
#ifndef RESPONDER_ACTIONS_DOCKER_PRECONDITIONS_H
#define RESPONDER_ACTIONS_DOCKER_PRECONDITIONS_H

#include "responder/remediation/action.h"
#include "runbook/docker_conditions.h"

/* What a step wants to do to containers. */
struct purpose {
        enum docker_purpose purpose;
        bool revive_stopped; /* the option of that name */
        int64_t min_healthy; /* likewise */
};

/* For the tables of the actions that take a container away, be it for a moment. */
#define MIN_HEALTHY_FIELD(holder)                                                                          \
        {                                                                                                  \
                "min_healthy", CONFIG_INT, offsetof(holder, min_healthy),                                  \
                        .fallback = "0",                                                                   \
                        .help = "so many other containers of the service must be healthy (or, without a "  \
                                "health check, run) before one is taken away, asked before each; 0: that " \
                                "is not asked"                                                             \
        }

/* For the check() of these: from 0 to what a service may have. */
void docker_check_min_healthy(int64_t min_healthy, struct config_node *node);

/* For the tables of the actions that start what they change. */
#define REVIVE_STOPPED_FIELD(holder)                                                                       \
        {                                                                                                  \
                "revive_stopped", CONFIG_BOOL, offsetof(holder, revive_stopped),                           \
                        .fallback = "false",                                                               \
                        .help = "also starts containers that somebody has stopped, that have ended well, " \
                                "or "                                                                      \
                                "were never started; else they are left as they are, and told"             \
        }

/* Puts a container on the list of what is left as it is, [{"name", "state", "why"}], which is made when it is
 * NULL; and what the list comes to at the end of a sentence, for free(): "" for NULL, or
 * "; left as it is: web_2 (exited): somebody has stopped it". NULL when out of memory. */
int docker_leave(cJSON **left, const cJSON *inspected, const char *why, struct error *error);
char *docker_left_sentence(const cJSON *left);

/* -EPERM for containers named in `protect:`. */
int docker_refuse_protected(const struct step_run *run, const cJSON *container, struct error *error);

/*
 * All questions about one container, `everything` being of docker_inspect_everything(). 0: it may be touched,
 * when `*ret_left` is NULL; else that is why it has to be left. -EPERM or -ENOTSUP with a sentence when it
 * must not be touched; another errno when that could not be found out.
 */
int docker_ask(const struct step_run *run, struct docker *docker, const struct purpose *purpose,
               const cJSON *everything, const cJSON *inspected, const char **ret_left, struct error *error);

/* Whether enough others of its service are healthy for this one to be taken away; -EAGAIN, which may pass,
 * with a sentence: not now. */
int docker_ask_others(const struct purpose *purpose, const cJSON *everything, const cJSON *inspected,
                      struct error *error);

/* Both right before acting, about one that the plan names: what has to be left by now is refused. */
int docker_ask_again(const struct step_run *run, struct docker *docker, const struct purpose *purpose,
                     const cJSON *inspected, struct error *error);

/* Puts "container <name>: " before the sentence of a failure, unless that begins with the name. */
int docker_name_first(struct error *error, int result, const char *name);

#endif
