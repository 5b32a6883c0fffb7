/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of the journal is one file that has everything, or there is none. */
#include "tests/harness/journal.h"
#include "tests/harness/world.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char *beside(const struct journal_fixture *fixture, const char *name)
{
        char *path = text_format("%s/%s", fixture->directory, name);
        assert_non_null(path);
        return path;
}

static size_t files_of(const struct journal_fixture *fixture, const char *name)
{
        size_t count = 0;
        DIR *directory = opendir(fixture->directory);
        assert_non_null(directory);
        for (const struct dirent *entry; (entry = readdir(directory));)
                count += string_starts(entry->d_name, name);
        closedir(directory);
        return count;
}

static void test_while_it_is_written_to(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_free_ char *copy = beside(fixture, "copy");
        _cleanup_error_ struct error error = {0};
        uint64_t rows = 0;
        struct stat status;
        accept_alerts(fixture, "f1 f2");
        open_incidents(fixture, 1);
        WRITE(fixture, .state = INCIDENT_RUNNING);
        if (journal_backup(fixture->path, &test_key, copy, &rows, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_int_equal(rows, 2);
        assert_int_equal(stat(copy, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
        /* Nothing lies beside it, and the journal goes on. */
        assert_int_equal(files_of(fixture, "copy"), 1);
        WRITE(fixture, .state = INCIDENT_DONE);

        /* What is there already is left as it is, be it a link to nowhere. */
        _cleanup_free_ char *link = beside(fixture, "link");
        assert_int_equal(symlink("nowhere", link), 0);
        assert_int_equal(journal_backup(fixture->path, &test_key, link, &rows, NULL), -EEXIST);
        assert_int_equal(journal_backup(fixture->path, &test_key, copy, &rows, NULL), -EEXIST);

        /* It is a journal as it was then. */
        snprintf(fixture->path, sizeof(fixture->path), "%s", copy);
        reopen_journal(fixture);
        struct incident incident = only_active(fixture);
        assert_int_equal(incident.state, INCIDENT_RUNNING);
        incident_release(&incident);
        assert_int_equal(verified_rows(fixture), 2);
        WRITE(fixture, .state = INCIDENT_DONE);
}

static void test_nothing_is_left_of_what_failed(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_free_ char *copy = beside(fixture, "copy"), *nowhere = beside(fixture, "no/where");
        uint64_t rows = 7;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        assert_int_equal(journal_backup(nowhere, &test_key, copy, &rows, NULL), -ENOENT);
        _cleanup_error_ struct error unfound = {0};
        assert_int_equal(journal_backup(fixture->path, &test_key, nowhere, &rows, &unfound), -ENOENT);
        assert_non_null(strstr(error_text(&unfound), "/no/where: No such file or directory"));
        run_sql(fixture, "UPDATE timeline SET actor = 'somebody else'");
        _cleanup_error_ struct error error = {0};
        assert_int_equal(journal_backup(fixture->path, &test_key, copy, &rows, &error), -EUCLEAN);
        assert_true(string_starts(error_text(&error), "the copy, and so the journal: row 1 of the timeline"));
        assert_int_equal(files_of(fixture, "copy"), 0);
        assert_int_equal(rows, 7);
}

/* Of a responder that was killed all may lie in the log. */
static void test_of_a_journal_that_nobody_has(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_free_ char *copy = beside(fixture, "copy"), *killed = beside(fixture, "killed");
        uint64_t rows = 0;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        _cleanup_free_ char *command = text_format(
                "cd %s && cp journal.db killed && cp journal.db-wal killed-wal", fixture->directory);
        assert_int_equal(system(command), 0);
        assert_int_equal(journal_backup(killed, &test_key, copy, &rows, NULL), 0);
        assert_int_equal(rows, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_while_it_is_written_to),
                ON_JOURNAL(test_nothing_is_left_of_what_failed),
                ON_JOURNAL(test_of_a_journal_that_nobody_has),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
