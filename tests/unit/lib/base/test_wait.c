/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting: by the monotonic clock, until woken or until the time has come, and never for less. */

#include <signal.h>
#include <sys/time.h>

#include "runbook/wait.h"
#include "tests/harness/unit.h"

struct meeting {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool done;
};

static void begin(struct meeting *meeting)
{
        *meeting = (struct meeting){.lock = PTHREAD_MUTEX_INITIALIZER};
        condition_init(&meeting->changed);
}

static void end(struct meeting *meeting)
{
        pthread_cond_destroy(&meeting->changed);
        pthread_mutex_destroy(&meeting->lock);
}

static void *come(void *context)
{
        struct meeting *meeting = context;
        pthread_mutex_lock(&meeting->lock);
        meeting->done = true;
        pthread_cond_signal(&meeting->changed);
        pthread_mutex_unlock(&meeting->lock);
        return NULL;
}

static bool meet(nsec at)
{
        struct meeting meeting;
        pthread_t thread;
        begin(&meeting);
        pthread_mutex_lock(&meeting.lock);
        assert_int_equal(pthread_create(&thread, NULL, come, &meeting), 0);
        while (!meeting.done && condition_wait_until(&meeting.changed, &meeting.lock, at))
                ;
        bool met = meeting.done;
        pthread_mutex_unlock(&meeting.lock);
        pthread_join(thread, NULL);
        end(&meeting);
        return met;
}

static void test_who_is_woken_looks_again(void **state _unused_)
{
        assert_true(meet(INT64_MAX));
        assert_true(meet(INT64_MAX - 1));
        assert_true(meet(clock_monotonic() + 3600 * NSEC_PER_SEC));
}

/* The instant is one of the clock of deadlines: of the wall clock it would be decades in the past. */
static void test_waits_until_the_instant_when_nobody_comes(void **state _unused_)
{
        struct meeting meeting;
        nsec at = clock_monotonic() + 20 * NSEC_PER_MSEC;
        begin(&meeting);
        pthread_mutex_lock(&meeting.lock);
        while (condition_wait_until(&meeting.changed, &meeting.lock, at))
                ;
        assert_true(clock_monotonic() >= at);
        pthread_mutex_unlock(&meeting.lock);
        end(&meeting);
}

static void test_an_instant_that_is_past_is_not_waited_for(void **state _unused_)
{
        static const nsec instants[] = {INT64_MIN, -NSEC_PER_SEC, -1, 0, 1};
        struct meeting meeting;
        begin(&meeting);
        pthread_mutex_lock(&meeting.lock);
        for (size_t i = 0; i < N_ELEMENTS(instants); i++)
                while (condition_wait_until(&meeting.changed, &meeting.lock, instants[i]))
                        ;
        pthread_mutex_unlock(&meeting.lock);
        end(&meeting);
}

static void ignore(int number _unused_) {}

/* A signal every millisecond, as a profiler sends them. */
static void test_no_signal_cuts_a_pause_short(void **state _unused_)
{
        const struct sigaction action = {.sa_handler = ignore}, before = {.sa_handler = SIG_DFL};
        const struct itimerval every = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
        nsec begun = clock_monotonic();
        assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
        assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
        pause_for(20 * NSEC_PER_MSEC, DEADLINE_NEVER);
        assert_true(clock_monotonic() - begun >= 20 * NSEC_PER_MSEC);
        assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
        assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
}

static void test_a_pause_does_not_go_beyond_its_deadline(void **state _unused_)
{
        struct deadline soon = deadline_in(5 * NSEC_PER_MSEC);
        pause_for(INT64_MAX, soon); /* or this test would not end */
        assert_true(deadline_passed(soon));
        pause_for(INT64_MAX, soon);
        pause_for(-1, DEADLINE_NEVER);
}

static void test_times_as_system_calls_want_them(void **state _unused_)
{
        static const struct {
                nsec time;
                long long seconds;
                long rest;
        } cases[] = {
                {0, 0, 0},
                {-1, 0, 0},
                {999999999, 0, 999999999},
                {NSEC_PER_SEC, 1, 0},
                {1500 * NSEC_PER_MSEC, 1, 500000000},
                {INT64_MAX, 9223372036, 854775807},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct timespec time = nsec_to_timespec(cases[i].time);
                assert_int_equal(time.tv_sec, cases[i].seconds);
                assert_int_equal(time.tv_nsec, cases[i].rest);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_who_is_woken_looks_again),
                cmocka_unit_test(test_waits_until_the_instant_when_nobody_comes),
                cmocka_unit_test(test_an_instant_that_is_past_is_not_waited_for),
                cmocka_unit_test(test_no_signal_cuts_a_pause_short),
                cmocka_unit_test(test_a_pause_does_not_go_beyond_its_deadline),
                cmocka_unit_test(test_times_as_system_calls_want_them),
        };
        return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}
