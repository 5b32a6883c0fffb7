/* SPDX-License-Identifier: Apache-2.0 */
/* What the actions on PostgreSQL share: the lease of a standing connection, and rows as JSON. */
#ifndef RESPONDER_ACTIONS_POSTGRES_COMMON_H
#define RESPONDER_ACTIONS_POSTGRES_COMMON_H

#include "responder/actions/shared/plan.h"

/* The standing connection to a database, given back at the end of the scope. */
struct lease {
        struct targets *targets;
        struct postgres *postgres;
};
int lease_take(struct lease *lease, const struct step_run *run, const char *database,
               struct deadline deadline, struct error *error);
void lease_release(struct lease *lease);
#define _cleanup_lease_ _cleanup_(lease_release)

/* Complains when the database is not one of remediations.yml. */
void database_check(const char *database, const struct target_set *targets, struct config_node *node);

/* One value of the first row as a number; `fallback` when there is none. */
int64_t result_integer(const PGresult *result, int column, int64_t fallback);

/* All rows of one statement, in the order of its columns. */
struct rows {
        cJSON *columns; /* names */
        cJSON *items;   /* objects */
        size_t bytes;
};
#define ROWS_BYTES_MAX ((size_t)1024 * 1024)

/*
 * Appends a result's rows. So that they restore exactly, everything is recorded as its text, but null,
 * booleans, smallint and integer, which JSON has without loss. -EFBIG over ROWS_BYTES_MAX, -EINVAL for two
 * columns of one name.
 */
int rows_append(struct rows *rows, const PGresult *result, struct error *error);
void rows_release(struct rows *rows);
#define _cleanup_rows_ _cleanup_(rows_release)

/* -ESTALE, with how they differ, unless both have the same columns and, in any order, the same rows. */
int rows_compare(const cJSON *columns, const cJSON *items, const struct rows *other, struct error *error);

/* The highest N of `$N` in a statement; 0 when it has none. */
size_t sql_parameters(const char *sql);

#endif
