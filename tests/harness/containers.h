/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers for the drivers of Docker: made and removed through the API of the Engine that pytest started.
 *
 * What the Engine refuses fails the test. Answers are for cJSON_Delete(), strings for free().
 */
#ifndef TESTS_HARNESS_CONTAINERS_H
#define TESTS_HARNESS_CONTAINERS_H

#include "tests/harness/drivers.h"

#include "runbook/docker.h"

#define PROJECT "runbook-client-test" /* Compose's, of every container here */

/* That Engine; and whichever stands there, for docker_new()'s result and sentence. */
struct docker *given_engine(void);
int engine_at(const char *host, struct docker **ret, struct error *error);

cJSON *json_of(const char *text);

/* One call; `body` may be NULL. What it answered, if anything. */
cJSON *engine_ask(struct docker *docker, const char *method, const char *path, const char *body);
void engine_do(struct docker *docker, const char *method, const char *path, const char *body);

/* Of the test image, not started; `more` is inserted into the body. Its id. */
char *create_container(struct docker *docker, const char *name, const char *service, int number,
                       const char *more);

/* For `more`: the stand-in on the host's network, where its database and Redis are, so that it can be
 * healthy. */
char *on_host_network(void);

/* `what` follows the id in the path: "/start", "/stop?t=1", "" for a DELETE. */
void container_do(struct docker *docker, const char *method, const char *id, const char *what);
cJSON *container_inspect(struct docker *docker, const char *id);

/* Every container of the project, whatever its name; and all of them away, with their volumes. */
cJSON *list_containers(struct docker *docker);
void remove_containers(struct docker *docker);

#endif
