/* SPDX-License-Identifier: Apache-2.0 */
/* Docker as a source. */
#ifndef EXPORTER_KINDS_LOG_DOCKER_H
#define EXPORTER_KINDS_LOG_DOCKER_H

#include "exporter/kinds/log/source.h"
#include "runbook/docker.h"

struct log_docker_config {
        struct docker_options docker;
        struct config_strings services;
};

#define LOG_DOCKER_FAMILIES(X)                                          \
        X(log_family_containers, GAUGE, "runbook_log_containers", NULL, \
          "Containers of the service whose logs are read, running or not.")
LOG_DOCKER_FAMILIES(DECLARE_FAMILY)

extern const struct config_field log_docker_fields[];
extern const struct log_source_type log_source_docker;

#endif
