/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one pattern counts: its matches, by labels that groups of it give, and a value that another one holds.
 *
 * There is a series without these labels always, from 0 on, of each member of the source. What cannot have a
 * series of its own is counted in it: labels that are too many, too long or no UTF-8, and a match in which no
 * such group took part. So the sum over all is that of all matches. One thread at a time.
 */
#ifndef EXPORTER_KINDS_LOG_COUNTER_H
#define EXPORTER_KINDS_LOG_COUNTER_H

#include "exporter/kinds/shared/operator_metric.h"

#define LOG_COUNTER_FAMILIES(X)                                                 \
        X(log_family_matched, COUNTER, "runbook_log_matched_lines_total", NULL, \
          "Lines in which the pattern was found.")

LOG_COUNTER_FAMILIES(DECLARE_FAMILY)

/* An entry of `patterns:`. */
struct log_pattern {
        char *name, *pattern;
        bool ignore_case;
        struct config_strings labels; /* groups */
        int64_t max_series;
        struct {
                char *group; /* NULL: there is no value */
                struct operator_metric metric;
                double factor;
                struct config_strings buckets;
        } value;
};
extern const struct config_field log_pattern_fields[];

struct log_counter;

/*
 * `given` is borrowed, and `node` its place, which is complained about: -EINVAL then. Also -ENOMEM. The lines
 * are of `members` members, which have the label `member_label`; NULL: none.
 */
int log_counter_new(const struct check *check, const struct log_pattern *given, struct config_node *node,
                    size_t members, const char *member_label, struct log_counter **ret);
struct log_counter *log_counter_free(struct log_counter *counter); /* takes NULL */

/* The family of its value; NULL: there is none. */
const struct metric_family *log_counter_family(const struct log_counter *counter);

/* A run begins: what it will have skipped is nothing yet. */
void log_counter_begin(struct log_counter *counter);

/* Looks for the pattern in `text`, which is the line or, byte by byte, the line in lower case. -ENOMEM. */
int log_counter_see(struct log_counter *counter, size_t member, const char *line, const char *text);

/* All of its series of one member, and what the run has skipped with the first. */
void log_counter_add_samples(const struct log_counter *counter, size_t member, const char *member_name,
                             struct sample_sink *sink);

#endif
