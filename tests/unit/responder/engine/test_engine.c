/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents from alert to end: guards, approval, failure, verification, undo, what persons decide. */
#include "tests/harness/engine.h"

#include <errno.h>
#include <string.h>

#include "runbook/http_client.h"

#define SIMPLE                                                                                          \
        "  - {name: simple, match: ['alertname=\"a\"'], steps: [{act.undone: {name: one}}, {act.once: " \
        "{name: two}}]}\n"

static void test_healed(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(SIMPLE);
        alert_arrives(fixture, "f1", true, "");
        await_state(fixture, 1, INCIDENT_DONE);
        await_incident(fixture, 1, is_settled, 0, "settled");
        /* All plans first; each step anew before it runs. */
        assert_action_calls("plan run undo settle",
                            "plan:one plan:two plan:one run:one plan:two run:two settle:one");

        /* The same alert again, in the same episode: nothing. */
        alert_arrives(fixture, "f1", true, "");
        alert_arrives(fixture, "f2", true, "\"other\":\"x\"");
        await_state(fixture, 2, INCIDENT_DONE);
        assert_action_calls("run", "run:one run:two run:one run:two");

        _cleanup_free_ char *events = events_of(fixture, 1);
        assert_non_null(strstr(
                events, "running\nstep started\nprogress\nstep done\nstep started\nprogress\nstep done\n"
                        "all steps done"));
        fixture_close(fixture);
}

static void test_unmatched(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(
                "  - {name: other, match: ['alertname=\"b\"'], steps: [{act.once: {name: b}}]}\n"
                "  - {name: mine, match: ['alertname=\"a\"', 'x=\"1\"'], steps: [{act.once: {name: a}}]}\n");
        alert_arrives(fixture, "f1", true, "\"x\":\"2\"");
        alert_arrives(fixture, "f2", true, "\"x\":\"1\"");
        await_state(fixture, 1, INCIDENT_DONE);
        assert_action_calls("run", "run:a");
        struct incident incident = {0};
        assert_int_equal(journal_find(fixture->journal, fixture->number[2], &incident, NULL), -ENOENT);
        fixture_close(fixture);
}

static void test_missing_label(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(
                "  - {name: bound, match: ['alertname=\"a\"'], on_failure: stop, steps: [{act.once: {name: "
                "one}}, {act.once: {name: '${labels.host}'}}]}\n");
        alert_arrives(fixture, "f1", true, "");
        await_state(fixture, 1, INCIDENT_FAILED);
        assert_action_calls("run undo", "");
        alert_arrives(fixture, "f2", true, "\"host\":\"h\"");
        await_state(fixture, 2, INCIDENT_DONE);
        assert_action_calls("run", "run:one run:h");
        fixture_close(fixture);
}

static bool has_ended(_unused_ struct engine_fixture *fixture, const struct incident *incident,
                      _unused_ int argument)
{
        return incident->ended_at != 0;
}

static void test_failure_escalates(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(
                "  - {name: fails, match: ['alertname=\"a\"'], steps: [{act.undone: {name: one}}, "
                "{act.once: {name: two, fails: true}}, {act.once: {name: three}}]}\n");
        atomic_store(&fixture->deaf, true);
        alert_arrives(fixture, "f1", true, "");
        await_state(fixture, 1, INCIDENT_FAILED);
        while (atomic_load(&fixture->told) == 0)
                poll_pause();
        /* Not escalated before somebody has heard of it. */
        assert_true(is_in_state(fixture, &(struct incident){.state = INCIDENT_FAILED}, INCIDENT_FAILED));
        await_state(fixture, 1, INCIDENT_FAILED);
        atomic_store(&fixture->deaf, false);
        await_state(fixture, 1, INCIDENT_ESCALATED);
        assert_true(atomic_load(&fixture->told) >= 2);
        assert_true(person_was_told(fixture, "as the test wants it"));
        assert_true(person_was_told(fixture, fixture->number[1]));
        assert_action_calls("run undo", "run:one run:two");
        fixture_close(fixture);
}

