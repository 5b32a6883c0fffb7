/* SPDX-License-Identifier: Apache-2.0 */
/* What a container uses: the samples of one statistics document of the Engine, of cgroups v1 or v2. */
#ifndef EXPORTER_KINDS_DOCKER_STATS_H
#define EXPORTER_KINDS_DOCKER_STATS_H

#include "exporter/kinds/docker/series.h"
#include "runbook/json.h"

#define DOCKER_STATS_FAMILIES(X)                                                                            \
        X(docker_cpu_seconds, COUNTER, "runbook_docker_container_cpu_seconds_total", "seconds",             \
          "CPU time that the container used since it was started.")                                         \
        X(docker_cpu_periods, COUNTER, "runbook_docker_container_cpu_periods_total", NULL,                  \
          "Scheduling periods in which the container wanted the CPU; only for those with a CPU limit.")     \
        X(docker_cpu_throttled_periods, COUNTER, "runbook_docker_container_cpu_throttled_periods_total",    \
          NULL,                                                                                             \
          "Scheduling periods in which the container was held at its CPU limit; only for those with one.")  \
        X(docker_cpu_throttled_seconds, COUNTER, "runbook_docker_container_cpu_throttled_seconds_total",    \
          "seconds", "For how long the container was held at its CPU limit; only for those with one.")      \
        X(docker_memory_usage, GAUGE, "runbook_docker_container_memory_usage_bytes", "bytes",               \
          "Memory in use as `docker stats` shows it: without the file cache that is not in active use.")    \
        X(docker_memory_limit, GAUGE, "runbook_docker_container_memory_limit_bytes", "bytes",               \
          "The container's memory limit; only for those that have one.")                                    \
        X(docker_network_receive, COUNTER, "runbook_docker_container_network_receive_bytes_total", "bytes", \
          "Bytes received on all of the container's interfaces; not for those on the host's network.")      \
        X(docker_network_transmit, COUNTER, "runbook_docker_container_network_transmit_bytes_total",        \
          "bytes", "Bytes sent on all of the container's interfaces; not for those on the host's network.") \
        X(docker_block_read, COUNTER, "runbook_docker_container_block_read_bytes_total", "bytes",           \
          "Bytes that the container read from block devices.")                                              \
        X(docker_block_written, COUNTER, "runbook_docker_container_block_written_bytes_total", "bytes",     \
          "Bytes that the container wrote to block devices.")                                               \
        X(docker_pids, GAUGE, "runbook_docker_container_pids", NULL,                                        \
          "Processes and threads of the container.")

DOCKER_STATS_FAMILIES(DECLARE_FAMILY)

/*
 * `stats` is the answer of /containers/{id}/stats, `inspected` the container's description, which has its
 * limits. What the document does not tell is left out: all of it, when the container does not run any more.
 */
void docker_stats_add(const cJSON *stats, const cJSON *inspected, const struct docker_series *series);

#endif
