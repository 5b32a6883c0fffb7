/* SPDX-License-Identifier: Apache-2.0 */
/* How a container stands: the samples of its description by the Engine. */
#ifndef EXPORTER_KINDS_DOCKER_CONTAINER_H
#define EXPORTER_KINDS_DOCKER_CONTAINER_H

#include "exporter/kinds/docker/series.h"
#include "exporter/kinds/docker/watch.h"
#include "runbook/docker_container.h"

#define DOCKER_CONTAINER_FAMILIES(X)                                                                         \
        X(docker_running, GAUGE, "runbook_docker_container_running", NULL,                                   \
          "Whether the container runs: it is not paused and does not wait to be restarted.")                 \
        X(docker_healthy, GAUGE, "runbook_docker_container_healthy", NULL,                                   \
          "Whether the container's own health check succeeds; only for those that have one, while they "     \
          "run, and not before its first verdict.")                                                          \
        X(docker_failing_streak, GAUGE, "runbook_docker_container_health_failing_streak", NULL,              \
          "How often the health check has failed on end; only for those that have one, while they run.")     \
        X(docker_failing_since, GAUGE, "runbook_docker_container_health_failing_timestamp_seconds",          \
          "seconds",                                                                                         \
          "When the health check began to fail, while it does; reckoned from its pace when that is long "    \
          "ago.")                                                                                            \
        X(docker_restarts, COUNTER, "runbook_docker_container_restarts_total", NULL,                         \
          "How often the Engine restarted the container by its policy.")                                     \
        X(docker_health_transitions, COUNTER, "runbook_docker_container_health_transitions_total", NULL,     \
          "How often the health check's verdict turned, by where `to`, among the Engine's events since the " \
          "exporter looks, also between two scrapes; only for those that have one, and none without access " \
          "to "                                                                                              \
          "the events.")                                                                                     \
        X(docker_oom_killed, GAUGE, "runbook_docker_container_oom_killed", NULL,                             \
          "Whether the Engine marks the container as killed for want of memory, which many do only when it " \
          "ends.")                                                                                           \
        X(docker_oom_kills, COUNTER, "runbook_docker_container_oom_kills_total", NULL,                       \
          "Kills for want of memory among the Engine's events since the exporter looks; none without "       \
          "access to those.")                                                                                \
        X(docker_exit_code, GAUGE, "runbook_docker_container_exit_code", NULL,                               \
          "With which status the container ended; only while it does not run.")                              \
        X(docker_created_time, GAUGE, "runbook_docker_container_created_timestamp_seconds", "seconds",       \
          "When the container was created: since when this image and configuration are deployed.")           \
        X(docker_start_time, GAUGE, "runbook_docker_container_start_timestamp_seconds", "seconds",           \
          "When the container was started last.")                                                            \
        X(docker_finish_time, GAUGE, "runbook_docker_container_finish_timestamp_seconds", "seconds",         \
          "When the container ended; only while it does not run.")                                           \
        X(docker_info, INFO, "runbook_docker_container_info", NULL,                                          \
          "The container's image, the version in its labels, and its state.")

DOCKER_CONTAINER_FAMILIES(DECLARE_FAMILY)

/* Whether it runs and its health check fails. A container without one is never unhealthy. */
bool docker_container_unhealthy(const cJSON *inspected);

/* Why it does not run: "exited with status 137 (out of memory)"; the latter when it was killed and marked so.
 */
void docker_container_tell(const cJSON *inspected, struct text *text);

/* `watched` is what is remembered of the container; `counting`: whether its oom_kills is known. */
void docker_container_add(const cJSON *inspected, struct docker_watched *watched, bool counting,
                          const struct docker_series *series);

#endif
