/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Families and samples, and the page of them.
 *
 * A sample set is filled by one thread and then read by any number. Labels are rendered once, when the
 * sample is added (`db="0",check="redis"`), which makes encoding a page little more than copying. One set
 * knows nothing of another: families that come from several sets are brought together by the page.
 *
 * lib/metrics is all that is known of Prometheus' formats, for what both daemons serve and for what is read
 * of others. Nothing in it knows what is measured. It uses lib/base and lib/config.
 */
#ifndef RUNBOOK_METRICS_H
#define RUNBOOK_METRICS_H

#include "runbook/clock.h"
#include "runbook/error.h"
#include "runbook/text.h"

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM, METRIC_INFO, METRIC_TYPES /* how many */ };

/* name: with prefix, unit and, for counters, `_total`, for infos `_info`. unit: "seconds", "bytes", … or
 * NULL. */
struct metric_family {
        const char *name;
        enum metric_type type;
        const char *unit;
        const char *help; /* one sentence */
};

/*
 * The families of a file are one list: none can be emitted and forgotten in what the reference tells.
 *
 *     #define FAMILIES(X)                                                                             \
 *             X(ping, GAUGE, "runbook_redis_ping_seconds", "seconds", "How long PING took.")           \
 *             X(uptime, …)
 *
 *     FAMILIES(DEFINE_FAMILY)
 *     static const struct metric_family *const families[] = {FAMILIES(FAMILY_ADDRESS) NULL};
 *
 * A list that several files emit from stands in their header, with DECLARE_FAMILY; one of them says
 * DEFINE_SHARED_FAMILY.
 */
#define DEFINE_FAMILY(variable, type, name, unit, help) \
        static const struct metric_family variable = {name, METRIC_##type, unit, help};
#define FAMILY_ADDRESS(variable, ...) &variable,
#define DECLARE_FAMILY(variable, ...) extern const struct metric_family variable;
#define DEFINE_SHARED_FAMILY(variable, type, name, unit, help) \
        const struct metric_family variable = {name, METRIC_##type, unit, help};

struct label {
        const char *name, *value; /* a NULL or empty value leaves the label out */
};

/*
 * The exponential buckets of a native histogram, for values from zero on. Bucket `index` is for values in
 * (base^(index-1), base^index], where base is 2^(2^-schema). When all places are taken, neighbours are joined
 * and the base is squared; the coarsest schema, -4, needs 73.
 */
enum { NATIVE_BUCKETS_MAX = 80 };
struct native_bucket {
        int64_t index;
        uint64_t count;
};
struct native_buckets {
        int32_t schema;
        uint32_t count;        /* of buckets */
        double zero_threshold; /* values up to it are counted as zero */
        uint64_t zero_count;
        struct native_bucket buckets[NATIVE_BUCKETS_MAX]; /* by rising index, none of them empty */
};

/* Bounds are upper limits in rising order; the bucket +Inf is implied. */
struct histogram {
        const double *bounds;
        size_t bound_count;
        uint64_t *counts; /* bound_count + 1, not cumulative */
        double sum;
        struct native_buckets *native; /* NULL: it has none */
};

/* The bounds are borrowed. The second one has native buckets, too; formats without them leave them out. */
int histogram_init(struct histogram *histogram, const double *bounds, size_t count);
int histogram_init_native(struct histogram *histogram, const double *bounds, size_t count);
void histogram_observe(struct histogram *histogram, double value); /* NaN is not counted */
void histogram_release(struct histogram *histogram);

/* `name="value"` as it stands on a page: escaped, invalid UTF-8 replaced, cut after 1024 bytes. */
void label_put(struct text *text, const struct label *label);

struct sample {
        const struct metric_family *family;
        uint32_t labels_offset, labels_length; /* in the set's arena, rendered, without braces */
        uint8_t suffix;                        /* SAMPLE_PLAIN, or which row of a histogram */
        bool repeated;                         /* the same series came before it in the set */
        uint16_t fixed_length;                 /* how much of the labels' end is the set's `fixed` */
        bool kept, cut; /* of who has too many: not to be cut; on no page, although it is in the set */
        double value;
};

/* The rows of a histogram, in this order. SAMPLE_NATIVE is no series: its labels are a native_buckets. */
enum { SAMPLE_PLAIN, SAMPLE_BUCKET, SAMPLE_SUM, SAMPLE_COUNT, SAMPLE_NATIVE };

struct sample_set {
        struct sample *samples;
        size_t count, capacity;
        size_t limit;               /* most samples taken; 0: no limit */
        uint64_t dropped;           /* samples over the limit */
        struct text arena;          /* rendered labels */
        const struct label *common; /* put before every sample's own labels; borrowed; not to be changed once
                                       there are samples */
        size_t common_count;
        size_t common_at, common_length; /* where they stand rendered in the arena */
        const struct label *fixed; /* put behind them, but for one whose name a sample has itself; borrowed */
        size_t fixed_count;
        uint64_t shadowed;             /* how often one was left out for that */
        const char *shadowed_name;     /* the last of them */
        struct skipped_items *skipped; /* where who fills it puts down what it had to leave out; NULL:
                                          nowhere. Borrowed, and no matter of this room */
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

/*
 * Marks the plain samples whose series came before in the set, which pages leave out; their number. Where a
 * later one is to be kept and the first is not, they change places. Without memory none is marked, and the
 * set's error says so.
 */
size_t sample_set_mark_repeated(struct sample_set *set);

/* Empties and keeps the memory; release frees it. */
void sample_set_clear(struct sample_set *set);
void sample_set_release(struct sample_set *set);

/* How a page is spelled. OpenMetrics 0.0.1 is 1.0.0 under its draft's name. */
enum metrics_format {
        METRICS_TEXT,
        METRICS_OPENMETRICS_0,
        METRICS_OPENMETRICS_1,
        METRICS_OPENMETRICS_2,
        METRICS_PROTOBUF,
        METRICS_FORMATS, /* how many there are */
};

/* The value of Content-Type. */
const char *metrics_content_type(enum metrics_format format);

/*
 * Writes all sets as one page: families sorted by name, each described once, samples of one family in the
 * order of the sets. A series that came before is left out and counted in `ret_duplicates` (may be NULL).
 * `names`, closed by NULL, are the families wanted; NULL: all. -ENOMEM.
 */
int metrics_encode(enum metrics_format format, const struct sample_set *const *sets, size_t count,
                   const char *const *names, struct text *text, uint64_t *ret_duplicates);

/* Whether one of `names` is the family's, or that of one of its histogram's rows. */
bool metrics_family_named(const struct metric_family *family, const char *const *names);

/* The same in the text format 0.0.4, of all families. */
int metrics_encode_text(const struct sample_set *const *sets, size_t count, struct text *text,
                        uint64_t *ret_duplicates);

#define METRICS_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The standard process_* families of this process, from /proc/self. */
void metrics_process(struct sample_sink *sink);

/* True for [a-zA-Z_:][a-zA-Z0-9_:]*, and for labels without ':' and not starting with "__". */
bool metric_name_valid(const char *name);
bool label_name_valid(const char *name);

#endif
