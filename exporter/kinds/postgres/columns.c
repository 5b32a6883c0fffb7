/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a query as samples, by what is said of each of its columns. */
#include "exporter/kinds/postgres/columns.h"

#include <errno.h>

#include "exporter/check/skipped.h"
#include "exporter/kinds/shared/operator_metric.h"

static int find_column(const PGresult *result, const char *name, struct error *error)
{
        for (int column = 0; column < PQnfields(result); column++)
                if (strcmp(PQfname(result, column), name) == 0)
                        return column;
        return error_set(error, EPROTO, "the query has no column \"%s\"", name);
}

static size_t count_values(const PGresult *result, int column)
{
        size_t count = 0;
        for (int row = 0; row < PQntuples(result); row++)
                count += !PQgetisnull(result, row, column);
        return count;
}

/* A row whose value is no number costs itself; when it costs them all, that is the failure. */
static int add_metric(const struct column_metric *metric, const PGresult *result, const char *database,
                      struct sample_sink *sink, struct error *error)
{
        size_t taken = 0, skipped = 0;
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
        size_t values = count_values(result, value_column);
        if (values > 1 && metric->label_count == 0)
                return error_set(error, EPROTO,
                                 "%zu rows have a value in column \"%s\", and nothing tells them apart: name "
                                 "columns of theirs under labels, or aggregate them",
                                 values, metric->value);
        for (int row = 0; row < PQntuples(result); row++) {
                double value;
                if (PQgetisnull(result, row, value_column))
                        continue;
                if (!operator_value(PQgetvalue(result, row, value_column), &value)) {
                        check_skip(sink, SKIP_MALFORMED, "%s, row %d: column \"%s\" holds no number",
                                   metric->family->name, row + 1, metric->value);
                        skipped++;
                        continue;
                }
                taken++;
                for (size_t i = 0; i < metric->label_count; i++)
                        labels[i] = (struct label){metric->labels[i], PQgetvalue(result, row, columns[i])};
                labels[metric->label_count] = (struct label){"database", database};
                sample_add(sink, metric->family, metric->scale > 0 ? value * metric->scale : value, labels,
                           metric->label_count + (database ? 1 : 0));
        }
        return skipped > 0 && taken == 0
                       ? error_set(error, EPROTO, "column \"%s\" holds a value that is not a number",
                                   metric->value)
                       : 0;
}

int column_metrics_add(const struct column_metric *metrics, const PGresult *result, const char *database,
                       struct sample_sink *sink, struct error *error)
{
        int failure = 0;
        for (; metrics->family; metrics++) {
                _cleanup_error_ struct error own = {0};
                int r = add_metric(metrics, result, database, sink, &own);
                if (r >= 0 || failure < 0)
                        continue;
                failure = r;
                error_move(error, &own);
        }
        return failure;
}
