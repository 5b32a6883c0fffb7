/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics that an operator takes out of a JSON document: which value, of which items, with which labels.
 *
 *     - name: app_queue_length
 *       each: regions.*.queues
 *       keys: [region, queue]
 *       value: stats.length
 *       labels: {owner: team.name, cluster: ^^.cluster}
 *
 * What a document has that is not as it should be costs itself: it is skipped, by check_skip(), with words
 * that hold nothing of the document. A value of null is no value, and neither skipped nor shown.
 */
#ifndef EXPORTER_KINDS_SHARED_JSON_METRICS_H
#define EXPORTER_KINDS_SHARED_JSON_METRICS_H

#include "exporter/check/skipped.h"
#include "exporter/kinds/shared/operator_metric.h"
#include "runbook/json.h"
#include "runbook/metrics.h"

/* One entry of `metrics:`. */
struct json_metric {
        struct operator_metric metric;
        /* From here on, of use to JSON alone. */
        char *each, *value;
        struct config_strings keys;
        struct config_map labels, values;
        int format; /* as `formats` has them */
        double factor;
};

extern const struct config_field json_metric_fields[];

struct json_metrics;

/*
 * `list` is what json_metric_fields describe, borrowed, and `node` the list's place, which is complained
 * about: -EINVAL then. Also -ENOMEM. `takes_json`: without it the options for JSON are refused.
 */
int json_metrics_new(const struct check *check, const struct config_list *list, struct config_node *node,
                     bool takes_json, struct json_metrics **ret);
struct json_metrics *json_metrics_free(struct json_metrics *metrics); /* takes NULL */

/* The families of the metrics, closed by NULL; they live as long as the metrics. */
const struct metric_family *const *json_metrics_families(const struct json_metrics *metrics);

/* Adds what the document holds. Thread-safe for the metrics. */
void json_metrics_add(const struct json_metrics *metrics, const cJSON *document, struct sample_sink *sink);

#endif