static void test_failure_policies(_unused_ void **state)
{
        struct engine_fixture *fixture =
                fixture_open("  - {name: u, match: ['p=\"undo\"'], on_failure: undo, steps: "
                             "[{act.undone: {name: one}}, {act.undone: {name: two}}, "
                             "{act.undone: {name: three, fails: true}}, {act.once: {name: four}}]}\n"
                             "  - {name: c, match: ['p=\"continue\"'], steps: [{act.once: {name: "
                             "five, fails: true}, on_failure: continue}, "
                             "{act.once: {name: six, plan_fails: true}, on_failure: continue}, "
                             "{act.once: {name: seven}}]}\n"
                             "  - {name: s, match: ['p=\"stop\"'], on_failure: stop, steps: "
                             "[{act.once: {name: eight, fails: true}}, {act.once: {name: "
                             "nine}}]}\n");
        alert_arrives(fixture, "f1", true, "\"p\":\"undo\"");
        await_state(fixture, 1, INCIDENT_ESCALATED);
        assert_action_calls("run undo", "run:one run:two run:three undo:three undo:two undo:one");
        assert_int_equal(atomic_load(&fixture->told), 1);

        alert_arrives(fixture, "f2", true, "\"p\":\"continue\"");
        await_state(fixture, 2, INCIDENT_DONE);
        assert_true(action_called("run:five") && action_called("run:seven") && !action_called("run:six"));

        alert_arrives(fixture, "f3", true, "\"p\":\"stop\"");
        await_incident(fixture, 3, has_ended, 0, "ended");
        await_state(fixture, 3, INCIDENT_FAILED);
        assert_false(action_called("run:nine"));
        assert_int_equal(atomic_load(&fixture->told), 1);
        fixture_close(fixture);
}

static void test_verification(_unused_ void **state)
{
        struct engine_fixture *fixture =
                fixture_open("  - {name: v, match: ['v=\"yes\"'], steps: [{act.once: {name: one}}], "
                             "verify: {query: 'up == 1', within: 10m, every: 10ms}}\n"
                             "  - {name: n, match: ['v=\"no\"'], steps: [{act.once: {name: two}}], "
                             "verify: {query: 'up == 1', within: 100ms, every: 10ms}}\n");
        atomic_store(&fixture->unreachable, true);
        alert_arrives(fixture, "f1", true, "\"v\":\"yes\"");
        await_state(fixture, 1, INCIDENT_VERIFYING);
        unsigned asked = atomic_load(&fixture->asked);
        while (atomic_load(&fixture->asked) < asked + 3)
                poll_pause();
        await_state(fixture, 1, INCIDENT_VERIFYING); /* no answer is no verdict */
        atomic_store(&fixture->unreachable, false);
        asked = atomic_load(&fixture->asked);
        while (atomic_load(&fixture->asked) < asked + 3)
                poll_pause();
        await_state(fixture, 1, INCIDENT_VERIFYING);
        atomic_store(&fixture->holds, true);
        await_state(fixture, 1, INCIDENT_HEALED);
        assert_int_equal(atomic_load(&fixture->told), 0);

        /* A person ends the wait. */
        atomic_store(&fixture->holds, false);
        alert_arrives(fixture, "f3", true, "\"v\":\"yes\"");
        await_state(fixture, 2, INCIDENT_VERIFYING);
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_CANCEL, fixture->number[2], "tester", NULL, NULL), 0);
        await_state(fixture, 2, INCIDENT_CANCELLED);

        atomic_store(&fixture->holds, false);
        alert_arrives(fixture, "f2", true, "\"v\":\"no\"");
        await_state(fixture, 3, INCIDENT_ESCALATED);
        assert_true(person_was_told(fixture,
                                    "not healed: the query did not hold within 100ms: it was about 1.5"));
        fixture_close(fixture);
}

