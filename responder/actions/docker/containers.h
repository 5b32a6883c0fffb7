/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which containers a step of docker.* means, which of them it must leave alone, and how they are told.
 *
 * A file of responder/actions/docker is an action by its name, or what several of them share. They use
 * responder/actions/shared, the contract and targets, and lib/docker; no other family of actions.
 */
#ifndef RESPONDER_ACTIONS_DOCKER_CONTAINERS_H
#define RESPONDER_ACTIONS_DOCKER_CONTAINERS_H

#include "responder/actions/docker/preconditions.h"
#include "responder/remediation/action.h"
#include "runbook/docker_container.h"

/* The project that docker.* act in. */
const char *docker_project(const struct step_run *run);

/* Complains when the file has no `docker:` section. For use as the check of an action, too. */
void docker_section_check(const void *config, const struct target_set *targets, struct config_node *node);

/*
 * The containers of one service of the project, or of the whole project, running or not, as the Engine lists
 * them; what docker_recreate keeps for an undo is left out. -ESRCH with what was looked for when there is
 * none; -EINVAL for a service without a name, which is never read as "all".
 */
int docker_select(struct step_run *run, struct docker *docker, const char *service, cJSON **ret,
                  struct error *error);
int docker_select_all(struct step_run *run, struct docker *docker, cJSON **ret, struct error *error);

/*
 * Shows each container of a service, inspected, to `each`, which ends it by a negative errno. With `purpose`
 * (NULL: they are only looked at) those that must not be touched end it before, and those that are to be left
 * are not shown but put on the list `ret_left` (of docker_leave(), NULL when there are none); when nothing
 * but such is there, that is -ENOTSUP.
 */
typedef int docker_each_container(void *context, struct docker *docker, const cJSON *inspected,
                                  struct error *error);
int docker_inspect_each(struct step_run *run, const char *service, const struct purpose *purpose,
                        docker_each_container *each, void *context, cJSON **ret_left, struct error *error);

/* What is kept of a container in plans and outcomes, to find the way back; NULL when out of memory. */
cJSON *docker_describe_container(const cJSON *inspected);

/* Appends its name and its state to a list for a sentence: "web-1 (up 2h5m), web-2 (exited)". */
void docker_put_container(struct text *names, const cJSON *inspected);

/* A service's containers, described and named; they are only looked at. */
int docker_describe_service(struct step_run *run, const char *service, cJSON *ret_containers,
                            struct text *ret_names, struct error *error);

/* The plan "<what> <service>: <its containers>", with all of them under "containers", and those that are left
 * as they are under "left". */
int docker_plan_service(struct step_run *run, const char *what, const char *service,
                        const struct purpose *purpose, cJSON **ret_plan, struct error *error);

#endif
