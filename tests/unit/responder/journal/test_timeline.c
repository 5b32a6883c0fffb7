/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's file: who may open it, what is wrong with it, and that a changed history shows. */
#include "tests/harness/journal.h"
#include "tests/harness/world.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Six rows of two incidents and the daemon itself. */
static void write_history(struct journal_fixture *fixture)
{
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 2);
        WRITE(fixture, .state = INCIDENT_RUNNING, .event = "running");
        WRITE(fixture, .state = INCIDENT_FAILED, .event = "failed");
        assert_int_equal(journal_set_paused(fixture->journal, true, "alice", "why", NULL), 0);
        WRITE(fixture, .state = INCIDENT_ESCALATED, .event = "escalated");
        assert_int_equal(verified_rows(fixture), 6);
}

static void test_changes_show(void **state)
{
        struct journal_fixture *fixture = *state;
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
        write_history(fixture);
        _cleanup_free_ char *keep =
                text_format("ATTACH '%s.kept' AS aside; CREATE TABLE aside.kept AS SELECT * FROM timeline",
                            fixture->path);
        _cleanup_free_ char *restore =
                text_format("ATTACH '%s.kept' AS aside; DELETE FROM main.timeline; INSERT INTO main.timeline"
                            " SELECT * FROM kept",
                            fixture->path);
        run_sql(fixture, keep);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                uint64_t rows = 77;
                run_sql(fixture, cases[i].statement);
                assert_int_equal(journal_verify(fixture->journal, &rows, &error), -EUCLEAN);
                if (!string_starts(error_text(&error), cases[i].sentence))
                        fail_msg("%s: %s", cases[i].statement, error_text(&error));
                assert_int_equal(rows, 77);
                run_sql(fixture, restore);
                assert_int_equal(verified_rows(fixture), 6);
        }
        _cleanup_error_ struct error error = {0};
        uint64_t rows;
        run_sql(fixture, "UPDATE timeline SET event = 'denied' WHERE id = 3");
        assert_int_equal(journal_verify(fixture->journal, &rows, &error), -EUCLEAN);
        assert_non_null(strstr(error_text(&error), "Z, 'denied') does not follow from the row before it"));
}

static void test_a_state_that_was_never_told_shows(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_error_ struct error error = {0};
        uint64_t rows;
        write_history(fixture);
        run_sql(fixture, "UPDATE incidents SET state = 'healed', number = 'INC-1' WHERE id = 1");
        assert_int_equal(journal_verify(fixture->journal, &rows, &error), -EUCLEAN);
        assert_string_equal(error_text(&error),
                            "INC-1 is 'healed', which is not what the timeline says last");
}

/* An end that was cut off does not heal by going on. */
static void test_cut_off_end_stays_visible(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_error_ struct error error = {0};
        uint64_t rows;
        write_history(fixture);
        run_sql(fixture, "DELETE FROM timeline WHERE id > 4");
        assert_int_equal(journal_verify(fixture->journal, &rows, &error), -EUCLEAN);
        assert_string_equal(error_text(&error), "the timeline has 4 rows, but 6 were written");
        forge_journal(fixture, "");
        assert_int_equal(journal_verify(fixture->journal, &rows, &error), -EUCLEAN);
        assert_true(string_starts(error_text(&error), "row 7 of the timeline ("));
}

static void test_chain_goes_on_after_reopening(void **state)
{
        struct journal_fixture *fixture = *state;
        assert_int_equal(verified_rows(fixture), 0);
        write_history(fixture);
        reopen_journal(fixture);
        WRITE(fixture, .event = "after");
        REFUSED(fixture, ENOENT, "there is no such incident", .incident = 9);
        WRITE(fixture, .event = "after a refused one");
        assert_int_equal(verified_rows(fixture), 8);
}

static void never_told(void *context _unused_, int result _unused_)
{
        abort();
}

