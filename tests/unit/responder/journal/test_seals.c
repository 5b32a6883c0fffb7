/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever of a journal somebody else has changed shows, and nothing is done by it. */
#include "tests/harness/journal.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "responder/journal/internal.h"
#include "tests/harness/world.h"

enum { CHANGES = 10000 };

static void make_history(struct journal_fixture *fixture)
{
        _cleanup_json_ cJSON *detail = cJSON_Parse("{\"summary\":\"done\",\"keys\":[\"a\",\"b\"]}");
        _cleanup_json_ cJSON *begun = cJSON_Parse("{\"definition\":{\"steps\":[1]}}");
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 2);
        accept_alerts(fixture, "f2 f3 -f3");
        WRITE(fixture, .state = INCIDENT_AWAITING_APPROVAL, .event = "awaiting approval", .detail = begun,
              .definition = json_get(begun, "definition", NULL));
        WRITE(fixture, .incident = 2, .state = INCIDENT_RUNNING, .lock = "service/x");
        WRITE(fixture, .incident = 2, .step = 1, .step_status = STEP_STARTED, .event = "step started",
              .detail = detail);
        WRITE(fixture, .incident = 2, .step = 1, .step_status = STEP_DONE, .event = "step done",
              .detail = detail);
        const struct journal_letter letter = {"oncall", "failed", "HTTP 404", true};
        WRITE(fixture, .incident = 2, .event = "nobody was reached", .letter = &letter);
        assert_int_equal(journal_set_paused(fixture->journal, true, "alice", "why", NULL), 0);
        verified_rows(fixture);
}

/* What there is to be changed: every column of every table, but for those that decide nothing. */
static const char *const tables[] = {"incidents", "steps",  "episodes", "members", "gaps", "letters",
                                     "meta",      "steady", "timeline", "seals",   "head"};
static const char *const unsealed[] = {"episodes.last_seen_at", "episodes.starts_at", "episodes.seen_steady"};

struct column {
        const char *table;
        char name[32];
};

struct forger {
        sqlite3 *database;
        struct column columns[128];
        size_t count;
        unsigned seed;
};

static unsigned below(struct forger *forger, size_t limit)
{
        return (unsigned)((size_t)rand_r(&forger->seed) % limit);
}

static bool is_unsealed(const struct column *column)
{
        _cleanup_free_ char *name = text_format("%s.%s", column->table, column->name);
        for (size_t i = 0; i < N_ELEMENTS(unsealed); i++)
                if (string_equal(name, unsealed[i]))
                        return true;
        return false;
}

static void find_columns(struct forger *forger)
{
        for (size_t i = 0; i < N_ELEMENTS(tables); i++) {
                sqlite3_stmt *row = NULL;
                _cleanup_free_ char *sql = text_format("SELECT name FROM pragma_table_info('%s')", tables[i]);
                assert_int_equal(sqlite3_prepare_v2(forger->database, sql, -1, &row, NULL), SQLITE_OK);
                size_t before = forger->count;
                while (sqlite3_step(row) == SQLITE_ROW) {
                        struct column *column = &forger->columns[forger->count];
                        assert_true(forger->count < N_ELEMENTS(forger->columns));
                        column->table = tables[i];
                        snprintf(column->name, sizeof(column->name), "%s", sqlite3_column_text(row, 0));
                        forger->count += !is_unsealed(column);
                }
                sqlite3_finalize(row);
                assert_true(forger->count > before);
        }
}

