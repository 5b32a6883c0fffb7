/* SPDX-License-Identifier: Apache-2.0 */
/* A journal whose files are taken away, replaced, cut or opened twice acknowledges nothing that would be
 * lost. */
#include "tests/harness/journal.h"
#include "tests/harness/world.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char *beside(const struct journal_fixture *fixture, const char *suffix)
{
        char *path = text_format("%s%s", fixture->path, suffix);
        assert_non_null(path);
        return path;
}

static void move(const char *from, const char *to)
{
        assert_int_equal(rename(from, to), 0);
}

static void put_bytes(const char *path, const char *bytes)
{
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(bytes, file);
        assert_int_equal(fclose(file), 0);
}

/* It says so before it is asked to write, takes no webhook and no entry, and names what is wrong. */
static void assert_unusable(const struct journal_fixture *fixture, int code, const char *words)
{
        _cleanup_error_ struct error why = {0}, error = {0};
        const struct journal_entry entry = {.actor = "t", .event = "e"};
        assert_true(try_accept(fixture->journal, "after") < 0);
        assert_true(journal_write(fixture->journal, &entry, &error) < 0);
        int told = 0;
        assert_int_equal(journal_standing(fixture->journal, &told, &why), JOURNAL_UNUSABLE);
        if (told != code || !strstr(error_text(&why), words))
                fail_msg("%d: %s", told, error_text(&why));
}

static void assert_fine(const struct journal_fixture *fixture)
{
        _cleanup_error_ struct error why = {0};
        assert_int_equal(journal_try(fixture->journal, NULL), 0);
        if (journal_standing(fixture->journal, NULL, &why) != JOURNAL_FINE)
                fail_msg("%s", error_text(&why));
        accept_alerts(fixture, "later");
}

static void test_moved_and_put_back(void **state)
{
        static const char *const suffixes[] = {"", "-wal", "-shm"};
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "before");
        for (size_t i = 0; i < N_ELEMENTS(suffixes); i++) {
                _cleanup_free_ char *path = beside(fixture, suffixes[i]), *away = beside(fixture, ".away");
                move(path, away);
                assert_unusable(fixture, ENODEV, "is gone");
                put_bytes(path, "another");
                assert_unusable(fixture, EXDEV, "is another file");
                move(away, path);
                assert_fine(fixture);
        }
        assert_int_equal(unmatched_count(fixture), 2);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM episodes WHERE fingerprint = 'after'"),
                         0);
}

static void test_deleted(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_free_ char *log = beside(fixture, "-wal"), *index = beside(fixture, "-shm");
        accept_alerts(fixture, "before");
        assert_int_equal(unlink(fixture->path) | unlink(log) | unlink(index), 0);
        assert_unusable(fixture, ENODEV, "is gone");
        reopen_journal(fixture);
        assert_fine(fixture);
}

static void test_directory_is_moved(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_free_ char *away = text_format("%s.away", fixture->directory);
        move(fixture->directory, away);
        assert_unusable(fixture, ENODEV, "is gone");
        move(away, fixture->directory);
        assert_fine(fixture);
}

/* cp over it, or `: >` it: the file is the same, what it holds is not. */
static void test_written_over(void **state)
{
        static const char *const suffixes[] = {"", "-wal"};
        struct journal_fixture *fixture = *state;
        for (size_t i = 0; i < N_ELEMENTS(suffixes); i++) {
                _cleanup_free_ char *path = beside(fixture, suffixes[i]);
                accept_alerts(fixture, "f1");
                open_incidents(fixture, 1);
                assert_int_equal(truncate(path, 0), 0);
                assert_unusable(fixture, EUCLEAN, "was written to, or cut");
                /* Though it may look better by now, what was lost is lost. */
                assert_int_equal(truncate(path, 1 << 20), 0);
                assert_unusable(fixture, EUCLEAN, "was written to, or cut");
                fixture->journal = journal_close(fixture->journal);
                _cleanup_free_ char *log = beside(fixture, "-wal"), *index = beside(fixture, "-shm");
                (void)unlink(fixture->path);
                (void)unlink(log);
                (void)unlink(index);
                open_journal(fixture);
        }
}

