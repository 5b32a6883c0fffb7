/* SPDX-License-Identifier: Apache-2.0 */
/* Hours of the week: how they are written, and when they hold, also where clocks are changed. */
#include "tests/harness/unit.h"

#include <errno.h>

#include "runbook/hours.h"

static struct hours *make(const char *text, const char *zone)
{
        _cleanup_error_ struct error error = {0};
        struct hours *hours = NULL;
        size_t wrong = 99;
        if (hours_make(&text, 1, zone, &hours, &wrong, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_int_equal(wrong, 99);
        return hours;
}

static nsec moment(const char *text)
{
        nsec at = 0;
        assert_true(time_parse(text, &at, NULL) >= 0);
        return at;
}

static void test_when_they_hold(void **state _unused_)
{
        static const struct {
                const char *text, *zone, *at;
                bool within;
                const char *change;
        } cases[] = {
                /* 2026-11-27 is a Friday. */
                {"Mon-Fri 09:00-17:00", "UTC", "2026-11-27T09:00:00Z", true, "2026-11-27T17:00:00Z"},
                {"Mon-Fri 09:00-17:00", "UTC", "2026-11-27T17:00:00Z", false, "2026-11-30T09:00:00Z"},
                {"Mon-Fri 09:00-17:00", "UTC", "2026-11-27T08:59:59Z", false, "2026-11-27T09:00:00Z"},
                {"Mon-Fri 09:00-17:00", "Europe/Berlin", "2026-11-27T08:00:00Z", true,
                 "2026-11-27T16:00:00Z"},
                /* Over midnight: of the day on which it begins. */
                {"Fri 22:00-06:00", "UTC", "2026-11-28T05:59:00Z", true, "2026-11-28T06:00:00Z"},
                {"Fri 22:00-06:00", "UTC", "2026-11-27T05:00:00Z", false, "2026-11-27T22:00:00Z"},
                {"22:00-06:00", "UTC", "2026-11-27T05:00:00Z", true, "2026-11-27T06:00:00Z"},
                {"Sat,Sun", "UTC", "2026-11-28T00:00:00Z", true, "2026-11-30T00:00:00Z"},
                {"Sat-Mon 12:00-24:00", "UTC", "2026-11-29T23:59:59Z", true, "2026-11-30T00:00:00Z"},
                {"Sun-Sat", "UTC", "2026-11-29T23:59:59Z", true, NULL},
                /* Clocks go from 02:00 to 03:00 on 2026-03-29, and back from 03:00 on 2026-10-25. */
                {"Sun 02:30-04:00", "Europe/Berlin", "2026-03-29T00:59:00Z", false, "2026-03-29T01:00:00Z"},
                {"Sun 02:30-04:00", "Europe/Berlin", "2026-10-25T00:30:00Z", true, "2026-10-25T01:00:00Z"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_(hours_free_p) struct hours *hours = make(cases[i].text, cases[i].zone);
                nsec at = moment(cases[i].at);
                nsec change = hours_change(hours, at);
                char text[TIME_TEXT_MAX];
                if (hours_contain(hours, at) != cases[i].within)
                        fail_msg("%s at %s", cases[i].text, cases[i].at);
                if (change != (cases[i].change ? moment(cases[i].change) : 0))
                        fail_msg("%s at %s changes at %s", cases[i].text, cases[i].at,
                                 change ? time_format(change, text) : "no time");
        }
}

static void test_how_they_are_written(void **state _unused_)
{
        static const char *const wrong[] = {"",           "mon",         "Mon-",           "Mon 9:00-17:00",
                                            "09:00",      "09:00-09:00", "Mon09:00-10:00", "Mon 24:00-10:00",
                                            "Mon-Fri,",   "25:00-26:00", "09:60-10:00",    "09:00-17:00 ",
                                            "Montag 1-2", "Mon ",        "Mon 09:00-24:01"};
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
                _cleanup_error_ struct error error = {0};
                const char *const texts[] = {"Mon", wrong[i]};
                struct hours *hours = NULL;
                size_t at = 99;
                if (hours_make(texts, 2, "UTC", &hours, &at, &error) != -EINVAL || at != 1)
                        fail_msg("\"%s\" is taken", wrong[i]);
        }
        const char *text = "Mon";
        struct hours *hours = NULL;
        size_t at = 99;
        assert_int_equal(hours_make(&text, 1, "Europe/Berlim", &hours, &at, NULL), -ENOENT);
        assert_int_equal(at, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_when_they_hold),
                cmocka_unit_test(test_how_they_are_written),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
