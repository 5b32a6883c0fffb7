/* SPDX-License-Identifier: Apache-2.0 */
/* How the columns of a query become samples: the same for what is built in and for the operator's own. */
#ifndef EXPORTER_KINDS_POSTGRES_COLUMNS_H
#define EXPORTER_KINDS_POSTGRES_COLUMNS_H

#include "runbook/metrics.h"
#include "runbook/postgres.h"

/* One metric of a query: a sample for each row in which the column of its value is not NULL. */
struct column_metric {
        const struct metric_family *family; /* NULL closes a list */
        const char *value;                  /* the column with the value: a number, t or f */
        const char *const *labels;          /* the columns that become labels of the same names */
        size_t label_count;                 /* a NULL leaves its label out */
        const char *const *label_columns;   /* when the columns are called otherwise; NULL: they are not */
        double scale;                       /* what the column's unit is of the metric's; 0: the same */
};

/* For a table: the labels of a metric. */
#define COLUMN_LABELS(...)                            \
        .labels = (const char *const[]){__VA_ARGS__}, \
        .label_count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)

/* Adds the samples of a result, with the label `database` when it is not NULL. -EPROTO when it lacks a
 * column, or a value is not a number. */
int column_metrics_add(const struct column_metric *metrics, const PGresult *result, const char *database,
                       struct sample_sink *sink, struct error *error);

#endif
