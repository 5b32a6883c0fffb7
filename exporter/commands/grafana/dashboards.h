/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `runbook_exporter dashboards`: Grafana's dashboards, from the checks of a file and from tables.
 *
 * This room turns what is measured into what is looked at. Each dashboard is a row of a table in
 * dashboards.c; its panels are rows of a table, too (panels.h), or come from the file: conditions, an
 * operator's metrics, the capacity report. It uses exporter/commands (the conditions as PromQL),
 * exporter/check, lib/base, lib/config and lib/metrics.
 */
#ifndef EXPORTER_COMMANDS_GRAFANA_DASHBOARDS_H
#define EXPORTER_COMMANDS_GRAFANA_DASHBOARDS_H

#include "exporter/commands/grafana/grafana.h"

/* The one of all checks, as Grafana imports it (JSON model, schema 36: Grafana 9 and later). -ENOMEM. */
int dashboard_print(const struct check_set *set, struct text *text);

/* Writes all of them into a directory that is there, each a file of its own, whole or not at all; and their
 * names, one a line, into `told`. Errors name the file. */
int dashboards_write(const struct check_set *set, enum grafana_schema schema, const char *directory,
                     struct text *told, struct error *error);

/* checks.c: what stands on the one of all checks. -ENOMEM. */
int dashboard_add_checks(struct document *document, const struct check_set *set);
/* checks.c: a graph of a metric of the operator's. */
void dashboard_add_own(struct document *document, const struct check *check,
                       const struct metric_family *family);

#endif
