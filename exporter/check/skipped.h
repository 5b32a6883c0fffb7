/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run could not measure although the rest was: an item that costs itself and nothing else.
 *
 * A kind says so by check_skip() on the sink that it has. How many there were for each reason is a metric of
 * the last run, and which they were is logged once, until it changes. A run that measured nothing at all has
 * failed instead.
 */
#ifndef EXPORTER_CHECK_SKIPPED_H
#define EXPORTER_CHECK_SKIPPED_H

#include "runbook/metrics.h"

/* Why; new ones come at the end, with their word in skip_reasons. */
enum skip_reason {
        SKIP_UNREADABLE,   /* the exporter may not read it, or it cannot be read */
        SKIP_MALFORMED,    /* not of the form it should be */
        SKIP_NOT_UTF8,     /* its name or label cannot stand on a page */
        SKIP_UNKNOWN_UNIT, /* a number whose unit has no meaning here */
        SKIP_DUPLICATE,    /* the same series was there before */
        SKIP_BEYOND_LIMIT, /* too long, too deep, too many */
        SKIP_RESERVED,     /* it has a label that is the exporter's own */
        SKIP_MISSING,      /* what is looked for in it is not there */
        SKIP_REASONS,
};
extern const char *const skip_reasons[SKIP_REASONS]; /* as the label `reason` has them */

/* The items that one run skipped; filled by its thread, then read by any. */
struct skipped_items {
        struct {
                uint64_t count;
                struct text items; /* the first of them in words, "; " between them */
        } of[SKIP_REASONS];
};

/*
 * One item was skipped. The words say which and why, "lost+found: Permission denied", and hold no value that
 * a peer sent: they are logged. Nothing happens for a set that keeps none.
 */
void check_skip(struct sample_sink *sink, enum skip_reason reason, const char *format, ...) _printf_(3, 4);

/* Skips the counters of the sink that no counter can be: with one of them a reader of OpenMetrics refuses the
 * whole page. */
void check_skip_invalid(struct sample_sink *sink);

/* Finds the series of the sink that are there twice: all but one of each are skipped. Which one stands for
 * them is verdict_judge()'s matter. */
void check_skip_repeated(struct sample_sink *sink);

/* The items of a reason that a log line shows; "" when there are none. Borrowed. */
const char *skipped_items_text(const struct skipped_items *skipped, enum skip_reason reason);

void skipped_items_release(struct skipped_items *skipped);

#endif
