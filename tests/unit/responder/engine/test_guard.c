/* SPDX-License-Identifier: Apache-2.0 */
/* What holds an incident back. */
#include "tests/harness/journal.h"
#include "tests/harness/unit.h"
#include "tests/harness/world.h"

#include <stdio.h>

#include "responder/engine/guard.h"
#include "responder/people/people.h"

#define SECOND NSEC_PER_SEC

static void accepted(_unused_ void *context, int result)
{
        assert_int_equal(result, 0);
}

/* Two runs of "r" under "lock", ten seconds apart by their alerts; a journal that has just seen them end. */
static struct journal *journal_with_runs(char *directory, size_t runs, nsec *ret_ended)
{
        _cleanup_error_ struct error error = {0};
        struct journal *journal = NULL;
        assert_non_null(mkdtemp(directory));
        _cleanup_free_ char *path = text_format("%s/journal.db", directory);
        if (journal_open(path, &test_key, &clocks_only, &journal, &error) < 0)
                fail_msg("%s", error_text(&error));
        for (size_t i = 0; i < runs; i++) {
                _cleanup_free_ char *body =
                        text_format("{\"version\":\"4\",\"groupKey\":\"k\",\"truncatedAlerts\":0,\"status\":"
                                    "\"firing\",\"receiver\":\"r\","
                                    "\"groupLabels\":{},\"commonLabels\":{},\"commonAnnotations\":{},"
                                    "\"externalURL\":\"\",\"alerts\":[{"
                                    "\"status\":\"firing\",\"labels\":{\"alertname\":\"a\",\"n\":\"%zu\"},"
                                    "\"annotations\":{"
                                    "},\"startsAt\":"
                                    "\"2026-01-01T00:00:00Z\",\"endsAt\":\"0001-01-01T00:00:00Z\","
                                    "\"generatorURL\":\"\",\"fingerprint\":\"f%zu\"}]}",
                                    i, i);
                struct webhook webhook = {0};
                struct episode_list episodes = {0};
                assert_int_equal(webhook_parse(body, strlen(body), &webhook, NULL), 0);
                assert_int_equal(journal_accept(journal, &webhook, accepted, NULL), 0);
                while (episodes.count == 0) {
                        episode_list_release(&episodes);
                        assert_int_equal(journal_unmatched(journal, 10, &episodes, NULL), 0);
                }
                const char *const names[] = {"host.memory"};
                const struct journal_opening opening = {"r", names, 1, NULL, false, NULL};
                assert_int_equal(journal_open_incidents(journal, episodes.items[0].id, &opening, 1, NULL), 0);
                episode_list_release(&episodes);
                struct incident_list active = {0};
                assert_int_equal(journal_active(journal, &active, NULL), 0);
                /* The one before was healed, and its alert goes on. */
                assert_true(active.count > 0);
                const int64_t id = active.items[active.count - 1].id;
                incident_list_release(&active);
                const struct journal_entry rows[] = {
                        {.incident = id,
                         .actor = "engine",
                         .event = "running",
                         .state = INCIDENT_RUNNING,
                         .lock = "lock"},
                        {.incident = id,
                         .actor = "engine",
                         .event = "all steps done",
                         .state = INCIDENT_DONE},
                };
                for (size_t k = 0; k < N_ELEMENTS(rows); k++)
                        assert_int_equal(journal_write(journal, &rows[k], NULL), 0);
        }
        assert_int_equal(journal_last_run(journal, "lock", ret_ended, NULL), 0);
        return journal;
}

static void end(struct journal *journal, const char *directory)
{
        journal_close(journal);
        _cleanup_free_ char *command = text_format("rm -rf %s", directory);
        assert_int_equal(system(command), 0);
}

/* What changes something, of a file without breaker and storm. */
static const struct action changing = {.name = "change", .effect = EFFECT_IRREVERSIBLE};
static struct step changing_step = {.action = &changing};
static struct remediation_set file;
static struct acted_locks acted;

