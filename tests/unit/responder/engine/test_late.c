/* SPDX-License-Identifier: Apache-2.0 */
/* What is told behind its end is asked for, however young the webhook is. */
#include "tests/harness/engine.h"

#include "runbook/http_client.h"

#define ONE "  - {name: one, match: ['alertname=\"a\"'], steps: [{act.once: {name: one}}]}\n"

static void assert_state(struct engine_fixture *fixture, int n, enum incident_state state)
{
        struct incident incident = {0};
        assert_int_equal(journal_find(fixture->journal, fixture->number[n], &incident, NULL), 0);
        if (incident.state != state)
                fail_msg("%s is %s, not %s", incident.number, incident_state_name(incident.state),
                         incident_state_name(state));
        incident_release(&incident);
}

static void tell(struct engine_fixture *fixture, bool firing)
{
        alert_arrives(fixture, "f1", firing, "");
        look_until_idle(fixture);
}

/* The same firing once more: by a second Alertmanager, or one that tries again. */
static void test_late_news_are_asked_for(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_prepare(ONE);
        fixture->set->targets.repeat_interval = 0; /* nobody is asked but for what is tested here */
        hand_ahead = 0;
        fixture_start_by_hand(fixture);
        tell(fixture, true);
        assert_state(fixture, 1, INCIDENT_DONE);
        tell(fixture, false);
        atomic_store(&fixture->gone, true);
        tell(fixture, true);
        assert_state(fixture, 2, INCIDENT_CANCELLED);
        assert_action_calls("run", "run:one");

        /* Where its sender has it, it fires. */
        atomic_store(&fixture->gone, false);
        hand_ahead += 20 * NSEC_PER_SEC;
        tell(fixture, true);
        assert_state(fixture, 3, INCIDENT_DONE);
        fixture_close(fixture);
}

int main(void)
{
        assert_int_equal(http_client_global_init(NULL), 0);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_late_news_are_asked_for),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
