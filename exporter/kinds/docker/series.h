/* SPDX-License-Identifier: Apache-2.0 */
/* The samples of one container or one service: the labels that all of them have, and where they go. */
#ifndef EXPORTER_KINDS_DOCKER_SERIES_H
#define EXPORTER_KINDS_DOCKER_SERIES_H

#include "runbook/metrics.h"

enum { DOCKER_SERIES_LABELS = 24 };

/* Made for one run and on the stack; the labels' words are borrowed. */
struct docker_series {
        struct sample_sink *sink;
        struct label labels[DOCKER_SERIES_LABELS];
        size_t count;
};

/* One more label; there must be room. A value that is NULL or empty leaves it out of the samples. */
void docker_series_label(struct docker_series *series, const char *name, const char *value);

void docker_series_add(const struct docker_series *series, const struct metric_family *family, double value);

/* The same with labels of this sample alone. */
void docker_series_add_labelled(const struct docker_series *series, const struct metric_family *family,
                                double value, const struct label *labels, size_t count);

#endif
