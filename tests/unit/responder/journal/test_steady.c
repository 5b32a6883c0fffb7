/* SPDX-License-Identifier: Apache-2.0 */
/* Steady time only passes: over a boot as well, and when the wall clock went back meanwhile. */
#include "tests/harness/journal.h"
#include "tests/harness/world.h"

#define SECOND NSEC_PER_SEC

static nsec wall, monotonic;

static nsec wall_now(void *context)
{
        (void)context;
        return wall;
}

static nsec monotonic_now(void *context)
{
        (void)context;
        return monotonic;
}

static struct world clocks;

/* The machine starts again: another boot, and so long on the wall. */
static void boot(struct journal_fixture *fixture, const char *name, nsec away)
{
        fixture->journal = journal_close(fixture->journal);
        clocks.boot = name;
        monotonic = SECOND;
        wall += away;
        assert_int_equal(journal_open(fixture->path, &clocks, &fixture->journal, NULL), 0);
}

static void pass(nsec duration)
{
        monotonic += duration;
        wall += duration;
}

static void test_over_a_boot(void **state)
{
        struct journal_fixture *fixture = *state;
        boot(fixture, "first", 0);
        nsec before = journal_steady(fixture->journal);
        boot(fixture, "second", 100 * SECOND);
        assert_int_equal(journal_steady(fixture->journal), before + 100 * SECOND);
}

static void test_over_a_boot_with_the_clock_set_back(void **state)
{
        struct journal_fixture *fixture = *state;
        boot(fixture, "first", 0);
        pass(30 * SECOND); /* not remembered by itself */
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        pass(10 * SECOND);
        WRITE(fixture, .state = INCIDENT_RUNNING);
        nsec entered = journal_steady(fixture->journal);
        boot(fixture, "second", -3600 * SECOND);
        assert_true(journal_steady(fixture->journal) >= entered);
        struct incident incident = only_active(fixture);
        assert_int_equal(incident.entered_steady, entered);
        incident_release(&incident);
}

static void test_over_a_boot_of_which_only_webhooks_tell(void **state)
{
        struct journal_fixture *fixture = *state;
        boot(fixture, "first", 0);
        pass(50 * SECOND);
        accept_alerts(fixture, "f1");
        nsec seen = journal_steady(fixture->journal);
        boot(fixture, "second", -3600 * SECOND);
        assert_true(journal_steady(fixture->journal) >= seen);
}

int main(void)
{
        clocks = clocks_only;
        clocks.wall = wall_now;
        clocks.monotonic = monotonic_now;
        wall = 1767225600 * SECOND + 7200 * SECOND;
        monotonic = SECOND;
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_over_a_boot),
                ON_JOURNAL(test_over_a_boot_with_the_clock_set_back),
                ON_JOURNAL(test_over_a_boot_of_which_only_webhooks_tell),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
