/* SPDX-License-Identifier: Apache-2.0 */
/* What the Engine has to say of all containers that a check is about: asked at once, by GET only. */
#ifndef EXPORTER_KINDS_DOCKER_SURVEY_H
#define EXPORTER_KINDS_DOCKER_SURVEY_H

#include "exporter/kinds/docker/config.h"
#include "exporter/kinds/docker/watch.h"

struct docker_surveyed {
        const cJSON *listed; /* has an id; in the survey's list */
        struct docker_get *inspect;
        struct docker_get *stats; /* NULL: not asked for, or it does not run */
};

/* In the order of docker_list(), without those that are not included. */
struct docker_survey {
        struct docker_surveyed *items;
        size_t count;
        cJSON *list;
        struct docker_get *gets;
        size_t get_count;
};

/*
 * Lists the containers and asks for the description of each and, when `resources` are wanted, for what those
 * that run use. Single questions may have failed by themselves. `watch` (may be NULL) counts the events.
 */
int docker_survey(struct docker *docker, const struct docker_config *config, bool resources,
                  struct docker_watch *watch, struct deadline deadline, struct docker_survey *ret,
                  struct error *error);
void docker_survey_release(struct docker_survey *survey);

#endif
