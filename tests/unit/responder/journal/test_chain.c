/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's file: who may open it, what is wrong with it, and that a changed history shows. */
#include "tests/harness/journal.h"

#include <fcntl.h>
#include <sys/wait.h>

/* Six rows of two incidents and the daemon itself. */
static void write_history(struct room *room)
{
        accept_alerts(room, "f1");
        open_incidents(room, 2);
        WRITE(room, .state = INCIDENT_RUNNING, .event = "running");
        WRITE(room, .state = INCIDENT_FAILED, .event = "failed");
        assert_int_equal(journal_set_paused(room->journal, true, "alice", "why", NULL), 0);
        WRITE(room, .ended = true, .event = "told");
        assert_int_equal(verified(room), 6);
}

static void test_changes_show(void **state)
{
        struct room *room = *state;
        static const struct {
                const char *statement, *sentence;
        } cases[] = {
                {"UPDATE timeline SET actor = 'bob' WHERE id = 5", "row 5 of the timeline ("},
                {"UPDATE timeline SET event = 'healed' WHERE id = 3", "row 3 of the timeline ("},
                {"UPDATE timeline SET at = at + 1 WHERE id = 1", "row 1 of the timeline ("},
                {"UPDATE timeline SET incident = 2 WHERE id = 4", "row 4 of the timeline ("},
                {"UPDATE timeline SET step = 1 WHERE id = 4", "row 4 of the timeline ("},
                {"UPDATE timeline SET detail = NULL WHERE id = 5", "row 5 of the timeline ("},
                {"UPDATE timeline SET detail = '' WHERE id = 4", "row 4 of the timeline ("},
                {"UPDATE timeline SET hash = zeroblob(32) WHERE id = 2", "row 2 of the timeline ("},
                {"UPDATE timeline SET hash = x'00' WHERE id = 6", "row 6 of the timeline ("},
                {"DELETE FROM timeline WHERE id = 1", "row 2 of the timeline ("},
                {"DELETE FROM timeline WHERE id = 4", "row 5 of the timeline ("},
                /* Moved from one column to the next: the words are the same, their bounds are not. */
                {"UPDATE timeline SET actor = 'engine ', event = 'unning' WHERE id = 3",
                 "row 3 of the timeline ("},
                {"INSERT INTO timeline SELECT 7, incident, at, actor, event, state, step, detail, hash FROM "
                 "timeline"
                 " WHERE id = 6",
                 "row 7 of the timeline ("},
                {"DELETE FROM timeline WHERE id = 6", "the timeline has 5 rows, but 6 were written"},
                {"DELETE FROM timeline", "the timeline has 0 rows, but 6 were written"},
        };
        write_history(room);
        sql(room, "CREATE TABLE kept AS SELECT * FROM timeline");
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                uint64_t rows = 77;
                sql(room, cases[i].statement);
                assert_int_equal(journal_verify(room->journal, &rows, &error), -EUCLEAN);
                if (!string_starts(error_text(&error), cases[i].sentence))
                        fail_msg("%s: %s", cases[i].statement, error_text(&error));
                assert_int_equal(rows, 77);
                sql(room, "DELETE FROM timeline; INSERT INTO timeline SELECT * FROM kept");
                assert_int_equal(verified(room), 6);
        }
        _cleanup_error_ struct error error = {0};
        uint64_t rows;
        sql(room, "UPDATE timeline SET event = 'denied' WHERE id = 3");
        assert_int_equal(journal_verify(room->journal, &rows, &error), -EUCLEAN);
        assert_non_null(strstr(error_text(&error), "Z, 'denied') does not follow from the row before it"));
}

static void test_a_state_that_was_never_told_shows(void **state)
{
        struct room *room = *state;
        _cleanup_error_ struct error error = {0};
        uint64_t rows;
        write_history(room);
        sql(room, "UPDATE incidents SET state = 'healed', number = 'INC-1' WHERE id = 1");
        assert_int_equal(journal_verify(room->journal, &rows, &error), -EUCLEAN);
        assert_string_equal(error_text(&error),
                            "INC-1 is 'healed', which is not what the timeline says last");
}

