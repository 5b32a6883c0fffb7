/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing begins on what Prometheus does not know, or knew long ago: it is held, told, and begins when it
 * does. */
#include "tests/harness/engine.h"

#include "runbook/http_client.h"

/* The newest data of the Prometheus here are 1.5 s old. */
#define OF(within)                                                                      \
        "  - {name: asks, match: ['alertname=\"a\"', 'x=\"1\"'], fresh_within: " within \
        ", steps: [{act.once: "                                                         \
        "{name: one}}]}\n"                                                              \
        "  - {name: key, match: ['alertname=\"a\"', 'x=\"2\"'], fresh_within: " within  \
        ", urgent: true, steps: "                                                       \
        "[{act.once: {name: two}}]}\n"                                                  \
        "  - {name: else, match: ['alertname=\"a\"', 'x=\"3\"'], steps: [{act.once: {name: three}}]}\n"

static bool is_held(_unused_ struct engine_fixture *fixture, const struct incident *incident,
                    _unused_ int argument)
{
        return incident->state == INCIDENT_HELD && string_equal(incident->guard, "freshness");
}

static void test_young_enough(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(OF("2s"));
        alert_arrives(fixture, "f1", true, "\"x\":\"1\"");
        await_state(fixture, 1, INCIDENT_DONE);
        _cleanup_free_ char *events = events_of(fixture, 1);
        assert_null(strstr(events, "held"));
        fixture_close(fixture);
}

static void test_too_old(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_open(OF("1s"));
        alert_arrives(fixture, "f1", true, "\"x\":\"1\"");
        await_incident(fixture, 1, is_held, 0, "held by old data");
        await_incident(fixture, 1, owes_nothing, 0, "told");
        assert_true(person_was_told(fixture, "by `freshness`"));
        assert_action_calls("plan run", "");
        fixture_close(fixture);
}

/* No answer, and an answer without any data, is no leave; what may not wait, or does not ask, begins. */
static void test_nothing_known_is_no_leave(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_prepare(OF("5m"));
        nsec next = 0;
        atomic_store(&fixture->unreachable, true);
        fixture_start_by_hand(fixture);
        alert_arrives(fixture, "f1", true, "\"x\":\"1\"");
        look_by_hand(fixture, &next);
        assert_action_calls("plan", "");
        await_incident(fixture, 1, is_in_state, INCIDENT_RECEIVED, "not known yet");
        look_until_idle(fixture);
        await_incident(fixture, 1, is_held, 0, "held");
        alert_arrives(fixture, "f2", true, "\"x\":\"2\"");
        alert_arrives(fixture, "f3", true, "\"x\":\"3\"");
        look_until_idle(fixture);
        assert_action_calls("run", "run:two run:three");

        atomic_store(&fixture->unreachable, false);
        atomic_store(&fixture->nothing, true);
        hand_ahead += 60 * NSEC_PER_SEC;
        alert_arrives(fixture, "f1", true, "\"x\":\"1\"");
        look_until_idle(fixture);
        await_incident(fixture, 1, is_held, 0, "held still");

        /* It ends by itself, by the time that the look has asked for. */
        atomic_store(&fixture->nothing, false);
        look_by_hand(fixture, &next);
        assert_true(next <= world_monotonic(&fixture->by_hand) + 15 * NSEC_PER_SEC);
        hand_ahead += 16 * NSEC_PER_SEC;
        alert_arrives(fixture, "f1", true, "\"x\":\"1\"");
        look_until_idle(fixture);
        assert_action_calls("run", "run:two run:three run:one");
        hand_ahead = 0;
        fixture_close(fixture);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_young_enough),
                cmocka_unit_test(test_too_old),
                cmocka_unit_test(test_nothing_known_is_no_leave),
        };
        assert_int_equal(http_client_global_init(NULL), 0);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
