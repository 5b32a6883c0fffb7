/* SPDX-License-Identifier: Apache-2.0 */
/* Who was seen at the containers of a service, by the Engine's events. */
#ifndef RESPONDER_ACTIONS_DOCKER_PEOPLE_H
#define RESPONDER_ACTIONS_DOCKER_PEOPLE_H

#include "responder/remediation/action.h"

/*
 * As an action's people(), for a service of the project. Health checks are no person, nor is what this
 * responder does, nor what Compose does in the first minutes of a machine. Of containers whose health check
 * cannot be asked for, nothing that may be one is a person.
 */
int docker_people(struct step_run *run, const char *service, const struct people_asked *asked,
                  struct sighting *ret, struct error *error);

/* Whether a command, as an event has it, is that of the health check of an inspected container. */
bool docker_is_health_check(const cJSON *inspected, const char *command);

/* One event: what it is called when a person has caused it; NULL: none has. `ret_command` is that of an exec,
 * else NULL. */
const char *docker_event_of_person(const cJSON *event, const char *project, const char *service,
                                   const struct people_asked *asked, nsec booted, const char **ret_command);

#endif
