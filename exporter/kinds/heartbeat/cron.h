/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times as crontab(5) writes them: when the next one comes, by the clocks of a place.
 *
 * Where the clocks are changed, it is as Debian's cron does it. A job of fixed times runs once: at the end of
 * an hour that was left out, and the first time of an hour that comes twice. A job whose minutes or hours
 * begin with * goes by what the clocks show, so that it is not run in the hour that was left out, and runs in
 * both.
 */
#ifndef EXPORTER_KINDS_HEARTBEAT_CRON_H
#define EXPORTER_KINDS_HEARTBEAT_CRON_H

#include "runbook/error.h"
#include "runbook/zone.h"

#define CRON_NEVER INT64_MAX

struct cron {
        uint64_t fields[5];        /* minute, hour, day, month, weekday: a bit for each value that matches */
        bool any_day, any_weekday; /* the field begins with *: then only the other one says which days */
        bool by_clock;
};

/* Five fields, or @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually. -EINVAL with the field
 * and what would be right. */
int cron_parse(const char *text, struct cron *ret, struct error *error);

/* The first time after `after`, both Unix times in seconds; CRON_NEVER when there is none in fifty years. */
int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after);

#endif
