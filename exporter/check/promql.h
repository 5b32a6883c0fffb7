/* SPDX-License-Identifier: Apache-2.0 */
/* The conditions under warn and fail as PromQL, for what is written from them: alerts and the dashboard. */
#ifndef EXPORTER_CHECK_PROMQL_H
#define EXPORTER_CHECK_PROMQL_H

#include "exporter/check/threshold.h"
#include "runbook/text.h"

/* A condition, of the series of the check of that name; and only the value that is compared in it, of those
 * series that match `where`, too (`job="a",instance="b"`; NULL: of all). */
void promql_put_condition(struct text *text, const struct threshold *threshold, const char *check);
void promql_put_value(struct text *text, const struct threshold *threshold, const char *check,
                      const char *where);

#endif
