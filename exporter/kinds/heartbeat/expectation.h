/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a job is expected to have succeeded again, and whether it is late.
 *
 * With a period it is late by the time that has passed, which no change of the wall clock lengthens or
 * shortens (of the time before the exporter was started, only the wall clock knows). With cron it is late by
 * the wall clock, since that is what the job is started by.
 */
#ifndef EXPORTER_KINDS_HEARTBEAT_EXPECTATION_H
#define EXPORTER_KINDS_HEARTBEAT_EXPECTATION_H

#include "exporter/kinds/heartbeat/cron.h"
#include "exporter/pings/pings.h"

struct schedule_of_job {
        nsec period; /* 0: by cron */
        struct cron cron;
        struct zone *zone; /* borrowed */
        nsec grace;
};

struct expectation {
        nsec by; /* wall time of the next success, the grace included */
        bool late;
};

/* Of a job that has been heard of; it was to succeed first after it was heard of for the first time. */
struct expectation expectation_of(const struct schedule_of_job *job, const struct ping_record *record,
                                  nsec wall, nsec steady);

#endif
