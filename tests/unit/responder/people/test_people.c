/* SPDX-License-Identifier: Apache-2.0 */
/* The machine yields to a person who has something in hand, and goes on when it is given back. */
#include "tests/harness/engine.h"

#include <errno.h>
#include <string.h>

#include "responder/people/people.h"
#include "runbook/http_client.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define ONE "  - {name: one, match: ['alertname=\"a\"'], lock: web, steps: [{act.once: {name: one}}]}\n"
#define OTHER                                                                                              \
        "  - {name: other, match: ['alertname=\"a\"'], lock: web, cooldown: 0, steps: [{act.once: {name: " \
        "two}}]}\n"

static struct engine_fixture *open_by_hand(const char *remediations)
{
        struct engine_fixture *fixture = fixture_prepare(remediations);
        fixture->set->targets.repeat_interval = 0;
        fixture->set->breaker.count = 0;
        hand_ahead = 0;
        fixture_start_by_hand(fixture);
        return fixture;
}

static void pass(struct engine_fixture *fixture, nsec time)
{
        hand_ahead += time;
        look_until_idle(fixture);
}

static int decide(struct engine_fixture *fixture, enum decision decision, int n)
{
        int r = engine_decide(fixture->engine, decision, fixture->number[n], "person:ada", "a look", NULL);
        look_until_idle(fixture);
        return r;
}

static void set_paused(struct engine_fixture *fixture, bool paused)
{
        assert_int_equal(engine_pause(fixture->engine, paused, "tester", NULL, NULL), 0);
        look_until_idle(fixture);
}

static void assert_is(struct engine_fixture *fixture, int n, enum incident_state state, const char *guard)
{
        struct incident incident = {0};
        assert_int_equal(journal_find(fixture->journal, fixture->number[n], &incident, NULL), 0);
        if (incident.state != state || !string_equal(incident.guard, guard))
                fail_msg("%s is %s by \"%s\", not %s by \"%s\"", incident.number,
                         incident_state_name(incident.state), incident.guard, incident_state_name(state),
                         guard);
        incident_release(&incident);
}

/* Held by the kill switch, until whoever is to have it in hand has said so. */
static struct engine_fixture *open_paused(const char *remediations)
{
        struct engine_fixture *fixture = open_by_hand(remediations);
        set_paused(fixture, true);
        alert_arrives(fixture, "f1", true, "");
        look_until_idle(fixture);
        assert_is(fixture, 1, INCIDENT_HELD, "paused");
        return fixture;
}

static void test_what_is_taken_waits(void **state _unused_)
{
        struct engine_fixture *fixture = open_paused(ONE OTHER);
        assert_int_equal(decide(fixture, DECISION_TAKE, 1), 0);
        set_paused(fixture, false);
        assert_is(fixture, 1, INCIDENT_HELD, PEOPLE_GUARD);
        assert_is(fixture, 2, INCIDENT_HELD, PEOPLE_GUARD); /* of its lock */
        assert_action_calls("run", "");

        /* Neither time nor a restart takes it from her. */
        pass(fixture, 5 * 60 * MINUTE);
        fixture_stop(fixture);
        fixture_start_by_hand(fixture);
        look_until_idle(fixture);
        assert_is(fixture, 1, INCIDENT_HELD, PEOPLE_GUARD);
        assert_is(fixture, 2, INCIDENT_HELD, PEOPLE_GUARD);
        _cleanup_free_ char *who = NULL;
        assert_int_equal(people_last(fixture->journal, 2, &who, NULL), 0);
        if (!string_starts(who, "ada has taken INC-"))
                fail_msg("it is held by \"%s\"", who);

        assert_int_equal(decide(fixture, DECISION_GIVE_BACK, 1), 0);
        assert_is(fixture, 1, INCIDENT_DONE, "");
        assert_is(fixture, 2, INCIDENT_DONE, "");
        assert_action_calls("run", "run:one run:two");
        assert_int_equal(decide(fixture, DECISION_GIVE_BACK, 1), -ESTALE);
        assert_int_equal(decide(fixture, DECISION_TAKE, 1), -ESTALE);
        fixture_close(fixture);
}

/* It may go on although she has the other. */
static void test_who_may_go_on_goes_on(void **state _unused_)
{
        struct engine_fixture *fixture = open_paused(ONE OTHER);
        assert_int_equal(decide(fixture, DECISION_TAKE, 1), 0);
        set_paused(fixture, false);
        assert_int_equal(decide(fixture, DECISION_GIVE_BACK, 2), 0);
        assert_is(fixture, 1, INCIDENT_HELD, PEOPLE_GUARD);
        assert_is(fixture, 2, INCIDENT_DONE, "");
        fixture_close(fixture);
}

