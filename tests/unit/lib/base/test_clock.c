/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines, durations and times. */

#include <errno.h>
#include <math.h>

#include "runbook/clock.h"
#include "tests/harness/unit.h"

static void test_durations_read_and_write(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                nsec value;
                const char *back;
        } cases[] = {
                {"0", 0, "0s"},
                {"250ms", 250 * NSEC_PER_MSEC, "250ms"},
                {"5s", 5 * NSEC_PER_SEC, "5s"},
                {"90s", 90 * NSEC_PER_SEC, "1m30s"},
                {"1h30m", 5400 * NSEC_PER_SEC, "1h30m"},
                {"1d", 86400 * NSEC_PER_SEC, "1d"},
                {"1w", 7 * 86400 * NSEC_PER_SEC, "7d"},
                {"1d1s", 86401 * NSEC_PER_SEC, "1d"},
                {"1m500ms", 60500 * NSEC_PER_MSEC, "1m"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                nsec value = -1;
                char buffer[DURATION_TEXT_MAX];
                assert_int_equal(duration_parse(cases[i].text, &value, NULL), 0);
                assert_int_equal(value, cases[i].value);
                assert_string_equal(duration_format(value, buffer), cases[i].back);
        }
}

static void test_durations_refused(void **state)
{
        (void)state;
        static const char *const cases[] = {"",     "5",   "s",    "5 s",  "-5s",  "5x",
                                            "1.5s", "5s5", "5s1h", "5s5s", "5sec", "99999999999999999999s"};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                nsec value = 42;
                _cleanup_error_ struct error error = {0};
                assert_true(duration_parse(cases[i], &value, &error) < 0);
                assert_int_equal(value, 42);
                assert_non_null(error.message);
        }
        nsec value;
        _cleanup_error_ struct error error = {0};
        assert_int_equal(duration_parse("300y", &value, &error), -ERANGE);
        assert_string_equal(error.message, "the duration '300y' is too long");
        assert_int_equal(duration_parse("soon", &value, &error), -EINVAL);
        assert_string_equal(error.message, "'soon' is not a duration such as 30s, 5m, 1h30m or 1d");
}

static void test_times_read_and_write(void **state)
{
        (void)state;
        static const struct {
                const char *text;
                nsec wall;
        } cases[] = {
                {"1970-01-01T00:00:00Z", 0},
                {"2026-01-31T12:00:00.5Z", 1769860800500 * NSEC_PER_MSEC},
                {"2026-01-31T14:00:00.500000000+02:00", 1769860800500 * NSEC_PER_MSEC},
                {"2026-01-31T06:30:00.5-05:30", 1769860800500 * NSEC_PER_MSEC},
                {"0001-01-01T00:00:00Z", 0},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                nsec wall = -1;
                assert_int_equal(time_parse(cases[i].text, &wall, NULL), 0);
                assert_int_equal(wall, cases[i].wall);
        }
        char buffer[TIME_TEXT_MAX];
        assert_string_equal(time_format(1769860800500 * NSEC_PER_MSEC, buffer), "2026-01-31T12:00:00.500Z");
        assert_string_equal(time_format(-1, buffer), "1969-12-31T23:59:59.999Z");
}

static void test_times_refused(void **state)
{
        (void)state;
        static const char *const cases[] = {"",
                                            "yesterday",
                                            "2026-01-31",
                                            "2026-01-31T12:00:00",
                                            "2026-01-31T12:00:00.Z",
                                            "2026-01-31T12:00:00Zx",
                                            "2026-01-31T12:00:00+2:00",
                                            "2026-01-31T12:00:00+24:00",
                                            "9999-12-31T00:00:00Z"};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                nsec wall = 42;
                assert_int_equal(time_parse(cases[i], &wall, NULL), -EINVAL);
                assert_int_equal(wall, 42);
        }
}

static void test_seconds_of_a_peer(void **state _unused_)
{
        assert_true(seconds_to_nsec(1.5) == 1500000000 && seconds_to_nsec(-2) == -2 * NSEC_PER_SEC);
        assert_true(seconds_to_nsec(1e300) == INT64_MAX && seconds_to_nsec(INFINITY) == INT64_MAX);
        assert_true(seconds_to_nsec(-1e300) == INT64_MIN && seconds_to_nsec(NAN) == 0);
}

static void test_deadlines(void **state)
{
        (void)state;
        assert_int_equal(deadline_left_ms(DEADLINE_NEVER), -1);
        assert_false(deadline_passed(DEADLINE_NEVER));
        assert_int_equal(deadline_in(INT64_MAX).at, INT64_MAX);

        struct deadline past = deadline_in(-1), far = deadline_in(3600 * NSEC_PER_SEC);
        assert_true(deadline_passed(past));
        assert_int_equal(deadline_left(past), 0);
        assert_int_equal(deadline_left_ms(past), 0);
        assert_false(deadline_passed(far));
        assert_true(deadline_left_ms(far) > 3500000 && deadline_left_ms(far) <= 3600000);
        assert_int_equal(deadline_earlier(far, past).at, past.at);
        assert_int_equal(deadline_later(far, past).at, far.at);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_durations_read_and_write), cmocka_unit_test(test_durations_refused),
                cmocka_unit_test(test_times_read_and_write),     cmocka_unit_test(test_times_refused),
                cmocka_unit_test(test_seconds_of_a_peer),        cmocka_unit_test(test_deadlines),
        };
        return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
