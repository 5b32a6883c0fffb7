/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is built in to measure of PostgreSQL 12 to 17: a table of queries and of what their columns mean.
 *
 * A new group is one row of the table. Rows of one name that follow each other are alternatives: the first
 * one whose extension and column the server has is run. Each query is one short statement of its own, so that
 * no snapshot is held from one to the next. A query that is run for each table gives one row with its `oid`
 * and whether it was `skipped`.
 */
#ifndef EXPORTER_KINDS_POSTGRES_GROUPS_H
#define EXPORTER_KINDS_POSTGRES_GROUPS_H

#include "exporter/kinds/postgres/columns.h"

/* What a query may be given, from the check's options. */
enum postgres_parameter {
        PARAMETER_NONE,
        PARAMETER_LONG_RUNNING,   /* float8: seconds */
        PARAMETER_SLOW,           /* float8: seconds */
        PARAMETER_TOP,            /* int */
        PARAMETER_TABLE,          /* text: one of the check's tables; the query is run for each */
        PARAMETER_STATEMENT_TEXT, /* bool */
        PARAMETERS,               /* how many there are */
};

enum { GROUP_PARAMETERS_MAX = 3 };

struct postgres_group {
        const char *name;
        bool by_default;  /* is measured when the check says neither groups nor a query */
        bool monitor;     /* without pg_read_all_stats, as of pg_monitor, the server would show too little */
        bool console;     /* it is of PgBouncer's console, and not of a server */
        bool by_database; /* it tells of the database of the connection, not of the whole server */
        const char *extension; /* that it needs, or NULL; its schema, quoted, is put for ${schema} */
        const char *column;    /* that the relation named as the extension needs to have, or NULL */
        const char *sql;
        enum postgres_parameter parameters[GROUP_PARAMETERS_MAX]; /* $1, $2, … */
        const struct column_metric *metrics;
};

/* Closed by a row without a name. */
extern const struct postgres_group postgres_groups[];

bool postgres_group_is_by_table(const struct postgres_group *group);

/* Every family of the table, and those of the kind itself, closed by NULL. */
extern const struct metric_family *const postgres_families[];

/* Those that are of no group. */
#define POSTGRES_FAMILIES(X)                                                                               \
        X(postgres_ready, GAUGE, "runbook_postgres_ready", NULL,                                           \
          "Whether the server let the check in and answered it; 0 when it did not.")                       \
        X(postgres_group_success, GAUGE, "runbook_postgres_group_success", NULL,                           \
          "Whether the group was measured; 0 while the check succeeds: the server has no such extension.") \
        X(postgres_database_ready, GAUGE, "runbook_postgres_database_ready", NULL,                         \
          "Whether the database let the check in and answered it; one of those in the check's databases.") \
        X(postgres_skipped, GAUGE, "runbook_postgres_skipped_relations", NULL,                             \
          "Relations that were left out because somebody has or awaits an exclusive lock on them.")
POSTGRES_FAMILIES(DECLARE_FAMILY)

/* Their names, for the reference page; a test holds it against the table. */
#define POSTGRES_GROUP_NAMES                                                                       \
        "`server`, `connections`, `long_running_queries`, `replication`, `replication_slots`, "    \
        "`wal_size`, `database_sizes`, `transaction_ids`, `xmin_holders`, `database_statistics`, " \
        "`table_sizes`, `index_usage`, `vacuum`, `table_ages`, `bloat`, "                          \
        "`slow_statements`, `row_counts`, `row_estimates`, "                                       \
        "`pgbouncer_pools`, `pgbouncer_stats`, `pgbouncer_databases`, `pgbouncer_lists`"

#endif
