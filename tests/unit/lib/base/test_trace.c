/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a run: its lines, its limits, and who hears it. */
#include "tests/harness/unit.h"

#include <pthread.h>
#include <stdio.h>

#include "runbook/trace.h"

static char *steps_of(struct trace *trace)
{
        struct text text = {0};
        trace_put(trace, &text);
        assert_int_equal(text_error(&text), 0);
        text_puts(&text, "");
        return text_take(&text);
}

static void a_step_is_a_line_with_its_time(void **state _unused_)
{
        struct trace *trace = trace_new();
        int seconds, milliseconds, end = 0;
        trace_add(trace, "%s to %d", "connecting", 6379);
        _cleanup_free_ char *steps = steps_of(trace);
        assert_int_equal(sscanf(steps, "%d.%3d s  connecting to 6379%n", &seconds, &milliseconds, &end), 2);
        assert_string_equal(steps + end, "\n");
        trace_free(trace);
}

static void a_step_stays_one_line_whatever_others_said(void **state _unused_)
{
        struct trace *trace = trace_new();
        trace_add(trace, "one\r\ntwo\x1b[31m\x7f \xff ü");
        _cleanup_free_ char *steps = steps_of(trace);
        assert_non_null(strstr(steps, "  one  two [31m  \xef\xbf\xbd ü\n"));
        assert_ptr_equal(strchr(steps, '\n'), steps + strlen(steps) - 1);
        trace_free(trace);
}

static void a_long_step_is_cut_between_characters(void **state _unused_)
{
        struct trace *trace = trace_new();
        _cleanup_text_ struct text said = {0};
        for (int i = 0; i < 1000; i++)
                text_puts(&said, "ü");
        trace_add(trace, "%s", text_string(&said));
        _cleanup_free_ char *steps = steps_of(trace);
        assert_true(strlen(steps) < 600);
        assert_non_null(strstr(steps, "üü…\n"));
        trace_free(trace);
}

static void too_many_steps_are_cut_and_told_once(void **state _unused_)
{
        static const char told[] = "\n… more than 64 KiB of steps: the rest is left out\n";
        struct trace *trace = trace_new();
        for (int i = 0; i < 10000; i++)
                trace_add(trace, "step %d", i);
        _cleanup_free_ char *steps = steps_of(trace);
        assert_true(strlen(steps) <= TRACE_LIMIT + sizeof(told));
        assert_true(strlen(steps) > TRACE_LIMIT - 100);
        assert_non_null(strstr(steps, "step 0\n"));
        assert_null(strstr(steps, "step 9999\n"));
        assert_ptr_equal(strstr(steps, told), steps + strlen(steps) - strlen(told));
        trace_free(trace);
}

static int counted;

static int count(void)
{
        return ++counted;
}

static void without_a_listener_nothing_is_looked_at(void **state _unused_)
{
        struct trace *trace = trace_new();
        struct deadline deadline = deadline_in(NSEC_PER_SEC);
        counted = 0;
        trace_step(deadline, "%d", count());
        assert_int_equal(counted, 0);
        deadline.trace = trace;
        trace_step(deadline, "%d", count());
        assert_int_equal(counted, 1);
        trace_free(trace);
}

static void whoever_listens_goes_on_with_the_earlier_deadline(void **state _unused_)
{
        struct trace *trace = trace_new();
        struct deadline late = {.at = 2, .trace = trace}, early = {.at = 1};
        assert_int_equal(deadline_earlier(late, early).at, 1);
        assert_ptr_equal(deadline_earlier(late, early).trace, trace);
        assert_ptr_equal(deadline_earlier(early, late).trace, trace);
        assert_null(deadline_in(1).trace);
        assert_null(DEADLINE_NEVER.trace);
        trace_free(trace);
}

enum { STEPS = 500 };

static void *add_steps(void *trace)
{
        for (int i = 0; i < STEPS; i++)
                trace_add(trace, "step");
        return NULL;
}

static void it_may_be_read_while_it_is_written(void **state _unused_)
{
        struct trace *trace = trace_new();
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, add_steps, trace), 0);
        for (int i = 0; i < 50; i++) {
                _cleanup_free_ char *steps = steps_of(trace);
                assert_true(*steps == '\0' || steps[strlen(steps) - 1] == '\n');
        }
        pthread_join(thread, NULL);
        _cleanup_free_ char *steps = steps_of(trace);
        int lines = 0;
        for (const char *at = steps; (at = strchr(at, '\n')); at++)
                lines++;
        assert_int_equal(lines, STEPS);
        trace_free(trace);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_step_is_a_line_with_its_time),
                cmocka_unit_test(a_step_stays_one_line_whatever_others_said),
                cmocka_unit_test(a_long_step_is_cut_between_characters),
                cmocka_unit_test(too_many_steps_are_cut_and_told_once),
                cmocka_unit_test(without_a_listener_nothing_is_looked_at),
                cmocka_unit_test(whoever_listens_goes_on_with_the_earlier_deadline),
                cmocka_unit_test(it_may_be_read_while_it_is_written),
        };
        return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