/* What may well have helped stays, and a person hears that nobody knows. */
static void test_no_answer_is_no_verdict_h1_h2_h3(_unused_ void **state)
{
        struct engine_fixture *fixture =
                fixture_open("  - {name: v, match: ['alertname=\"a\"'], lock: 'n/${labels.n}', steps: "
                             "[{act.undone: {name: one}}], "
                             "on_failure: undo, verify: {query: 'up == 1', within: 200ms, every: 10ms}}\n");
        atomic_store(&fixture->nothing, true);
        alert_arrives(fixture, "f1", true, "\"n\":\"1\"");
        await_state(fixture, 1, INCIDENT_ESCALATED);
        assert_true(person_was_told(
                fixture, "could not be verified: the query gave no answer for 200ms: no data for up"));
        assert_action_calls("run undo", "run:one");

        /* Nobody to ask is no answer either; and what was seen last is told. */
        atomic_store(&fixture->nothing, false);
        alert_arrives(fixture, "f2", true, "\"n\":\"2\"");
        await_state(fixture, 2, INCIDENT_VERIFYING);
        unsigned asked = atomic_load(&fixture->asked);
        while (atomic_load(&fixture->asked) < asked + 3)
                poll_pause();
        atomic_store(&fixture->unreachable, true);
        await_state(fixture, 2, INCIDENT_ESCALATED);
        assert_true(person_was_told(fixture, "Prometheus answered 500"));
        assert_true(person_was_told(fixture, "where it had an answer last, it did not hold"));
        assert_action_calls("run undo", "run:one run:one");

        _cleanup_free_ char *events = events_of(fixture, 1);
        assert_non_null(strstr(events, "verifying\ncould not be verified\nescalated"));
        fixture_close(fixture);
}

static void test_max_and_approval(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(
                "  - {name: m, match: ['x=\"max\"'], steps: [{act.once: {name: one}}, {act.once: {name: two, "
                "targets: 7}, max: 6}]}\n"
                "  - {name: p, match: ['x=\"ask\"'], approval: true, steps: [{act.once: {name: three}}]}\n");
        _cleanup_error_ struct error error = {0};
        alert_arrives(fixture, "f1", true, "\"x\":\"max\"");
        await_state(fixture, 1, INCIDENT_AWAITING_APPROVAL);
        assert_action_calls("run", "");
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_UNDO, fixture->number[1], "tester", NULL, &error),
                -ESTALE);
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_APPROVE, fixture->number[1], "tester", NULL, &error),
                0);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_action_calls("run", "run:one run:two");
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_APPROVE, fixture->number[1], "tester", NULL, &error),
                -ESTALE);
        assert_non_null(strstr(error_text(&error), "is done"));

        alert_arrives(fixture, "f2", true, "\"x\":\"ask\"");
        await_state(fixture, 2, INCIDENT_AWAITING_APPROVAL);
        assert_int_equal(engine_decide(fixture->engine, DECISION_DENY, fixture->number[2], "tester",
                                       "not today", &error),
                         0);
        await_state(fixture, 2, INCIDENT_DENIED);
        assert_false(action_called("run:three"));
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_DENY, "INC-1999-0001", "tester", NULL, &error),
                -ENOENT);
        fixture_close(fixture);
}

static bool is_held_by_lock(_unused_ struct engine_fixture *fixture, const struct incident *incident,
                            _unused_ int argument)
{
        return incident->state == INCIDENT_HELD && string_equal(incident->guard, "lock");
}

static bool is_held_by_pause(_unused_ struct engine_fixture *fixture, const struct incident *incident,
                             _unused_ int argument)
{
        return incident->state == INCIDENT_HELD && string_equal(incident->guard, "paused");
}

static bool is_held_by_limit(_unused_ struct engine_fixture *fixture, const struct incident *incident,
                             _unused_ int argument)
{
        return incident->state == INCIDENT_HELD && string_equal(incident->guard, "limit") &&
               incident->guard_until != 0;
}

static bool is_held_by_cooldown(_unused_ struct engine_fixture *fixture, const struct incident *incident,
                                _unused_ int argument)
{
        return incident->state == INCIDENT_HELD && string_equal(incident->guard, "cooldown") &&
               incident->guard_until != 0;
}

static void test_lock(_unused_ void **state)
{
        struct engine_fixture *fixture =
                fixture_open("  - {name: first, match: ['x=\"1\"'], lock: 's/${labels.s}', steps: "
                             "[{act.once: {name: one, waits: true}}]}\n"
                             "  - {name: second, match: ['x=\"2\"'], lock: 's/${labels.s}', steps: "
                             "[{act.once: {name: two}}]}\n");
        alert_arrives(fixture, "f1", true, "\"x\":\"1\",\"s\":\"web\"");
        await_action_call("run:one");
        alert_arrives(fixture, "f2", true, "\"x\":\"2\",\"s\":\"web\"");
        alert_arrives(fixture, "f3", true, "\"x\":\"2\",\"s\":\"db\"");
        await_incident(fixture, 2, is_held_by_lock, 0, "held by the lock");
        await_state(fixture, 3, INCIDENT_DONE);
        assert_action_calls("run", "run:one run:two");
        open_gate();
        await_state(fixture, 1, INCIDENT_DONE);
        await_state(fixture, 2, INCIDENT_DONE);
        assert_action_calls("run", "run:one run:two run:two");
        fixture_close(fixture);
}

