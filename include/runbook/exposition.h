/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prometheus' text format, read: the samples of a page, one after the other, and the pieces that conditions
 * and matchers are written with as well, names and strings in double quotes.
 * (prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4, with the names in quotes of 1.0.0 and
 * what OpenMetrics adds to a line: timestamps with a fraction, exemplars)
 *
 * Nothing is copied but the labels of one sample. What a program or a neighbour wrote is not trusted: lines
 * and labels have limits. One line that is no sample is told, and the next one can be read: whether the page
 * is of any use then is for its reader to say. Reentrant; a page is read by one thread.
 */
#ifndef RUNBOOK_EXPOSITION_H
#define RUNBOOK_EXPOSITION_H

#include "runbook/metrics.h"

enum { EXPOSITION_LABELS_MAX = 64, EXPOSITION_LINE_MAX = 1024 * 1024 };

struct exposition {
        const char *at, *end;
        size_t line;      /* number of the line that was read last */
        struct text text; /* the name, then names and values of the labels, unescaped, each closed by NUL */
        size_t name_offset;
        bool named; /* the present line has its name */
        size_t offsets[2 * EXPOSITION_LABELS_MAX];
        struct label labels[EXPOSITION_LABELS_MAX];
};

/* Valid until the next one is read. */
struct exposition_sample {
        const char *name; /* of the series: of a histogram's rows with their suffix; in quotes it may be any
                             text that is not empty */
        const struct label *labels; /* by valid names, each of which comes once */
        size_t label_count;
        double value;
        bool in_braces; /* the labels, if only none */
};

/* `data` is borrowed, and data[length] is NUL. */
void exposition_init(struct exposition *page, const char *data, size_t length);
void exposition_release(struct exposition *page);

/*
 * The next sample; comments, empty lines, timestamps and exemplars are passed over, and a backslash that
 * means nothing stays, as Prometheus has it. 1, or 0 at the end. -EPROTO when line `page->line` is no sample,
 * -E2BIG when it goes beyond a limit: `ret->name` then is the name that the line begins with, perhaps "",
 * when what follows can belong to a series, NULL otherwise; the next call reads the next line. -ENOMEM.
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
