/* SPDX-License-Identifier: Apache-2.0 */
/* What going forward and going back share: single changes of one container. */
#ifndef LIB_DOCKER_CHANGES_H
#define LIB_DOCKER_CHANGES_H

#include "runbook/docker.h"

/* `what` follows the id in the path: "/start", "?force=1". */
int docker_container_call(struct docker *docker, const char *method, const char *id, const char *what,
                          const cJSON *body, struct deadline deadline, struct error *error);
int docker_rename(struct docker *docker, const char *id, const char *name, struct deadline deadline,
                  struct error *error);
int docker_put_restart_policy(struct docker *docker, const char *id, const cJSON *policy,
                              struct deadline deadline, struct error *error);

#endif