static void test_cooldown_and_limit(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(
                "  - {name: cool, match: ['x=\"c\"'], cooldown: 400ms, steps: [{act.once: {name: cool}}]}\n"
                "  - {name: few, match: ['x=\"l\"'], limit: 1 per 1d, expire: 300ms, steps: [{act.once: "
                "{name: few}}]}\n");
        alert_arrives(fixture, "f1", true, "\"x\":\"c\"");
        await_state(fixture, 1, INCIDENT_DONE);
        alert_arrives(fixture, "f2", true, "\"x\":\"c\"");
        await_incident(fixture, 2, is_held_by_cooldown, 0, "held by the cooldown");
        await_state(fixture, 2, INCIDENT_DONE); /* by itself, once the time has come */
        assert_action_calls("run", "run:cool run:cool");
        fixture_close(fixture);

        fixture = fixture_open("  - {name: few, match: ['x=\"l\"'], limit: 1 per 1d, expire: 500ms, steps: "
                               "[{act.once: {name: few}}]}\n");
        alert_arrives(fixture, "f1", true, "\"x\":\"l\"");
        await_state(fixture, 1, INCIDENT_DONE);
        alert_arrives(fixture, "f2", true, "\"x\":\"l\"");
        await_incident(fixture, 2, is_held_by_limit, 0, "held by the limit");
        await_state(fixture, 2, INCIDENT_EXPIRED);
        assert_in_range(atomic_load(&fixture->told), 1,
                        2); /* that it is held, if there was time, and expired */
        assert_true(person_was_told(fixture,
                                    "it was held for 500ms, by `limit`, which would have held it until 2"));
        assert_action_calls("run", "run:few");
        fixture_close(fixture);
}

/* Three remediations restart one service for three alerts: the first does, the others wait, whatever set them
 * off. */
static void test_o1_the_cooldown_is_of_the_lock(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(
                "  - {name: one, match: ['x=\"1\"'], lock: web, cooldown: 1h, steps: [{act.once: {name: "
                "one}}]}\n"
                "  - {name: two, match: ['x=\"2\"'], lock: web, cooldown: 1h, steps: [{act.once: {name: "
                "two}}]}\n"
                "  - {name: free, match: ['x=\"3\"'], lock: web, steps: [{act.once: {name: free}}]}\n");
        alert_arrives(fixture, "f1", true, "\"x\":\"1\"");
        await_state(fixture, 1, INCIDENT_DONE);
        alert_arrives(fixture, "f2", true, "\"x\":\"2\"");
        await_incident(fixture, 2, is_held_by_cooldown, 0, "held by the cooldown of another's run");
        alert_arrives(fixture, "f3", true, "\"x\":\"3\"");
        await_state(fixture, 3, INCIDENT_DONE); /* it has asked for none */
        assert_action_calls("run", "run:one run:free");
        fixture_close(fixture);
}

static void test_o2_the_limit_is_of_the_lock(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(
                "  - {name: few, match: ['x=\"1\"'], lock: '${labels.s}', limit: 1 per 1d, steps: "
                "[{act.once: {name: one}}]}\n");
        alert_arrives(fixture, "f1", true, "\"x\":\"1\",\"s\":\"web\"");
        await_state(fixture, 1, INCIDENT_DONE);
        alert_arrives(fixture, "f2", true, "\"x\":\"1\",\"s\":\"db\"");
        await_state(fixture, 2, INCIDENT_DONE);
        alert_arrives(fixture, "f3", true, "\"x\":\"1\",\"s\":\"web\",\"again\":\"1\"");
        await_incident(fixture, 3, is_held_by_limit, 0, "held by the limit of its lock");
        fixture_close(fixture);
}