static void test_what_is_taken_ends_with_its_alert(void **state _unused_)
{
        struct engine_fixture *fixture = open_paused(ONE);
        assert_int_equal(decide(fixture, DECISION_TAKE, 1), 0);
        set_paused(fixture, false);
        alert_arrives(fixture, "f1", false, "");
        look_until_idle(fixture);
        assert_is(fixture, 1, INCIDENT_CANCELLED, "");
        fixture_close(fixture);
}

/* Who says that he is at it is left alone for a while: as long as the file says. */
static void test_an_acknowledgement_holds_for_its_window(void **state _unused_)
{
        static const struct {
                const char *window;
                nsec holds;
        } cases[] = {{"", 15 * MINUTE},
                     {", human_window: 2m", 2 * MINUTE},
                     {", human_window: off", 0},
                     {", human_window: 0", 0}};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *rules = text_format(
                        "  - {name: one, match: ['alertname=\"a\"']%s, steps: [{act.once: {name: one}}]}\n",
                        cases[i].window);
                struct engine_fixture *fixture = open_paused(rules);
                assert_int_equal(decide(fixture, DECISION_ACK, 1), 0);
                set_paused(fixture, false);
                if (cases[i].holds > 0) {
                        assert_is(fixture, 1, INCIDENT_HELD, PEOPLE_GUARD);
                        pass(fixture, cases[i].holds - MINUTE);
                        assert_is(fixture, 1, INCIDENT_HELD, PEOPLE_GUARD);
                        pass(fixture, 2 * MINUTE);
                }
                assert_is(fixture, 1, INCIDENT_DONE, "");
                fixture_close(fixture);
        }
}

/* A person has said so of what was given up: another alert of the same lock comes while she works. */
static void test_who_works_after_a_call_is_left_alone(void **state _unused_)
{
        struct engine_fixture *fixture = open_by_hand(
                "  - {name: one, match: ['service=\"web\"'], lock: web, steps: [{act.once: {name: one, "
                "fails: true}}]}\n"
                "  - {name: two, match: ['service=\"db\"'], lock: web, steps: [{act.once: {name: two}}]}\n");
        alert_arrives(fixture, "f1", true, "\"service\":\"web\"");
        look_until_idle(fixture);
        assert_is(fixture, 1, INCIDENT_ESCALATED, "");
        assert_int_equal(decide(fixture, DECISION_ACK, 1), 0);
        alert_arrives(fixture, "f2", true, "\"service\":\"db\"");
        look_until_idle(fixture);
        assert_is(fixture, 2, INCIDENT_HELD, PEOPLE_GUARD);
        pass(fixture, 16 * MINUTE);
        assert_is(fixture, 2, INCIDENT_DONE, "");
        fixture_close(fixture);
}

/* An approval is a person's word that it may run, whoever was at it. */
static void test_an_approval_goes_before(void **state _unused_)
{
        struct engine_fixture *fixture = open_by_hand("  - {name: one, match: ['alertname=\"a\"'], approval: "
                                                      "true, steps: [{act.once: {name: one}}]}\n");
        alert_arrives(fixture, "f1", true, "");
        look_until_idle(fixture);
        assert_is(fixture, 1, INCIDENT_AWAITING_APPROVAL, "");
        assert_int_equal(decide(fixture, DECISION_TAKE, 1), 0);
        pass(fixture, 3 * 60 * MINUTE);
        assert_is(fixture, 1, INCIDENT_AWAITING_APPROVAL, "");
        assert_int_equal(decide(fixture, DECISION_APPROVE, 1), 0);
        assert_is(fixture, 1, INCIDENT_DONE, "");
        fixture_close(fixture);
}

/* The step that runs is finished, the rest waits, and whoever is on call hears how far it is. */
static void test_midway_the_rest_waits(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_open(
                "  - name: one\n    match: ['alertname=\"a\"']\n    escalate_to: oncall\n    steps:\n"
                "      - act.once: {name: one, waits: true}\n      - act.again: {name: two}\n");
        alert_arrives(fixture, "f1", true, "");
        await_action_call("run:one");
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_TAKE, fixture->number[1], "person:ada", NULL, NULL),
                0);
        open_gate();
        await_state(fixture, 1, INCIDENT_HELD);
        await_incident(fixture, 1, owes_nothing, 0, "told");
        assert_is(fixture, 1, INCIDENT_HELD, PEOPLE_GUARD);
        assert_action_calls("run", "run:one");
        assert_true(person_was_told(fixture, "ada has taken INC-"));
        assert_true(person_was_told(fixture, "steps begun: 1 act.once; not begun: 2 act.again"));

        fixture_stop(fixture);
        fixture_start(fixture);
        assert_int_equal(engine_decide(fixture->engine, DECISION_GIVE_BACK, fixture->number[1], "person:ada",
                                       NULL, NULL),
                         0);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_action_calls("run", "run:one run:two");
        fixture_close(fixture);
}

#define WATCHED(more) \
        "  - {name: one, match: ['alertname=\"a\"'], " more "steps: [{act.once: {name: one}}]}\n"

