/* SPDX-License-Identifier: Apache-2.0 */
/* Times of crontab(5): what is refused, and when the next one comes, also where the clocks are changed. */
#include "tests/harness/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <errno.h>

#include "exporter/kinds/heartbeat/cron.h"
#include "runbook/clock.h"
#include "runbook/text.h"

static struct cron parse(const char *text)
{
        struct cron cron;
        _cleanup_error_ struct error error = {0};
        if (cron_parse(text, &cron, &error) < 0)
                fail_msg("%s: %s", text, error_text(&error));
        return cron;
}

static struct zone *load_zone(const char *name)
{
        struct zone *zone = NULL;
        _cleanup_error_ struct error error = {0};
        if (zone_load(name, &zone, &error) < 0)
                fail_msg("%s", error_text(&error));
        return zone;
}

/* "2026-03-29T01:00:00Z" and back. */
static int64_t instant(const char *text)
{
        nsec wall = 0;
        assert_int_equal(time_parse(text, &wall, NULL), 0);
        return wall / NSEC_PER_SEC;
}

static void assert_next(const char *cron_text, const char *zone_name, const char *after, const char *expected)
{
        const struct cron cron = parse(cron_text);
        _cleanup_(zone_free_p) struct zone *zone = load_zone(zone_name);
        char buffer[TIME_TEXT_MAX];
        int64_t next = cron_next(&cron, zone, instant(after));
        if (next != instant(expected))
                fail_msg("%s in %s after %s: %s instead of %s", cron_text, zone_name, after,
                         time_format(next * NSEC_PER_SEC, buffer), expected);
}

static void mistakes_are_told_by_their_field(void **state _unused_)
{
        static const struct {
                const char *text, *expected;
        } mistakes[] = {
                {"", "there are 0 fields, and five are needed"},
                {"15 2 * *", "there are 4 fields"},
                {"0 15 2 * * *", "there are 6 fields"},
                {"60 2 * * *", "\"60\" is no minute: 0 to 59"},
                {"15 24 * * *", "\"24\" is no hour: 0 to 23"},
                {"15 2 0 * *", "\"0\" is no day of the month: 1 to 31"},
                {"15 2 * 13 *", "\"13\" is no month: 1 to 12 or a name such as jan"},
                {"15 2 * * 8", "\"8\" is no day of the week: 0 to 7 or a name such as sun"},
                {"15 2 * * monday", "\"monday\" is no day of the week"},
                {"15-5 2 * * *", "\"15-5\" is no minute: the range ends before it begins"},
                {"*/0 2 * * *", "\"*/0\" is no minute: the step is no number"},
                {"*/ 2 * * *", "\"*/\" is no minute: the step"},
                {"5/15 * * * *", "\"5/15\" is no minute: a step is of * or of a range"},
                {"1,,2 * * * *", "\"\" is no minute"},
                {"? 2 * * *", "\"?\" is no minute"},
                {"15 2 L * *", "\"L\" is no day of the month"},
                {"15 2 -3 * *", "\"-3\" is no day of the month"},
                {"0x5 2 * * *", "\"0x5\" is no minute"},
                {"99999999999999999999 2 * * *", "is no minute"},
                {"@reboot", "\"@reboot\" is no time: there are @hourly"},
        };
        for (size_t i = 0; i < N_ELEMENTS(mistakes); i++) {
                struct cron cron;
                _cleanup_error_ struct error error = {0};
                assert_int_equal(cron_parse(mistakes[i].text, &cron, &error), -EINVAL);
                if (!strstr(error_text(&error), mistakes[i].expected))
                        fail_msg("no \"%s\" in: %s", mistakes[i].expected, error_text(&error));
        }
}

