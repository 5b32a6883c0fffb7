/* SPDX-License-Identifier: Apache-2.0 */
/* What cannot be read, or written to, costs nobody else, and a person hears of it. */
#include "tests/harness/engine.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runbook/http_client.h"
#include "runbook/text.h"

#define ASKS                                                                                            \
        "  - {name: asks, match: ['alertname=\"a\"', 'x=\"ask\"'], approval: true, steps: [{act.once: " \
        "{name: one}}]}\n"
#define GOES "  - {name: goes, match: ['alertname=\"a\"', 'x=\"go\"'], steps: [{act.once: {name: two}}]}\n"

static char *path_of(const struct engine_fixture *fixture, const char *suffix)
{
        char *path = text_format("%s/journal.db%s", fixture->directory, suffix);
        assert_non_null(path);
        return path;
}

static void run_sql(const struct engine_fixture *fixture, const char *statement)
{
        _cleanup_free_ char *path = path_of(fixture, "");
        sqlite3 *database = NULL;
        assert_int_equal(access(path, F_OK), 0);
        assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
        assert_int_equal(sqlite3_exec(database, statement, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(database);
}

static void await_told(struct engine_fixture *fixture, const char *words)
{
        while (!person_was_told(fixture, words))
                poll_pause();
}

/* How often a person has heard. */
static double delivered(const struct engine_fixture *fixture)
{
        struct sample_set set = {0};
        double count = 0;
        meters_collect(fixture->meters, &(struct sample_sink){&set});
        for (size_t i = 0; i < set.count; i++)
                if (string_equal(set.samples[i].family->name, "runbook_notifications_total") &&
                    strstr(set.arena.data + set.samples[i].labels_offset, "result=\"sent\""))
                        count += set.samples[i].value;
        sample_set_release(&set);
        return count;
}

static void test_an_incident_that_cannot_be_read(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(ASKS GOES);
        _cleanup_error_ struct error error = {0};
        alert_arrives(fixture, "f1", true, "\"x\":\"ask\"");
        await_state(fixture, 1, INCIDENT_AWAITING_APPROVAL);
        fixture_stop(fixture);
        run_sql(fixture, "UPDATE incidents SET alert = replace(alert, 'firing', 'fIring')");
        fixture_start(fixture);
        alert_arrives(fixture, "f2", true, "\"x\":\"go\"");
        await_state(fixture, 2, INCIDENT_DONE);
        await_told(fixture, "cannot be read and is set aside, the others go on");
        assert_true(person_was_told(fixture, fixture->number[1]));
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_APPROVE, fixture->number[1], "tester", NULL, &error),
                -ESTALE);
        assert_non_null(strstr(error_text(&error), "is unreadable, and not awaiting approval"));
        assert_action_calls("run", "run:two");
        fixture_close(fixture);
}

static void test_an_alert_that_cannot_be_read(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_prepare(GOES);
        fixture_open_journal(fixture);
        alert_arrives(fixture, "f1", true, "\"x\":\"go\"");
        alert_arrives(fixture, "f2", true, "\"x\":\"go\"");
        fixture_close_journal(fixture);
        run_sql(fixture, "UPDATE episodes SET alert = '{' WHERE fingerprint = 'f1'");
        fixture_start(fixture);
        await_state(fixture, 1, INCIDENT_DONE);
        await_told(fixture, "An alert that was accepted cannot be read");
        struct episode_list list = {0};
        do { /* until that was heard it is not passed over */
                episode_list_release(&list);
                poll_pause();
                assert_int_equal(journal_unmatched(fixture->journal, 10, &list, NULL), 0);
        } while (list.count > 0);
        episode_list_release(&list);
        assert_action_calls("run", "run:two");
        fixture_close(fixture);
}

static void test_a_journal_that_is_gone(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(ASKS GOES);
        _cleanup_free_ char *path = path_of(fixture, ""), *away = path_of(fixture, ".away");
        alert_arrives(fixture, "f1", true, "\"x\":\"ask\"");
        await_state(fixture, 1, INCIDENT_AWAITING_APPROVAL);
        atomic_store(&fixture->deaf, true);
        assert_int_equal(rename(path, away), 0);
        assert_true(engine_decide(fixture->engine, DECISION_APPROVE, fixture->number[1], "tester", NULL,
                                  NULL) < 0);
        engine_wake(fixture->engine);
        unsigned told = atomic_load(&fixture->told);
        while (atomic_load(&fixture->told) < told + 2)
                poll_pause();
        double before = delivered(fixture);
        atomic_store(&fixture->deaf, false);
        while (delivered(fixture) == before)
                poll_pause();
        assert_true(person_was_told(fixture, "runbook_responder cannot act"));
        assert_true(person_was_told(fixture, "is gone (deleted or moved)"));
        assert_int_equal(rename(away, path), 0);
        await_told(fixture, "runbook_responder can act again");
        assert_action_calls("run", "");
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_APPROVE, fixture->number[1], "tester", NULL, NULL),
                0);
        await_state(fixture, 1, INCIDENT_DONE);
        fixture_close(fixture);
}

static size_t unheard(struct engine_fixture *fixture)
{
        struct letter_list list = {0};
        assert_int_equal(engine_unheard(fixture->engine, &list, NULL), 0);
        size_t count = list.count;
        letter_list_release(&list);
        return count;
}

/* It is shown while it is so, and not for ever when it is over before anybody could be told. */
static void test_what_is_over_before_anybody_heard(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(GOES);
        _cleanup_free_ char *path = path_of(fixture, ""), *away = path_of(fixture, ".away");
        atomic_store(&fixture->deaf, true);
        assert_int_equal(rename(path, away), 0);
        engine_wake(fixture->engine);
        while (unheard(fixture) == 0)
                poll_pause();
        assert_int_equal(rename(away, path), 0);
        while (unheard(fixture) > 0)
                poll_pause();
        fixture_close(fixture);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_an_incident_that_cannot_be_read),
                cmocka_unit_test(test_an_alert_that_cannot_be_read),
                cmocka_unit_test(test_a_journal_that_is_gone),
                cmocka_unit_test(test_what_is_over_before_anybody_heard),
        };
        return http_client_global_init(NULL) < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
