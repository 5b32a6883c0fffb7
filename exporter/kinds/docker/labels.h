/* SPDX-License-Identifier: Apache-2.0 */
/* The containers' own labels that an operator wants on their samples: by name, never all there are. */
#ifndef EXPORTER_KINDS_DOCKER_LABELS_H
#define EXPORTER_KINDS_DOCKER_LABELS_H

#include "exporter/kinds/docker/series.h"
#include "runbook/config.h"
#include "runbook/json.h"

#define DOCKER_LABELS_MAX 16

/* By which label of a sample each of them is told. */
struct docker_label_names {
        const struct config_strings *wanted; /* borrowed: as containers have them */
        char *names[DOCKER_LABELS_MAX];      /* owned */
};

/*
 * Makes names that Prometheus takes, as it does itself of its targets' labels: what is neither a letter nor a
 * digit becomes '_', so "com.example.tier" is com_example_tier. Complains, under "labels" of `node`, when
 * there are too many, when two become the same, and when one is the name of a label that samples have;
 * -EINVAL then.
 */
int docker_label_names_read(struct docker_label_names *labels, const struct config_strings *wanted,
                            struct config_node *node, struct error *error);
void docker_label_names_release(struct docker_label_names *labels);

/* Those that the container has; their values are borrowed from it. */
void docker_label_names_put(const struct docker_label_names *labels, const cJSON *container,
                            struct docker_series *series);

#endif
