/* SPDX-License-Identifier: Apache-2.0 */
/* A maintenance holds what begins, by hand and by the file's hours, and ends by itself, over restarts as
 * well. */
#include "tests/harness/engine.h"

#include <errno.h>

#include "runbook/http_client.h"

#define ONE                                                                                                \
        "  - {name: one, match: ['alertname=\"a\"'], lock: '${labels.n}', expire: 1s, steps: [{act.once: " \
        "{name: one}}]}\n"

static bool is_held(struct engine_fixture *fixture _unused_, const struct incident *incident,
                    int argument _unused_)
{
        return incident->state == INCIDENT_HELD && string_equal(incident->guard, "maintenance");
}

static bool holds(struct engine_fixture *fixture)
{
        struct maintenance_shown shown = {0};
        assert_int_equal(maintenance_show(fixture->journal, &shown, NULL), 0);
        bool held = shown.holds;
        maintenance_shown_release(&shown);
        return held;
}

static void test_by_hand(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_open(ONE);
        assert_int_equal(engine_set_maintenance(fixture->engine, 3600 * NSEC_PER_SEC, "ada", "upgrade", NULL),
                         0);
        alert_arrives(fixture, "f1", true, "\"n\":\"1\"");
        await_incident(fixture, 1, is_held, 0, "held by it");
        /* It survives a restart; nobody is called, and it does not expire. */
        fixture_stop(fixture);
        fixture_start(fixture);
        assert_true(holds(fixture));
        await_incident(fixture, 1, is_held, 0, "held by it");
        assert_action_calls("run", "");
        assert_false(person_was_told(fixture, "is held"));
        assert_int_equal(engine_set_maintenance(fixture->engine, 0, "bob", NULL, NULL), 0);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_int_equal(engine_set_maintenance(fixture->engine, 0, "bob", NULL, NULL), -ESTALE);
        fixture_close(fixture);
}

/* While the daemon is down its time passes, too. */
static void test_it_ends_by_itself(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_open(ONE);
        assert_int_equal(engine_set_maintenance(fixture->engine, 100 * NSEC_PER_MSEC, "ada", NULL, NULL), 0);
        alert_arrives(fixture, "f1", true, "\"n\":\"1\"");
        await_state(fixture, 1, INCIDENT_DONE);
        assert_false(holds(fixture));
        assert_int_equal(engine_set_maintenance(fixture->engine, 100 * NSEC_PER_MSEC, "ada", NULL, NULL), 0);
        fixture_stop(fixture);
        fixture_start(fixture);
        alert_arrives(fixture, "f2", true, "\"n\":\"2\"");
        await_state(fixture, 2, INCIDENT_DONE);
        fixture_close(fixture);
}

/* A step that is under way is finished; the next one waits. */
static void test_what_runs_waits_with_its_next_step(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_open(
                "  - {name: one, match: ['alertname=\"a\"'], steps: [{act.once: {name: one, waits: true}}, "
                "{act.once: {name: two}}]}\n");
        alert_arrives(fixture, "f1", true, "");
        await_action_call("run:one");
        assert_int_equal(engine_set_maintenance(fixture->engine, 3600 * NSEC_PER_SEC, "ada", NULL, NULL), 0);
        open_gate();
        await_incident(fixture, 1, first_step_is, STEP_DONE, "through with its step");
        fixture_stop(fixture);
        assert_action_calls("run", "run:one");
        fixture_start(fixture);
        assert_int_equal(engine_set_maintenance(fixture->engine, 0, "ada", NULL, NULL), 0);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_true(action_called("run:two"));
        fixture_close(fixture);
}

/* By the file, until its hours are over, or a person ends it: these are then not begun again. */
static void test_by_hours(void **state _unused_)
{
        const char *always = "Sun-Sat";
        struct engine_fixture *fixture = fixture_prepare(ONE);
        assert_int_equal(hours_make(&always, 1, "UTC", &fixture->set->maintenance.hours, NULL, NULL), 0);
        fixture_start(fixture);
        alert_arrives(fixture, "f1", true, "\"n\":\"1\"");
        await_incident(fixture, 1, is_held, 0, "held by it");
        fixture_stop(fixture);
        fixture->set->maintenance.hours = hours_free(fixture->set->maintenance.hours);
        fixture_start(fixture);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_false(holds(fixture));
        fixture_close(fixture);
}

int main(void)
{
        assert_int_equal(http_client_global_init(NULL), 0);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_by_hand),
                cmocka_unit_test(test_it_ends_by_itself),
                cmocka_unit_test(test_what_runs_waits_with_its_next_step),
                cmocka_unit_test(test_by_hours),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