static void test_reading_beside_a_writer(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_error_ struct error error = {0};
        struct journal *reader = NULL;
        uint64_t rows = 0;
        write_history(fixture);
        if (journal_open_reading(fixture->path, &test_key, &reader, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_int_equal(journal_verify(reader, &rows, &error), 0);
        assert_int_equal(rows, 6);
        WRITE(fixture, .event = "meanwhile");
        assert_int_equal(journal_verify(reader, &rows, &error), 0);
        assert_int_equal(rows, 7);

        /* It cannot write. */
        const struct journal_entry entry = {.incident = 1, .event = "x", .actor = "x"};
        struct webhook webhook = webhook_of("f7");
        assert_int_equal(journal_write(reader, &entry, &error), -EAGAIN);
        assert_int_equal(journal_accept(reader, &webhook, never_told, NULL), -EAGAIN);
        assert_null(webhook.alerts);
        journal_close(reader);

        /* Also when nobody writes; and there must be something to read. */
        fixture->journal = journal_close(fixture->journal);
        assert_int_equal(journal_open_reading(fixture->path, &test_key, &reader, &error), 0);
        assert_int_equal(journal_verify(reader, &rows, &error), 0);
        assert_int_equal(rows, 7);
        journal_close(reader);
        _cleanup_free_ char *missing = text_format("%s/none.db", fixture->directory);
        _cleanup_free_ char *sentence =
                text_format("cannot open the journal %s: No such file or directory", missing);
        assert_int_equal(journal_open_reading(missing, &test_key, &reader, &error), -ENOENT);
        assert_string_equal(error_text(&error), sentence);
        assert_int_equal(access(missing, F_OK), -1);
}

static void ask_approval(struct journal_fixture *fixture, const char *text)
{
        _cleanup_json_ cJSON *definition = cJSON_Parse(text), *detail = cJSON_CreateObject();
        assert_true(definition && json_put(detail, "definition", cJSON_Duplicate(definition, true)) >= 0);
        WRITE(fixture, .state = INCIDENT_AWAITING_APPROVAL, .event = "awaiting approval",
              .definition = definition, .detail = detail);
        WRITE(fixture, .event = "approved", .approve = true);
}

/* An approval from before the question is none (attack F8). */
static void test_an_approval_of_before_the_question(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        WRITE(fixture, .state = INCIDENT_AWAITING_APPROVAL, .event = "awaiting approval");
        WRITE(fixture, .event = "approved", .approve = true);
        struct incident incident = only_active(fixture);
        assert_true(incident.approved);
        incident_release(&incident);
        WRITE(fixture, .state = INCIDENT_AWAITING_APPROVAL, .event = "awaiting approval");
        incident = only_active(fixture);
        assert_false(incident.approved);
        incident_release(&incident);
}

/* What an incident runs is kept, covered by the chain, and an approval is of that and nothing else. */
static void test_definition(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_error_ struct error error = {0};
        uint64_t rows = 0;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        ask_approval(fixture, "{\"steps\":[1]}");
        WRITE(fixture, .event = "a moment");
        struct incident incident = only_active(fixture);
        assert_true(incident.approved);
        assert_string_equal(incident.definition, "{\"steps\":[1]}");
        incident_release(&incident);

        _cleanup_json_ cJSON *other = cJSON_Parse("{\"steps\":[2]}"), *detail = cJSON_CreateObject();
        json_put(detail, "definition", cJSON_Duplicate(other, true));
        WRITE(fixture, .state = INCIDENT_AWAITING_APPROVAL, .event = "awaiting approval", .definition = other,
              .detail = detail);
        incident = only_active(fixture);
        assert_false(incident.approved);
        incident_release(&incident);
        WRITE(fixture, .event = "approved", .approve = true);
        WRITE(fixture, .state = INCIDENT_RUNNING, .event = "running");
        reopen_journal(fixture);
        incident = only_active(fixture);
        assert_true(incident.approved);
        assert_string_equal(incident.definition, "{\"steps\":[2]}");
        incident_release(&incident);

        assert_int_equal(journal_verify(fixture->journal, &rows, &error), 0);
        run_sql(fixture, "UPDATE incidents SET definition = '{\"steps\":[3]}'");
        assert_int_equal(journal_verify(fixture->journal, &rows, &error), -EUCLEAN);
        assert_string_equal(error_text(&error) + strcspn(error_text(&error), " "),
                            " has a definition that its timeline does not have");
}

/* A journal of the version before is brought up to this one, and its incidents go on without a definition. */
static void test_version_2(void **state)
{
        struct journal_fixture *fixture = *state;
        uint64_t rows = 0;
        write_history(fixture);
        fixture->journal = journal_close(fixture->journal);
        run_sql(fixture,
                "ALTER TABLE incidents DROP COLUMN waiting_steady;"
                "ALTER TABLE incidents DROP COLUMN matched_with; ALTER TABLE incidents DROP COLUMN asked;"
                "DROP INDEX incidents_hands; ALTER TABLE incidents DROP COLUMN hands; ALTER TABLE incidents "
                "DROP COLUMN hands_steady; ALTER TABLE incidents DROP COLUMN chain;"
                "ALTER TABLE incidents DROP COLUMN climbing_steady;"
                "ALTER TABLE incidents DROP COLUMN taken; ALTER TABLE incidents DROP COLUMN freed_steady;"
                "ALTER TABLE incidents DROP COLUMN definition;"
                "DROP INDEX incidents_cause; ALTER TABLE incidents DROP COLUMN cause; DROP TABLE members;"
                "DROP INDEX incidents_begun; ALTER TABLE incidents DROP COLUMN changes;"
                "ALTER TABLE incidents DROP COLUMN owes; ALTER TABLE incidents DROP COLUMN told;"
                "DROP INDEX episodes_unanswered; ALTER TABLE episodes DROP COLUMN unanswered;"
                "DROP INDEX episodes_open; DROP INDEX episodes_namesakes; ALTER TABLE episodes DROP COLUMN "
                "key;"
                "CREATE UNIQUE INDEX episodes_open ON episodes (fingerprint) WHERE closed_at IS NULL;"
                "DROP TABLE gaps; DROP TABLE seals; DROP TABLE head; DROP TABLE letters;"
                "INSERT INTO meta VALUES ('rows of the timeline', 6); PRAGMA user_version = 2");
        struct journal *reader = NULL;
        assert_int_equal(journal_open_reading(fixture->path, &test_key, &reader, NULL), 0);
        assert_int_equal(journal_verify(reader, &rows, NULL), 0);
        assert_int_equal(journal_is_sealed(reader, NULL), 0);
        journal_close(reader);
        open_journal_of_before(fixture);
        assert_int_equal(query_number(fixture, "PRAGMA user_version"), 4);
        assert_int_equal(verified_rows(fixture), 7); /* one says that it is sealed from now on */
        struct incident incident = only_active(fixture);
        assert_null(incident.definition);
        assert_string_equal(incident.owes, "");
        incident_release(&incident);
}

static void test_second_process_is_refused(void **state)
{
        struct journal_fixture *fixture = *state;
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
                struct journal *journal = NULL;
                struct error error = {0};
                int r = journal_open(fixture->path, &test_key, &clocks_only, &journal, &error);
                _exit(r == -EBUSY && strstr(error_text(&error), "another runbook_responder has it open") ? 0
                                                                                                         : 1);
        }
        assert_true(child > 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        /* Whoever was refused has taken nothing away; and once it is closed, it may be opened. */
        accept_alerts(fixture, "f1");
        reopen_journal(fixture);
        assert_int_equal(unmatched_count(fixture), 1);
}

static int open_error(struct journal_fixture *fixture, const char *sentence)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *whole = text_format("cannot open the journal %s: %s", fixture->path, sentence);
        int r = journal_open(fixture->path, &test_key, &clocks_only, &fixture->journal, &error);
        assert_null(fixture->journal);
        if (!string_starts(error_text(&error), whole))
                fail_msg("%s\nis not\n%s", error_text(&error), whole);
        return r;
}

static void overwrite(const struct journal_fixture *fixture, off_t offset, size_t length)
{
        char zeroes[4096];
        memset(zeroes, 0x55, sizeof zeroes);
        int fd = open(fixture->path, O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        for (size_t done = 0; done < length; done += sizeof zeroes)
                assert_int_equal(pwrite(fd, zeroes, sizeof zeroes, offset + (off_t)done), sizeof zeroes);
        close(fd);
}

static void test_damage(void **state)
{
        struct journal_fixture *fixture = *state;
        for (int i = 0; i < 40; i++) {
                _cleanup_free_ char *word = text_format("f%d", i);
                accept_alerts(fixture, word);
        }
        write_history(fixture);
        fixture->journal = journal_close(fixture->journal);
        struct stat status;
        assert_int_equal(stat(fixture->path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);

        overwrite(fixture, 4096, (size_t)status.st_size - 4096);
        assert_int_equal(open_error(fixture, "the journal is damaged"), -EUCLEAN);
        overwrite(fixture, 0, 4096);
        assert_int_equal(open_error(fixture, "the journal is no SQLite database"), -EUCLEAN);
}

static void test_other_databases(void **state)
{
        struct journal_fixture *fixture = *state;
        struct journal *reader = NULL;
        _cleanup_error_ struct error error = {0};
        fixture->journal = journal_close(fixture->journal);
        run_sql(fixture, "PRAGMA user_version = 99");
        assert_int_equal(open_error(fixture, "it was written by a newer version of runbook_responder"),
                         -ENOTSUP);
        assert_int_equal(journal_open_reading(fixture->path, &test_key, &reader, &error), -ENOTSUP);
        assert_int_equal(query_number(fixture, "PRAGMA user_version"), 99);

        assert_int_equal(unlink(fixture->path), 0);
        run_sql(fixture, "CREATE TABLE songs (title TEXT)");
        assert_int_equal(open_error(fixture, "it is the database of something else"), -EUCLEAN);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM sqlite_schema"), 1);
        assert_int_equal(journal_open_reading(fixture->path, &test_key, &reader, &error), -EUCLEAN);

        /* An empty file is as good as none for writing, but nothing to be read. */
        assert_int_equal(truncate(fixture->path, 0), 0);
        assert_int_equal(journal_open_reading(fixture->path, &test_key, &reader, &error), -ENOTSUP);
        assert_non_null(strstr(error_text(&error), ": it is empty"));
        open_journal(fixture);
}

static void test_makes_its_directories(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_error_ struct error error = {0};
        struct journal *journal = NULL;
        struct stat status;
        _cleanup_free_ char *path = text_format("%s/a/b/journal.db", fixture->directory);
        _cleanup_free_ char *directory = text_format("%s/a/b", fixture->directory);
        assert_int_equal(journal_open(path, &test_key, &clocks_only, &journal, &error), 0);
        journal_close(journal);
        assert_int_equal(stat(directory, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0700);

        _cleanup_free_ char *below = text_format("%s/below", path);
        assert_int_equal(journal_open(below, &test_key, &clocks_only, &journal, &error), -ENOTDIR);
        _cleanup_free_ char *sentence =
                text_format("cannot open the journal %s: cannot open %s.lock: Not a directory", below, below);
        assert_string_equal(error_text(&error), sentence);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_changes_show),
                ON_JOURNAL(test_a_state_that_was_never_told_shows),
                ON_JOURNAL(test_cut_off_end_stays_visible),
                ON_JOURNAL(test_chain_goes_on_after_reopening),
                ON_JOURNAL(test_reading_beside_a_writer),
                ON_JOURNAL(test_an_approval_of_before_the_question),
                ON_JOURNAL(test_definition),
                ON_JOURNAL(test_version_2),
                ON_JOURNAL(test_second_process_is_refused),
                ON_JOURNAL(test_damage),
                ON_JOURNAL(test_other_databases),
                ON_JOURNAL(test_makes_its_directories),
        };
        return cmocka_run_group_tests_name("journal_chain", tests, NULL, NULL);
}
