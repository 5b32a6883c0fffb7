/* SPDX-License-Identifier: Apache-2.0 */
/* Steady time over restarts, boots of the machine and jumps of the wall clock. */
#include "tests/harness/journal.h"
#include "tests/harness/world.h"

#include <sqlite3.h>

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
static nsec open_by(struct journal_fixture *fixture, const struct journal_key *key, const char *boot)
{
        _cleanup_error_ struct error error = {0};
        fixture->journal = journal_close(fixture->journal);
        world.boot = boot;
        if (journal_open(fixture->path, key, &world, &fixture->journal, &error) < 0)
                fail_msg("%s", error_text(&error));
        return journal_steady(fixture->journal);
}

static nsec open_on(struct journal_fixture *fixture, const char *boot)
{
        return open_by(fixture, &taking_key, boot);
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

static _Thread_local unsigned instructions; /* what is done beside is not waited for */

static int count_one(void *context _unused_)
{
        instructions++;
        return 0;
}

static int count_all(sqlite3 *database, char **message _unused_,
                     const struct sqlite3_api_routines *api _unused_)
{
        sqlite3_progress_handler(database, 1, count_one, NULL);
        return SQLITE_OK;
}

/* Of SQLite's machine, in opening the journal. */
static unsigned cost_of(struct journal_fixture *fixture, const char *booted)
{
        struct journal_key key = taking_key;
        key.as_it_is = false; /* who takes it as it is reads all of it first */
        fixture->journal = journal_close(fixture->journal);
        instructions = 0;
        assert_int_equal(sqlite3_auto_extension((void (*)(void))count_all), SQLITE_OK);
        open_by(fixture, &key, booted);
        unsigned cost = instructions;
        sqlite3_reset_auto_extension();
        return cost;
}

/* Whoever is away is waited for no longer because much has happened before: what goes over all rows is done
 * beside. */
static void test_a_start_costs_the_same_however_much_has_ended(void **state)
{
        struct journal_fixture *fixture = *state;
        begin(fixture);
        unsigned within[2], after[2];
        for (int64_t round = 0, number = 1; round < 2; round++) {
                for (; number <= (round + 1) * 100; number++) {
                        _cleanup_free_ char *alert = text_format("f%lld", (long long)number);
                        _cleanup_free_ char *lock = text_format("l%lld", (long long)number);
                        accept_alerts(fixture, alert);
                        open_incidents(fixture, 1);
                        WRITE(fixture, .incident = number, .state = INCIDENT_RUNNING, .lock = lock);
                        WRITE(fixture, .incident = number, .state = INCIDENT_DONE);
                        assert_int_equal(journal_close_episode(fixture->journal, number, "alert", NULL), 0);
                }
                if (round == 0)
                        run_sql(fixture, "CREATE TABLE ballast (data); INSERT INTO ballast VALUES "
                                         "(zeroblob(17 << 20));"
                                         "DROP TABLE ballast");
                within[round] = cost_of(fixture, round ? "two" : "one");
                pass(HOUR);
                monotonic = NSEC_PER_SEC;
                after[round] = cost_of(fixture, round ? "three" : "two");
                pass(HOUR);
        }
        if (within[0] < 100 || within[1] > within[0] + 20 || after[1] > after[0] + 20)
                fail_msg("%u and %u instructions after a hundred incidents, %u and %u after two hundred",
                         within[0], after[0], within[1], after[1]);
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
                ON_JOURNAL(test_a_start_costs_the_same_however_much_has_ended),
        };
        return cmocka_run_group_tests_name("steady", tests, NULL, NULL);
}
