/* SPDX-License-Identifier: Apache-2.0 */
/* The Gregorian calendar, whatever the clocks of a place show. Thread-safe; for years that an int holds. */
#ifndef RUNBOOK_CALENDAR_H
#define RUNBOOK_CALENDAR_H

#include "runbook/common.h"

struct calendar_date {
        int64_t year;
        int month, day, weekday; /* from 1; from 1; 0: Sunday */
};

/* Days since 1970-01-01, and back. */
int64_t calendar_days(int64_t year, int month, int day);
struct calendar_date calendar_date(int64_t days);

#endif