static struct guard_verdict ask(struct journal *journal, const struct remediation *remediation,
                                const struct incident *incident, const struct lock_holders *holders,
                                bool paused, nsec now)
{
        struct guard_verdict verdict = {0};
        _cleanup_error_ struct error error = {0};
        const struct guard_question question = {.journal = journal,
                                                .world = &clocks_only,
                                                .remediation = remediation,
                                                .incident = incident,
                                                .lock = "lock",
                                                .holders = holders,
                                                .set = &file,
                                                .acted = &acted,
                                                .paused = paused,
                                                .now = now};
        if (guard_check(&question, &verdict, &error) < 0)
                fail_msg("%s", error_text(&error));
        return verdict;
}

static void test_what_may_be_over(_unused_ void **state)
{
        static const struct {
                const char *guard;
                nsec until;
                bool paused, holder, over, maintained;
        } cases[] = {
                {"paused", 0, true, false, false, false},
                {"paused", 0, false, false, true, false},
                {"maintenance", 11 * SECOND, false, false, false, true},
                {"maintenance", 9 * SECOND, false, false, false, true},
                {"maintenance", 11 * SECOND, false, false, true, false},
                {"lock", 0, false, true, false, false},
                {"lock", 0, false, false, true, false},
                {"cooldown", 10 * SECOND, false, true, true, false},
                {"cooldown", 10 * SECOND + 1, false, true, false, false},
                {"limit", 9 * SECOND, false, false, true, false},
                {"limit", 11 * SECOND, false, false, false, false},
                {"unknown", 0, false, false, false, false},
                {PEOPLE_GUARD, 0, false, false, true, false},
                {PEOPLE_GUARD, 0, false, true, false, false}, /* as who holds its lock is taken */
                {PEOPLE_GUARD, 9 * SECOND, false, true, true, false},
                {PEOPLE_GUARD, 11 * SECOND, false, false, false, false},
        };
        char lock[] = "lock";
        const struct incident other = {.id = 7,
                                       .lock = lock,
                                       .state = INCIDENT_RUNNING,
                                       .taken = true,
                                       .hands_steady = 1},
                              *items[] = {&other};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                const struct incident held = {.id = 8,
                                              .state = INCIDENT_HELD,
                                              .lock = lock,
                                              .guard = (char *)cases[i].guard,
                                              .guard_until = cases[i].until};
                const size_t count = cases[i].holder ? 1 : 0;
                const struct lock_holders holders = {items, count, items, count};
                if (guard_may_be_over(&held, &holders, cases[i].paused, cases[i].maintained, 10 * SECOND) !=
                    cases[i].over)
                        fail_msg("case %zu", i);
        }
}

static void test_guards_in_order(_unused_ void **state)
{
        char directory[] = "/tmp/runbook-guard-XXXXXX", name[] = "r";
        nsec ended = 0;
        struct journal *journal = journal_with_runs(directory, 2, &ended);
        assert_true(ended > 0);
        const struct remediation remediation = {
                .name = name, .cooldown = 60 * SECOND, .limit = {2, 3600 * SECOND}};
        const struct incident incident = {.id = 100, .state = INCIDENT_RECEIVED};
        char lock[] = "lock", other_lock[] = "other", number[] = "INC-2026-0077";
        struct incident items[] = {{.id = 100, .lock = lock, .state = INCIDENT_RUNNING},
                                   {.id = 7, .lock = lock, .number = number, .state = INCIDENT_VERIFYING}};
        const struct incident *holders[] = {&items[0], &items[1]};
        const struct lock_holders active = {.items = holders, .count = 2};
        nsec now = ended + SECOND;

        /* All of them would hold it; the first is named. */
        assert_string_equal(ask(journal, &remediation, &incident, &active, true, now).guard, "paused");
        struct guard_verdict verdict = ask(journal, &remediation, &incident, &active, false, now);
        assert_string_equal(verdict.guard, "lock");
        assert_string_equal(verdict.holder, number);
        items[1].lock = other_lock;
        verdict = ask(journal, &remediation, &incident, &active, false, now);
        assert_string_equal(verdict.guard, "cooldown");
        assert_int_equal(verdict.until, ended + 60 * SECOND);

        /* At the very end of the cooldown it is over; then the limit counts both runs. */
        now = ended + 60 * SECOND;
        verdict = ask(journal, &remediation, &incident, &active, false, now);
        assert_string_equal(verdict.guard, "limit");
        assert_true(verdict.until > now && verdict.until <= ended + 3600 * SECOND);
        assert_null(ask(journal, &remediation, &incident, &active, false, verdict.until).guard);

        /* Under the same lock the cooldown counts the runs of any remediation, the limit its own. */
        char other[] = "other";
        const struct remediation neighbour = {
                .name = other, .cooldown = 60 * SECOND, .limit = {1, 3600 * SECOND}};
        assert_string_equal(ask(journal, &neighbour, &incident, &active, false, ended + SECOND).guard,
                            "cooldown");
        assert_null(ask(journal, &neighbour, &incident, &active, false, now).guard);

        /* What has begun is neither cooled down nor counted again, but locked and paused it can be. */
        const struct incident begun = {.id = 100, .state = INCIDENT_AWAITING_APPROVAL, .running_at = ended};
        assert_null(ask(journal, &remediation, &begun, &active, false, ended + SECOND).guard);
        assert_string_equal(ask(journal, &remediation, &begun, &active, true, ended + SECOND).guard,
                            "paused");
        end(journal, directory);
}

