/* SPDX-License-Identifier: Apache-2.0 */
/* The pool of threads: all work gets done, within the limit, and a job that hangs stops nobody. */
#include <errno.h>

#include "runbook/workers.h"
#include "tests/harness/gate.h"

static void test_runs_every_job(void **state)
{
        (void)state;
        struct workers *workers;
        struct gate gate;
        gate_init(&gate, true);
        assert_int_equal(workers_new(4, &workers, NULL), 0);
        for (int i = 0; i < 10000; i++)
                assert_int_equal(workers_run(workers, pass, &gate), 0);
        wait_until(&gate, &gate.passed, 10000);
        assert_int_equal(workers_stop(workers, DEADLINE_NEVER), 0);
        assert_int_equal(gate.passed, 10000);
        assert_true(gate.most_inside <= 4);
}

/* Each waits for all others to be inside, which only ends when all have a thread at the same time. */
static void test_grows_to_its_limit_and_not_beyond(void **state)
{
        (void)state;
        struct workers *workers;
        struct gate gate;
        gate_init(&gate, false);
        assert_int_equal(workers_new(8, &workers, NULL), 0);
        for (int i = 0; i < 20; i++)
                assert_int_equal(workers_run(workers, pass, &gate), 0);
        wait_until(&gate, &gate.inside, 8);
        open_gate(&gate);
        wait_until(&gate, &gate.passed, 20);
        assert_int_equal(workers_stop(workers, DEADLINE_NEVER), 0);
        assert_int_equal(gate.most_inside, 8);
}

/* Of those that come together, only the first few have a thread at once; none is left without one. */
static void test_each_of_many_that_hang_gets_a_thread(void **state)
{
        (void)state;
        struct workers *workers;
        struct gate gate;
        gate_init(&gate, false);
        assert_int_equal(workers_new(100, &workers, NULL), 0);
        for (int i = 0; i < 100; i++)
                assert_int_equal(workers_run(workers, pass, &gate), 0);
        wait_until(&gate, &gate.inside, 100);
        open_gate(&gate);
        assert_int_equal(workers_stop(workers, DEADLINE_NEVER), 0);
        assert_int_equal(gate.passed, 100);
}

static void test_a_hanging_job_costs_only_its_own_thread(void **state)
{
        (void)state;
        struct workers *workers;
        struct gate hanging, other;
        gate_init(&hanging, false);
        gate_init(&other, true);
        assert_int_equal(workers_new(2, &workers, NULL), 0);
        assert_int_equal(workers_run(workers, pass, &hanging), 0);
        wait_until(&hanging, &hanging.inside, 1);
        for (int i = 0; i < 100; i++)
                assert_int_equal(workers_run(workers, pass, &other), 0);
        wait_until(&other, &other.passed, 100);

        /* What hangs is left to itself, and frees the pool when it comes back (the leak check sees it). */
        unsigned left = workers_stop(workers, deadline_in(0)); /* the other may need a moment to end */
        assert_in_range(left, 1, 2);
        open_gate(&hanging);
        wait_until(&hanging, &hanging.passed, 1);
}

static void test_stopping_drops_what_is_queued(void **state)
{
        (void)state;
        struct workers *workers;
        struct gate first, queued;
        gate_init(&first, false);
        gate_init(&queued, true);
        assert_int_equal(workers_new(1, &workers, NULL), 0);
        assert_int_equal(workers_run(workers, pass, &first), 0);
        wait_until(&first, &first.inside, 1);
        for (int i = 0; i < 10; i++)
                assert_int_equal(workers_run(workers, pass, &queued), 0);
        assert_int_equal(workers_stop(workers, deadline_in(0)), 1);
        open_gate(&first);
        wait_until(&first, &first.passed, 1);
        assert_int_equal(queued.passed, 0);
}

/* Jobs that queue for a pool at its limit get the threads that a higher one allows. */
static void test_a_higher_limit_reaches_what_is_queued(void **state)
{
        (void)state;
        struct workers *workers;
        struct gate gate;
        gate_init(&gate, false);
        assert_int_equal(workers_new(1, &workers, NULL), 0);
        for (int i = 0; i < 4; i++)
                assert_int_equal(workers_run(workers, pass, &gate), 0);
        wait_until(&gate, &gate.inside, 1);
        workers_allow(workers, 3);
        wait_until(&gate, &gate.inside, 4);
        open_gate(&gate);
        assert_int_equal(workers_stop(workers, DEADLINE_NEVER), 0);
        assert_int_equal(gate.passed, 4);
}

struct late {
        struct workers *workers;
        struct gate *gate;
        int result;
};

static void run_late(void *context)
{
        struct late *late = context;
        pass(late->gate);
        do
                late->result = workers_run(late->workers, pass, late->gate);
        while (late->result == 0);
}

static void *stop(void *context)
{
        struct late *late = context;
        open_gate(late->gate);
        workers_stop(late->workers, DEADLINE_NEVER);
        return NULL;
}

static void test_says_so_when_too_much_waits(void **state)
{
        (void)state;
        struct workers *workers;
        struct gate gate;
        gate_init(&gate, false);
        assert_int_equal(workers_new(1, &workers, NULL), 0);
        assert_int_equal(workers_run(workers, pass, &gate), 0);
        wait_until(&gate, &gate.inside, 1);
        assert_int_equal(workers_try(workers, 2, pass, &gate), 0);
        assert_int_equal(workers_try(workers, 2, pass, &gate), 0);
        assert_int_equal(workers_try(workers, 2, pass, &gate), -EBUSY);
        assert_int_equal(workers_run(workers, pass, &gate), 0);
        open_gate(&gate);
        wait_until(&gate, &gate.passed, 4);
        assert_int_equal(workers_try(workers, 1, pass, &gate), 0);
        wait_until(&gate, &gate.passed, 5);
        assert_int_equal(workers_stop(workers, DEADLINE_NEVER), 0);
}

static void test_refuses_work_when_stopped(void **state)
{
        (void)state;
        struct gate gate;
        struct late late = {.gate = &gate};
        pthread_t thread;
        gate_init(&gate, false);
        assert_int_equal(workers_new(1, &late.workers, NULL), 0);
        assert_int_equal(workers_run(late.workers, run_late, &late), 0);
        wait_until(&gate, &gate.inside, 1);
        assert_int_equal(pthread_create(&thread, NULL, stop, &late), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(late.result, -EAGAIN);
}

static void test_an_idle_pool_stops_at_once(void **state)
{
        (void)state;
        _cleanup_error_ struct error error = {0};
        struct workers *workers = NULL;
        assert_int_equal(workers_new(0, &workers, &error), -EINVAL);
        assert_string_equal(error_text(&error), "a pool of no threads would never work; the least is 1");
        assert_null(workers);
        assert_int_equal(workers_new(1, &workers, NULL), 0);
        assert_int_equal(workers_stop(workers, deadline_in(0)), 0);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_every_job),
        cmocka_unit_test(test_grows_to_its_limit_and_not_beyond),
        cmocka_unit_test(test_each_of_many_that_hang_gets_a_thread),
        cmocka_unit_test(test_a_hanging_job_costs_only_its_own_thread),
        cmocka_unit_test(test_stopping_drops_what_is_queued),
        cmocka_unit_test(test_a_higher_limit_reaches_what_is_queued),
        cmocka_unit_test(test_says_so_when_too_much_waits),
        cmocka_unit_test(test_refuses_work_when_stopped),
        cmocka_unit_test(test_an_idle_pool_stops_at_once),
};

int main(void)
{
        return cmocka_run_group_tests_name("workers", tests, NULL, NULL);
}
