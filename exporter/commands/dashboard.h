/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_exporter dashboard`: a Grafana dashboard, from the checks and their thresholds. */
#ifndef EXPORTER_COMMANDS_DASHBOARD_H
#define EXPORTER_COMMANDS_DASHBOARD_H

#include "exporter/check/check.h"

/*
 * A dashboard as Grafana imports it (its JSON model, schema 36: Grafana 9 and later), which asks for its data
 * source when it is opened. First how all checks stand and how long they take; then a row for each check that
 * has thresholds or metrics of the operator's, with a graph of each and the limits drawn into it. -ENOMEM.
 */
int dashboard_print(const struct check_set *set, struct text *text);

#endif
