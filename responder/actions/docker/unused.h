/* SPDX-License-Identifier: Apache-2.0 */
/* What docker.prune may remove: looked for when it is planned, and again when it is removed. */
#ifndef RESPONDER_ACTIONS_DOCKER_UNUSED_H
#define RESPONDER_ACTIONS_DOCKER_UNUSED_H

#include "responder/remediation/action.h"

struct prune_config {
        bool containers, networks, images, build_cache; /* what is looked for */
        nsec older_than;
};

struct unused {
        cJSON *containers, *networks, *images; /* arrays of {"id", "name", …} */
        int64_t cache_records, cache_bytes;
};

/* Reads only. What cannot be seen to be unused is left out; at most 500 things of a kind. */
int unused_find(struct step_run *run, struct docker *docker, const struct prune_config *config,
                struct unused *ret, struct error *error);
void unused_release(struct unused *unused);

#endif
