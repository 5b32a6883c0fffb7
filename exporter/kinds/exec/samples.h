/* SPDX-License-Identifier: Apache-2.0 */
/* The samples that a program writes in Prometheus' text format, of the metrics that its check names. */
#ifndef EXPORTER_KINDS_EXEC_SAMPLES_H
#define EXPORTER_KINDS_EXEC_SAMPLES_H

#include "runbook/metrics.h"

/*
 * Takes the samples of `families`, closed by NULL, and counts the others, whatever else stands on their
 * lines. A sample of `families` that cannot be taken is skipped, by check_skip(): one that is malformed, that
 * has the label `check`, which is the exporter's own, or a label that is no UTF-8. `output[length]` is NUL.
 * -EPROTO when there is a line that is no series at all, a program's complaint; all others are taken even so.
 */
int samples_add(const char *output, size_t length, const struct metric_family *const *families,
                struct sample_sink *sink, size_t *ret_ignored, struct error *error);

#endif
