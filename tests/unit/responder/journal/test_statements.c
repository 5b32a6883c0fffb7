/* SPDX-License-Identifier: Apache-2.0 */
/* How SQLite finds what each statement asks for: none of those that a look or a webhook asks goes over all
 * rows. */
#include "tests/harness/journal.h"

#include <sqlite3.h>
#include <string.h>

#define X(name, sql) {#name, sql},
static const struct {
        const char *name, *sql;
} statements[] = {
#include "responder/journal/statements.h"
};
#undef X

/* Those that are about all rows, once at a start, for `verify` or an upgrade; and one that ends at its first.
 */
static const char *const go_over_all[] = {
        "TIMELINE_ALL",     "TIMELINE_CONTRADICTED", "DEFINITION_CONTRADICTED",
        "STEADY_INCIDENTS", "STEADY_EPISODES",       "TIMELINE_LAST",
        "HAS_HISTORY"};
static const char *const go_over_all_of_a_table[] = {"BROKEN_", "UNSEALED_", "GONE_"};

static const char *const large[] = {"SCAN episodes", "SCAN incidents", "SCAN steps",
                                    "SCAN timeline", "SCAN members",   "SCAN e",
                                    "SCAN i",        "SCAN m",         "SCAN t"};

static bool may_go_over_all(const char *name)
{
        for (size_t i = 0; i < N_ELEMENTS(go_over_all_of_a_table); i++)
                if (string_starts(name, go_over_all_of_a_table[i]))
                        return true;
        return words_find(go_over_all, N_ELEMENTS(go_over_all), name) >= 0;
}

/* Those of seals.c, which need a key. */
static void nothing(sqlite3_context *context, int count _unused_, sqlite3_value **values _unused_)
{
        sqlite3_result_null(context);
}

/* By an index it is only as many rows as that has: the partial ones have few. */
static bool goes_over_all(const char *step)
{
        for (size_t i = 0; i < N_ELEMENTS(large); i++) {
                size_t length = strlen(large[i]);
                if (string_starts(step, large[i]) && (step[length] == '\0' || step[length] == ' ') &&
                    !strstr(step, "USING"))
                        return true;
        }
        return false;
}

static void test_no_statement_goes_over_all_rows(void **state)
{
        struct journal_fixture *fixture = *state;
        sqlite3 *database = NULL;
        size_t looked_at = 0;
        assert_int_equal(sqlite3_open(fixture->path, &database), SQLITE_OK);
        sqlite3_create_function(database, "seal_of", -1, SQLITE_UTF8, NULL, nothing, NULL, NULL);
        sqlite3_create_function(database, "fold", 4, SQLITE_UTF8, NULL, nothing, NULL, NULL);
        for (size_t i = 0; i < N_ELEMENTS(statements); i++) {
                _cleanup_free_ char *sql = text_format("EXPLAIN QUERY PLAN %s", statements[i].sql);
                sqlite3_stmt *plan = NULL;
                if (may_go_over_all(statements[i].name))
                        continue;
                if (sqlite3_prepare_v2(database, sql, -1, &plan, NULL) != SQLITE_OK)
                        fail_msg("%s: %s", statements[i].name, sqlite3_errmsg(database));
                while (sqlite3_step(plan) == SQLITE_ROW) {
                        const char *step = (const char *)sqlite3_column_text(plan, 3);
                        looked_at++;
                        if (goes_over_all(step))
                                fail_msg("%s: %s", statements[i].name, step);
                }
                sqlite3_finalize(plan);
        }
        sqlite3_close(database);
        assert_true(looked_at > N_ELEMENTS(statements) / 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {ON_JOURNAL(test_no_statement_goes_over_all_rows)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
