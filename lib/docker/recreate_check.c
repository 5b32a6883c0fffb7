/* SPDX-License-Identifier: Apache-2.0 */
/* What must not be recreated: what no step may change now, and what could not be put back. */
#include "lib/docker/transaction.h"
#include "runbook/docker_conditions.h"

int docker_recreate_check(struct docker *docker, const cJSON *inspected, struct deadline deadline,
                          struct error *error)
{
        _cleanup_json_ cJSON *paths = NULL;
        return docker_layer_find(docker, inspected, deadline, &paths, error);
}

int docker_recreate_check_all(struct docker *docker, const cJSON *inspected, struct deadline deadline,
                              struct error *error)
{
        _cleanup_json_ cJSON *everything = NULL;
        int r = docker_inspect_everything(docker, deadline, &everything, error);
        if (r >= 0)
                r = docker_may(everything, inspected, DOCKER_RECREATE, error);
        return r < 0 ? r : docker_recreate_check(docker, inspected, deadline, error);
}

bool docker_recreate_is_over(const cJSON *state)
{
        const char *phase = json_string(state, "phase");
        return string_equal(phase, "returned") || string_equal(phase, "left");
}