static void test_who_holds_a_lock(_unused_ void **state)
{
        static const struct {
                enum incident_state state;
                enum step_status step;
                bool holds;
        } cases[] = {
                {INCIDENT_RECEIVED, STEP_WAITING, false},       {INCIDENT_HELD, STEP_WAITING, false},
                {INCIDENT_AWAITING_APPROVAL, STEP_DONE, false}, {INCIDENT_RUNNING, STEP_WAITING, true},
                {INCIDENT_VERIFYING, STEP_DONE, true},          {INCIDENT_HEALED, STEP_DONE, false},
                {INCIDENT_HEALED, STEP_UNDOING, true},          {INCIDENT_ESCALATED, STEP_FAILED, false},
        };
        char lock[] = "l";
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct step_record record = {.status = cases[i].step};
                struct incident holder = {
                        .id = 1, .lock = lock, .state = cases[i].state, .steps = &record, .step_count = 1};
                const struct incident *items[] = {&holder};
                const struct lock_holders holders = {.items = items, .count = 1};
                assert_true(guard_holds_lock(&holder) == cases[i].holds);
                assert_ptr_equal(guard_lock_holder(&holders, 2, lock), &holder);
                assert_null(guard_lock_holder(&holders, 1, lock));
                assert_null(guard_lock_holder(&holders, 2, "other"));
        }
}

/* Under one lock so many runs, whatever remediation they were of; from then on a person is asked. */
static void test_the_breaker_asks(_unused_ void **state)
{
        char directory[] = "/tmp/runbook-guard-XXXXXX", name[] = "another";
        nsec ended = 0;
        struct journal *journal = journal_with_runs(directory, 2, &ended);
        struct remediation remediation = {.name = name, .steps = &changing_step, .step_count = 1};
        struct incident incident = {.id = 100, .state = INCIDENT_RECEIVED};
        const struct lock_holders nobody = {0};
        nsec now = ended + SECOND;

        file.breaker = (struct rate){3, 3600 * SECOND};
        assert_null(ask(journal, &remediation, &incident, &nobody, false, now).guard);
        file.breaker.count = 2;
        struct guard_verdict verdict = ask(journal, &remediation, &incident, &nobody, false, now);
        assert_string_equal(verdict.guard, "breaker");
        assert_true(verdict.asks && verdict.until > now && verdict.until <= ended + 3600 * SECOND);
        assert_string_equal(verdict.reason,
                            "breaker: something was done under the lock lock 2 times within 1h");
        assert_null(ask(journal, &remediation, &incident, &nobody, false, verdict.until).guard);

        /* Not of what changes nothing, may not wait, has begun, or was approved. */
        remediation.step_count = 0;
        assert_null(ask(journal, &remediation, &incident, &nobody, false, now).guard);
        remediation.step_count = 1;
        remediation.urgent = true;
        assert_null(ask(journal, &remediation, &incident, &nobody, false, now).guard);
        remediation.urgent = false;
        incident.approved = true;
        assert_null(ask(journal, &remediation, &incident, &nobody, false, now).guard);
        incident = (struct incident){.id = 100, .state = INCIDENT_AWAITING_APPROVAL, .running_at = 1};
        assert_null(ask(journal, &remediation, &incident, &nobody, false, now).guard);
        file.breaker = (struct rate){0};
        end(journal, directory);
}

