/* SPDX-License-Identifier: Apache-2.0 */
/* Threads by name: whoever hangs fills those of his own name, and nobody else waits for him. */
#include <errno.h>
#include <stdio.h>

#include "runbook/lanes.h"
#include "tests/harness/gate.h"

static void test_who_hangs_keeps_nobody_else(void **state)
{
        (void)state;
        struct lanes *lanes;
        struct gate shut, open;
        gate_init(&shut, false);
        gate_init(&open, true);
        assert_int_equal(lanes_new(3, &lanes, NULL), 0);
        for (int i = 0; i < 20; i++)
                assert_int_equal(lanes_run(lanes, "hangs", pass, &shut), 0);
        wait_until(&shut, &shut.inside, 3);
        for (int i = 0; i < 20; i++)
                assert_int_equal(lanes_run(lanes, i % 2 ? "answers" : NULL, pass, &open), 0);
        wait_until(&open, &open.passed, 20);
        assert_int_equal(shut.most_inside, 3);

        open_gate(&shut);
        wait_until(&shut, &shut.passed, 20);
        assert_int_equal(shut.most_inside, 3);
        assert_int_equal(lanes_stop(lanes, DEADLINE_NEVER), 0);
}

static void test_names_have_an_end(void **state)
{
        (void)state;
        struct lanes *lanes;
        struct gate gate;
        gate_init(&gate, true);
        assert_int_equal(lanes_new(1, &lanes, NULL), 0);
        for (int i = 0; i < 300; i++) {
                char name[16];
                snprintf(name, sizeof(name), "n%d", i);
                assert_int_equal(lanes_run(lanes, name, pass, &gate), 0);
        }
        wait_until(&gate, &gate.passed, 300);
        assert_true(gate.most_inside <= 256);
        assert_int_equal(lanes_stop(lanes, DEADLINE_NEVER), 0);
}

static struct lanes *stopped;
static int said;

static void pass_and_ask_for_more(void *context)
{
        pass(context);
        said = lanes_run(stopped, "late", pass, context);
        open_gate(context);
}

/* What hangs at the end is counted; what waited behind it is not begun; and it gets no more when it is back.
 */
static void test_stop_leaves_what_hangs(void **state)
{
        (void)state;
        struct gate gate;
        gate_init(&gate, false);
        assert_int_equal(lanes_new(1, &stopped, NULL), 0);
        for (int i = 0; i < 3; i++)
                assert_int_equal(lanes_run(stopped, "hangs", pass_and_ask_for_more, &gate), 0);
        wait_until(&gate, &gate.inside, 1);
        assert_int_equal(lanes_stop(stopped, deadline_in(10 * NSEC_PER_MSEC)), 1);
        open_gate(&gate);
        wait_until(&gate, &gate.passed, 1);
        pthread_mutex_lock(&gate.lock);
        while (said == 0)
                pthread_cond_wait(&gate.changed, &gate.lock);
        pthread_mutex_unlock(&gate.lock);
        assert_int_equal(said, -EAGAIN);
        assert_int_equal(gate.passed, 1);
}

static void test_none_at_once_is_no_pool(void **state)
{
        (void)state;
        struct lanes *lanes = NULL;
        assert_int_equal(lanes_new(0, &lanes, NULL), -EINVAL);
        assert_null(lanes);
        assert_int_equal(lanes_stop(NULL, DEADLINE_NEVER), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_who_hangs_keeps_nobody_else),
                cmocka_unit_test(test_names_have_an_end),
                cmocka_unit_test(test_stop_leaves_what_hangs),
                cmocka_unit_test(test_none_at_once_is_no_pool),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
