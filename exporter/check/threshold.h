/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `warn:` and `fail:` of a check: conditions over its own samples, as they would stand in PromQL.
 *
 *     runbook_disk_used_ratio > 80%
 *     runbook_api_key_expiry_timestamp_seconds - time() < 7d
 *     sum(runbook_postgres_connections{database="mcp"}) / runbook_postgres_max_connections > 0.9
 *
 * A condition is one operand, or two with `-` or `/` between them; a comparison; and a number, which may be
 * a percentage, a duration (of what is in seconds) or a size (of what is in bytes). An operand is a metric of
 * the check with labels that must be equal, its sum, min or max, or time(). Two metrics meet where their
 * labels are the same; an aggregate meets every series. What was not measured is never beyond a threshold,
 * and not within it either: verdict.h.
 */
#ifndef EXPORTER_CHECK_THRESHOLD_H
#define EXPORTER_CHECK_THRESHOLD_H

#include "runbook/config.h"
#include "runbook/metrics.h"
#include "runbook/units.h"

enum threshold_level { THRESHOLD_WARN, THRESHOLD_FAIL, THRESHOLD_LEVELS };
extern const char *const threshold_levels[]; /* "warn", "fail" */

enum aggregate { AGGREGATE_NONE, AGGREGATE_SUM, AGGREGATE_MIN, AGGREGATE_MAX, AGGREGATES };

struct operand {
        char *metric;                       /* NULL: time() */
        const struct metric_family *family; /* of that name; NULL before thresholds_bind() */
        enum aggregate aggregate;
        struct config_strings labels; /* each as it is rendered in a sample: name="value" */
};

/* What it says of a check that there is nothing of what one of its conditions, or metrics, is about. */
enum when_empty { WHEN_EMPTY_UNKNOWN, WHEN_EMPTY_PASS };
extern const char *const when_empty_choices[];

struct threshold {
        enum threshold_level level;
        size_t place; /* in the list of its level */
        struct operand operands[2];
        size_t operand_count;
        char operator; /* '-' or '/' between two operands */
        const char *comparison;
        double limit;
        enum value_unit unit; /* as it was written */
        int when_empty;       /* enum when_empty */
        char *expression;     /* what is compared, as it was written, blanks made even: "a / b" */
        char *written;        /* all of it: "a / b > 80%" */
};

struct thresholds {
        struct threshold *items;
        size_t count;
};

/*
 * Reads `warn` and `fail` of a check's entry: a condition or a list of them, each as its text, or as
 * `{if: TEXT, when_empty: pass}`; `when_empty` is for those that do not say it. Complains about each that is
 * wrong. -ENOMEM is all that is answered.
 */
int thresholds_read(struct config_node *entry, enum when_empty when_empty, struct thresholds *ret);
void thresholds_release(struct thresholds *thresholds);

/* Finds the families that the operands name among those of the check; complains where there is none. */
void thresholds_bind(struct thresholds *thresholds, const struct metric_family *const *families,
                     const struct metric_family *const *own_families, struct config_node *entry);

/* How one series stands to one threshold. `labels` as in a page, without braces and those that all series of
 * the check have behind their own; "" of an aggregate. */
struct judgement {
        const struct threshold *threshold;
        double value;
        const char *labels;
        size_t labels_length;
        bool beyond;
        bool no_number;    /* NaN: beyond nothing, and within nothing */
        size_t samples[2]; /* of the operands in the set; SIZE_MAX: of none */
};

/*
 * Judges every series that the threshold speaks of, in the order of the samples. `wall` is what time() says.
 * `each` may be NULL. A series whose other operand is not there, and nothing divided by nothing, is passed
 * over. Answers how many are beyond. Takes no memory.
 */
size_t threshold_judge(const struct threshold *threshold, const struct sample_set *set, nsec wall,
                       void (*each)(const struct judgement *judgement, void *context), void *context);

/* The labels of the series without the check's name: `{mountpoint="/"}`, nothing when it has no others. */
void judgement_put_series(struct text *text, const struct judgement *judgement);

/* The value in the unit that the limit is written in, and the series: `83.2 % {mountpoint="/"}`. */
void judgement_put(struct text *text, const struct judgement *judgement);

/* The rendered labels of a check's sample without the first, which is the check's name. `length` is theirs,
 * and then of what is answered. */
const char *labels_without_check(const char *labels, size_t *length);

#endif
