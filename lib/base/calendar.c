/* SPDX-License-Identifier: Apache-2.0 */
/* Days and dates, by the C library. */
#include "runbook/calendar.h"

#include <time.h>

enum { DAY = 86400 };

int64_t calendar_days(int64_t year, int month, int day)
{
        struct tm parts = {.tm_year = (int)(year - 1900), .tm_mon = month - 1, .tm_mday = day};
        return timegm(&parts) / DAY;
}

struct calendar_date calendar_date(int64_t days)
{
        const time_t seconds = days * DAY;
        struct tm parts = {0};
        gmtime_r(&seconds, &parts);
        return (struct calendar_date){parts.tm_year + (int64_t)1900, parts.tm_mon + 1, parts.tm_mday,
                                      parts.tm_wday};
}
