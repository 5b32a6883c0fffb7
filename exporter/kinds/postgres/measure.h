/* SPDX-License-Identifier: Apache-2.0 */
/* One run over a connection: its groups and the operator's query, each on its own, in a share of the time. */
#ifndef EXPORTER_KINDS_POSTGRES_MEASURE_H
#define EXPORTER_KINDS_POSTGRES_MEASURE_H

#include "exporter/kinds/postgres/connection.h"
#include "exporter/kinds/postgres/groups.h"

/* What a check measures. Immutable while it runs. */
struct postgres_plan {
        const struct postgres_group **groups; /* the first row of each that is wanted */
        size_t group_count;
        char *values[PARAMETERS];            /* of the groups' parameters, as text */
        const struct config_strings *tables; /* of the groups that are run for each */
        const struct config_strings *databases,
                *exclude_databases;          /* whose groups and query; none: the DSN's */
        const char *query;                   /* the operator's, or NULL */
        const struct column_metric *metrics; /* of the query */
};

/* How the query is called beside the groups. */
#define POSTGRES_QUERY_NAME "query"

/*
 * Waits for the turn and measures. Adds a runbook_postgres_ready, when that is known, and a
 * runbook_postgres_group_success for each group. What one statement is refused or not in time for, be it of
 * one table or one database alone, is left out and counted by check_skip(), and the others go on: then
 * -EREMOTEIO with every reason. Any other failure ends the run, because the connection is of no more use.
 */
int postgres_measure(struct postgres_connection *connection, const struct postgres_plan *plan,
                     struct deadline deadline, struct sample_sink *sink, struct error *error);

#endif
