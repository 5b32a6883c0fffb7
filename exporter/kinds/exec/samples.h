/* SPDX-License-Identifier: Apache-2.0 */
/* The samples that a program writes in Prometheus' text format, of the metrics that its check names. */
#ifndef EXPORTER_KINDS_EXEC_SAMPLES_H
#define EXPORTER_KINDS_EXEC_SAMPLES_H

#include "runbook/metrics.h"

/*
 * Takes the samples of `families`, closed by NULL, and counts the others. -EPROTO at a line that is no
 * sample, also when it has the label `check`, which is the exporter's own; what came before it was taken.
 */
int samples_add(const char *output, const struct metric_family *const *families, struct sample_sink *sink,
                size_t *ret_ignored, struct error *error);

#endif