/* False: not even SQLite lets it. */
static bool execute(struct forger *forger, const char *sql)
{
        return sqlite3_exec(forger->database, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static void must_execute(struct forger *forger, const char *sql)
{
        if (!execute(forger, sql))
                fail_msg("%s: %s", sql, sqlite3_errmsg(forger->database));
}

static void open_forger(struct forger *forger, const struct journal_fixture *fixture)
{
        assert_int_equal(sqlite3_open(fixture->path, &forger->database), SQLITE_OK);
        must_execute(forger,
                     "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; ATTACH ':memory:' AS kept");
        for (size_t i = 0; i < N_ELEMENTS(tables); i++) {
                _cleanup_free_ char *keep =
                        text_format("CREATE TABLE kept.%s AS SELECT * FROM main.%s", tables[i], tables[i]);
                must_execute(forger, keep);
        }
        find_columns(forger);
}

/* Of one table, or of any. */
static bool has_changed(struct forger *forger, const char *table)
{
        for (size_t i = 0; i < N_ELEMENTS(tables); i++) {
                sqlite3_stmt *row = NULL;
                if (table && !string_equal(table, tables[i]))
                        continue;
                _cleanup_free_ char *sql =
                        text_format("SELECT (SELECT count(*) FROM main.%s) <> (SELECT count(*) FROM kept.%s)"
                                    " OR EXISTS (SELECT * FROM main.%s EXCEPT SELECT * FROM kept.%s)",
                                    tables[i], tables[i], tables[i], tables[i]);
                assert_int_equal(sqlite3_prepare_v2(forger->database, sql, -1, &row, NULL), SQLITE_OK);
                assert_int_equal(sqlite3_step(row), SQLITE_ROW);
                bool changed = sqlite3_column_int(row, 0) != 0;
                sqlite3_finalize(row);
                if (changed)
                        return true;
        }
        return false;
}

static void restore(struct forger *forger, const char *table)
{
        must_execute(forger, "BEGIN");
        for (size_t i = 0; i < N_ELEMENTS(tables); i++) {
                if (table && !string_equal(table, tables[i]))
                        continue;
                _cleanup_free_ char *sql =
                        text_format("DELETE FROM main.%s; INSERT INTO main.%s SELECT * FROM kept.%s",
                                    tables[i], tables[i], tables[i]);
                must_execute(forger, sql);
        }
        must_execute(forger, "COMMIT");
}

/* Makes a change and asks whether anybody sees it; false when nothing has changed by it. */
static bool must_show(struct forger *forger, struct journal *journal, const char *change, const char *table)
{
        _cleanup_error_ struct error error = {0};
        uint64_t rows = 0;
        must_execute(forger, "BEGIN");
        if (!execute(forger, change) || !has_changed(forger, table)) {
                must_execute(forger, "ROLLBACK");
                return false;
        }
        must_execute(forger, "COMMIT");
        if (journal_verify(journal, &rows, &error) >= 0)
                fail_msg("nobody sees: %s", change);
        restore(forger, table);
        return true;
}

/* Something else than what is there: another number, more text, none at all, or bytes. */
static char *change_value(struct forger *forger, const struct column *column)
{
        _cleanup_free_ char *value = NULL;
        unsigned number = below(forger, 100);
        const char *name = column->name;
        switch (below(forger, 8)) {
        case 0: value = text_format("coalesce(%s, 0) + %u", name, number + 1); break;
        case 1: value = text_format("coalesce(%s, '') || 'x%u'", name, number); break;
        case 2: value = text_format("'%u!'", number); break;
        case 3: value = text_format("x'00%02x'", number); break;
        case 4: value = strdup("NULL"); break;
        case 5: value = text_format("CAST(%s AS BLOB)", name); break;
        case 6: value = text_format("%s || char(0) || 'x'", name); break;
        default: value = text_format("'{\"forged\":%u}'", number);
        }
        return text_format("UPDATE %s SET %s = %s WHERE %s IN (SELECT %s FROM %s ORDER BY random() LIMIT 1)",
                           column->table, name, value, name, name, column->table);
}

/* A row taken out; one put in that another is like; the columns of two changed for each other. */
static char *change_rows(struct forger *forger, const struct column *column)
{
        const char *table = column->table, *name = column->name;
        switch (below(forger, 4)) {
        case 0:
                return text_format("DELETE FROM %s WHERE %s IN (SELECT %s FROM %s ORDER BY random() LIMIT 1)",
                                   table, name, name, table);
        case 1: return text_format("DELETE FROM %s", table);
        case 2:
                return text_format("CREATE TEMP TABLE one AS SELECT * FROM main.%s ORDER BY random() LIMIT 1;"
                                   "UPDATE one SET %s = coalesce(%s, 0) + 1000; "
                                   "INSERT INTO main.%s SELECT * FROM one; DROP TABLE one",
                                   table, name, name, table);
        default:
                return text_format(
                        "UPDATE %s SET %s = (SELECT o.%s FROM kept.%s o ORDER BY random() LIMIT 1)", table,
                        name, name, table);
        }
}

/* What belongs together: an end that nobody told of, an approval, a step that is to run again. */
static const char *const schemes[] = {
        "DELETE FROM timeline WHERE id = (SELECT max(id) FROM timeline); UPDATE head SET rows = rows - 1",
        "DELETE FROM timeline; UPDATE head SET rows = 0",
        "DELETE FROM timeline WHERE incident = 2; DELETE FROM steps WHERE incident = 2; DELETE FROM incidents"
        " WHERE id = 2; DELETE FROM seals WHERE id = 2 AND of IN ('incidents', 'steps')",
        "UPDATE timeline SET id = -id; UPDATE timeline SET id = CASE id WHEN -3 THEN 4 WHEN -4 THEN 3 ELSE "
        "-id "
        "END",
        "UPDATE incidents SET approved = 1 WHERE id = 1",
        "UPDATE steps SET status = 'waiting' WHERE incident = 2",
        "DELETE FROM meta WHERE key = 'paused since'; DELETE FROM seals WHERE id = 'paused since'",
        "UPDATE steps SET outcome = '{\"keys\":[\"other\"]}' WHERE status = 'done'",
        "INSERT INTO members VALUES (2, 1, 5)",
        "UPDATE seals SET seal = (SELECT o.seal FROM kept.seals o WHERE o.of = 'steps' AND o.id = 1) WHERE "
        "of = "
        "'steps' AND id = 2",
        "DELETE FROM head",
        "DELETE FROM seals",
        "INSERT INTO gaps SELECT 3, 4, hash FROM timeline WHERE id = 4; DELETE FROM timeline WHERE id IN (3, "
        "4)",
};

/* The table that it changes alone; NULL: it may be any of them. */
static char *change_at_random(struct forger *forger, const char **ret_table)
{
        const struct column *column = &forger->columns[below(forger, forger->count)];
        unsigned kind = below(forger, 100);
        *ret_table = kind < 5 ? NULL : column->table;
        return kind < 5    ? strdup(schemes[below(forger, N_ELEMENTS(schemes))])
               : kind < 30 ? change_rows(forger, column)
                           : change_value(forger, column);
}

static void test_what_is_changed_at_random_shows(void **state)
{
        struct journal_fixture *fixture = *state;
        struct forger forger = {.seed = 20261127};
        struct journal *journal = NULL;
        uint64_t rows = 0;
        make_history(fixture);
        fixture->journal = journal_close(fixture->journal);
        open_forger(&forger, fixture);
        assert_int_equal(journal_open_reading(fixture->path, &test_key, &journal, NULL), 0);
        for (size_t made = 0; made < CHANGES;) {
                const char *table = NULL;
                _cleanup_free_ char *change = change_at_random(&forger, &table);
                made += must_show(&forger, journal, change, table);
        }
        assert_int_equal(journal_verify(journal, &rows, NULL), 0);
        journal_close(journal);
        sqlite3_close(forger.database);
}

/* A column that is neither sealed nor named here was forgotten. */
static void test_every_column_is_sealed_or_named(void **state)
{
        struct journal_fixture *fixture = *state;
        struct forger forger = {.seed = 1};
        struct journal *journal = NULL;
        make_history(fixture);
        fixture->journal = journal_close(fixture->journal);
        open_forger(&forger, fixture);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"),
                         N_ELEMENTS(tables));
        assert_int_equal(journal_open_reading(fixture->path, &test_key, &journal, NULL), 0);
        for (size_t i = 0; i < forger.count; i++) {
                const struct column *column = &forger.columns[i];
                _cleanup_free_ char *change =
                        text_format("UPDATE %s SET %s = 'forged'", column->table, column->name);
                must_show(&forger, journal, change, column->table);
        }
        journal_close(journal);
        sqlite3_close(forger.database);
}

static void open_with(struct journal_fixture *fixture, const struct journal_key *key, int expected,
                      const char *sentence)
{
        _cleanup_error_ struct error error = {0};
        int r = journal_open(fixture->path, key, &clocks_only, &fixture->journal, &error);
        if (r != expected || !strstr(error_text(&error), sentence))
                fail_msg("%d, not %d: %s", r, expected, error_text(&error));
}

/* All of it made anew by who has everything but the key: with a history that fits in itself. */
static void test_a_chain_that_was_computed_anew_shows(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_error_ struct error error = {0};
        struct journal *journal = NULL;
        uint64_t rows;
        make_history(fixture);
        fixture->journal = journal_close(fixture->journal);
        sqlite3 *database = NULL;
        sqlite3_stmt *each = NULL, *write = NULL;
        assert_int_equal(sqlite3_open(fixture->path, &database), SQLITE_OK);
        assert_int_equal(sqlite3_exec(database, "UPDATE timeline SET actor = 'mallory' WHERE id = 2", NULL,
                                      NULL, NULL),
                         SQLITE_OK);
        sqlite3_prepare_v2(
                database,
                "SELECT id, incident, at, step, actor, event, state, detail FROM timeline ORDER BY "
                "id",
                -1, &each, NULL);
        sqlite3_prepare_v2(database, "UPDATE timeline SET hash = ?1 WHERE id = ?2", -1, &write, NULL);
        unsigned char before[HASH_LENGTH] = {0};
        while (sqlite3_step(each) == SQLITE_ROW) {
                const struct timeline_row row = {
                        .id = sqlite3_column_int64(each, 0),
                        .incident = sqlite3_column_int64(each, 1),
                        .at = sqlite3_column_int64(each, 2),
                        .step = sqlite3_column_int64(each, 3),
                        .actor = (const char *)sqlite3_column_text(each, 4),
                        .event = (const char *)sqlite3_column_text(each, 5),
                        .state = (const char *)sqlite3_column_text(each, 6),
                        .detail = (const char *)sqlite3_column_text(each, 7),
                };
                unsigned char hash[HASH_LENGTH];
                assert_int_equal(journal_hash(before, &row, hash), 0);
                memcpy(before, hash, HASH_LENGTH);
                sqlite3_bind_blob(write, 1, hash, HASH_LENGTH, SQLITE_TRANSIENT);
                sqlite3_bind_int64(write, 2, row.id);
                assert_int_equal(sqlite3_step(write), SQLITE_DONE);
                sqlite3_reset(write);
        }
        sqlite3_finalize(each);
        sqlite3_finalize(write);
        sqlite3_close(database);
        /* Without the key it fits. */
        assert_int_equal(journal_open_reading(fixture->path, NULL, &journal, NULL), 0);
        assert_int_equal(journal_verify(journal, &rows, NULL), 0);
        journal_close(journal);
        assert_int_equal(journal_open_reading(fixture->path, &test_key, &journal, NULL), 0);
        assert_int_equal(journal_verify(journal, &rows, &error), -EUCLEAN);
        assert_non_null(strstr(error_text(&error), "the head does not fit"));
        journal_close(journal);
        open_with(fixture, &test_key, -EUCLEAN, "the head does not fit");
}

/* The schema may hold triggers and defaults that act in the responder's name. */
static void test_the_schema_is_sealed(void **state)
{
        static const char *const changes[] = {
                "CREATE TRIGGER t AFTER INSERT ON timeline BEGIN UPDATE incidents SET approved = 1; END",
                "CREATE INDEX i ON incidents (id)",
                "ALTER TABLE incidents ADD COLUMN more DEFAULT 1",
        };
        struct journal_fixture *fixture = *state;
        make_history(fixture);
        for (size_t i = 0; i < N_ELEMENTS(changes); i++) {
                _cleanup_error_ struct error error = {0};
                uint64_t rows;
                run_sql(fixture, changes[i]);
                assert_int_equal(journal_verify(fixture->journal, &rows, &error), -EUCLEAN);
                assert_string_equal(error_text(&error), "its schema is not the one that was sealed");
                run_sql(fixture, "DROP TRIGGER IF EXISTS t; DROP INDEX IF EXISTS i");
        }
}

/* Who has no key lets ours make the seals: a view in the place of the table asks for each when it is read. */
static void test_nothing_in_the_file_is_given_seals(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_error_ struct error error = {0};
        struct journal *journal = NULL;
        uint64_t rows = 0;
        make_history(fixture);
        fixture->journal = journal_close(fixture->journal);
        run_sql(fixture, "ALTER TABLE seals RENAME TO kept;"
                         "CREATE VIEW seals AS SELECT of, id, part, CASE of WHEN 'schema' THEN " SCHEMA_SEAL
                         " ELSE seal END AS seal FROM kept");
        assert_int_equal(journal_open_reading(fixture->path, &test_key, &journal, NULL), 0);
        assert_true(journal_verify(journal, &rows, &error) < 0);
        assert_string_equal(error_text(&error), "the journal: unsafe use of seal_of()");
        journal_close(journal);
        assert_true(journal_open(fixture->path, &test_key, &clocks_only, &journal, NULL) < 0);
}

/* One whose row was changed waits for a person; the others go on. */
static void test_nothing_is_done_by_what_was_changed(void **state)
{
        static const char *const changes[] = {
                "UPDATE incidents SET approved = 1 WHERE id = 1",
                "UPDATE incidents SET remediation = 'notify2' WHERE id = 1",
                "UPDATE incidents SET definition = '{\"steps\":[2]}' WHERE id = 1",
                "UPDATE steps SET status = 'done' WHERE incident = 1 AND position = 2",
                "UPDATE steps SET plan = '{}' WHERE incident = 1 AND position = 1",
                "UPDATE steps SET outcome = '{}' WHERE incident = 1 AND position = 1",
        };
        for (size_t i = 0; i < N_ELEMENTS(changes); i++) {
                void *own = NULL;
                assert_int_equal(journal_setup(&own), 0);
                struct journal_fixture *fixture = own;
                struct incident_list list = {0};
                make_history(fixture);
                fixture->journal = journal_close(fixture->journal);
                run_sql(fixture, changes[i]);
                open_journal(fixture);
                /* Nor does it become true by what is written of it. */
                for (int again = 0; again < 2; again++) {
                        assert_int_equal(journal_active(fixture->journal, &list, NULL), 0);
                        assert_int_equal(list.count, 2);
                        assert_string_equal(list.items[0].unreadable,
                                            "it is not as it was journaled: somebody else has changed it");
                        assert_false(list.items[0].approved);
                        assert_null(list.items[1].unreadable);
                        incident_list_release(&list);
                        list = (struct incident_list){0};
                        WRITE(fixture, .event = "goes on");
                        reopen_journal(fixture);
                }
                journal_teardown(&own);
        }
        (void)state;
}

static void test_an_alert_that_nobody_sent_is_not_matched(void **state)
{
        struct journal_fixture *fixture = *state;
        struct episode_list list = {0};
        accept_alerts(fixture, "f1 f2");
        fixture->journal = journal_close(fixture->journal);
        run_sql(fixture, "UPDATE episodes SET alert = replace(alert, 'f1', 'f3') WHERE id = 1;");
        open_journal(fixture);
        assert_int_equal(journal_unmatched(fixture->journal, 10, &list, NULL), 0);
        assert_int_equal(list.count, 2);
        assert_non_null(list.items[0].unreadable);
        assert_null(list.items[1].unreadable);
        episode_list_release(&list);
}

/* Rows too many, or missing, or as they were before: then nothing at all is begun. */
static void test_a_start_with_other_rows_is_refused(void **state)
{
        static const char *const changes[] = {
                "DELETE FROM timeline WHERE id = (SELECT max(id) FROM timeline)",
                "INSERT INTO episodes (fingerprint, opened_at, last_seen_at, starts_at, alert, key) SELECT "
                "'x', "
                "opened_at, last_seen_at, starts_at, alert, 'x' FROM episodes WHERE id = 1",
                "DELETE FROM steps WHERE incident = 1 AND position = 2",
                "DELETE FROM meta WHERE key = 'paused since'; DELETE FROM seals WHERE id = 'paused since'",
                "UPDATE seals SET seal = zeroblob(32) WHERE of = 'incidents' AND id = 1",
                "DELETE FROM head",
                "DELETE FROM seals",
                "CREATE TRIGGER t AFTER INSERT ON timeline BEGIN UPDATE incidents SET approved = 1; END",
        };
        for (size_t i = 0; i < N_ELEMENTS(changes); i++) {
                void *own = NULL;
                assert_int_equal(journal_setup(&own), 0);
                struct journal_fixture *fixture = own;
                _cleanup_error_ struct error error = {0};
                make_history(fixture);
                fixture->journal = journal_close(fixture->journal);
                run_sql(fixture, changes[i]);
                int r = journal_open(fixture->path, &test_key, &clocks_only, &fixture->journal, &error);
                if (r != -EUCLEAN && r != -EKEYREJECTED && r != -ENOKEY)
                        fail_msg("%d: %s: %s", r, changes[i], error_text(&error));
                assert_non_null(strstr(error_text(&error), "--journal.seal-as-it-is"));
                assert_null(fixture->journal);
                /* Whoever has looked says so, and the timeline remembers it. */
                open_with(fixture, &taking_key, 0, "");
                assert_int_equal(query_number(fixture, "SELECT count(*) FROM timeline WHERE event = 'sealed "
                                                       "as it is' AND detail LIKE '%reason%'"),
                                 1);
                reopen_journal(fixture);
                journal_teardown(&own);
        }
        (void)state;
}

/* What was true once is not true again: rows with the seals that they had. */
static void test_what_was_put_back_shows(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_error_ struct error error = {0};
        uint64_t rows;
        make_history(fixture);
        run_sql(fixture, "CREATE TABLE old_steps AS SELECT * FROM steps;"
                         "CREATE TABLE old_seals AS SELECT * FROM seals WHERE of = 'steps'");
        WRITE(fixture, .incident = 2, .step = 1, .step_status = STEP_UNDOING, .event = "undoing");
        fixture->journal = journal_close(fixture->journal);
        run_sql(fixture, "REPLACE INTO steps SELECT * FROM old_steps; REPLACE INTO seals SELECT * FROM "
                         "old_seals; DROP TABLE old_steps; DROP TABLE old_seals");
        struct journal *journal = NULL;
        assert_int_equal(journal_open_reading(fixture->path, &test_key, &journal, NULL), 0);
        assert_int_equal(journal_verify(journal, &rows, &error), -EUCLEAN);
        assert_non_null(strstr(error_text(&error), "put back as they were before"));
        journal_close(journal);
        open_with(fixture, &test_key, -EUCLEAN, "put back as they were before");
}

static void test_another_key(void **state)
{
        static const struct journal_key other = {.bytes = "another key"},
                                        made = {.bytes = "another key", .made = true};
        struct journal_fixture *fixture = *state;
        struct journal *journal = NULL;
        uint64_t rows;
        make_history(fixture);
        fixture->journal = journal_close(fixture->journal);
        open_with(fixture, &other, -EKEYREJECTED, "it is sealed by another key");
        open_with(fixture, &made, -EKEYREJECTED, "it is sealed by another key");
        assert_int_equal(journal_open_reading(fixture->path, &other, &journal, NULL), 0);
        assert_int_equal(journal_verify(journal, &rows, NULL), -EKEYREJECTED);
        journal_close(journal);
        /* Without any, what needs none is found. */
        assert_int_equal(journal_open_reading(fixture->path, NULL, &journal, NULL), 0);
        assert_int_equal(journal_verify(journal, &rows, NULL), 0);
        run_sql(fixture, "DELETE FROM steps WHERE incident = 1 AND position = 2");
        assert_int_equal(journal_verify(journal, &rows, NULL), -EUCLEAN);
        journal_close(journal);
}

static void test_a_journal_of_before_is_sealed_by_a_new_key_alone(void **state)
{
        struct journal_fixture *fixture = *state;
        make_history(fixture);
        fixture->journal = journal_close(fixture->journal);
        run_sql(fixture, "DELETE FROM seals; DELETE FROM head");
        open_with(fixture, &test_key, -ENOKEY, "nothing of what it holds is sealed");
        open_journal_of_before(fixture);
        verified_rows(fixture);
        reopen_journal(fixture);
}

/* The kill switch is on, when it is not sure that a person has switched it off. */
static void test_a_pause_that_was_changed_holds(void **state)
{
        struct journal_fixture *fixture = *state;
        bool paused = false;
        make_history(fixture);
        fixture->journal = journal_close(fixture->journal);
        run_sql(fixture, "UPDATE meta SET value = 0 WHERE key = 'paused since'");
        open_journal(fixture);
        assert_int_equal(journal_paused(fixture->journal, &paused, NULL, NULL), 0);
        assert_true(paused);
        REFUSED(fixture, ECANCELED, "the responder is paused", .event = "x", .unless_paused = true);
        assert_int_equal(journal_set_paused(fixture->journal, false, "alice", "why", NULL), 0);
        assert_int_equal(journal_paused(fixture->journal, &paused, NULL, NULL), 0);
        assert_false(paused);
        verified_rows(fixture);
}

/* A witness outside sees what the journal itself cannot tell: that all of it is as it was before. */
static void test_the_head_is_a_witness(void **state)
{
        struct journal_fixture *fixture = *state;
        struct journal_head before, after, wrong;
        _cleanup_error_ struct error error = {0};
        assert_int_equal(journal_head(fixture->journal, &before, NULL), 0);
        assert_true(before.rows == 0 && before.digest == 0);
        make_history(fixture);
        assert_int_equal(journal_head(fixture->journal, &before, NULL), 0);
        WRITE(fixture, .event = "goes on");
        assert_int_equal(journal_head(fixture->journal, &after, NULL), 0);
        assert_int_equal(after.rows, before.rows + 1);
        assert_true(after.digest != before.digest && after.digest < (uint64_t)1 << 52);
        assert_int_equal(journal_check_head(fixture->journal, &before, NULL), 0);
        assert_int_equal(journal_check_head(fixture->journal, &after, NULL), 0);
        wrong = (struct journal_head){before.rows, after.digest};
        assert_int_equal(journal_check_head(fixture->journal, &wrong, &error), -EUCLEAN);
        wrong.rows = after.rows + 1;
        assert_int_equal(journal_check_head(fixture->journal, &wrong, &error), -EUCLEAN);
        assert_non_null(strstr(error_text(&error), "the witness has seen row"));
        reopen_journal(fixture);
        assert_int_equal(journal_head(fixture->journal, &wrong, NULL), 0);
        assert_true(wrong.rows == after.rows && wrong.digest == after.digest);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_what_is_changed_at_random_shows),
                ON_JOURNAL(test_every_column_is_sealed_or_named),
                ON_JOURNAL(test_a_chain_that_was_computed_anew_shows),
                ON_JOURNAL(test_the_schema_is_sealed),
                ON_JOURNAL(test_nothing_in_the_file_is_given_seals),
                ON_JOURNAL(test_nothing_is_done_by_what_was_changed),
                ON_JOURNAL(test_an_alert_that_nobody_sent_is_not_matched),
                ON_JOURNAL(test_a_start_with_other_rows_is_refused),
                ON_JOURNAL(test_what_was_put_back_shows),
                ON_JOURNAL(test_another_key),
                ON_JOURNAL(test_a_journal_of_before_is_sealed_by_a_new_key_alone),
                ON_JOURNAL(test_a_pause_that_was_changed_holds),
                ON_JOURNAL(test_the_head_is_a_witness),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