/* Two instances of one alert: what is done names neither, so it is done once. */
static void test_alerts_of_one_cause_are_one_incident(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(
                "  - {name: r, match: ['x=\"1\"'], lock: web, steps: [{act.once: {name: one, waits: "
                "true}}]}\n"
                "  - {name: ask, match: ['x=\"2\"'], approval: true, steps: [{act.once: {name: two}}]}\n");
        alert_arrives(fixture, "f1", true, "\"x\":\"1\",\"instance\":\"a\"");
        await_action_call("run:one");
        alert_arrives(fixture, "f2", true, "\"x\":\"1\",\"instance\":\"b\"");
        alert_arrives(fixture, "f3", true, "\"x\":\"2\",\"instance\":\"a\"");
        await_state(fixture, 2, INCIDENT_AWAITING_APPROVAL);
        open_gate();
        await_state(fixture, 1, INCIDENT_DONE);
        _cleanup_free_ char *events = events_of(fixture, 1);
        assert_non_null(strstr(events, "alert joined"));
        assert_action_calls("run", "run:one");

        /* What waits is given up when the last of its alerts is over. */
        alert_arrives(fixture, "f4", true, "\"x\":\"2\",\"instance\":\"b\"");
        alert_arrives(fixture, "f5", true, "\"x\":\"1\",\"instance\":\"c\"");
        await_state(fixture, 3, INCIDENT_DONE); /* then f4 was matched, too */
        alert_arrives(fixture, "f3", false, "\"x\":\"2\",\"instance\":\"a\"");
        await_state(fixture, 2, INCIDENT_AWAITING_APPROVAL);
        alert_arrives(fixture, "f4", false, "\"x\":\"2\",\"instance\":\"b\"");
        await_state(fixture, 2, INCIDENT_CANCELLED);
        free(events);
        events = events_of(fixture, 2);
        /* Somewhere in between a person has heard that approval is awaited. */
        char *told = strstr(events, "told\n");
        if (told)
                memmove(told, told + 5, strlen(told + 5) + 1);
        assert_non_null(strstr(events, "alert joined\none of its alerts is over\nalert resolved\ncancelled"));
        fixture_close(fixture);
}

/* A person was called: until its alert is over, another one of the cause is that person's as well. */
static void test_siblings_wait_for_the_person(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(
                "  - {name: r, match: ['x=\"1\"'], steps: [{act.once: {name: one, fails: true}}]}\n"
                "  - {name: other, match: ['x=\"2\"'], steps: [{act.once: {name: two}}]}\n");
        alert_arrives(fixture, "f1", true, "\"x\":\"1\",\"instance\":\"a\"");
        await_state(fixture, 1, INCIDENT_ESCALATED);
        alert_arrives(fixture, "f2", true, "\"x\":\"1\",\"instance\":\"b\"");
        alert_arrives(fixture, "f3", true, "\"x\":\"2\"");
        await_state(fixture, 2, INCIDENT_DONE);
        assert_action_calls("run", "run:one run:two");
        assert_int_equal(atomic_load(&fixture->told), 1);

        alert_arrives(fixture, "f1", false, "\"x\":\"1\",\"instance\":\"a\"");
        alert_arrives(fixture, "f2", false, "\"x\":\"1\",\"instance\":\"b\"");
        alert_arrives(fixture, "f2", true, "\"x\":\"1\",\"instance\":\"b\"");
        await_state(fixture, 3, INCIDENT_ESCALATED);
        assert_action_calls("run", "run:one run:two run:one");
        fixture_close(fixture);
}

