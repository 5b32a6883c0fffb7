/* SPDX-License-Identifier: Apache-2.0 */
/* The eye that looks into the journal beside the daemon, for the claims. */
#include "tests/sim/claims.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The journal by a connection of our own. Queries are prepared once: the text's address is what tells them
 * apart. */
static struct {
        sqlite3 *database;
        struct {
                const char *sql;
                sqlite3_stmt *statement;
        } queries[128];
} eye;

void claims_open(struct sim *sim)
{
        if (sqlite3_open_v2(JOURNAL_PATH, &eye.database, SQLITE_OPEN_READWRITE, DISK_VFS) != SQLITE_OK)
                sim_fail(sim, "cannot look into the journal");
}

void claims_close(void)
{
        for (size_t i = 0; i < N_ELEMENTS(eye.queries) && eye.queries[i].sql; i++) {
                sqlite3_finalize(eye.queries[i].statement);
                eye.queries[i].sql = NULL;
        }
        sqlite3_close(eye.database);
        eye.database = NULL;
}

static sqlite3_stmt *prepare(const char *sql)
{
        size_t i = 0;
        while (i < N_ELEMENTS(eye.queries) && eye.queries[i].sql && eye.queries[i].sql != sql)
                i++;
        if (i == N_ELEMENTS(eye.queries))
                abort();
        if (!eye.queries[i].sql) {
                if (sqlite3_prepare_v2(eye.database, sql, -1, &eye.queries[i].statement, NULL) != SQLITE_OK)
                        abort();
                eye.queries[i].sql = sql;
        }
        return eye.queries[i].statement;
}

/* One row of a query with numbers (i) and strings (t) bound; its first column as number, and as text when
 * asked. */
static int64_t ask(char **ret_text, const char *sql, const char *types, va_list values)
{
        sqlite3_stmt *statement = prepare(sql);
        for (int i = 0; types[i]; i++) {
                if (types[i] == 'i')
                        sqlite3_bind_int64(statement, i + 1, va_arg(values, int64_t));
                else
                        sqlite3_bind_text(statement, i + 1, va_arg(values, const char *), -1,
                                          SQLITE_TRANSIENT);
        }
        int64_t number = -1;
        if (sqlite3_step(statement) == SQLITE_ROW) {
                number = sqlite3_column_int64(statement, 0);
                const char *text = (const char *)sqlite3_column_text(statement, 0);
                if (ret_text)
                        *ret_text = strdup(text ? text : "");
        }
        sqlite3_reset(statement);
        return number;
}

int64_t claims_number(const char *sql, const char *types, ...)
{
        va_list values;
        va_start(values, types);
        int64_t number = ask(NULL, sql, types, values);
        va_end(values);
        return number;
}

char *claims_text(const char *sql, const char *types, ...)
{
        char *text = NULL;
        va_list values;
        va_start(values, types);
        ask(&text, sql, types, values);
        va_end(values);
        return text ? text : strdup("");
}

void claims_print(void)
{
        sqlite3_stmt *statement = NULL;
        sqlite3_prepare_v2(eye.database,
                           "SELECT id || ' ' || incident || ' ' || event || ' ' || step || ' '"
                           " || state || ' ' || actor || ' ' || substr(coalesce(detail, ''), 1, 80)"
                           " FROM timeline WHERE id > (SELECT max(id) FROM timeline) - 100 ORDER BY id",
                           -1, &statement, NULL);
        while (eye.database && sqlite3_step(statement) == SQLITE_ROW)
                printf("  %s\n", (const char *)sqlite3_column_text(statement, 0));
        sqlite3_finalize(statement);
}

int64_t incident_of(const char *number)
{
        return claims_number("SELECT id FROM incidents WHERE number = ?1", "t", number);
}

bool claims_execute(const char *sql)
{
        return sqlite3_exec(eye.database, sql, NULL, NULL, NULL) == SQLITE_OK;
}
