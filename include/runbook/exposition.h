/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prometheus' text format, read: the samples of a page, one after the other, and the pieces that conditions
 * and matchers are written with as well, names and strings in double quotes.
 * (prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4)
 *
 * Nothing is copied but the labels of one sample. What a program or a neighbour wrote is not trusted: lines
 * and labels have limits, and one line that is no sample makes the page none. Reentrant; a page is read by
 * one thread.
 */
#ifndef RUNBOOK_EXPOSITION_H
#define RUNBOOK_EXPOSITION_H

#include "runbook/metrics.h"

enum { EXPOSITION_LABELS_MAX = 64, EXPOSITION_LINE_MAX = 1024 * 1024 };

struct exposition {
        const char *at, *end;
        size_t line;      /* number of the line that was read last */
        struct text text; /* the name, then names and values of the labels, unescaped, each closed by NUL */
        size_t offsets[2 * EXPOSITION_LABELS_MAX];
        struct label labels[EXPOSITION_LABELS_MAX];
};

/* Valid until the next one is read. */
struct exposition_sample {
        const char *name;           /* of the series: of a histogram's rows with their suffix */
        const struct label *labels; /* by valid names, each of which comes once */
        size_t label_count;
        double value;
};

/* `data` is borrowed, and data[length] is NUL. */
void exposition_init(struct exposition *page, const char *data, size_t length);
void exposition_release(struct exposition *page);

/*
 * The next sample; comments, empty lines and timestamps are passed over. 1, or 0 at the end; -EPROTO when
 * line `page->line` is no sample, or goes beyond a limit; -ENOMEM.
 */
int exposition_next(struct exposition *page, struct exposition_sample *ret);

/* How many characters at `at` can stand in a name: of a label, and with ':' of a metric. Whether they are one
 * say label_name_valid() and metric_name_valid(). */
size_t label_name_length(const char *at);
size_t metric_name_length(const char *at);

/* What a backslash means that stands before anything but '"', '\' and 'n'. */
enum quoted_escape { ESCAPE_REFUSED, ESCAPE_KEPT, ESCAPE_DROPPED };

/*
 * Appends what the string in double quotes at `at` says to `value`. The place behind it; NULL when none
 * begins there, when it does not close before `end`, or when it holds NUL.
 */
const char *quoted_read(const char *at, const char *end, enum quoted_escape other, struct text *value);

#endif
