/* SPDX-License-Identifier: Apache-2.0 */
/* Hours of the week, by the clocks of a place. */
#include "runbook/hours.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runbook/calendar.h"
#include "runbook/zone.h"

enum { DAYS = 7, DAY_MINUTES = 24 * 60, DAY_SECONDS = DAY_MINUTES * 60 };

struct window {
        unsigned days;   /* a bit each, from Sunday */
        int from, until; /* minutes of the day; until <= from: of the next one */
};

struct hours {
        struct zone *zone;
        size_t count;
        struct window windows[];
};

struct hours *hours_free(struct hours *hours)
{
        if (hours)
                zone_free(hours->zone);
        free(hours);
        return NULL;
}

static int day_of(const char *at)
{
        static const char *const names[DAYS] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        for (int i = 0; i < DAYS; i++)
                if (strncmp(at, names[i], 3) == 0)
                        return i;
        return -1;
}

/* "Mon-Fri", "Sat,Sun"; `*at` is then behind it. False when it is none. */
static bool read_days(const char **at, unsigned *ret)
{
        unsigned days = 0;
        for (;;) {
                int first = day_of(*at), last = first;
                if (first < 0)
                        return false;
                *at += 3;
                if (**at == '-') {
                        last = day_of(*at + 1);
                        if (last < 0)
                                return false;
                        *at += 4;
                }
                for (int day = first;; day = (day + 1) % DAYS) {
                        days |= 1U << day;
                        if (day == last)
                                break;
                }
                if (**at != ',')
                        break;
                ++*at;
        }
        *ret = days;
        return true;
}

static bool read_time(const char **at, int *ret)
{
        const char *text = *at;
        for (size_t i = 0; i < 5; i++)
                if (i == 2 ? text[i] != ':' : text[i] < '0' || text[i] > '9')
                        return false;
        int hour = (text[0] - '0') * 10 + text[1] - '0', minute = (text[3] - '0') * 10 + text[4] - '0';
        *ret = hour * 60 + minute;
        *at += 5;
        return minute < 60 && *ret <= DAY_MINUTES;
}

static bool read_window(const char *text, struct window *ret)
{
        struct window window = {.days = (1U << DAYS) - 1, .from = 0, .until = DAY_MINUTES};
        const char *at = text;
        bool days = *at >= 'A' && *at <= 'Z';
        if (days && !read_days(&at, &window.days))
                return false;
        if (days && *at == '\0') {
                *ret = window;
                return true;
        }
        if (days && *at++ != ' ')
                return false;
        if (!read_time(&at, &window.from) || *at++ != '-' || !read_time(&at, &window.until) || *at != '\0' ||
            window.from == window.until || window.from == DAY_MINUTES)
                return false;
        *ret = window;
        return true;
}

int hours_make(const char *const *texts, size_t count, const char *zone, struct hours **ret,
               size_t *ret_wrong, struct error *error)
{
        if (count > HOURS_MOST)
                return error_set(error, EINVAL, "%zu are too many: %d are the most", count, HOURS_MOST);
        _cleanup_(hours_free_p) struct hours *hours =
                calloc(1, sizeof(*hours) + (count + 1) * sizeof(hours->windows[0]));
        if (!hours)
                return error_oom(error);
        for (; hours->count < count; hours->count++) {
                const char *text = texts[hours->count];
                if (read_window(text, &hours->windows[hours->count]))
                        continue;
                if (ret_wrong)
                        *ret_wrong = hours->count;
                return error_set(error, EINVAL,
                                 "\"%s\" is no time of the week: write it as \"Mon-Fri 09:00-17:00\", "
                                 "\"Sat,Sun\" or \"22:00-06:00\"",
                                 text);
        }
        int r = zone_load(zone, &hours->zone, error);
        if (r < 0) {
                if (ret_wrong)
                        *ret_wrong = count;
                return r;
        }
        *ret = TAKE_PTR(hours);
        return 0;
}

static int64_t floor_div(int64_t value, int64_t by)
{
        return value / by - (value % by < 0);
}

static bool is_within(const struct window *window, int weekday, int minute)
{
        unsigned today = 1U << weekday, yesterday = 1U << (weekday + DAYS - 1) % DAYS;
        if (window->from < window->until)
                return (window->days & today) && minute >= window->from && minute < window->until;
        return ((window->days & today) && minute >= window->from) ||
               ((window->days & yesterday) && minute < window->until);
}

static bool contain_second(const struct hours *hours, int64_t at)
{
        int64_t local = at + zone_period_at(hours->zone, at).offset;
        int64_t day = floor_div(local, DAY_SECONDS);
        int minute = (int)((local - day * DAY_SECONDS) / 60), weekday = calendar_date(day).weekday;
        for (size_t i = 0; i < hours->count; i++)
                if (is_within(&hours->windows[i], weekday, minute))
                        return true;
        return false;
}

bool hours_contain(const struct hours *hours, nsec wall)
{
        return contain_second(hours, floor_div(wall, NSEC_PER_SEC));
}

/* The better of two: the sooner one of those behind `at`, at which it is otherwise than at `at`. */
static void try_edge(const struct hours *hours, int64_t at, int64_t edge, int64_t *best)
{
        if (edge > at && (*best == 0 || edge < *best) &&
            contain_second(hours, edge) != contain_second(hours, at))
                *best = edge;
}

nsec hours_change(const struct hours *hours, nsec wall)
{
        int64_t at = floor_div(wall, NSEC_PER_SEC), best = 0;
        int64_t today = floor_div(at + zone_period_at(hours->zone, at).offset, DAY_SECONDS);
        for (int64_t day = today - 1; day <= today + DAYS + 1; day++)
                for (size_t i = 0; i < 2 * hours->count; i++) {
                        const struct window *window = &hours->windows[i / 2];
                        int64_t local = day * DAY_SECONDS + (i % 2 ? window->until : window->from) * 60;
                        /* Where the clocks are changed that day, the change itself may be an edge. */
                        struct zone_period period = zone_period_at(hours->zone, local);
                        struct zone_period other = zone_period_at(hours->zone, local - period.offset);
                        try_edge(hours, at, local - period.offset, &best);
                        try_edge(hours, at, local - other.offset, &best);
                        if (other.until < at + (DAYS + 1) * (int64_t)DAY_SECONDS)
                                try_edge(hours, at, other.until, &best);
                }
        return best * NSEC_PER_SEC;
}
