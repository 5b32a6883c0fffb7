/* SPDX-License-Identifier: Apache-2.0 */
/* The rules for metrics that an operator names: https://prometheus.io/docs/practices/naming/ */
#include "exporter/kinds/shared/operator_metric.h"

#include <math.h>

/* By enum metric_type, as far as an operator may choose. */
const char *const operator_metric_types[] = {"gauge", "counter", NULL};

tables_agree(operator_metric_types, METRIC_COUNTER + 2);
_Static_assert(METRIC_GAUGE == 0 && METRIC_COUNTER == 1, "the words stand for these types");

bool operator_metric_check(const struct operator_metric *metric, struct config_node *node)
{
        static const char *const reserved_ends[] = {"_bucket", "_sum", "_count", "_created"};
        const char *name = metric->name;
        if (!metric_name_valid(name) || strchr(name, ':')) {
                config_complain(node, "name", "\"%s\" is not a metric's name: letters, digits and \"_\" are",
                                name);
                return false;
        }
        if (string_starts(name, "process_")) {
                config_complain(node, "name", "%s: names of \"process_\" are the exporter's own", name);
                return false;
        }
        if (string_ends(name, "_total") != (metric->type == METRIC_COUNTER)) {
                config_complain(node, "name", "%s: counters, and only they, end in \"_total\"", name);
                return false;
        }
        for (size_t i = 0; i < N_ELEMENTS(reserved_ends); i++)
                if (string_ends(name, reserved_ends[i])) {
                        config_complain(node, "name", "%s: \"%s\" is for the rows of histograms", name,
                                        reserved_ends[i]);
                        return false;
                }
        return true;
}

bool operator_label_check(const struct check *check, const char *name, struct config_node *node,
                          const char *key)
{
        if (!label_name_valid(name)) {
                config_complain(node, key, "\"%s\" is not a label's name: letters, digits and \"_\" are",
                                name);
                return false;
        }
        if (strcmp(name, "check") == 0) {
                config_complain(node, key, "every sample has the label \"check\" already");
                return false;
        }
        if (strcmp(name, "le") == 0 || strcmp(name, "quantile") == 0) {
                config_complain(node, key, "\"%s\" is for the rows of histograms and summaries", name);
                return false;
        }
        if (check_has_label(check, name)) {
                config_complain(node, key,
                                "all series of this check have the label \"%s\" already, by `labels`", name);
                return false;
        }
        return true;
}

bool operator_labels_check(const struct check *check, const struct config_strings *labels,
                           struct config_node *node)
{
        for (size_t i = 0; i < labels->count; i++)
                if (!operator_label_check(check, labels->items[i], node, "labels"))
                        return false;
        return true;
}

struct metric_family operator_metric_family(const struct operator_metric *metric)
{
        return (struct metric_family){
                .name = metric->name, .type = (enum metric_type)metric->type, .help = metric->help};
}

bool operator_value(const char *text, double *ret)
{
        char *end;
        if (strcmp(text, "t") == 0 || strcmp(text, "f") == 0) {
                *ret = *text == 't';
                return true;
        }
        double value = strtod(text, &end);
        if (end == text || *end)
                return false;
        *ret = value;
        return true;
}

bool operator_number(const char *text, double *ret)
{
        char *end;
        if (strspn(text, "+-.0123456789") == 0 || strpbrk(text, "xX"))
                return false;
        double value = strtod(text, &end);
        if (end == text || *end || !isfinite(value))
                return false;
        *ret = value;
        return true;
}