/* So many locks under which something is done; for the next one a person is asked. */
static void test_a_storm_asks(_unused_ void **state)
{
        char directory[] = "/tmp/runbook-guard-XXXXXX", name[] = "r";
        nsec ended = 0;
        struct journal *journal = journal_with_runs(directory, 1, &ended);
        struct remediation remediation = {.name = name, .steps = &changing_step, .step_count = 1};
        const struct incident incident = {.id = 100, .state = INCIDENT_RECEIVED};
        const struct lock_holders nobody = {0};
        char *items[3] = {NULL};
        size_t count = 0;

        /* What ran stands in the journal. */
        assert_int_equal(journal_locks_since(journal, 0, 2, items, &count, NULL), 0);
        assert_int_equal(count, 1);
        assert_string_equal(items[0], "lock");
        free(items[0]);
        assert_int_equal(journal_locks_since(journal, ended, 2, items, &count, NULL), 0);
        assert_int_equal(count, 0);

        file.storm = (struct rate){2, 300 * SECOND};
        acted = (struct acted_locks){.items = items, .space = 3};
        assert_int_equal(guard_note_acted(&acted, "a", NULL), 0);
        assert_int_equal(guard_note_acted(&acted, "a", NULL), 0);
        assert_int_equal(acted.count, 1);
        assert_null(ask(journal, &remediation, &incident, &nobody, false, ended).guard);
        assert_int_equal(guard_note_acted(&acted, "b", NULL), 0);
        struct guard_verdict verdict = ask(journal, &remediation, &incident, &nobody, false, ended);
        assert_string_equal(verdict.guard, "storm");
        assert_true(verdict.asks);
        assert_string_equal(
                verdict.reason,
                "storm: something is done under 2 other locks within 5m, and the next would be lock");

        remediation.urgent = true;
        assert_null(ask(journal, &remediation, &incident, &nobody, false, ended).guard);
        remediation.urgent = false;

        /* The same again is no other one; and there is an end to what is noted. */
        assert_int_equal(guard_note_acted(&acted, "lock", NULL), 0);
        assert_int_equal(guard_note_acted(&acted, "c", NULL), 0);
        assert_int_equal(acted.count, 3);
        assert_null(ask(journal, &remediation, &incident, &nobody, false, ended).guard);
        for (size_t i = 0; i < acted.count; i++)
                free(items[i]);
        acted = (struct acted_locks){0};
        file.storm = (struct rate){0};
        end(journal, directory);
}

/* Clocks in the test's hands. */
#define DAY (86400 * SECOND)
#define YEAR (365 * DAY)
#define EPOCH (1767225600 * SECOND)

static nsec wall, monotonic;

static nsec read_wall(void *context _unused_)
{
        return wall;
}

static nsec read_monotonic(void *context _unused_)
{
        return monotonic;
}

static struct world held_clocks = {.wall = read_wall, .monotonic = read_monotonic};

static void open_on(struct journal_fixture *fixture, const char *boot)
{
        _cleanup_error_ struct error error = {0};
        fixture->journal = journal_close(fixture->journal);
        held_clocks.boot = boot;
        if (journal_open(fixture->path, &taking_key, &held_clocks, &fixture->journal, &error) < 0)
                fail_msg("%s", error_text(&error));
}

/* A run, and another incident that waits, while the wall clock says `then`. */
static void run_at(struct journal_fixture *fixture, nsec then)
{
        fixture->journal = journal_close(fixture->journal);
        run_sql(fixture, "DELETE FROM steady");
        wall = then;
        monotonic = 100 * SECOND;
        open_on(fixture, "one");
        accept_alerts(fixture, "f1 f2");
        open_incidents(fixture, 1);
        open_incidents(fixture, 1);
        WRITE(fixture, .state = INCIDENT_RUNNING, .lock = "lock");
        monotonic += SECOND;
        wall += SECOND;
        WRITE(fixture, .state = INCIDENT_DONE);
        accept_alerts(fixture, "-f1");
}

