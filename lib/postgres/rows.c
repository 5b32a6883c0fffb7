/* SPDX-License-Identifier: Apache-2.0 */
/* Rows, which come one by one, and are put together again as far as they are wanted. */
#include <errno.h>

#include "lib/postgres/internal.h"

/* As it came: a type, the length, how many fields, and each with its length before it. */
static size_t row_length(const PGresult *row)
{
        size_t length = 1 + 4 + 2;
        for (int column = 0; column < PQnfields(row); column++)
                length += 4 + (size_t)PQgetlength(row, 0, column);
        return length;
}

static int append_row(PGresult *rows, const PGresult *row)
{
        const int at = PQntuples(rows);
        for (int column = 0; column < PQnfields(row); column++)
                if (!PQsetvalue(rows, at, column,
                                PQgetisnull(row, 0, column) ? NULL : PQgetvalue(row, 0, column),
                                PQgetisnull(row, 0, column) ? -1 : PQgetlength(row, 0, column)))
                        return -ENOMEM;
        return 0;
}

/* Once one is not kept, none behind it is: what there is of an answer is its beginning. */
static bool is_beyond(const struct postgres_rows *rows, const struct statement *statement,
                      const PGresult *row)
{
        return rows->beyond > 0 ||
               (statement->ret_cut && (size_t)PQntuples(rows->result) >= statement->rows_most) ||
               PQresultMemorySize(rows->result) + PQresultMemorySize(row) > POSTGRES_ANSWER_MAX;
}

int postgres_rows_take(struct postgres_rows *rows, const struct statement *statement, const PGresult *row,
                       struct postgres_line *line)
{
        const size_t length = row_length(row);
        line->rows += length;
        if (!rows->result && !(rows->result = PQcopyResult(row, PG_COPYRES_ATTRS)))
                return -ENOMEM;
        if (!is_beyond(rows, statement, row))
                return append_row(rows->result, row);
        if (!statement->ret_cut)
                return -EMSGSIZE;
        ++*statement->ret_cut;
        rows->beyond += length;
        return rows->beyond > POSTGRES_ANSWER_MAX;
}

int64_t postgres_touched(const PGresult *result)
{
        return PQnfields(result) > 0 ? PQntuples(result) : strtoll(PQcmdTuples((PGresult *)result), NULL, 10);
}