static void all_forms_of_a_field_are_understood(void **state _unused_)
{
        assert_next("15 2 * * *", "UTC", "2026-11-27T02:14:59Z", "2026-11-27T02:15:00Z");
        assert_next("15 2 * * *", "UTC", "2026-11-27T02:15:00Z", "2026-11-28T02:15:00Z");
        assert_next(" 15\t2 *  * * ", "UTC", "2026-12-31T03:00:00Z", "2027-01-01T02:15:00Z");
        assert_next("*/20 9-17/4 * * *", "UTC", "2026-11-27T09:41:00Z", "2026-11-27T13:00:00Z");
        assert_next("0 0 1,15 jan-MAR *", "UTC", "2026-11-27T00:00:00Z", "2027-01-01T00:00:00Z");
        assert_next("0 12 * * Sat-Sun", "UTC", "2026-11-28T12:00:00Z", "2026-11-29T12:00:00Z");
        assert_next("0 12 * * 7", "UTC", "2026-11-27T12:00:00Z", "2026-11-29T12:00:00Z");
        assert_next("0 0 29 2 *", "UTC", "2026-11-27T12:00:00Z", "2028-02-29T00:00:00Z");
        /* Friday, or the 13th. */
        assert_next("0 0 13 * fri", "UTC", "2026-11-27T12:00:00Z", "2026-12-04T00:00:00Z");
        assert_next("0 0 13 * fri", "UTC", "2026-12-11T12:00:00Z", "2026-12-13T00:00:00Z");
        /* But of every other day only the Fridays. */
        assert_next("0 0 */2 * fri", "UTC", "2026-11-27T12:00:00Z", "2026-12-11T00:00:00Z");
        assert_next("@hourly", "UTC", "2026-11-27T12:00:00Z", "2026-11-27T13:00:00Z");
        assert_next("@midnight", "Asia/Kathmandu", "2026-11-27T12:00:00Z", "2026-11-27T18:15:00Z");
        assert_next("@weekly", "UTC", "2026-11-27T12:00:00Z", "2026-11-29T00:00:00Z");
        assert_next("@monthly", "UTC", "2026-11-27T12:00:00Z", "2026-12-01T00:00:00Z");
        assert_next("@yearly", "UTC", "2026-11-27T12:00:00Z", "2027-01-01T00:00:00Z");
        assert_next("@annually", "UTC", "2026-11-27T12:00:00Z", "2027-01-01T00:00:00Z");
}

static void what_is_on_no_calendar_never_comes(void **state _unused_)
{
        const struct cron never = parse("0 0 30 feb *");
        _cleanup_(zone_free_p) struct zone *zone = load_zone("Europe/Berlin");
        assert_true(cron_next(&never, zone, instant("2026-11-27T12:00:00Z")) == CRON_NEVER);
}

static void a_fixed_time_in_an_hour_left_out_comes_at_its_end(void **state _unused_)
{
        /* Berlin, 29 March 2026: from 2:00 to 3:00, at 1:00 UTC. */
        assert_next("15 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z");
        assert_next("15 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:15:00Z");
        assert_next("0 3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z");
        assert_next("59 1 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T00:59:00Z");
        /* New York, 8 March 2026; Lord Howe, half an hour; Apia had no 30 December 2011. */
        assert_next("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", "2026-03-08T07:00:00Z");
        assert_next("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", "2026-10-03T15:30:00Z");
        assert_next("15 2 30 12 *", "Pacific/Apia", "2011-12-01T12:00:00Z", "2011-12-30T10:00:00Z");
}

static void a_fixed_time_in_an_hour_that_comes_twice_comes_once(void **state _unused_)
{
        /* Berlin, 25 October 2026: from 3:00 back to 2:00, at 1:00 UTC. */
        assert_next("15 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:15:00Z");
        assert_next("15 2 * * *", "Europe/Berlin", "2026-10-25T00:15:00Z", "2026-10-26T01:15:00Z");
        assert_next("0 3 * * *", "Europe/Berlin", "2026-10-25T00:15:00Z", "2026-10-25T02:00:00Z");
}

static void a_wildcard_goes_by_the_clock(void **state _unused_)
{
        assert_next("*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T00:00:00Z");
        assert_next("0 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z");
        assert_next("*/30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z");
        assert_next("0 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z");
}

/* The slow reference: each minute is looked at, by the clock of the C library. */
static int64_t local_minute(int64_t at, struct tm *ret)
{
        const time_t seconds = at;
        localtime_r(&seconds, ret);
        return (at + ret->tm_gmtoff) / 60;
}

static bool bit(const struct cron *cron, int field, int value)
{
        return cron->fields[field] >> value & 1;
}

