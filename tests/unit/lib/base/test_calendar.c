/* SPDX-License-Identifier: Apache-2.0 */
#include "runbook/calendar.h"

#include "tests/harness/unit.h"

static void the_calendar_goes_both_ways(void **state _unused_)
{
        assert_int_equal(calendar_days(1970, 1, 1), 0);
        assert_int_equal(calendar_days(2000, 3, 1), 11017);
        for (int64_t days = -1000; days < 50000; days += 13) {
                const struct calendar_date date = calendar_date(days);
                assert_int_equal(calendar_days(date.year, date.month, date.day), days);
                assert_int_equal(date.weekday, (days % 7 + 11) % 7);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(the_calendar_goes_both_ways)};
        return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
