/* SPDX-License-Identifier: Apache-2.0 */
/* Leases of connections, and rows of a result as JSON that restores exactly. */
#include "responder/actions/postgres/common.h"

#include <ctype.h>
#include <errno.h>

/* Type OIDs of PostgreSQL's catalogue (pg_type.dat), fixed since ever. */
enum { OID_BOOL = 16, OID_INT2 = 21, OID_INT4 = 23 };

int lease_take(struct lease *lease, const struct step_run *run, const char *database,
               struct deadline deadline, struct error *error)
{
        int r = targets_database(run->targets, database, deadline, &lease->postgres, error);
        if (r >= 0)
                lease->targets = run->targets;
        return r;
}

void lease_release(struct lease *lease)
{
        if (lease->postgres)
                targets_database_release(lease->targets, lease->postgres);
        *lease = (struct lease){0};
}

void database_check(const char *database, const struct target_set *targets, struct config_node *node)
{
        if (target_set_database(targets, database))
                return;
        if (database && *database)
                config_complain(node, "database", "there is no database \"%s\" at the top of the file",
                                database);
        else
                config_complain(node, NULL,
                                "needs `database:`, as there is not exactly one at the top of the file");
}

int64_t result_integer(const PGresult *result, int column, int64_t fallback)
{
        if (PQntuples(result) < 1 || PQgetisnull(result, 0, column))
                return fallback;
        return strtoll(PQgetvalue(result, 0, column), NULL, 10);
}

static cJSON *value_of(const PGresult *result, int row, int column)
{
        if (PQgetisnull(result, row, column))
                return cJSON_CreateNull();
        const char *text = PQgetvalue(result, row, column);
        switch (PQftype(result, column)) {
        case OID_BOOL: return cJSON_CreateBool(*text == 't');
        case OID_INT2:
        case OID_INT4: return cJSON_CreateNumber(strtod(text, NULL));
        default: return cJSON_CreateString(text);
        }
}

static int read_columns(struct rows *rows, const PGresult *result, struct error *error)
{
        rows->columns = cJSON_CreateArray();
        for (int i = 0; i < PQnfields(result); i++) {
                for (int j = 0; j < i; j++)
                        if (strcmp(PQfname(result, i), PQfname(result, j)) == 0)
                                return error_set(error, EINVAL, "two columns are named \"%s\"",
                                                 PQfname(result, i));
                if (json_append(rows->columns, cJSON_CreateString(PQfname(result, i))) < 0)
                        return error_oom(error);
        }
        return 0;
}

int rows_append(struct rows *rows, const PGresult *result, struct error *error)
{
        int r = rows->columns ? 0 : read_columns(rows, result, error);
        if (r < 0)
                return r;
        if (!rows->items)
                rows->items = cJSON_CreateArray();
        for (int row = 0; row < PQntuples(result); row++) {
                cJSON *item = cJSON_CreateObject();
                for (int column = 0; column < PQnfields(result); column++) {
                        rows->bytes += (size_t)PQgetlength(result, row, column) +
                                       strlen(PQfname(result, column)) + 4;
                        if (json_put(item, PQfname(result, column), value_of(result, row, column)) < 0) {
                                cJSON_Delete(item);
                                return error_oom(error);
                        }
                }
                if (json_append(rows->items, item) < 0)
                        return error_oom(error);
                if (rows->bytes > ROWS_BYTES_MAX)
                        return error_set(error, EFBIG,
                                         "the rows are more than %zu KiB: select only keys and old values",
                                         ROWS_BYTES_MAX / 1024);
        }
        return rows->items ? 0 : error_oom(error);
}

void rows_release(struct rows *rows)
{
        cJSON_Delete(rows->columns);
        cJSON_Delete(rows->items);
        *rows = (struct rows){0};
}

struct lines {
        char **items;
        size_t count;
};

static void lines_release(struct lines *lines)
{
        for (size_t i = 0; i < lines->count; i++)
                free(lines->items[i]);
        free(lines->items);
}

static int compare_lines(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static int sorted_lines(const cJSON *items, struct lines *ret)
{
        size_t count = (size_t)cJSON_GetArraySize(items);
        ret->items = calloc(count + 1, sizeof(*ret->items));
        if (!ret->items)
                return -ENOMEM;
        const cJSON *item = NULL;
        cJSON_ArrayForEach(item, items)
        {
                char *line = json_print(item);
                if (!line)
                        return -ENOMEM;
                ret->items[ret->count++] = line;
        }
        qsort(ret->items, ret->count, sizeof(*ret->items), compare_lines);
        return 0;
}

int rows_compare(const cJSON *columns, const cJSON *items, const struct rows *other, struct error *error)
{
        if (!cJSON_Compare(columns, other->columns, true))
                return error_set(
                        error, EINVAL,
                        "sql returns other columns than plan_sql: both must give the same, in one order");

        _cleanup_(lines_release) struct lines planned = {0}, found = {0};
        if (sorted_lines(items, &planned) < 0 || sorted_lines(other->items, &found) < 0)
                return error_oom(error);
        size_t i = 0, j = 0, gone = 0, added = 0;
        while (i < planned.count || j < found.count) {
                int order = i >= planned.count ? 1
                            : j >= found.count ? -1
                                               : strcmp(planned.items[i], found.items[j]);
                gone += order < 0;
                added += order > 0;
                i += order <= 0;
                j += order >= 0;
        }
        if (gone + added > 0)
                return error_set(error, ESTALE,
                                 "the rows are not those of the plan any more: %zu planned not touched, %zu "
                                 "touched not planned",
                                 gone, added);
        return 0;
}

size_t sql_parameters(const char *sql)
{
        size_t highest = 0;
        for (const char *c = sql; *c; c++) {
                if (*c == '\'') {
                        /* What looks like a parameter inside of a literal is text. */
                        const char *end = strchr(c + 1, '\'');
                        if (!end)
                                break;
                        c = end;
                } else if (*c == '$' && isdigit((unsigned char)c[1]) &&
                           (c == sql || !(isalnum((unsigned char)c[-1]) || c[-1] == '_'))) {
                        size_t number = (size_t)strtoul(c + 1, NULL, 10);
                        highest = number > highest ? number : highest;
                }
        }
        return highest;
}
