/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of zones: when the clocks are changed in any year. */
#include "lib/base/zone_rule.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "runbook/calendar.h"

enum {
        HOUR = 3600,
        DAY = 24 * HOUR,
        HOURS_MAX = 167,
        USUAL_TIME = 2 * HOUR, /* of a change that says none */
};

static bool skip_char(const char **at, char c)
{
        if (**at != c)
                return false;
        (*at)++;
        return true;
}

/* "CET", or in angle brackets what is not of letters alone. */
static bool skip_name(const char **at)
{
        const char *start = *at;
        if (skip_char(at, '<')) {
                *at += strcspn(*at, ">");
                return skip_char(at, '>');
        }
        while (isalpha((unsigned char)**at))
                (*at)++;
        return *at - start >= 3;
}

static bool read_number(const char **at, int least, int most, int *ret)
{
        int value = 0, digits = 0;
        for (; isdigit((unsigned char)**at) && digits < 4; (*at)++, digits++)
                value = 10 * value + (**at - '0');
        *ret = value;
        return digits > 0 && value >= least && value <= most;
}

/* "-3:30", in seconds. */
static bool read_time(const char **at, int32_t *ret)
{
        int hours = 0, minutes = 0, seconds = 0;
        bool negative = skip_char(at, '-');
        if (!negative)
                skip_char(at, '+');
        if (!read_number(at, 0, HOURS_MAX, &hours) ||
            (skip_char(at, ':') && (!read_number(at, 0, 59, &minutes) ||
                                    (skip_char(at, ':') && !read_number(at, 0, 59, &seconds)))))
                return false;
        *ret = (hours * HOUR + minutes * 60 + seconds) * (negative ? -1 : 1);
        return true;
}

/* ",M10.5.0/3" */
static bool read_day(const char **at, struct zone_day *ret)
{
        bool good;
        *ret = (struct zone_day){.form = 'D', .time = USUAL_TIME};
        if (!skip_char(at, ','))
                return false;
        if (skip_char(at, 'M')) {
                ret->form = 'M';
                good = read_number(at, 1, 12, &ret->month) && skip_char(at, '.') &&
                       read_number(at, 1, 5, &ret->week) && skip_char(at, '.') &&
                       read_number(at, 0, 6, &ret->day);
        } else if (skip_char(at, 'J')) {
                ret->form = 'J';
                good = read_number(at, 1, 365, &ret->day);
        } else {
                good = read_number(at, 0, 365, &ret->day);
        }
        return good && (!skip_char(at, '/') || read_time(at, &ret->time));
}

bool zone_rule_parse(const char *text, struct zone_rule *ret)
{
        struct zone_rule rule = {0};
        int32_t west;
        if (!skip_name(&text) || !read_time(&text, &west))
                return false;
        rule.standard = -west;
        if (*text) {
                rule.changes = true;
                rule.summer = rule.standard + HOUR;
                if (!skip_name(&text))
                        return false;
                if (*text != ',') {
                        if (!read_time(&text, &west))
                                return false;
                        rule.summer = -west;
                }
                if (!read_day(&text, &rule.begins) || !read_day(&text, &rule.ends) || *text)
                        return false;
        }
        *ret = rule;
        return true;
}

static bool is_leap(int64_t year)
{
        return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Local, in seconds since 1970. */
static int64_t time_of(const struct zone_day *day, int64_t year)
{
        int64_t days = calendar_days(year, 1, 1) + day->day;
        if (day->form == 'J')
                days += (day->day > 59 && is_leap(year)) - 1;
        if (day->form == 'M') {
                int64_t first = calendar_days(year, day->month, 1);
                int64_t next = day->month == 12 ? calendar_days(year + 1, 1, 1)
                                                : calendar_days(year, day->month + 1, 1);
                days = first + (day->day - calendar_date(first).weekday + 7) % 7 + 7 * (day->week - 1);
                while (days >= next)
                        days -= 7;
        }
        return days * DAY + day->time;
}

/* What the clocks are changed to at an instant. */
struct change {
        int64_t at;
        int32_t offset;
        bool ends; /* what ends at an instant does so before what begins at it */
};

static int compare_changes(const void *a, const void *b)
{
        const struct change *first = a, *second = b;
        if (first->at != second->at)
                return first->at < second->at ? -1 : 1;
        return second->ends - first->ends;
}

struct zone_period zone_rule_period_at(const struct zone_rule *rule, int64_t at)
{
        enum { YEARS = 5 };
        struct zone_period period = {INT64_MIN, INT64_MAX, rule->standard};
        struct change changes[2 * YEARS];
        if (!rule->changes)
                return period;
        int64_t first = calendar_date(at / DAY).year - YEARS / 2;
        for (int i = 0; i < YEARS; i++) {
                changes[2 * i] = (struct change){time_of(&rule->begins, first + i) - rule->standard,
                                                 rule->summer, false};
                changes[2 * i + 1] =
                        (struct change){time_of(&rule->ends, first + i) - rule->summer, rule->standard, true};
        }
        qsort(changes, N_ELEMENTS(changes), sizeof(*changes), compare_changes);
        for (size_t i = 0; i < N_ELEMENTS(changes) && period.until == INT64_MAX; i++)
                if (changes[i].at <= at) {
                        period.from = changes[i].at;
                        period.offset = changes[i].offset;
                } else {
                        period.until = changes[i].at;
                }
        return period;
}
