/* SPDX-License-Identifier: Apache-2.0 */
/* Late or not. */
#include "exporter/kinds/heartbeat/expectation.h"

/* Clocks of two machines differ a little: a success this long before the time that cron has for it is that
 * time's, and not the one before's. */
#define CLOCK_SKEW 5

/* The sum, or the end of time. */
static nsec later(nsec time, nsec duration)
{
        nsec sum;
        return __builtin_add_overflow(time, duration, &sum) ? INT64_MAX : sum;
}

struct expectation expectation_of(const struct schedule_of_job *job, const struct ping_record *record,
                                  nsec wall, nsec steady)
{
        enum ping_fact last = record->facts[PING_SUCCEEDED] == PING_UNKNOWN ? PING_FIRST : PING_SUCCEEDED;
        struct expectation expectation = {.by = INT64_MAX};
        if (job->period > 0) {
                nsec patience = later(job->period, job->grace);
                expectation.by = later(record->facts[last], patience);
                expectation.late = steady - record->steady[last] > patience;
                return expectation;
        }
        int64_t next = cron_next(&job->cron, job->zone, record->facts[last] / NSEC_PER_SEC + CLOCK_SKEW);
        if (next < INT64_MAX / NSEC_PER_SEC)
                expectation.by = later(next * NSEC_PER_SEC, job->grace);
        expectation.late = wall > expectation.by;
        return expectation;
}
