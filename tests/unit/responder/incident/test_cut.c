/* SPDX-License-Identifier: Apache-2.0 */
/* An incident that is cut short: the rest is skipped, and what was changed is told all the same. */
#include "tests/harness/engine.h"

#include "runbook/http_client.h"

#define STEPS(steps) "  - {name: r, match: ['alertname=\"a\"'], steps: [" steps "]}\n"
#define CHANGED                                                                                         \
        STEPS("{act.undone: {name: one, waits: true}}, {act.tells: {name: tells}}, {act.again: {name: " \
              "three}}, {act.tells: {name: tells_too}}")

static enum step_status status_of(struct engine_fixture *fixture, size_t step)
{
        struct incident incident = {0};
        assert_int_equal(journal_find(fixture->journal, fixture->number[1], &incident, NULL), 0);
        enum step_status status = incident.steps[step - 1].status;
        incident_release(&incident);
        return status;
}

/* Up to where the first step is at its work, and then something comes between. */
static struct engine_fixture *begin(const char *remediations, const char *call)
{
        struct engine_fixture *fixture = fixture_open(remediations);
        alert_arrives(fixture, "f1", true, "");
        await_action_call(call);
        return fixture;
}

static void test_resolved(void **state _unused_)
{
        struct engine_fixture *fixture = begin(CHANGED, "run:one");
        alert_arrives(fixture, "f1", false, "");
        open_gate();
        await_state(fixture, 1, INCIDENT_DONE);
        assert_action_calls("run", "run:one run:tells run:tells_too");
        assert_int_equal(status_of(fixture, 2), STEP_DONE);
        assert_int_equal(status_of(fixture, 3), STEP_SKIPPED);
        assert_int_equal(status_of(fixture, 4), STEP_DONE);
        fixture_close(fixture);
}

static void test_cancelled(void **state _unused_)
{
        struct engine_fixture *fixture = begin(CHANGED, "run:one");
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_CANCEL, fixture->number[1], "tester", NULL, NULL), 0);
        open_gate();
        await_state(fixture, 1, INCIDENT_CANCELLED);
        assert_action_calls("run", "run:one run:tells run:tells_too");
        fixture_close(fixture);
}

/* Where nothing was changed there is nothing to be told. */
static void test_nothing_was_changed(void **state _unused_)
{
        struct engine_fixture *fixture = begin(
                STEPS("{act.tells: {name: tells, waits: true}}, {act.again: {name: two}}, {act.tells: {name: "
                      "tells_too}}"),
                "run:tells");
        alert_arrives(fixture, "f1", false, "");
        open_gate();
        await_state(fixture, 1, INCIDENT_DONE);
        assert_action_calls("run", "run:tells");
        assert_int_equal(status_of(fixture, 3), STEP_SKIPPED);
        fixture_close(fixture);
}

int main(void)
{
        assert_int_equal(http_client_global_init(NULL), 0);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_resolved),
                cmocka_unit_test(test_cancelled),
                cmocka_unit_test(test_nothing_was_changed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
