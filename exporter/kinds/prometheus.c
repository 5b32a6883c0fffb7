/* SPDX-License-Identifier: Apache-2.0 */
/* Kind prometheus: the result of a PromQL query as samples of this exporter. */
#include <errno.h>

#include "exporter/check/check.h"
#include "exporter/kinds/shared/http_options.h"
#include "exporter/kinds/shared/operator_metric.h"
#include "runbook/prometheus.h"
#include "runbook/promql.h"

struct prometheus_metric {
        struct operator_metric metric;
};

struct prometheus_config {
        struct http_options options;
        char *query;
        struct config_strings labels;
        struct prometheus_metric metric;
};

#define DEFAULT_METRIC "runbook_prometheus_query_value"

static const struct config_field metric_fields[] = {
        OPERATOR_METRIC_FIELDS(struct prometheus_metric, metric, .fallback = DEFAULT_METRIC,
                               .flags = CONFIG_NOT_EMPTY),
        {0},
};

static const struct config_field fields[] = {
        HTTP_OPTION_FIELDS(struct prometheus_config, options),
        {"query", CONFIG_STRING, offsetof(struct prometheus_config, query),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "PromQL, checked when it is read; its result is an instant vector or a scalar"},
        {"labels", CONFIG_STRINGS, offsetof(struct prometheus_config, labels),
         .help = "Labels of the result that the samples keep"},
        {"metric", CONFIG_OBJECT, offsetof(struct prometheus_config, metric), .fields = metric_fields,
         .help = "What the samples are called"},
        {0},
};

#define FAMILIES(X) X(query_value, GAUGE, DEFAULT_METRIC, NULL, OPERATOR_METRIC_HELP)

FAMILIES(DEFINE_FAMILY)
static const struct metric_family *const families[] = {FAMILIES(FAMILY_ADDRESS) NULL};

struct prometheus_state {
        const struct prometheus_config *config;
        struct http_headers headers;
        struct http_client *client;
        struct label *labels; /* room for one sample's */
        struct metric_family family;
        const struct metric_family *own[2];
};

static void *prometheus_close(void *state)
{
        struct prometheus_state *prometheus = state;
        if (!prometheus)
                return NULL;
        http_client_free(prometheus->client);
        http_headers_release(&prometheus->headers);
        free(prometheus->labels);
        free(prometheus);
        return NULL;
}
DEFINE_CLEANUP(void *, prometheus_close);

static int prometheus_open(const struct check *check, struct config_node *node, void **ret_state,
                           struct error *error)
{
        const struct prometheus_config *config = check->config;
        struct config_node *metric = config_member(node, "metric");
        struct prometheus_state *prometheus = calloc(1, sizeof(*prometheus));
        _cleanup_(prometheus_close_p) void *owned = prometheus;
        int r;
        if (!prometheus)
                return error_oom(error);
        prometheus->config = config;
        prometheus->client = http_client_new();
        prometheus->labels = calloc(config->labels.count + 1, sizeof(*prometheus->labels));
        if (!prometheus->client || !prometheus->labels)
                return error_oom(error);
        r = http_options_prepare(&config->options, node, NULL, &prometheus->headers);
        if (r == -ENOMEM)
                return error_oom(error);
        bool readable = promql_check_member(node, "query", config->query,
                                            1U << PROMQL_VECTOR | 1U << PROMQL_SCALAR, false);
        bool named = operator_metric_check(&config->metric.metric, metric ? metric : node);
        bool labelled = operator_labels_check(check, &config->labels, node);
        if (!readable || !named || !labelled || r < 0)
                return -EINVAL;
        prometheus->family = operator_metric_family(&config->metric.metric);
        prometheus->own[0] = &prometheus->family;
        *ret_state = TAKE_PTR(owned);
        return 0;
}

static const struct metric_family *const *prometheus_families(const void *state)
{
        return ((const struct prometheus_state *)state)->own;
}

/* One sample of a series, with those of its labels that are to be kept. */
static int add_series(struct prometheus_state *prometheus, const struct prometheus_series *series,
                      struct sample_sink *sink, struct error *error)
{
        const struct config_strings *labels = &prometheus->config->labels;
        if (!series->has_value)
                return error_set(error, EBADMSG,
                                 "Prometheus answered a histogram, which has no single value");
        for (size_t i = 0; i < labels->count; i++)
                prometheus->labels[i] =
                        (struct label){labels->items[i], json_string(series->labels, labels->items[i])};
        sample_add(sink, &prometheus->family, series->value, prometheus->labels, labels->count);
        return 0;
}

static int prometheus_run(void *state, struct deadline deadline, struct sample_sink *sink,
                          struct error *error)
{
        struct prometheus_state *prometheus = state;
        const struct prometheus_config *config = prometheus->config;
        const struct http_request how =
                http_options_request(&config->options, &prometheus->headers, deadline);
        _cleanup_(prometheus_answer_release) struct prometheus_answer answer = {0};
        int r = prometheus_query(prometheus->client, &how, config->options.url, config->query, &answer,
                                 error);
        if (r >= 0 && answer.count > 1 && config->labels.count == 0)
                return error_set(error, EBADMSG,
                                 "Prometheus answered %zu series, and nothing tells them apart: name some of "
                                 "their labels under labels, or aggregate them",
                                 answer.count);
        for (size_t i = 0; r >= 0 && i < answer.count; i++)
                r = add_series(prometheus, &answer.series[i], sink, error);
        return r;
}

const struct check_kind check_kind_prometheus = {
        .name = "prometheus",
        .help = "A PromQL query asked of a Prometheus server; its result as samples.",
        .fields = fields,
        .config_size = sizeof(struct prometheus_config),
        .target_key = "url",
        .families = families,
        .open = prometheus_open,
        .run = prometheus_run,
        .close = prometheus_close,
        .own_families = prometheus_families,
        .indirect = true,
};
