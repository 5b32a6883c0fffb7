/* SPDX-License-Identifier: Apache-2.0 */
/* What a Nagios plugin measures: its performance data, as samples. */
#ifndef EXPORTER_EXEC_NAGIOS_H
#define EXPORTER_EXEC_NAGIOS_H

#include "runbook/metrics.h"

/* The families of Nagios' performance data. */
extern const struct metric_family nagios_performance, nagios_limit;

/*
 * The performance data of a plugin's output: `TEXT | 'a label'=value[unit];warning;critical;minimum;maximum
 * …`. What is not of that form is passed over; "U", a value that the plugin could not tell, too.
 */
void nagios_add(const char *output, struct sample_sink *sink);

#endif