/* The family of the test's own actions is none that a file may name. */
static void watch_acts(struct engine_fixture *fixture, bool watches)
{
        struct config_strings *signs = &fixture->set->human_signs;
        assert_int_equal(signs->count, 0);
        if (!watches)
                return;
        signs->items = calloc(1, sizeof(char *));
        assert_non_null(signs->items);
        signs->items[signs->count++] = strdup("act");
}

static struct engine_fixture *open_watched(const char *remediations, bool watches)
{
        struct engine_fixture *fixture = open_by_hand(remediations);
        fixture_stop(fixture);
        watch_acts(fixture, watches);
        fixture_start_by_hand(fixture);
        return fixture;
}

/* Who is seen at what it acts upon holds it, and is named; until his window is over. */
static void test_who_is_seen_is_left_alone(void **state _unused_)
{
        struct engine_fixture *fixture = open_watched(WATCHED(""), true);
        see_people(1);
        alert_arrives(fixture, "f1", true, "");
        look_until_idle(fixture);
        assert_is(fixture, 1, INCIDENT_HELD, PEOPLE_GUARD);
        assert_action_calls("run", "");
        _cleanup_free_ char *who = NULL;
        assert_int_equal(people_last(fixture->journal, 1, &who, NULL), 0);
        if (!string_starts(who, "ada was seen with psql on orders since "))
                fail_msg("it is held by \"%s\"", who);
        assert_true(person_was_told(fixture, "ada was seen with psql on orders since "));

        /* She is still there; then she is gone, and a while later it goes on. */
        pass(fixture, 16 * MINUTE);
        assert_is(fixture, 1, INCIDENT_HELD, PEOPLE_GUARD);
        see_people(0);
        pass(fixture, 16 * MINUTE);
        assert_is(fixture, 1, INCIDENT_DONE, "");
        fixture_close(fixture);
}

/* Who comes while a step runs: it is finished, and the rest waits. */
static void test_who_is_seen_midway(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_prepare(
                "  - name: one\n    match: ['alertname=\"a\"']\n    escalate_to: oncall\n    steps:\n"
                "      - act.once: {name: one, waits: true}\n      - act.again: {name: two}\n");
        watch_acts(fixture, true);
        fixture_start(fixture);
        alert_arrives(fixture, "f1", true, "");
        await_action_call("run:one");
        see_people(1);
        open_gate();
        await_state(fixture, 1, INCIDENT_HELD);
        await_incident(fixture, 1, owes_nothing, 0, "told");
        assert_action_calls("run", "run:one");
        assert_true(person_was_told(fixture, "ada was seen with psql on orders since "));
        fixture_close(fixture);
}

/* A person may say that it goes on all the same: of whom was seen until then. */
static void test_who_is_seen_may_be_passed_over(void **state _unused_)
{
        struct engine_fixture *fixture = open_watched(WATCHED(""), true);
        see_people(1);
        alert_arrives(fixture, "f1", true, "");
        look_until_idle(fixture);
        assert_is(fixture, 1, INCIDENT_HELD, PEOPLE_GUARD);
        see_people(0);
        assert_int_equal(decide(fixture, DECISION_GIVE_BACK, 1), 0);
        assert_is(fixture, 1, INCIDENT_DONE, "");
        fixture_close(fixture);
}

/* What cannot be known holds nothing; nor does what nobody wants to be looked at. */
static void test_what_is_not_known_holds_nothing(void **state _unused_)
{
        static const struct {
                const char *rules;
                bool watches;
                int seen;
        } cases[] = {{WATCHED(""), true, -EACCES},
                     {WATCHED(""), true, 0},
                     {WATCHED(""), false, 1},
                     {WATCHED("human_window: off, "), true, 1}};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct engine_fixture *fixture = open_watched(cases[i].rules, cases[i].watches);
                see_people(cases[i].seen);
                alert_arrives(fixture, "f1", true, "");
                look_until_idle(fixture);
                assert_is(fixture, 1, INCIDENT_DONE, "");
                fixture_close(fixture);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_taken_waits),
                cmocka_unit_test(test_who_may_go_on_goes_on),
                cmocka_unit_test(test_what_is_taken_ends_with_its_alert),
                cmocka_unit_test(test_an_acknowledgement_holds_for_its_window),
                cmocka_unit_test(test_who_works_after_a_call_is_left_alone),
                cmocka_unit_test(test_an_approval_goes_before),
                cmocka_unit_test(test_midway_the_rest_waits),
                cmocka_unit_test(test_who_is_seen_is_left_alone),
                cmocka_unit_test(test_who_is_seen_midway),
                cmocka_unit_test(test_who_is_seen_may_be_passed_over),
                cmocka_unit_test(test_what_is_not_known_holds_nothing),
        };
        http_client_global_init(NULL);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