/* However the clocks go on: who is held is held for the guard's own length from now at most, and not for
 * ever. */
static void assert_bounded(struct journal_fixture *fixture)
{
        char name[] = "restart";
        const struct remediation cooled = {.name = name, .cooldown = 900 * SECOND};
        const struct remediation limited = {.name = name, .limit = {1, DAY}};
        const struct incident incident = {.id = 2, .state = INCIDENT_RECEIVED};
        const struct lock_holders nobody = {0};
        const struct remediation *const all[] = {&cooled, &limited};
        for (size_t i = 0; i < N_ELEMENTS(all); i++) {
                nsec now = journal_steady(fixture->journal),
                     length = i == 0 ? cooled.cooldown : limited.limit.period;
                struct guard_verdict verdict = ask(fixture->journal, all[i], &incident, &nobody, false, now);
                assert_true(!verdict.guard || verdict.until - now <= length);
                assert_null(ask(fixture->journal, all[i], &incident, &nobody, false, now + length).guard);
        }
        struct incident waits = only_active(fixture);
        assert_true(waits.opened_steady <= journal_steady(fixture->journal));
        assert_true(waits.entered_steady <= journal_steady(fixture->journal));
        incident_release(&waits);
}

/* The clock is set right after the run, over a restart of the daemon, of the machine, or on another one. */
static void test_no_clock_holds_for_longer(void **state)
{
        struct journal_fixture *fixture = *state;
        static const struct {
                const char *boot;
                nsec jump, monotonic;
        } cases[] = {
                {"one", 10 * YEAR, 200 * SECOND}, {"one", -10 * YEAR, 200 * SECOND},
                {"one", 2 * DAY, 200 * SECOND},   {"one", -YEAR, 200 * SECOND},
                {"one", -YEAR, 5 * SECOND},       {"two", 10 * YEAR, SECOND},
                {"two", -10 * YEAR, SECOND},      {"two", 2 * DAY, SECOND},
                {"two", -YEAR, SECOND},           {"", -YEAR, 5 * YEAR},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct journal_fixture *one = fixture;
                run_sql(one, "DELETE FROM steps; DELETE FROM incidents; DELETE FROM episodes");
                run_at(one, EPOCH);
                wall += cases[i].jump;
                monotonic = cases[i].monotonic;
                open_on(one, cases[i].boot);
                assert_bounded(one);
        }
}

/* What another machine has written, or somebody by hand, lies in the time to come: it is as if it were now.
 */
static void test_what_is_to_come_is_now(void **state)
{
        struct journal_fixture *fixture = *state;
        static const char *const columns[] = {"ended_steady", "running_steady"};
        for (size_t i = 0; i < N_ELEMENTS(columns); i++) {
                run_sql(fixture, "DELETE FROM steps; DELETE FROM incidents; DELETE FROM episodes");
                run_at(fixture, EPOCH);
                _cleanup_free_ char *sql =
                        text_format("UPDATE incidents SET %s = %s + %lld WHERE running_at > 0", columns[i],
                                    columns[i], (long long)(10 * YEAR));
                run_sql(fixture, sql);
                open_on(fixture, "one");
                assert_bounded(fixture);
        }
        run_sql(fixture, "DELETE FROM steps; DELETE FROM incidents; DELETE FROM episodes");
        run_at(fixture, EPOCH);
        run_sql(fixture,
                "UPDATE incidents SET opened_steady = opened_steady * 2, entered_steady = entered_steady * 2"
                " WHERE ended_at = 0");
        open_on(fixture, "one");
        assert_bounded(fixture);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_may_be_over), cmocka_unit_test(test_guards_in_order),
                cmocka_unit_test(test_who_holds_a_lock), cmocka_unit_test(test_the_breaker_asks),
                cmocka_unit_test(test_a_storm_asks),     ON_JOURNAL(test_no_clock_holds_for_longer),
                ON_JOURNAL(test_what_is_to_come_is_now),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
