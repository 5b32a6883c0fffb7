/* SPDX-License-Identifier: Apache-2.0 */
/* What a Nagios plugin measures: its performance data, as samples. */
#ifndef EXPORTER_KINDS_EXEC_NAGIOS_H
#define EXPORTER_KINDS_EXEC_NAGIOS_H

#include "runbook/metrics.h"

#define NAGIOS_FAMILIES(X)                                                                    \
        X(nagios_performance, GAUGE, "runbook_exec_performance", NULL,                        \
          "A value of the plugin's performance data, in the base unit that the label tells.") \
        X(nagios_limit, GAUGE, "runbook_exec_performance_limit", NULL,                        \
          "A threshold or an end of the scale that the plugin tells beside the value.")

NAGIOS_FAMILIES(DECLARE_FAMILY)

/*
 * The performance data of a plugin's output: `TEXT | 'a label'=value[unit];warning;critical;minimum;maximum
 * …`. "U", a value that the plugin could not tell, is passed over; a value that is no number or has a unit
 * without meaning here, and a limit that is no number, are skipped by check_skip(). `output[length]` is NUL.
 */
void nagios_add(const char *output, size_t length, struct sample_sink *sink);

/* What a plugin ends with that could not look. */
enum { NAGIOS_UNKNOWN = 3 };

#endif