/* An end that was cut off does not heal by going on. */
static void test_cut_off_end_stays_visible(void **state)
{
        struct room *room = *state;
        _cleanup_error_ struct error error = {0};
        uint64_t rows;
        write_history(room);
        room->journal = journal_close(room->journal);
        sql(room, "DELETE FROM timeline WHERE id > 4");
        room_open_journal(room);
        assert_int_equal(journal_verify(room->journal, &rows, &error), -EUCLEAN);
        assert_string_equal(error_text(&error), "the timeline has 4 rows, but 6 were written");
        WRITE(room, .event = "goes on");
        assert_int_equal(journal_verify(room->journal, &rows, &error), -EUCLEAN);
        assert_true(string_starts(error_text(&error), "row 7 of the timeline ("));
}

static void test_chain_goes_on_after_reopening(void **state)
{
        struct room *room = *state;
        assert_int_equal(verified(room), 0);
        write_history(room);
        reopen(room);
        WRITE(room, .event = "after");
        REFUSED(room, ENOENT, "there is no such incident", .incident = 9);
        WRITE(room, .event = "after a refused one");
        assert_int_equal(verified(room), 8);
}

static void test_reading_beside_a_writer(void **state)
{
        struct room *room = *state;
        _cleanup_error_ struct error error = {0};
        struct journal *reader = NULL;
        uint64_t rows = 0;
        write_history(room);
        if (journal_open_reading(room->path, &reader, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_int_equal(journal_verify(reader, &rows, &error), 0);
        assert_int_equal(rows, 6);
        WRITE(room, .event = "meanwhile");
        assert_int_equal(journal_verify(reader, &rows, &error), 0);
        assert_int_equal(rows, 7);

        /* It cannot write. */
        const struct journal_entry entry = {.incident = 1, .event = "x", .actor = "x"};
        struct webhook webhook = webhook_of("f7");
        assert_int_equal(journal_write(reader, &entry, &error), -EAGAIN);
        assert_int_equal(journal_accept(reader, &webhook, tell_acceptance, NULL), -EAGAIN);
        assert_null(webhook.alerts);
        journal_close(reader);

        /* Also when nobody writes; and there must be something to read. */
        room->journal = journal_close(room->journal);
        assert_int_equal(journal_open_reading(room->path, &reader, &error), 0);
        assert_int_equal(journal_verify(reader, &rows, &error), 0);
        assert_int_equal(rows, 7);
        journal_close(reader);
        _cleanup_free_ char *missing = text_format("%s/none.db", room->directory);
        _cleanup_free_ char *sentence =
                text_format("cannot open the journal %s: No such file or directory", missing);
        assert_int_equal(journal_open_reading(missing, &reader, &error), -ENOENT);
        assert_string_equal(error_text(&error), sentence);
        assert_int_equal(access(missing, F_OK), -1);
}

static void test_second_process_is_refused(void **state)
{
        struct room *room = *state;
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
                struct journal *journal = NULL;
                struct error error = {0};
                int r = journal_open(room->path, &journal, &error);
                _exit(r == -EBUSY && strstr(error_text(&error), "another runbook_responder has it open") ? 0
                                                                                                         : 1);
        }
        assert_true(child > 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        /* Whoever was refused has taken nothing away; and once it is closed, it may be opened. */
        accept_alerts(room, "f1");
        reopen(room);
        assert_int_equal(unmatched_count(room), 1);
}

static int open_error(struct room *room, const char *sentence)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *whole = text_format("cannot open the journal %s: %s", room->path, sentence);
        int r = journal_open(room->path, &room->journal, &error);
        assert_null(room->journal);
        if (!string_starts(error_text(&error), whole))
                fail_msg("%s\nis not\n%s", error_text(&error), whole);
        return r;
}

static void overwrite(const struct room *room, off_t offset, size_t length)
{
        char zeroes[4096];
        memset(zeroes, 0x55, sizeof zeroes);
        int fd = open(room->path, O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        for (size_t done = 0; done < length; done += sizeof zeroes)
                assert_int_equal(pwrite(fd, zeroes, sizeof zeroes, offset + (off_t)done), sizeof zeroes);
        close(fd);
}

static void test_damage(void **state)
{
        struct room *room = *state;
        for (int i = 0; i < 40; i++) {
                _cleanup_free_ char *word = text_format("f%d", i);
                accept_alerts(room, word);
        }
        write_history(room);
        room->journal = journal_close(room->journal);
        struct stat status;
        assert_int_equal(stat(room->path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);

        overwrite(room, 4096, (size_t)status.st_size - 4096);
        assert_int_equal(open_error(room, "the journal is damaged"), -EUCLEAN);
        overwrite(room, 0, 4096);
        assert_int_equal(open_error(room, "the journal is no SQLite database"), -EUCLEAN);
}

static void test_other_databases(void **state)
{
        struct room *room = *state;
        struct journal *reader = NULL;
        _cleanup_error_ struct error error = {0};
        room->journal = journal_close(room->journal);
        sql(room, "PRAGMA user_version = 99");
        assert_int_equal(open_error(room, "it was written by a newer version of runbook_responder"),
                         -ENOTSUP);
        assert_int_equal(journal_open_reading(room->path, &reader, &error), -ENOTSUP);
        assert_int_equal(sql_number(room, "PRAGMA user_version"), 99);

        assert_int_equal(unlink(room->path), 0);
        sql(room, "CREATE TABLE songs (title TEXT)");
        assert_int_equal(open_error(room, "it is the database of something else"), -EUCLEAN);
        assert_int_equal(sql_number(room, "SELECT count(*) FROM sqlite_schema"), 1);
        assert_int_equal(journal_open_reading(room->path, &reader, &error), -EUCLEAN);

        /* An empty file is as good as none for writing, but nothing to be read. */
        assert_int_equal(truncate(room->path, 0), 0);
        assert_int_equal(journal_open_reading(room->path, &reader, &error), -ENOTSUP);
        assert_non_null(strstr(error_text(&error), ": it is empty"));
        room_open_journal(room);
}

static void test_makes_its_directories(void **state)
{
        struct room *room = *state;
        _cleanup_error_ struct error error = {0};
        struct journal *journal = NULL;
        struct stat status;
        _cleanup_free_ char *path = text_format("%s/a/b/journal.db", room->directory);
        _cleanup_free_ char *directory = text_format("%s/a/b", room->directory);
        assert_int_equal(journal_open(path, &journal, &error), 0);
        journal_close(journal);
        assert_int_equal(stat(directory, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0700);

        _cleanup_free_ char *below = text_format("%s/below", path);
        assert_int_equal(journal_open(below, &journal, &error), -ENOTDIR);
        _cleanup_free_ char *sentence =
                text_format("cannot open the journal %s: cannot open %s.lock: Not a directory", below, below);
        assert_string_equal(error_text(&error), sentence);
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, room_new, room_free)

int main(void)
{
        const struct CMUnitTest tests[] = {
                IN_ROOM(test_changes_show),
                IN_ROOM(test_a_state_that_was_never_told_shows),
                IN_ROOM(test_cut_off_end_stays_visible),
                IN_ROOM(test_chain_goes_on_after_reopening),
                IN_ROOM(test_reading_beside_a_writer),
                IN_ROOM(test_second_process_is_refused),
                IN_ROOM(test_damage),
                IN_ROOM(test_other_databases),
                IN_ROOM(test_makes_its_directories),
        };
        return cmocka_run_group_tests_name("journal_chain", tests, NULL, NULL);
}
