/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdict over what one run measured: by every condition of its check, over every series, be it on the
 * page or cut from it.
 *
 * No data is no verdict. A condition is judged when it was over one series at least, and every value of it
 * was a number; else it is *unknown*, as is a metric that the operator defined and that has no series. A
 * check that says `when_empty: pass` takes no series for none to worry about.
 */
#ifndef EXPORTER_CHECK_VERDICT_H
#define EXPORTER_CHECK_VERDICT_H

#include "exporter/check/check.h"

/* So many series of one run are judged at most. With more, nothing can be said of them all. */
#define JUDGED_SERIES_MAX 20000

/* Of what is beyond one level, this many series are shown to people; how many there are is always told. */
#define JUDGEMENTS_SHOWN 20

struct condition_verdict {
        size_t judged, beyond, no_number; /* series; those that are no number are among the judged */
};

struct verdict {
        const struct check *check;
        struct condition_verdict *conditions;      /* of check->thresholds, in their order */
        size_t beyond[THRESHOLD_LEVELS];           /* how many series are beyond a condition of the level */
        struct judgement *shown[THRESHOLD_LEVELS]; /* the first of them */
        const struct metric_family **silent;       /* the operator's metrics that have no series */
        size_t silent_count;
        uint64_t unjudged; /* series beyond JUDGED_SERIES_MAX */
        uint64_t cut;      /* series that are on no page, the unjudged among them */
};

/* Makes room, so that judging cannot fail. `own_families` as the kind tells them; may be NULL. -ENOMEM. */
int verdict_init(struct verdict *verdict, const struct check *check,
                 const struct metric_family *const *own_families);
void verdict_release(struct verdict *verdict);

/*
 * Judges the samples of a run, which stay where they are as long as the verdict is read, and then cuts what
 * is over the check's `max_series` from the page: the last ones, but for those that are beyond a condition,
 * so that page, verdict and alerts agree. For the same reason one of several equal series that is beyond
 * stands for all of them. `own_families` as before. Without repeated series it takes no memory.
 */
void verdict_judge(struct verdict *verdict, struct sample_set *set,
                   const struct metric_family *const *own_families, nsec wall);

/* How many conditions and metrics nothing is known of. */
size_t verdict_count_unknown(const struct verdict *verdict);

/*
 * Tells what is not as it should be, one thing at a time: `what` ("83 % {mountpoint="/"}") and what it is
 * `about`
 * ("warn: runbook_disk_used_ratio > 80%"), NULL where that is said. First the series that are beyond a
 * condition, those of fail before the others; then what nothing is known of. A run that failed says itself
 * what is not known.
 */
typedef void (*verdict_teller)(const char *what, const char *about, void *context);
void verdict_tell_beyond(const struct verdict *verdict, verdict_teller tell, void *context);
void verdict_tell_unknown(const struct verdict *verdict, verdict_teller tell, void *context);

/* A teller that writes lines, for a terminal. */
struct verdict_lines {
        struct text *text;
        const char *indentation;
};
void verdict_put_line(const char *what, const char *about, void *lines);

#endif
