/* SPDX-License-Identifier: Apache-2.0 */
/* Steady time over restarts, boots of the machine and jumps of the wall clock. */
#include "tests/harness/journal.h"
#include "tests/harness/world.h"

#define HOUR (3600 * NSEC_PER_SEC)
#define DAY (24 * HOUR)
#define EPOCH (1767225600 * NSEC_PER_SEC)

static nsec wall, monotonic;

static nsec read_wall(void *context _unused_)
{
        return wall;
}

static nsec read_monotonic(void *context _unused_)
{
        return monotonic;
}

static struct world world = {.wall = read_wall, .monotonic = read_monotonic};

/* Opens the fixture's journal in a world whose clocks the test has in its hands; what was open is closed. */
static nsec open_on(struct journal_fixture *fixture, const char *boot)
{
        _cleanup_error_ struct error error = {0};
        fixture->journal = journal_close(fixture->journal);
        world.boot = boot;
        if (journal_open(fixture->path, &taking_key, &world, &fixture->journal, &error) < 0)
                fail_msg("%s", error_text(&error));
        return journal_steady(fixture->journal);
}

/* A journal that nobody has opened yet, at noon of an hour-old machine. */
static nsec begin(struct journal_fixture *fixture)
{
        fixture->journal = journal_close(fixture->journal);
        run_sql(fixture, "DELETE FROM steady");
        wall = EPOCH;
        monotonic = HOUR;
        return open_on(fixture, "one");
}

static void test_begins_with_the_wall(void **state)
{
        struct journal_fixture *fixture = *state;
        assert_true(begin(fixture) == EPOCH);
        wall += DAY;
        assert_true(journal_steady(fixture->journal) == EPOCH);
        monotonic += HOUR;
        assert_true(journal_steady(fixture->journal) == EPOCH + HOUR);
}

static void test_same_boot(void **state)
{
        struct journal_fixture *fixture = *state;
        nsec began = begin(fixture);
        static const nsec jumps[] = {DAY, -3 * DAY, 0};
        for (size_t i = 0; i < N_ELEMENTS(jumps); i++) {
                monotonic += HOUR;
                wall += HOUR + jumps[i];
                assert_true(open_on(fixture, "one") == began + (nsec)(i + 1) * HOUR);
        }
}

/* Only the wall clock tells how long the machine was off, and when it says less than nothing, it is not
 * believed. */
static void test_other_boot(void **state)
{
        struct journal_fixture *fixture = *state;
        nsec began = begin(fixture);
        monotonic = NSEC_PER_SEC;
        wall += 2 * HOUR;
        assert_true(open_on(fixture, "two") == began + 2 * HOUR);
        monotonic += HOUR;
        wall += HOUR;
        assert_true(journal_steady(fixture->journal) == began + 3 * HOUR);

        wall -= DAY;
        monotonic = 5 * HOUR; /* as if more had passed than when it was written down */
        assert_true(open_on(fixture, "three") == began + 2 * HOUR);
}

/* A boot that has no name, or a clock that has gone back, is another one. */
static void test_boot_that_nobody_knows(void **state)
{
        struct journal_fixture *fixture = *state;
        nsec began = begin(fixture);
        monotonic -= NSEC_PER_SEC;
        wall += HOUR;
        assert_true(open_on(fixture, "one") == began + HOUR);
        open_on(fixture, "");
        monotonic += DAY;
        wall += HOUR;
        assert_true(open_on(fixture, "") == began + 2 * HOUR);
}

/* It is written down now and then, so that a machine that crashes loses little of it. */
static void test_is_remembered(void **state)
{
        struct journal_fixture *fixture = *state;
        nsec began = begin(fixture);
        monotonic += HOUR;
        accept_alerts(fixture, "f1");
        assert_true(query_number(fixture, "SELECT steady FROM steady") == began + HOUR);
        monotonic += NSEC_PER_SEC;
        accept_alerts(fixture, "f2");
        assert_true(query_number(fixture, "SELECT steady FROM steady") == began + HOUR);
}

/* Another boot, and so long on the wall. */
static void boot(struct journal_fixture *fixture, const char *name, nsec away)
{
        monotonic = NSEC_PER_SEC;
        wall += away;
        open_on(fixture, name);
}

static void pass(nsec duration)
{
        monotonic += duration;
        wall += duration;
}

/* It is not written down with each commit; what the journal holds itself tells of it, too. */
static void test_over_a_boot_with_the_clock_set_back(void **state)
{
        struct journal_fixture *fixture = *state;
        begin(fixture);
        pass(30 * NSEC_PER_SEC); /* not remembered by itself */
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        pass(10 * NSEC_PER_SEC);
        WRITE(fixture, .state = INCIDENT_RUNNING);
        nsec entered = journal_steady(fixture->journal);
        boot(fixture, "second", -3600 * NSEC_PER_SEC);
        assert_true(journal_steady(fixture->journal) >= entered);
        struct incident incident = only_active(fixture);
        assert_int_equal(incident.entered_steady, entered);
        incident_release(&incident);
}

static void test_over_a_boot_of_which_only_webhooks_tell(void **state)
{
        struct journal_fixture *fixture = *state;
        begin(fixture);
        pass(50 * NSEC_PER_SEC);
        accept_alerts(fixture, "f1");
        nsec seen = journal_steady(fixture->journal);
        boot(fixture, "second", -3600 * NSEC_PER_SEC);
        assert_true(journal_steady(fixture->journal) >= seen);
}

/* What an older journal has happened when the wall clock said so, but not later than now. */
static void test_older_journal(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 2);
        fixture->journal = journal_close(fixture->journal);
        _cleanup_free_ char *sql = text_format("UPDATE incidents SET opened_at = %lld + (id - 1) * %lld, "
                                               "opened_steady = 0; DELETE FROM steady",
                                               (long long)(EPOCH - HOUR), (long long)DAY);
        run_sql(fixture, sql);
        wall = EPOCH;
        monotonic = HOUR;
        assert_true(open_on(fixture, "one") == EPOCH);
        assert_true(query_number(fixture, "SELECT opened_steady FROM incidents WHERE id = 1") ==
                    EPOCH - HOUR);
        assert_true(query_number(fixture, "SELECT opened_steady FROM incidents WHERE id = 2") == EPOCH);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_begins_with_the_wall),
                ON_JOURNAL(test_same_boot),
                ON_JOURNAL(test_other_boot),
                ON_JOURNAL(test_boot_that_nobody_knows),
                ON_JOURNAL(test_is_remembered),
                ON_JOURNAL(test_older_journal),
                ON_JOURNAL(test_over_a_boot_with_the_clock_set_back),
                ON_JOURNAL(test_over_a_boot_of_which_only_webhooks_tell),
        };
        return cmocka_run_group_tests_name("steady", tests, NULL, NULL);
}
