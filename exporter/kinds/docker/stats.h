/* SPDX-License-Identifier: Apache-2.0 */
/* What a container uses: the samples of one statistics document of the Engine, of cgroups v1 or v2. */
#ifndef EXPORTER_DOCKER_STATS_H
#define EXPORTER_DOCKER_STATS_H

#include "runbook/json.h"
#include "runbook/metrics.h"

extern const struct metric_family docker_cpu_seconds, docker_cpu_periods, docker_cpu_throttled_periods,
        docker_cpu_throttled_seconds, docker_memory_usage, docker_memory_limit, docker_network_receive,
        docker_network_transmit, docker_block_read, docker_block_written, docker_pids;

#define DOCKER_STATS_FAMILIES                                                              \
        &docker_cpu_seconds, &docker_cpu_periods, &docker_cpu_throttled_periods,           \
                &docker_cpu_throttled_seconds, &docker_memory_usage, &docker_memory_limit, \
                &docker_network_receive, &docker_network_transmit, &docker_block_read,     \
                &docker_block_written, &docker_pids

/*
 * `stats` is the answer of /containers/{id}/stats, `inspected` the container's description, which has its
 * limits. What the document does not tell is left out: all of it, when the container does not run any more.
 */
void docker_stats_add(const cJSON *stats, const cJSON *inspected, const struct label *service,
                      const struct label *name, struct sample_sink *sink);

#endif