/* A checkpoint by sqlite3's own program changes the files, and nothing of what they hold. */
static void test_checkpoint_by_another(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        run_sql(fixture, "PRAGMA wal_checkpoint(TRUNCATE)");
        assert_fine(fixture);
        WRITE(fixture, .state = INCIDENT_RUNNING);
        assert_int_equal(verified_rows(fixture), 2);
}

static int try_open(const char *path, struct error *error)
{
        struct journal *journal = NULL;
        int r = journal_open(path, &test_key, &clocks_only, &journal, error);
        journal_close(journal);
        return r;
}

/* SQLite would remove the log, with all that it holds, and begin anew without a word. */
static void test_log_without_its_database(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_free_ char *log = beside(fixture, "-wal");
        fixture->journal = journal_close(fixture->journal);
        put_bytes(log, "what was acknowledged");
        for (int emptied = 0; emptied < 2; emptied++) {
                _cleanup_error_ struct error error = {0};
                assert_int_equal(emptied ? truncate(fixture->path, 0) : unlink(fixture->path), 0);
                assert_int_equal(try_open(fixture->path, &error), -EUCLEAN);
                assert_non_null(strstr(error_text(&error), "its log is still there"));
                assert_int_equal(access(log, F_OK), 0);
        }
        assert_int_equal(unlink(log), 0);
        open_journal(fixture);
        assert_fine(fixture);
}

static void test_opened_by_other_names(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_free_ char *symbolic = beside(fixture, ".symbolic"), *hard = beside(fixture, ".hard");
        accept_alerts(fixture, "f1");
        assert_int_equal(symlink(fixture->path, symbolic) | link(fixture->path, hard), 0);
        const char *const names[] = {fixture->path, symbolic, hard};
        for (size_t i = 0; i < N_ELEMENTS(names); i++) {
                _cleanup_error_ struct error error = {0};
                assert_int_equal(try_open(names[i], &error), -EBUSY);
                assert_non_null(strstr(error_text(&error), "another runbook_responder has it open"));
        }
        /* Whoever has it is not harmed by who was refused, nor by a name more. */
        assert_fine(fixture);
        fixture->journal = journal_close(fixture->journal);
        _cleanup_error_ struct error error = {0};
        assert_int_equal(try_open(hard, &error), -EMLINK);
        assert_non_null(strstr(error_text(&error), "has a second name"));
        assert_int_equal(unlink(hard), 0);
        assert_int_equal(try_open(symbolic, NULL), 0);
        open_journal(fixture);
        assert_int_equal(unmatched_count(fixture), 2);
}

static void test_locked_by_another(void **state)
{
        struct journal_fixture *fixture = *state;
        sqlite3 *other = NULL;
        assert_int_equal(sqlite3_open(fixture->path, &other), SQLITE_OK);
        assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
        _cleanup_error_ struct error why = {0};
        int code = 0;
        assert_int_equal(journal_try(fixture->journal, NULL), -EBUSY);
        assert_int_equal(journal_standing(fixture->journal, &code, &why), JOURNAL_UNUSABLE);
        assert_int_equal(code, EBUSY);
        assert_string_equal(error_text(&why), "another process holds the journal");
        sqlite3_close(other);
        assert_fine(fixture);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_moved_and_put_back),    ON_JOURNAL(test_deleted),
                ON_JOURNAL(test_directory_is_moved),    ON_JOURNAL(test_written_over),
                ON_JOURNAL(test_checkpoint_by_another), ON_JOURNAL(test_log_without_its_database),
                ON_JOURNAL(test_opened_by_other_names), ON_JOURNAL(test_locked_by_another),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
