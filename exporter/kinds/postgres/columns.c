/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a query as samples, by what is said of each of its columns. */
#include "exporter/kinds/postgres/columns.h"

#include <errno.h>

#include "exporter/kinds/shared/operator_metric.h"

static int find_column(const PGresult *result, const char *name, struct error *error)
{
        for (int column = 0; column < PQnfields(result); column++)
                if (strcmp(PQfname(result, column), name) == 0)
                        return column;
        return error_set(error, EPROTO, "the query has no column \"%s\"", name);
}

static int add_metric(const struct column_metric *metric, const PGresult *result, const char *database,
                      struct sample_sink *sink, struct error *error)
{
        const char *const *names = metric->label_columns ? metric->label_columns : metric->labels;
        _cleanup_free_ struct label *labels = calloc(metric->label_count + 1, sizeof(*labels));
        _cleanup_free_ int *columns = calloc(metric->label_count + 1, sizeof(*columns));
        int value_column = find_column(result, metric->value, error);
        if (!labels || !columns)
                return error_oom(error);
        if (value_column < 0)
                return value_column;
        for (size_t i = 0; i < metric->label_count; i++) {
                columns[i] = find_column(result, names[i], error);
                if (columns[i] < 0)
                        return columns[i];
        }
        for (int row = 0; row < PQntuples(result); row++) {
                double value;
                if (PQgetisnull(result, row, value_column))
                        continue;
                if (!operator_value(PQgetvalue(result, row, value_column), &value))
                        return error_set(error, EPROTO, "column \"%s\" holds a value that is not a number",
                                         metric->value);
                for (size_t i = 0; i < metric->label_count; i++)
                        labels[i] = (struct label){metric->labels[i], PQgetvalue(result, row, columns[i])};
                labels[metric->label_count] = (struct label){"database", database};
                sample_add(sink, metric->family, metric->scale > 0 ? value * metric->scale : value, labels,
                           metric->label_count + (database ? 1 : 0));
        }
        return 0;
}

int column_metrics_add(const struct column_metric *metrics, const PGresult *result, const char *database,
                       struct sample_sink *sink, struct error *error)
{
        int r = 0;
        for (; r >= 0 && metrics->family; metrics++)
                r = add_metric(metrics, result, database, sink, error);
        return r;
}
