/* SPDX-License-Identifier: Apache-2.0 */
/* How a container stands: the samples of its description by the Engine. */
#ifndef EXPORTER_DOCKER_CONTAINER_H
#define EXPORTER_DOCKER_CONTAINER_H

#include "exporter/kinds/docker/watch.h"
#include "runbook/docker_container.h"
#include "runbook/metrics.h"

extern const struct metric_family docker_running, docker_healthy, docker_failing_streak, docker_failing_since,
        docker_restarts, docker_oom_killed, docker_oom_kills, docker_exit_code, docker_created_time,
        docker_start_time, docker_finish_time, docker_info;

#define DOCKER_CONTAINER_FAMILIES                                                                          \
        &docker_running, &docker_healthy, &docker_failing_streak, &docker_failing_since, &docker_restarts, \
                &docker_oom_killed, &docker_oom_kills, &docker_exit_code, &docker_created_time,            \
                &docker_start_time, &docker_finish_time, &docker_info

/* Whether it runs and its health check fails. A container without one is never unhealthy. */
bool docker_container_unhealthy(const cJSON *inspected);

/* Why it does not run: "exited with status 137 (out of memory)"; the latter when it was killed and marked so.
 */
void docker_container_tell(const cJSON *inspected, struct text *text);

/* `watched` is what is remembered of the container; `counting`: whether its oom_kills is known. */
void docker_container_add(const cJSON *inspected, struct docker_watched *watched, bool counting,
                          const struct label *service, const struct label *name, struct sample_sink *sink);

#endif
