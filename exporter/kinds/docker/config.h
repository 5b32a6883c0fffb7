/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator says of a check of the kind docker. */
#ifndef EXPORTER_KINDS_DOCKER_CONFIG_H
#define EXPORTER_KINDS_DOCKER_CONFIG_H

#include "runbook/docker.h"

struct docker_config {
        struct docker_options docker;
        struct config_strings services, groups, include, exclude, labels;
        struct config_map replicas;
};

/* Complains about what `replicas` says, in the mapping `node` that it was read from. */
bool docker_replicas_check(const struct docker_config *config, struct config_node *node);

/* How many containers the service is said to have; 0 when nothing is said. */
unsigned docker_replicas_of(const struct docker_config *config, const char *service);

#endif