/* Three targets at once: two are acted upon, about the third a person is asked, who is told why. */
static void test_a_storm_asks_a_person(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_prepare(
                "  - {name: r, match: ['alertname=\"a\"'], lock: '${labels.s}', steps: [{act.once: {name: "
                "one}}]}\n");
        fixture->set->storm = (struct rate){2, 300 * NSEC_PER_SEC};
        fixture_start(fixture);
        alert_arrives(fixture, "f1", true, "\"s\":\"web\"");
        alert_arrives(fixture, "f2", true, "\"s\":\"api\"");
        await_state(fixture, 1, INCIDENT_DONE);
        await_state(fixture, 2, INCIDENT_DONE);
        alert_arrives(fixture, "f3", true, "\"s\":\"db\"");
        await_state(fixture, 3, INCIDENT_AWAITING_APPROVAL);
        while (atomic_load(&fixture->told) == 0)
                poll_pause();
        assert_true(person_was_told(fixture, "storm: something is done under 2 other locks within 5m"));
        assert_action_calls("run", "run:one run:one");

        fixture_stop(fixture);
        fixture_start(fixture);
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_APPROVE, fixture->number[3], "tester", NULL, NULL),
                0);
        await_state(fixture, 3, INCIDENT_DONE);
        assert_action_calls("run", "run:one run:one run:one");
        fixture_close(fixture);
}

/* A lock that comes out empty locks nothing. */
static void test_an_empty_lock_stops_the_plan(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(
                "  - {name: r, match: ['x=\"1\"'], lock: '${labels.s}', steps: [{act.once: {name: one}}]}\n");
        alert_arrives(fixture, "f1", true, "\"x\":\"1\",\"s\":\"\"");
        await_state(fixture, 1, INCIDENT_ESCALATED);
        assert_action_calls("run", "");
        assert_true(person_was_told(fixture, "is empty for this alert"));
        fixture_close(fixture);
}

static void test_pause(_unused_ void **state)
{
        struct engine_fixture *fixture =
                fixture_open("  - {name: p, match: ['alertname=\"a\"'], steps: [{act.once: {name: "
                             "one, waits: true}}, {act.once: {name: two}}]}\n");
        assert_int_equal(engine_pause(fixture->engine, true, "tester", "a drill", NULL), 0);
        alert_arrives(fixture, "f1", true, "");
        await_incident(fixture, 1, is_held_by_pause, 0, "held by the kill switch");
        fixture_stop(fixture);
        fixture_start(fixture);
        await_incident(fixture, 1, is_held_by_pause, 0, "still held");
        assert_int_equal(engine_pause(fixture->engine, false, "tester", NULL, NULL), 0);
        await_action_call("run:one");

        /* In the middle: the step finishes, the next does not begin. */
        assert_int_equal(engine_pause(fixture->engine, true, "tester", NULL, NULL), 0);
        open_gate();
        await_incident(fixture, 1, first_step_is, STEP_DONE, "done with its first step");
        await_state(fixture, 1, INCIDENT_RUNNING);
        assert_action_calls("run", "run:one");
        assert_int_equal(engine_pause(fixture->engine, false, "tester", NULL, NULL), 0);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_action_calls("run", "run:one run:two");
        fixture_close(fixture);
}

/* What was failed before its plan was made has done nothing. */
static void test_nothing_is_undone_that_never_began(_unused_ void **state)
{
        struct engine_fixture *fixture =
                fixture_open("  - {name: n, match: ['alertname=\"a\"'], on_failure: undo, steps: "
                             "[{act.undone: {name: one, plan_fails: true}, on_failure: continue}, "
                             "{act.undone: {name: two, fails: true}}]}\n");
        alert_arrives(fixture, "f1", true, "");
        await_state(fixture, 1, INCIDENT_ESCALATED);
        assert_action_calls("run undo", "run:two undo:two");
        fixture_close(fixture);
}

/* An undo that the kill switch forbids is not tried in a circle; and when somebody else has taken its lock
 * meanwhile, it waits for that. */
