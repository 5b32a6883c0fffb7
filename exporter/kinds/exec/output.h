/* SPDX-License-Identifier: Apache-2.0 */
/* What programs write that measure something: Nagios' performance data, and Prometheus' text format. */
#ifndef EXPORTER_EXEC_OUTPUT_H
#define EXPORTER_EXEC_OUTPUT_H

#include "exporter/kinds/shared/operator_metric.h"

/* The families of Nagios' performance data. */
extern const struct metric_family nagios_performance, nagios_limit;

/*
 * The performance data of a plugin's output: `TEXT | 'a label'=value[unit];warning;critical;minimum;maximum
 * …`. What is not of that form is passed over; "U", a value that the plugin could not tell, too.
 */
void nagios_add(const char *output, struct sample_sink *sink);

/*
 * Takes the samples of the families named, closed by NULL, and counts the others. Comments and timestamps are
 * passed over. -EPROTO at a line that is malformed; what came before it was taken.
 */
int exposition_add(const char *output, const struct metric_family *const *families, struct sample_sink *sink,
                   size_t *ret_ignored, struct error *error);

#endif
