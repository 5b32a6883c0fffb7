/* SPDX-License-Identifier: Apache-2.0 */
/* A damaged journal is not opened; of a large one it shows while it is open already. */
#include "tests/harness/journal.h"
#include "tests/harness/world.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

/* Writes over some of it, before what is read when it is opened. */
static void damage(const struct journal_fixture *fixture)
{
        FILE *file = fopen(fixture->path, "r+");
        assert_non_null(file);
        assert_int_equal(fseek(file, 0, SEEK_END), 0);
        long place = ftell(file) / 4096 / 4 * 4096;
        assert_int_equal(fseek(file, place, SEEK_SET), 0);
        for (int i = 0; i < 64; i++)
                assert_int_equal(fwrite("what is this, and how did it come here? and what does it want?!", 64,
                                        1, file),
                                 1);
        assert_int_equal(fclose(file), 0);
}

/* Closed episodes of a kilobyte each. */
static void grow(const struct journal_fixture *fixture, int count)
{
        _cleanup_free_ char *sql = text_format(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
                " INSERT INTO episodes (fingerprint, opened_at, last_seen_at, starts_at, closed_at, alert)"
                " SELECT 'e' || i, 1, 1, 1, 1, hex(randomblob(500)) FROM n",
                count);
        run_sql(fixture, sql);
}

static void test_small(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_error_ struct error error = {0};
        struct journal *journal = NULL;
        grow(fixture, 1000);
        fixture->journal = journal_close(fixture->journal);
        damage(fixture);
        assert_int_equal(journal_open(fixture->path, &test_key, &clocks_only, &journal, &error), -EUCLEAN);
        assert_non_null(strstr(error_text(&error), "the journal is damaged"));
}

static void test_large(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_error_ struct error why = {0};
        grow(fixture, 20000);
        reopen_journal(fixture);
        /* Closing does not wait for the end of it. */
        reopen_journal(fixture);
        accept_alerts(fixture, "f1");
        assert_int_equal(journal_standing(fixture->journal, NULL, NULL), JOURNAL_FINE);
        fixture->journal = journal_close(fixture->journal);
        damage(fixture);
        open_journal(fixture);
        int code = 0;
        while (journal_standing(fixture->journal, &code, &why) == JOURNAL_FINE)
                sched_yield();
        assert_int_equal(code, EUCLEAN);
        assert_true(string_starts(error_text(&why), "the journal is damaged"));
        assert_true(try_accept(fixture->journal, "f2") < 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_small),
                ON_JOURNAL(test_large),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
