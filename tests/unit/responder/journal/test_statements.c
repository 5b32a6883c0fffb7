/* SPDX-License-Identifier: Apache-2.0 */
/* How SQLite finds what each statement asks for: none of those that a look or a webhook asks goes over all
 * rows, nor does the seal of what is written. */
#include "tests/harness/journal.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

#include "responder/journal/internal.h"

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
        "STEADY_INCIDENTS", "STEADY_EPISODES",       "STEADY_LAST", /* and no more than that: see steady.c */
        "TIMELINE_LAST",    "HAS_HISTORY",           "SEALS_FOLD",
        "SEALS_OF_OTHERS"};
static const char *const go_over_all_of_a_table[] = {"BROKEN_", "UNSEALED_", "GONE_"};

static const char *const large[] = {"SCAN episodes", "SCAN incidents", "SCAN steps", "SCAN timeline",
                                    "SCAN members",  "SCAN e",         "SCAN i",     "SCAN m",
                                    "SCAN t",        "SCAN seals",     "SCAN s"};

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

/* Indexes of what goes on have few rows; of what has run, or has a cause, nearly all; any other has them all.
 */
static bool goes_by_few(sqlite3 *database, const char *step)
{
        const char *index = strstr(step, "INDEX ");
        if (!index)
                return false;
        _cleanup_free_ char *name = strndup(index + 6, strcspn(index + 6, " "));
        sqlite3_stmt *partial = NULL;
        sqlite3_prepare_v2(database,
                           "SELECT sql LIKE '% WHERE %active = 1%' OR sql LIKE '% WHERE %closed_at IS NULL%' "
                           "FROM sqlite_schema WHERE name = ?1",
                           -1, &partial, NULL);
        sqlite3_bind_text(partial, 1, name, -1, SQLITE_TRANSIENT);
        bool few = sqlite3_step(partial) == SQLITE_ROW && sqlite3_column_int(partial, 0) > 0;
        sqlite3_finalize(partial);
        return few;
}

/* Of seals, those of one table are nearly all. */
static bool goes_over_all(sqlite3 *database, const char *step)
{
        for (size_t i = 0; i < N_ELEMENTS(large); i++) {
                size_t length = strlen(large[i]);
                if (string_starts(step, large[i]) && (step[length] == '\0' || step[length] == ' ') &&
                    !goes_by_few(database, step))
                        return true;
        }
        return strstr(step, "USING PRIMARY KEY (of=?)") != NULL;
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
                        if (goes_over_all(database, step))
                                fail_msg("%s: %s", statements[i].name, step);
                }
                sqlite3_finalize(plan);
        }
        sqlite3_close(database);
        assert_true(looked_at > N_ELEMENTS(statements) / 2);
}

/* How many tables and indexes a statement writes. */
static int count_written(sqlite3 *database, const char *sql)
{
        _cleanup_free_ char *explain = text_format("EXPLAIN %s", sql);
        sqlite3_stmt *program = NULL;
        int count = 0;
        if (sqlite3_prepare_v2(database, explain, -1, &program, NULL) != SQLITE_OK)
                fail_msg("%s: %s", sql, sqlite3_errmsg(database));
        while (sqlite3_step(program) == SQLITE_ROW)
                count += string_equal((const char *)sqlite3_column_text(program, 1), "OpenWrite");
        sqlite3_finalize(program);
        return count;
}

/* An index of what is set is taken apart and written anew with each step, whether it is another value or not.
 */
static void test_what_each_step_writes_is_in_no_index(void **state)
{
        static const char *const often[] = {"INCIDENT_TOUCH", "STEP_BEGIN", "STEP_SET_PROGRESS",
                                            "STEP_FINISH", "STEP_SETTLE"};
        struct journal_fixture *fixture = *state;
        sqlite3 *database = NULL;
        size_t looked_at = 0;
        assert_int_equal(sqlite3_open(fixture->path, &database), SQLITE_OK);
        for (size_t i = 0; i < N_ELEMENTS(statements); i++) {
                if (words_find(often, N_ELEMENTS(often), statements[i].name) < 0)
                        continue;
                looked_at++;
                if (count_written(database, statements[i].sql) != 1)
                        fail_msg("%s writes more than its row", statements[i].name);
        }
        sqlite3_close(database);
        assert_int_equal(looked_at, N_ELEMENTS(often));
}

static int count_one(void *context)
{
        ++*(atomic_uint *)context;
        return 0;
}

/* How many steps SQLite's machine makes while a step of an incident is written, and it is read. */
static unsigned count_work(struct journal_fixture *fixture, int64_t number)
{
        atomic_uint count = 0;
        struct incident_list list = {0};
        sqlite3 *const connections[] = {fixture->journal->writer.database, fixture->journal->reader.database};
        for (size_t i = 0; i < N_ELEMENTS(connections); i++)
                sqlite3_progress_handler(connections[i], 1, count_one, &count);
        WRITE(fixture, .incident = number, .step = 1, .step_status = STEP_STARTED, .event = "step started");
        assert_int_equal(journal_list(fixture->journal, INCIDENT_UNCHANGED, number + 1, 1, &list, NULL), 0);
        assert_int_equal(list.items[0].id, number);
        assert_null(list.items[0].unreadable);
        for (size_t i = 0; i < N_ELEMENTS(connections); i++)
                sqlite3_progress_handler(connections[i], 0, NULL, NULL);
        incident_list_release(&list);
        return count;
}

static void open_one(struct journal_fixture *fixture, int64_t number)
{
        _cleanup_free_ char *alert = text_format("f%lld", (long long)number);
        accept_alerts(fixture, alert);
        open_incidents(fixture, 1);
}

/* Triggers are in nobody's plan, and what they look for may be looked for in all that was ever sealed. */
static void test_the_hundredth_incident_costs_as_much_as_the_third(void **state)
{
        struct journal_fixture *fixture = *state;
        unsigned first = 0;
        for (int64_t number = 1; number <= 100; number++) {
                open_one(fixture, number);
                if (number == 2)
                        (void)count_work(fixture, number); /* what is prepared once */
                if (number == 3)
                        first = count_work(fixture, number);
        }
        unsigned last = count_work(fixture, 100);
        if (first < 100 || last > first + first / 4)
                fail_msg("%u steps of SQLite's machine for the third, %u for the hundredth", first, last);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_no_statement_goes_over_all_rows),
                ON_JOURNAL(test_what_each_step_writes_is_in_no_index),
                ON_JOURNAL(test_the_hundredth_incident_costs_as_much_as_the_third)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