static void test_undo_waits_while_paused(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_prepare(
                "  - {name: u, match: ['alertname=\"a\"', 'x!=\"2\"'], on_failure: undo, lock: l, steps: "
                "[{act.undone: {name: one}}, {act.once: {name: two, fails: true}}]}\n"
                "  - {name: v, match: ['x=\"2\"'], lock: l, steps: [{act.once: {name: three}}]}\n");
        fixture->set->targets.repeat_interval = 0; /* nothing but the incident is looked at */
        fixture_start_by_hand(fixture);
        alert_arrives(fixture, "f1", true, "");
        nsec next = 0;
        assert_int_equal(look_by_hand(fixture, &next), 1);
        work_by_hand();
        assert_action_calls("run undo", "run:one run:two");

        assert_int_equal(engine_pause(fixture->engine, true, "tester", NULL, NULL), 0);
        assert_int_equal(look_by_hand(fixture, &next), 1);
        work_by_hand(); /* and it finds out that it may not */
        assert_int_equal(look_by_hand(fixture, &next), 0);
        assert_true(next > world_monotonic(&fixture->by_hand) + NSEC_PER_SEC);
        assert_action_calls("undo", "");

        assert_int_equal(engine_pause(fixture->engine, false, "tester", NULL, NULL), 0);
        alert_arrives(fixture, "f2", true, "\"x\":\"2\"");
        assert_int_equal(look_by_hand(fixture, &next), 1);
        hand_ahead = 60 * NSEC_PER_SEC;
        assert_int_equal(look_by_hand(fixture, &next), 1); /* nothing but what was given before */
        work_by_hand();
        assert_action_calls("run undo", "run:one run:two run:three");
        while (look_by_hand(fixture, &next) > 0)
                work_by_hand();
        assert_action_calls("run undo", "run:one run:two run:three undo:one");
        fixture_stop(fixture);
        fixture_close(fixture);
}

static void test_resolved(_unused_ void **state)
{
        struct engine_fixture *fixture =
                fixture_open("  - {name: r, match: ['alertname=\"a\"'], steps: [{act.undone: {name: "
                             "one, waits: true}, undo: when_resolved}, "
                             "{act.undone: {name: two}}]}\n");
        /* While it waits: cancelled. */
        assert_int_equal(engine_pause(fixture->engine, true, "tester", NULL, NULL), 0);
        alert_arrives(fixture, "f1", true, "");
        await_incident(fixture, 1, is_held_by_pause, 0, "held");
        alert_arrives(fixture, "f1", false, "");
        await_state(fixture, 1, INCIDENT_CANCELLED);
        assert_int_equal(engine_pause(fixture->engine, false, "tester", NULL, NULL), 0);

        /* While it runs: the step finishes, the rest is skipped, and what is to be undone then is. */
        alert_arrives(fixture, "f2", true, "");
        await_action_call("run:one");
        alert_arrives(fixture, "f2", false, "");
        open_gate();
        await_incident(fixture, 2, first_step_is, STEP_UNDONE, "undone");
        await_state(fixture, 2, INCIDENT_DONE);
        assert_action_calls("run undo", "run:one undo:one");

        /* After it healed: undone once the alert is resolved, and not before. */
        forget_action_calls();
        alert_arrives(fixture, "f3", true, "");
        await_state(fixture, 3, INCIDENT_DONE);
        await_action_call("settle:two");
        assert_action_calls("run undo settle", "run:one run:two settle:two");
        alert_arrives(fixture, "f3", false, "");
        await_incident(fixture, 3, first_step_is, STEP_UNDONE, "undone");
        assert_action_calls("undo", "undo:one");
        fixture_close(fixture);
}

static void test_what_somebody_has_taken_over_is_told_once(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open("  - {name: r, match: ['alertname=\"a\"'], steps: "
                                                      "[{act.undone: {name: one, taken: true}}]}\n");
        alert_arrives(fixture, "f1", true, "");
        await_state(fixture, 1, INCIDENT_DONE);
        await_incident(fixture, 1, is_settled, 0, "settled");
        assert_int_equal(atomic_load(&fixture->told), 1);
        assert_true(person_was_told(fixture, "somebody has started it"));
        assert_action_calls("settle", "settle:one");
        _cleanup_free_ char *events = events_of(fixture, 1);
        assert_non_null(strstr(events, "left as it is for a person"));
        fixture_close(fixture);
}

