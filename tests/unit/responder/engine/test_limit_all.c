/* SPDX-License-Identifier: Apache-2.0 */
/* So many runs of whatever remediation, under whatever lock, begin within a time; the next one is held. */
#include "tests/harness/engine.h"

#include "runbook/http_client.h"

#define RULES                                                                                               \
        "  - {name: web, match: ['alertname=\"a\"', 'x=\"web\"'], lock: '${labels.n}', steps: [{act.once: " \
        "{name: web}}]}\n"                                                                                  \
        "  - {name: data, match: ['alertname=\"a\"', 'x=\"data\"'], lock: '${labels.n}', steps: "           \
        "[{act.once: "                                                                                      \
        "{name: data}}]}\n"                                                                                 \
        "  - {name: key, match: ['alertname=\"a\"', 'x=\"key\"'], urgent: true, steps: [{act.once: {name: " \
        "key}}]}\n"

static struct engine_fixture *prepare(int64_t count)
{
        struct engine_fixture *fixture = fixture_prepare(RULES);
        fixture->set->limit_all = (struct rate){count, 600 * NSEC_PER_SEC};
        return fixture;
}

/* `certain`: by what has begun, and until a time; else by what is about to. */
static bool is_held(_unused_ struct engine_fixture *fixture, const struct incident *incident, int certain)
{
        return incident->state == INCIDENT_HELD && string_equal(incident->guard, "limit_all") &&
               (incident->guard_until != 0) == certain;
}

/* Another remediation's runs count, and over a restart; a person is told. */
static void test_all_are_counted(_unused_ void **state)
{
        struct engine_fixture *fixture = prepare(2);
        fixture_start(fixture);
        alert_arrives(fixture, "f1", true, "\"x\":\"web\",\"n\":\"1\"");
        alert_arrives(fixture, "f2", true, "\"x\":\"data\",\"n\":\"2\"");
        await_state(fixture, 1, INCIDENT_DONE);
        await_state(fixture, 2, INCIDENT_DONE);
        alert_arrives(fixture, "f3", true, "\"x\":\"web\",\"n\":\"3\"");
        await_incident(fixture, 3, is_held, true, "held by the limit of all");
        await_incident(fixture, 3, owes_nothing, 0, "told");
        assert_true(person_was_told(fixture, "by `limit_all` until "));
        fixture_stop(fixture);
        fixture_start(fixture);
        await_incident(fixture, 3, is_held, true, "held over a restart");

        /* What may not wait for anybody does not wait for others' runs, and counts as one. */
        alert_arrives(fixture, "f4", true, "\"x\":\"key\"");
        await_state(fixture, 4, INCIDENT_DONE);
        assert_true(action_called("run:key"));
        fixture_stop(fixture);
        fixture->set->limit_all.count = 3;
        fixture_start(fixture);
        alert_arrives(fixture, "f5", true, "\"x\":\"data\",\"n\":\"5\"");
        await_incident(fixture, 5, is_held, true, "held, too");
        fixture_close(fixture);
}

/* Both could begin in one look: one does. Of the other nobody hears before that is certain. */
static void test_two_at_once(_unused_ void **state)
{
        struct engine_fixture *fixture = prepare(1);
        nsec next = 0;
        fixture_start_by_hand(fixture);
        alert_arrives(fixture, "f1", true, "\"x\":\"web\",\"n\":\"1\"");
        alert_arrives(fixture, "f2", true, "\"x\":\"data\",\"n\":\"2\"");
        look_by_hand(fixture, &next);
        await_incident(fixture, 2, is_held, false, "held by who is about to begin");
        /* Not by a later look either, while a worker has it and has written nothing. */
        look_by_hand(fixture, &next);
        await_incident(fixture, 2, is_held, false, "held still");
        assert_int_equal(atomic_load(&fixture->told), 0);
        look_until_idle(fixture);
        assert_action_calls("run", "run:web");
        await_incident(fixture, 2, is_held, true, "held by who has begun");
        assert_true(atomic_load(&fixture->told) > 0);

        /* Its time over, it runs. */
        hand_ahead += 601 * NSEC_PER_SEC;
        alert_arrives(fixture, "f2", true, "\"x\":\"data\",\"n\":\"2\"");
        look_until_idle(fixture);
        assert_action_calls("run", "run:web run:data");
        hand_ahead = 0;
        fixture_close(fixture);
}

int main(void)
{
        assert_int_equal(http_client_global_init(NULL), 0);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_are_counted),
                cmocka_unit_test(test_two_at_once),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
