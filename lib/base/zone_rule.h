/* SPDX-License-Identifier: Apache-2.0 */
/* The rule at the end of a zone's file, which holds after its last change: "CET-1CEST,M3.5.0,M10.5.0/3". */
#ifndef LIB_BASE_ZONE_RULE_H
#define LIB_BASE_ZONE_RULE_H

#include "runbook/zone.h"

/* The day of a year on which the clocks are changed. */
struct zone_day {
        char form; /* 'M': a weekday of a month, 'J': a day without 29 February, 'D': a day from 0 */
        int month, week, day; /* of 'M'; else the number of the day in `day` */
        int32_t time;         /* local, in seconds; may be before the day or behind it */
};

struct zone_rule {
        int32_t standard, summer; /* local time less UTC */
        bool changes;             /* twice a year; else it is always standard */
        struct zone_day begins, ends;
};

/* POSIX' form of TZ, with the wider hours of RFC 9636. False when it is none. */
bool zone_rule_parse(const char *text, struct zone_rule *ret);

struct zone_period zone_rule_period_at(const struct zone_rule *rule, int64_t at);

#endif
