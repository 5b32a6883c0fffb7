/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Families and samples, and the page of them.
 *
 * A sample set is filled by one thread and then read by any number. Labels are rendered once, when the
 * sample is added (`db="0",check="redis"`), which makes encoding a page little more than copying. One set
 * knows nothing of another: families that come from several sets are brought together by the page.
 */
#ifndef RUNBOOK_METRICS_H
#define RUNBOOK_METRICS_H

#include "runbook/clock.h"
#include "runbook/error.h"
#include "runbook/text.h"

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM, METRIC_INFO };

/* name: with prefix, unit and, for counters, `_total`, for infos `_info`. unit: "seconds", "bytes", … or
 * NULL. */
struct metric_family {
        const char *name;
        enum metric_type type;
        const char *unit;
        const char *help; /* one sentence */
};

struct label {
        const char *name, *value; /* a NULL or empty value leaves the label out */
};

/* Bounds are upper limits in rising order; the bucket +Inf is implied. */
struct histogram {
        const double *bounds;
        size_t bound_count;
        uint64_t *counts; /* bound_count + 1, not cumulative */
        double sum;
};

int histogram_init(struct histogram *histogram, const double *bounds, size_t count); /* bounds are borrowed */
void histogram_observe(struct histogram *histogram, double value);
void histogram_release(struct histogram *histogram);

struct sample {
        const struct metric_family *family;
        uint32_t labels_offset, labels_length; /* in the set's arena, rendered, without braces */
        uint8_t suffix;                        /* SAMPLE_PLAIN, or which row of a histogram */
        double value;
};

enum { SAMPLE_PLAIN, SAMPLE_BUCKET, SAMPLE_SUM, SAMPLE_COUNT };

struct sample_set {
        struct sample *samples;
        size_t count, capacity;
        size_t limit;               /* most samples taken; 0: no limit */
        uint64_t dropped;           /* samples over the limit */
        struct text arena;          /* rendered labels */
        const struct label *common; /* put before every sample's own labels; borrowed */
        size_t common_count;
        int error;
};

/* What a check writes its samples to. */
struct sample_sink {
        struct sample_set *set;
};

/* Adds one sample. Label values are escaped, invalid UTF-8 replaced; errors stick to the set. */
void sample_add(struct sample_sink *sink, const struct metric_family *family, double value,
                const struct label *labels, size_t count);

/* The same for labels in place: SAMPLE(sink, &family, 1.0, {"db", "0"}, {"state", "idle"}). */
#define SAMPLE(sink, family, value, ...)                                           \
        sample_add((sink), (family), (value), (const struct label[]){__VA_ARGS__}, \
                   sizeof((const struct label[]){__VA_ARGS__}) / sizeof(struct label))
#define SAMPLE_BARE(sink, family, value) sample_add((sink), (family), (value), NULL, 0)

void sample_add_histogram(struct sample_sink *sink, const struct metric_family *family,
                          const struct histogram *histogram, const struct label *labels, size_t count);

/* Empties and keeps the memory; release frees it. */
void sample_set_clear(struct sample_set *set);
void sample_set_release(struct sample_set *set);

/*
 * Writes all sets as one page in the text format 0.0.4: families sorted by name, each with HELP and TYPE
 * once, samples of one family in the order of the sets. A series that came before is left out and counted in
 * `ret_duplicates` (may be NULL). -ENOMEM.
 */
int metrics_encode_text(const struct sample_set *const *sets, size_t count, struct text *text,
                        uint64_t *ret_duplicates);

#define METRICS_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The standard process_* families of this process, from /proc/self. */
void metrics_process(struct sample_sink *sink);

/* True for [a-zA-Z_:][a-zA-Z0-9_:]*, and for labels without ':' and not starting with "__". */
bool metric_name_valid(const char *name);
bool label_name_valid(const char *name);

#endif
