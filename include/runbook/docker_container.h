/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Engine says of a container, asked by name: which member or label holds it is known here alone, so
 * that whoever measures and whoever acts read the same.
 *
 * A `container` is an entry of docker_list(), the answer of docker_inspect(), or what an event of
 * docker_events() tells of its container, which are name and labels; an `inspected` one is the second.
 * Strings are the document's. A document that does not tell what is asked is answered as said with each
 * question; one of another shape, and NULL, tell nothing. Any thread.
 */
#ifndef RUNBOOK_DOCKER_CONTAINER_H
#define RUNBOOK_DOCKER_CONTAINER_H

#include "runbook/clock.h"
#include "runbook/json.h"

/* Its name without the leading '/'; "" when untold. */
const char *docker_name(const cJSON *container);

/* One of its labels, or of a network's; "" when it has none of that name. */
const char *docker_label(const cJSON *container, const char *name);

/* Whose it is, by Compose's labels; "" when it is not Compose's. The project is told of networks, too. */
const char *docker_service(const cJSON *container);
const char *docker_compose_project(const cJSON *container);

/* Which of its service's containers it is, from 1 on; 0 when untold. While Compose replaces one, the old and
 * the new one have the same. */
int docker_number(const cJSON *container);

/*
 * The services that its own one needs, by Compose's `depends_on`, one at each call: `*at` begins as NULL and
 * is the cursor. The name's length, 0 when there is no more; `*ret_service` is borrowed from the container
 * and ends with its length. Compose 1 tells of none.
 */
size_t docker_next_needed(const cJSON *container, const char **at, const char **ret_service);

/* Whether Compose made it for one command (`docker-compose run`), beside its services. */
bool docker_is_one_off(const cJSON *container);

/* Whether it is what docker_recreate() keeps for a roll back ("<name>.runbook-<tag>.old"), or a version
 * before was making (".new"). */
bool docker_is_kept(const cJSON *container);

/*
 * The version that its labels tell: `version` first, as org.opencontainers.image.version is often inherited
 * from the base image, and then that one's. NULL when untold.
 */
const char *docker_version(const cJSON *inspected);

/* What it was made from: the name as it was given, and the image's id. NULL when untold. */
const char *docker_image(const cJSON *inspected);
const char *docker_image_id(const cJSON *inspected);

/* "created", "running", "paused", "restarting", "removing", "exited" or "dead"; "" when untold. */
const char *docker_status(const cJSON *container);

/* Whether it runs, and is neither paused nor waiting to be restarted: the Engine's own mark holds for those,
 * too. */
bool docker_runs(const cJSON *container);
bool docker_marked_running(const cJSON *inspected);

/* Whether it has run and does not any more, for now or for good; with which status (-1 when untold); and
 * whether that was for want of memory: the mark alone may be of another process, or of an earlier run. */
bool docker_has_ended(const cJSON *container);
int docker_exit_status(const cJSON *inspected);
bool docker_ended_for_memory(const cJSON *inspected);

/* Whether the Engine's policy restarts it also after it ended well. */
bool docker_is_restarted(const cJSON *inspected);

/* How often the Engine has restarted it by its policy; -1 when untold. */
double docker_restart_count(const cJSON *inspected);

/* Of its health check: "healthy", "unhealthy", "starting"; "none" without one. */
const char *docker_health(const cJSON *inspected);

/* Wall times; 0 when it did not come to pass, or is untold. */
nsec docker_created(const cJSON *inspected);
nsec docker_started(const cJSON *inspected);
nsec docker_finished(const cJSON *inspected);

/* Of an event: what happened ("die", "health_status: healthy", …), and the id of the container that it
 * happened to. "" when untold, or when it happened to no container. */
const char *docker_event_action(const cJSON *event);
const char *docker_event_container(const cJSON *event);

/* When it was started last, in the Engine's own words, which differ with each start; "" when untold. */
const char *docker_started_at(const cJSON *inspected);

#endif
