/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a format is: how it spells the families and the series of a page, which is walked in one place.
 *
 * A new format is one file with a `const struct metrics_writer`, and a line in the table of encode.c.
 * Writers append to `out->text`, whose error sticks, and keep nothing between pages.
 */
#ifndef LIB_METRICS_WRITER_H
#define LIB_METRICS_WRITER_H

#include "lib/metrics/page.h"

/* Where a page is written to. */
struct metrics_output {
        struct text *text;
        const struct metrics_page *page;
        const struct metrics_group *group; /* the present family */
        size_t name_length;                /* of its name */
        void *state;                       /* of the writer, between begin_page() and end_page() */
};

/* Every function may be NULL, when the format has nothing to say there. */
struct metrics_writer {
        int (*begin_page)(struct metrics_output *out); /* after it, end_page() is always called */
        void (*begin_family)(struct metrics_output *out);
        void (*number)(struct metrics_output *out, const struct metrics_row *row);
        /* The rows of one histogram: buckets, sum, count, and its native buckets when it has some. */
        void (*histogram)(struct metrics_output *out, const struct metrics_row *rows, size_t count);
        void (*end_family)(struct metrics_output *out);
        void (*end_page)(struct metrics_output *out);
};

extern const struct metrics_writer metrics_writer_text, metrics_writer_openmetrics_1,
        metrics_writer_openmetrics_2, metrics_writer_protobuf;

/* "name_suffix{labels} value\n", which all texts share. */
void metrics_put_row(struct metrics_output *out, const struct metrics_row *row);
void metrics_put_rows(struct metrics_output *out, const struct metrics_row *rows, size_t count);

/* The upper bound of a bucket's row as it is spelled in its labels; not closed by NUL. */
const char *metrics_row_bound(const struct metrics_row *row, size_t *ret_length);

/* What a row of SAMPLE_NATIVE holds. */
void metrics_row_native(const struct metrics_row *row, struct native_buckets *ret);

/* Consecutive buckets of native ones; answers how many from `first` on. */
uint32_t native_span(const struct native_buckets *native, uint32_t first);

#endif
