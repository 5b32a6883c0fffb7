/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones: the same as the C library has them, for each there is; broken files are none. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/zone_rule.h"
#include "runbook/file.h"
#include "runbook/zone.h"

#define DIRECTORY "/usr/share/zoneinfo"

static int zones_seen;

static int32_t offset_of(int64_t at)
{
        const time_t seconds = at;
        struct tm parts;
        localtime_r(&seconds, &parts);
        return (int32_t)parts.tm_gmtoff;
}

static void compare_at(const char *name, const struct zone *zone, int64_t at)
{
        int32_t offset = zone_period_at(zone, at).offset, expected = offset_of(at);
        if (offset != expected)
                fail_msg("%s at %lld: %d instead of %d", name, (long long)at, offset, expected);
}

/* At both sides of each change from 1970 on, and now and then in between; also beyond all tables. */
static int compare_zone(const char *path, const struct stat *status _unused_, int type)
{
        const char *name = path + strlen(DIRECTORY) + 1;
        struct zone *zone = NULL;
        if (type != FTW_F || strncmp(name, "right/", 6) == 0 || strncmp(name, "posix/", 6) == 0 ||
            zone_load(name, &zone, NULL) < 0)
                return 0;
        zones_seen++;
        setenv("TZ", name, 1);
        tzset();
        for (int64_t at = 0; at < (int64_t)3000000000;) {
                const struct zone_period period = zone_period_at(zone, at);
                assert_true(period.from <= at && at < period.until);
                compare_at(name, zone, at);
                if (period.until == INT64_MAX)
                        break;
                compare_at(name, zone, period.until - 1);
                compare_at(name, zone, period.until);
                at = period.until;
        }
        for (int i = 0; i < 40; i++)
                compare_at(name, zone, (int64_t)rand() * 2);
        zone_free(zone);
        return 0;
}

static void every_zone_is_as_the_c_library_has_it(void **state _unused_)
{
        srand(5);
        assert_int_equal(ftw(DIRECTORY, compare_zone, 16), 0);
        assert_true(zones_seen > 300);
        unsetenv("TZ");
        tzset();
}

static void assert_rule(const char *text, bool expected)
{
        struct zone_rule rule;
        if (zone_rule_parse(text, &rule) != expected)
                fail_msg("%s", text);
}

static void rules_are_understood_or_not(void **state _unused_)
{
        struct zone_rule rule;
        assert_true(zone_rule_parse("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", &rule));
        assert_int_equal(rule.standard, 37800);
        assert_int_equal(rule.summer, 39600);
        assert_true(zone_rule_parse("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", &rule));
        assert_int_equal(rule.begins.time, -7200);
        assert_rule("UTC0", true);
        assert_rule("XXX3EDT4,0/0,J365/23", true); /* summer for ever */
        assert_rule("", false);
        assert_rule("CE-1", false);
        assert_rule("CET", false);
        assert_rule("CET-1CEST", false);
        assert_rule("CET-1CEST,M3.5.0", false);
        assert_rule("CET-1CEST,M13.5.0,M10.5.0", false);
        assert_rule("CET-1CEST,M3.5.0,M10.5.0/200", false);
        assert_rule("CET-1CEST,M3.5.0,M10.5.0/3x", false);
        assert_rule("<CET-1", false);
}

static void summer_for_ever_has_no_winter(void **state _unused_)
{
        struct zone_rule rule;
        assert_true(zone_rule_parse("XXX3EDT4,0/0,J365/23", &rule));
        for (int64_t at = 1700000000; at < 1800000000; at += 86399)
                assert_int_equal(zone_rule_period_at(&rule, at).offset, -4 * 3600);
}

static void names_are_refused_with_the_nearest(void **state _unused_)
{
        static const struct {
                const char *name, *expected;
                int code;
        } mistakes[] = {
                {"Europe/Berln", "did you mean \"Europe/Berlin\"?", -ENOENT},
                {"Nowhere/Atall", "there is no time zone \"Nowhere/Atall\" in " DIRECTORY, -ENOENT},
                {"../../etc/passwd", "is not the name of a time zone", -EINVAL},
                {"/etc/passwd", "is not the name of a time zone", -EINVAL},
                {"", "is not the name of a time zone", -EINVAL},
                {"tzdata.zi", "is no file of a time zone", -EINVAL},
                {"Europe", "", -EINVAL},
        };
        for (size_t i = 0; i < N_ELEMENTS(mistakes); i++) {
                struct zone *zone = NULL;
                _cleanup_error_ struct error error = {0};
                assert_int_equal(zone_load(mistakes[i].name, &zone, &error), mistakes[i].code);
                if (!strstr(error_text(&error), mistakes[i].expected))
                        fail_msg("no \"%s\" in: %s", mistakes[i].expected, error_text(&error));
        }
}

/* Cut anywhere and with any byte another one, it is refused or read, and nothing beyond it is looked at. */
static void broken_files_do_no_harm(void **state _unused_)
{
        _cleanup_text_ struct text file = {0};
        struct zone *zone = NULL;
        srand(11);
        assert_int_equal(file_read_whole(DIRECTORY "/Europe/Berlin", 1 << 20, &file, NULL), 0);
        for (size_t length = 0; length < file.length; length++) {
                _cleanup_free_ char *cut = malloc(length + 1);
                memcpy(cut, file.data, length);
                if (zone_parse("cut", cut, length, &zone, NULL) == 0)
                        zone = zone_free(zone);
        }
        for (int round = 0; round < 3000; round++) {
                _cleanup_free_ char *copy = malloc(file.length);
                memcpy(copy, file.data, file.length);
                for (int i = 0; i < 4; i++)
                        copy[(size_t)rand() % (round % 2 ? 90 : file.length)] = (char)rand();
                if (zone_parse("other", copy, file.length, &zone, NULL) == 0) {
                        (void)zone_period_at(zone, 1700000000);
                        zone = zone_free(zone);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_zone_is_as_the_c_library_has_it),
                cmocka_unit_test(rules_are_understood_or_not),
                cmocka_unit_test(summer_for_ever_has_no_winter),
                cmocka_unit_test(names_are_refused_with_the_nearest),
                cmocka_unit_test(broken_files_do_no_harm),
        };
        return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
