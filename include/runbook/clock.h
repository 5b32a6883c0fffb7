/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: durations and instants are nanoseconds in an int64_t (`nsec`), so nothing is ever rounded twice.
 *
 * A deadline is an instant of CLOCK_MONOTONIC and is handed down through every call that may wait; each
 * takes what is left of it. A wall time counts from the Unix epoch and is only ever recorded or shown.
 */
#ifndef RUNBOOK_CLOCK_H
#define RUNBOOK_CLOCK_H

#include "runbook/common.h"
#include "runbook/error.h"

typedef int64_t nsec;

#define NSEC_PER_SEC ((nsec)1000000000)
#define NSEC_PER_MSEC ((nsec)1000000)

struct trace; /* runbook/trace.h */

struct deadline {
        nsec at;             /* CLOCK_MONOTONIC */
        struct trace *trace; /* who listens to what is done until then; NULL, as a rule: nobody. Borrowed */
};

#define DEADLINE_NEVER ((struct deadline){.at = INT64_MAX})

nsec clock_monotonic(void);
nsec clock_wall(void);

struct deadline deadline_in(nsec duration);
/* The earlier or the later instant; whoever listens to one of them listens to it. */
struct deadline deadline_earlier(struct deadline a, struct deadline b);
struct deadline deadline_later(struct deadline a, struct deadline b);
bool deadline_passed(struct deadline deadline);

/* What is left, never negative. */
nsec deadline_left(struct deadline deadline);

/* What is left in milliseconds, rounded up, for poll() and libcurl: 0 when passed, -1 for never. */
int deadline_left_ms(struct deadline deadline);

static inline double nsec_to_seconds(nsec duration)
{
        return (double)duration / 1e9;
}

/* Also of what a peer says: what is beyond all times is the last one, or the first; NaN is 0. */
static inline nsec seconds_to_nsec(double seconds)
{
        const double most = 9.2e18, duration = seconds * 1e9;
        if (duration >= most)
                return INT64_MAX;
        if (duration <= -most)
                return INT64_MIN;
        return duration == duration ? (nsec)duration : 0;
}

/*
 * Prometheus' duration syntax: "30s", "5m", "1h30m", "1d", "1w", "250ms"; "0" is zero. A number without a
 * unit is refused: -EINVAL, and the sentence says what would be right.
 */
int duration_parse(const char *string, nsec *ret, struct error *error);

/* The same syntax back, at most two units ("1m30s", "4h"); `buffer` is filled and returned. */
#define DURATION_TEXT_MAX 32
const char *duration_format(nsec duration, char buffer[static DURATION_TEXT_MAX]);

/* RFC 3339 in UTC with milliseconds, "2026-01-31T12:00:00.000Z". */
#define TIME_TEXT_MAX 40
const char *time_format(nsec wall, char buffer[static TIME_TEXT_MAX]);

/* RFC 3339 with any fraction and offset, as Alertmanager and Docker write it. Year 1 reads as 0. */
int time_parse(const char *string, nsec *ret_wall, struct error *error);

#endif
