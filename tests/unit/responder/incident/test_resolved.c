/* SPDX-License-Identifier: Apache-2.0 */
/* What is told to be over while it runs: the rest of its steps is skipped when it is, and not before. */
#include "tests/harness/engine.h"

#include <string.h>

#include "runbook/http_client.h"

#define TWO                                                                                           \
        "  - {name: two, match: ['alertname=\"a\"'], lock: n, steps: [{act.once: {name: one, waits: " \
        "true}}, "                                                                                    \
        "{act.once: {name: two}}]}\n"

/* Told to be over while the first step runs. */
static void check(bool fires, bool no_firing, const char *calls, const char *events)
{
        struct engine_fixture *fixture = fixture_open(TWO);
        atomic_store(&fixture->fires, fires);
        atomic_store(&fixture->no_firing, no_firing);
        alert_arrives(fixture, "f1", true, "");
        await_action_call("run:one");
        alert_arrives(fixture, "f1", false, "");
        open_gate();
        await_state(fixture, 1, INCIDENT_DONE);
        assert_action_calls("run", calls);
        _cleanup_free_ char *told = events_of(fixture, 1);
        if (!strstr(told, events))
                fail_msg("no \"%s\" in %s", events, told);
        fixture_close(fixture);
}

static void test_what_still_fires_goes_on(void **state _unused_)
{
        check(false, false, "run:one", "step done\nstep skipped\n");
        check(true, false, "run:one run:two", "step done\nend not believed\nstep started\n");
        check(false, true, "run:one run:two", "step done\nend not believed\nstep started\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_still_fires_goes_on)};
        if (http_client_global_init(NULL) < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
