/* SPDX-License-Identifier: Apache-2.0 */
/* A metric that the operator defines for the result of a query: its options, its rules, its values. */
#ifndef EXPORTER_KINDS_SHARED_OPERATOR_METRIC_H
#define EXPORTER_KINDS_SHARED_OPERATOR_METRIC_H

#include "exporter/check/check.h"
#include "runbook/config.h"
#include "runbook/metrics.h"

struct operator_metric {
        char *name;
        int type; /* enum metric_type */
        char *help;
};

extern const char *const operator_metric_types[];

#define OPERATOR_METRIC_HELP "Measured by a query of the operator."

/* Its options; what follows `member` is said of the name: .flags or .fallback. */
/* clang-format off */
#define OPERATOR_METRIC_FIELDS(holder, member, ...) \
        {"name", CONFIG_STRING, offsetof(holder, member.name), __VA_ARGS__, \
         .help = "With its unit; counters end in `_total`"}, \
        {"type", CONFIG_ENUM, offsetof(holder, member.type), .choices = operator_metric_types, .fallback = "gauge", \
         .help = "What it is"}, \
        {"help", CONFIG_STRING, offsetof(holder, member.help), .fallback = OPERATOR_METRIC_HELP, \
         .flags = CONFIG_NOT_EMPTY, .help = "One sentence"}
/* clang-format on */

/* Complains about `node` where a name breaks Prometheus' rules; false then. */
bool operator_metric_check(const struct operator_metric *metric, struct config_node *node);

/* The same for the names of labels of a check's metrics, under the key `labels` of `node`. */
bool operator_labels_check(const struct check *check, const struct config_strings *labels,
                           struct config_node *node);

/* The same for one of them, under any key. */
bool operator_label_check(const struct check *check, const char *name, struct config_node *node,
                          const char *key);

/* The family of a metric; its strings are borrowed. */
struct metric_family operator_metric_family(const struct operator_metric *metric);

/* A number as databases and Prometheus write it, NaN and +Inf among them; also t and f. False otherwise. */
bool operator_value(const char *text, double *ret);

/* A number as it is written in what is no database's answer: no NaN, no infinity, no 0x10, no blanks. */
bool operator_number(const char *text, double *ret);

#endif