static void test_cancel_and_undo(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(
                "  - {name: r, match: ['alertname=\"a\"'], steps: [{act.undone: {name: one, waits: true}}, "
                "{act.undone: {name: two, undo_fails: true}}, {act.once: {name: three}}]}\n");
        alert_arrives(fixture, "f1", true, "");
        await_action_call("run:one");
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_CANCEL, fixture->number[1], "tester", NULL, NULL), 0);
        open_gate();
        await_state(fixture, 1, INCIDENT_CANCELLED);
        assert_action_calls("run undo", "run:one");
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_UNDO, fixture->number[1], "tester", NULL, NULL), 0);
        await_incident(fixture, 1, first_step_is, STEP_UNDONE, "undone");
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_UNDO, fixture->number[1], "tester", NULL, NULL),
                -ESTALE);

        /* An undo that fails calls a person, and may be asked for again. */
        forget_action_calls();
        alert_arrives(fixture, "f1", false, "");
        alert_arrives(fixture, "f2", true, "");
        await_state(fixture, 2, INCIDENT_DONE);
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_UNDO, fixture->number[2], "tester", NULL, NULL), 0);
        while (atomic_load(&fixture->told) == 0)
                poll_pause();
        assert_true(person_was_told(fixture, "cannot be put back"));
        assert_action_calls("undo", "undo:two undo:one");
        mend_actions();
        struct deadline deadline = deadline_in(20 * NSEC_PER_SEC);
        while (engine_decide(fixture->engine, DECISION_UNDO, fixture->number[2], "tester", NULL, NULL) < 0 &&
               !deadline_passed(deadline))
                poll_pause();
        await_action_call("undo:two undo:one undo:two");
        assert_action_calls("undo", "undo:two undo:one undo:two");
        fixture_close(fixture);
}

static void test_dry_run(_unused_ void **state)
{
        struct engine_fixture *fixture =
                fixture_prepare("  - {name: d, match: ['alertname=\"a\"'], approval: true, steps: "
                                "[{act.undone: {name: one}}, "
                                "{act.once: {name: two, plan_fails: true}}]}\n");
        fixture->dry_run = true;
        fixture_start(fixture);
        alert_arrives(fixture, "f1", true, "");
        await_state(fixture, 1, INCIDENT_PLANNED);
        assert_action_calls("plan run undo settle", "plan:one plan:two");
        assert_int_equal(atomic_load(&fixture->told), 0);

        struct incident incident = {0};
        _cleanup_json_ cJSON *timeline = NULL;
        assert_int_equal(journal_find(fixture->journal, fixture->number[1], &incident, NULL), 0);
        assert_int_equal(journal_timeline(fixture->journal, incident.id, &timeline, NULL), 0);
        _cleanup_free_ char *printed = json_print(timeline);
        assert_non_null(strstr(printed, "there is nothing to do"));
        incident_release(&incident);
        fixture_close(fixture);
}

static bool has_closed(_unused_ struct engine_fixture *fixture, const struct incident *incident,
                       _unused_ int argument)
{
        return !incident->episode_open;
}

static void test_reconcile(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(SIMPLE);
        alert_arrives(fixture, "f1", true, "");
        await_state(fixture, 1, INCIDENT_DONE);
        atomic_store(&fixture->gone, true);
        await_incident(fixture, 1, has_closed, 0, "closed, as Alertmanager no longer has its alert");
        fixture_close(fixture);
}

int main(void)
{
        assert_int_equal(http_client_global_init(NULL), 0);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_healed),
                cmocka_unit_test(test_unmatched),
                cmocka_unit_test(test_missing_label),
                cmocka_unit_test(test_failure_escalates),
                cmocka_unit_test(test_failure_policies),
                cmocka_unit_test(test_verification),
                cmocka_unit_test(test_no_answer_is_no_verdict_h1_h2_h3),
                cmocka_unit_test(test_max_and_approval),
                cmocka_unit_test(test_lock),
                cmocka_unit_test(test_cooldown_and_limit),
                cmocka_unit_test(test_o1_the_cooldown_is_of_the_lock),
                cmocka_unit_test(test_o2_the_limit_is_of_the_lock),
                cmocka_unit_test(test_alerts_of_one_cause_are_one_incident),
                cmocka_unit_test(test_siblings_wait_for_the_person),
                cmocka_unit_test(test_a_storm_asks_a_person),
                cmocka_unit_test(test_an_empty_lock_stops_the_plan),
                cmocka_unit_test(test_pause),
                cmocka_unit_test(test_nothing_is_undone_that_never_began),
                cmocka_unit_test(test_undo_waits_while_paused),
                cmocka_unit_test(test_resolved),
                cmocka_unit_test(test_what_somebody_has_taken_over_is_told_once),
                cmocka_unit_test(test_cancel_and_undo),
                cmocka_unit_test(test_dry_run),
                cmocka_unit_test(test_reconcile),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
