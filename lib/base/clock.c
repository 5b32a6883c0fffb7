/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines, Prometheus' durations and RFC 3339 times. */
#include "runbook/clock.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* From large to small, which is also the order in which Prometheus takes them; a year has 365 days there. */
static const struct {
        const char *name;
        nsec length;
} units[] = {
        {"y", 365 * 86400 * NSEC_PER_SEC},
        {"w", 7 * 86400 * NSEC_PER_SEC},
        {"d", 86400 * NSEC_PER_SEC},
        {"h", 3600 * NSEC_PER_SEC},
        {"m", 60 * NSEC_PER_SEC},
        {"s", NSEC_PER_SEC},
        {"ms", NSEC_PER_MSEC},
};

static nsec clock_read(clockid_t clock)
{
        struct timespec now;
        clock_gettime(clock, &now);
        return (nsec)now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

nsec clock_monotonic(void)
{
        return clock_read(CLOCK_MONOTONIC);
}

nsec clock_wall(void)
{
        return clock_read(CLOCK_REALTIME);
}

struct deadline deadline_in(nsec duration)
{
        nsec at;
        if (__builtin_add_overflow(clock_monotonic(), duration, &at))
                return DEADLINE_NEVER;
        return (struct deadline){.at = at};
}

struct deadline deadline_earlier(struct deadline a, struct deadline b)
{
        return (struct deadline){.at = a.at < b.at ? a.at : b.at, .trace = a.trace ? a.trace : b.trace};
}

struct deadline deadline_later(struct deadline a, struct deadline b)
{
        return (struct deadline){.at = a.at > b.at ? a.at : b.at, .trace = a.trace ? a.trace : b.trace};
}

bool deadline_passed(struct deadline deadline)
{
        return deadline.at != INT64_MAX && clock_monotonic() >= deadline.at;
}

nsec deadline_left(struct deadline deadline)
{
        if (deadline.at == INT64_MAX)
                return INT64_MAX;
        nsec left = deadline.at - clock_monotonic();
        return left > 0 ? left : 0;
}

int deadline_left_ms(struct deadline deadline)
{
        nsec left = deadline_left(deadline);
        if (left == INT64_MAX)
                return -1;
        nsec ms = (left + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
        return ms > INT_MAX ? INT_MAX : (int)ms;
}

int duration_parse(const char *string, nsec *ret, struct error *error)
{
        nsec total = 0;
        size_t next_unit = 0;
        const char *at = string;
        if (strcmp(string, "0") == 0) {
                *ret = 0;
                return 0;
        }
        while (isdigit((unsigned char)*at)) {
                nsec number = 0;
                while (isdigit((unsigned char)*at)) {
                        if (__builtin_mul_overflow(number, 10, &number) ||
                            __builtin_add_overflow(number, *at - '0', &number))
                                return error_set(error, ERANGE, "the duration '%s' is too long", string);
                        at++;
                }
                size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz");
                size_t unit = next_unit;
                while (unit < N_ELEMENTS(units) &&
                       (strlen(units[unit].name) != length || strncmp(units[unit].name, at, length) != 0))
                        unit++;
                if (unit == N_ELEMENTS(units))
                        break;
                if (__builtin_mul_overflow(number, units[unit].length, &number) ||
                    __builtin_add_overflow(total, number, &total))
                        return error_set(error, ERANGE, "the duration '%s' is too long", string);
                next_unit = unit + 1;
                at += length;
                if (*at == '\0') {
                        *ret = total;
                        return 0;
                }
        }
        return error_set(error, EINVAL, "'%s' is not a duration such as 30s, 5m, 1h30m or 1d", string);
}

const char *duration_format(nsec duration, char buffer[static DURATION_TEXT_MAX])
{
        size_t used = 0, parts = 0;
        if (duration < NSEC_PER_MSEC) {
                strcpy(buffer, "0s");
                return buffer;
        }
        /* Weeks and years are for reading, not for writing: "7d" is said more often than "1w". */
        for (size_t i = 2; i < N_ELEMENTS(units) && parts < 2; i++) {
                nsec count = duration / units[i].length;
                if (count == 0) {
                        if (parts > 0)
                                break;
                        continue;
                }
                used += (size_t)snprintf(buffer + used, DURATION_TEXT_MAX - used, "%lld%s", (long long)count,
                                         units[i].name);
                duration %= units[i].length;
                parts++;
        }
        return buffer;
}

const char *time_format(nsec wall, char buffer[static TIME_TEXT_MAX])
{
        time_t seconds = (time_t)(wall / NSEC_PER_SEC);
        nsec rest = wall % NSEC_PER_SEC;
        if (rest < 0) {
                rest += NSEC_PER_SEC;
                seconds--;
        }
        struct tm tm;
        gmtime_r(&seconds, &tm);
        size_t used = strftime(buffer, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(buffer + used, TIME_TEXT_MAX - used, ".%03dZ", (int)(rest / NSEC_PER_MSEC));
        return buffer;
}

int time_parse(const char *string, nsec *ret_wall, struct error *error)
{
        struct tm tm = {0};
        const char *at = strptime(string, "%Y-%m-%dT%H:%M:%S", &tm);
        if (!at)
                goto invalid;

        nsec fraction = 0;
        if (*at == '.') {
                nsec digit = NSEC_PER_SEC / 10;
                if (!isdigit((unsigned char)at[1]))
                        goto invalid;
                for (at++; isdigit((unsigned char)*at); at++, digit /= 10)
                        fraction += (*at - '0') * digit;
        }

        int offset = 0;
        if (*at == '+' || *at == '-') {
                int hours, minutes, used = 0;
                if (sscanf(at + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || used != 5 || hours > 23 ||
                    minutes > 59)
                        goto invalid;
                offset = (hours * 3600 + minutes * 60) * (*at == '-' ? -1 : 1);
                at += 6;
        } else if (*at == 'Z' || *at == 'z')
                at++;
        else
                goto invalid;
        if (*at)
                goto invalid;

        /* Go's zero time, year 1, means "none"; and nothing before 1970 is ever meant here. */
        time_t seconds = timegm(&tm) - offset;
        if (seconds > INT64_MAX / NSEC_PER_SEC - 1)
                goto invalid;
        *ret_wall = seconds < 0 ? 0 : (nsec)seconds * NSEC_PER_SEC + fraction;
        return 0;
invalid:
        return error_set(error, EINVAL, "'%s' is not an RFC 3339 time", string);
}
