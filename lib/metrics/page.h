/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The samples of many sets brought into the order of a page, for the encoders.
 *
 * Every encoder walks the same groups and rows and only decides how they are spelled; so a new format is one
 * file beside text.c. Rows borrow from the sets, which must stay as they are meanwhile.
 */
#ifndef LIB_METRICS_PAGE_H
#define LIB_METRICS_PAGE_H

#include "runbook/metrics.h"

struct metrics_row {
        const struct sample *sample;
        const char *labels; /* sample->labels_length bytes, rendered, without braces; of SAMPLE_NATIVE: raw */
};

/* All rows of one family, one at least, in the order of the sets; those of one histogram follow each other.
 */
struct metrics_group {
        const struct metric_family *family;
        const struct metrics_row *rows;
        size_t count;
};

struct metrics_page {
        struct metrics_group *groups; /* sorted by the family's name */
        size_t group_count;
        struct metrics_row *rows;
        size_t row_count;
        /* Left out: a series that came before, or a family whose name came before with another type. */
        uint64_t duplicates;
};

#define _cleanup_metrics_page_ _cleanup_(metrics_page_release)

/*
 * Of the families that `names` has, closed by NULL; NULL: of all. Costs time and memory in proportion to the
 * number of samples. -ENOMEM, or the error of a set.
 */
int metrics_page_build(const struct sample_set *const *sets, size_t count, const char *const *names,
                       struct metrics_page *ret);
void metrics_page_release(struct metrics_page *page);

/* "_bucket", "_sum", "_count" or "", for a sample's suffix. */
const char *metrics_suffix(uint8_t suffix);

#endif