static bool shows(const struct cron *cron, const struct tm *local)
{
        bool day = bit(cron, 2, local->tm_mday), weekday = bit(cron, 4, local->tm_wday);
        return bit(cron, 0, local->tm_min) && bit(cron, 1, local->tm_hour) &&
               bit(cron, 3, local->tm_mon + 1) &&
               (cron->any_day || cron->any_weekday ? day && weekday : day || weekday);
}

static bool is_time(const struct cron *cron, int64_t at)
{
        struct tm local, other;
        int64_t now = local_minute(at, &local), before = local_minute(at - 60, &other);
        if (cron->by_clock)
                return shows(cron, &local);
        for (int64_t skipped = before + 1; skipped < now; skipped++) {
                const time_t seconds = skipped * 60;
                gmtime_r(&seconds, &other);
                if (shows(cron, &other))
                        return true;
        }
        if (!shows(cron, &local))
                return false;
        for (int64_t earlier = at - 60; earlier > at - 86400; earlier -= 60)
                if (local_minute(earlier, &other) == now)
                        return false;
        return true;
}

static int64_t slow_next(const struct cron *cron, int64_t after, int64_t limit)
{
        for (int64_t at = (after / 60 + 1) * 60; at < limit; at += 60)
                if (is_time(cron, at))
                        return at;
        return CRON_NEVER;
}

static int between(int low, int high)
{
        return low + rand() % (high - low + 1);
}

static void put_field(struct text *text, int low, int high)
{
        int from = between(low, high), to = between(from, high);
        switch (rand() % 5) {
        case 0: text_puts(text, "* "); break;
        case 1: text_printf(text, "*/%d ", between(1, high)); break;
        case 2: text_printf(text, "%d-%d ", from, to); break;
        case 3: text_printf(text, "%d-%d/%d,%d ", from, to, between(1, high), between(low, high)); break;
        default: text_printf(text, "%d ", from);
        }
}

/* Some days around a change of the clocks, as they are most telling; of zones that change them in all
 * manners. */
static void the_next_time_is_that_of_a_slow_reference(void **state _unused_)
{
        static const char *const zones[] = {"Europe/Berlin",       "America/New_York",  "Europe/Dublin",
                                            "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia",
                                            "America/Sao_Paulo",   "Asia/Kathmandu",    "Africa/Cairo",
                                            "America/St_Johns",    "Antarctica/Troll",  "Asia/Gaza"};
        srand(3);
        for (int round = 0; round < 1200; round++) {
                const char *name = zones[(size_t)rand() % N_ELEMENTS(zones)];
                _cleanup_(zone_free_p) struct zone *zone = load_zone(name);
                _cleanup_text_ struct text text = {0};
                setenv("TZ", name, 1);
                tzset();
                put_field(&text, 0, 59);
                put_field(&text, 0, 5);
                text_puts(&text, "* * ");
                put_field(&text, 0, 6);
                const struct cron cron = parse(text_string(&text));
                int64_t at = between(946684800, 2145000000);
                const struct zone_period period = zone_period_at(zone, at);
                if (period.until != INT64_MAX && rand() % 8 > 0)
                        at = period.until + between(-90000, 20000);
                int64_t limit = at + (int64_t)2 * 86400, expected = slow_next(&cron, at, limit);
                int64_t next = cron_next(&cron, zone, at);
                if (next >= limit)
                        next = CRON_NEVER;
                if (next != expected)
                        fail_msg("%s in %s after %lld: %lld instead of %lld", text_string(&text), name,
                                 (long long)at, (long long)next, (long long)expected);
        }
        unsetenv("TZ");
        tzset();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(mistakes_are_told_by_their_field),
                cmocka_unit_test(all_forms_of_a_field_are_understood),
                cmocka_unit_test(what_is_on_no_calendar_never_comes),
                cmocka_unit_test(a_fixed_time_in_an_hour_left_out_comes_at_its_end),
                cmocka_unit_test(a_fixed_time_in_an_hour_that_comes_twice_comes_once),
                cmocka_unit_test(a_wildcard_goes_by_the_clock),
                cmocka_unit_test(the_next_time_is_that_of_a_slow_reference),
        };
        return cmocka_run_group_tests_name("cron", tests, NULL, NULL);
}
