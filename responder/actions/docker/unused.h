/* SPDX-License-Identifier: Apache-2.0 */
/* What docker.prune may remove: looked for when it is planned, and again when it is removed. */
#ifndef RESPONDER_ACTIONS_DOCKER_UNUSED_H
#define RESPONDER_ACTIONS_DOCKER_UNUSED_H

#include "responder/remediation/action.h"

/* Whoever wants a container, a network or an image kept gives it this label. */
#define PRUNE_KEEP_LABEL "runbook.keep"

struct prune_config {
        bool containers, networks, images, build_cache; /* what is looked for */
        nsec older_than;                                /* since its last use */
        struct config_strings projects;                 /* other Compose projects, whose things may go */
        struct config_strings network_names;            /* networks that were made by hand, and may go */
};

struct unused {
        cJSON *containers, *networks, *images; /* arrays of {"id", "name", …} */
        cJSON *kept; /* of {"kind", "name", "why"}: what is unused, too, and stays */
        int64_t cache_records;
        double cache_bytes; /* as the Engine says, whatever that is */
};

/* Reads only. What cannot be seen to be unused is left out; at most 500 things of a kind. */
int unused_find(struct step_run *run, struct docker *docker, const struct prune_config *config,
                struct unused *ret, struct error *error);
void unused_release(struct unused *unused);

/* One look at all of it. */
struct survey {
        struct step_run *run;
        struct docker *docker;
        const struct prune_config *config;
        cJSON *all;           /* every container, inspected */
        nsec now, before;     /* wall, by the Engine's clock: what was used later than the second stays */
        struct unused unused; /* what may go */
};

/* survey.c: notes what may go, and what stays; `used` is a wall time. */
int survey_add(cJSON *list, const char *id, const char *name, double bytes, struct error *error);
int survey_keep(struct survey *survey, const char *kind, const char *name, const char *why,
                struct error *error);
int survey_keep_young(struct survey *survey, const char *kind, const char *name, nsec used,
                      struct error *error);

/* unused_images.c: dangling images that no container refers to, but what the last deployment of the project
 * has replaced. */
int survey_images(struct survey *survey, struct error *error);

#endif
