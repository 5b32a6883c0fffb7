/* SPDX-License-Identifier: Apache-2.0 */
/* Kind prometheus: the result of a PromQL query as samples of this exporter. */
#include <errno.h>
#include <math.h>

#include "exporter/check/check.h"
#include "exporter/check/skipped.h"
#include "exporter/kinds/shared/http_options.h"
#include "exporter/kinds/shared/operator_metric.h"
#include "runbook/prometheus.h"
#include "runbook/promql.h"

struct prometheus_metric {
        struct operator_metric metric;
};

struct prometheus_history {
        char *of;
        nsec at_least;
};

struct prometheus_config {
        struct http_options options;
        char *query;
        struct config_strings labels;
        struct prometheus_history history;
        struct prometheus_metric metric;
};

#define DEFAULT_METRIC "runbook_prometheus_query_value"

static const struct config_field metric_fields[] = {
        OPERATOR_METRIC_FIELDS(struct prometheus_metric, metric, .fallback = DEFAULT_METRIC,
                               .flags = CONFIG_NOT_EMPTY),
        {0},
};

static const struct config_field history_fields[] = {
        {"of", CONFIG_STRING, offsetof(struct prometheus_history, of), .flags = CONFIG_NOT_EMPTY,
         .help = "PromQL whose series have the labels of the result; how long they have been there is asked"},
        {"at_least", CONFIG_DURATION, offsetof(struct prometheus_history, at_least), .fallback = "1d",
         .flags = CONFIG_POSITIVE, .help = "Series of the result with less are left out"},
        {0},
};

static const struct config_field fields[] = {
        HTTP_OPTION_FIELDS(struct prometheus_config, options),
        {"query", CONFIG_STRING, offsetof(struct prometheus_config, query),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "PromQL, checked when it is read; its result is an instant vector or a scalar"},
        {"labels", CONFIG_STRINGS, offsetof(struct prometheus_config, labels),
         .help = "Labels of the result that the samples keep"},
        {"history", CONFIG_OBJECT, offsetof(struct prometheus_config, history), .fields = history_fields,
         .help = "What the query needs of the past, as a projection does: with less there is no value"},
        {"metric", CONFIG_OBJECT, offsetof(struct prometheus_config, metric), .fields = metric_fields,
         .help = "What the samples are called"},
        {0},
};

#define HISTORY_FAMILIES(X)                                                                                \
        X(history_there, GAUGE, CHECK_HISTORY_METRIC, "seconds",                                           \
          "How far back the values go that `history:` asks for, as far as is needed, by the labels kept.") \
        X(history_needed, GAUGE, CHECK_HISTORY_NEEDED_METRIC, "seconds",                                   \
          "How far back they have to go before the query is answered.")
#define FAMILIES(X)                                                       \
        X(query_value, GAUGE, DEFAULT_METRIC, NULL, OPERATOR_METRIC_HELP) \
        HISTORY_FAMILIES(X)

FAMILIES(DEFINE_FAMILY)
static const struct metric_family *const families[] = {FAMILIES(FAMILY_ADDRESS) NULL};

struct prometheus_state {
        const struct prometheus_config *config;
        struct http_headers headers;
        struct http_client *client;
        struct label *labels; /* room for one sample's */
        struct metric_family family;
        const struct metric_family *own[2];
        char *history_query; /* NULL: no history is needed */
};

static void *prometheus_close(void *state)
{
        struct prometheus_state *prometheus = state;
        if (!prometheus)
                return NULL;
        http_client_free(prometheus->client);
        http_headers_release(&prometheus->headers);
        free(prometheus->labels);
        free(prometheus->history_query);
        free(prometheus);
        return NULL;
}
DEFINE_CLEANUP(void *, prometheus_close);

/*
 * Asks for the age of the oldest value of each series, as far back as is needed and two steps beyond. What is
 * the operator's ends in a line of its own: a comment may end it. -EINVAL when it is wrong, which has been
 * told; -ENOMEM.
 */
static int prepare_history(struct prometheus_state *prometheus, struct config_node *node)
{
        const struct prometheus_history *history = &prometheus->config->history;
        struct config_node *at = config_member(node, "history");
        long long seconds = history->at_least / NSEC_PER_SEC, step = 60 * (1 + seconds / (24 * 3600));
        if (!at)
                return 0;
        if (!history->of)
                config_complain(at, "of", "'history' needs 'of', the series whose past is asked for");
        if (!history->of || !promql_check_member(at, "of", history->of, 1U << PROMQL_VECTOR, false))
                return -EINVAL;
        prometheus->history_query = text_format("time() - min_over_time(timestamp(%s\n)[%llds:%llds])",
                                                history->of, seconds + 2 * step, step);
        return prometheus->history_query ? 0 : -ENOMEM;
}

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
        r = prepare_history(prometheus, node);
        if (r < 0)
                return r == -ENOMEM ? error_oom(error) : r;
        *ret_state = TAKE_PTR(owned);
        return 0;
}

static const struct metric_family *const *prometheus_families(const void *state)
{
        return ((const struct prometheus_state *)state)->own;
}

static void keep_labels(struct prometheus_state *prometheus, const struct prometheus_series *series)
{
        const struct config_strings *labels = &prometheus->config->labels;
        for (size_t i = 0; i < labels->count; i++)
                prometheus->labels[i] =
                        (struct label){labels->items[i], json_string(series->labels, labels->items[i])};
}

/* Whether both have the same of those labels that are kept. */
static bool are_alike(const struct config_strings *labels, const struct prometheus_series *a,
                      const struct prometheus_series *b)
{
        for (size_t i = 0; i < labels->count; i++) {
                const char *one = json_string(a->labels, labels->items[i]);
                const char *other = json_string(b->labels, labels->items[i]);
                if (strcmp(one ? one : "", other ? other : "") != 0)
                        return false;
        }
        return true;
}

/* The shortest history of the series that are alike, as of several machines, in seconds; 0 without any. */
static double history_of(const struct config_strings *labels, const struct prometheus_answer *past,
                         const struct prometheus_series *series)
{
        double shortest = INFINITY;
        for (size_t i = 0; i < past->count; i++)
                if (are_alike(labels, &past->series[i], series))
                        shortest = fmin(shortest, past->series[i].value);
        return isfinite(shortest) ? shortest : 0;
}

/* Tells of the past that was asked for; of none at all, too. */
static void add_history(struct prometheus_state *prometheus, const struct prometheus_answer *past,
                        struct sample_sink *sink)
{
        const struct config_strings *labels = &prometheus->config->labels;
        for (size_t i = 0; i < past->count; i++) {
                double seconds = history_of(labels, past, &past->series[i]);
                size_t k = 0;
                while (!are_alike(labels, &past->series[k], &past->series[i]))
                        k++;
                if (k < i)
                        continue; /* told already */
                keep_labels(prometheus, &past->series[i]);
                sample_add(sink, &history_there, seconds, prometheus->labels, labels->count);
        }
        if (past->count == 0)
                sample_add(sink, &history_there, 0, NULL, 0);
        sample_add(sink, &history_needed, (double)prometheus->config->history.at_least / NSEC_PER_SEC, NULL,
                   0);
}

static void skip_histogram(struct prometheus_state *prometheus, struct sample_sink *sink)
{
        const struct config_strings *labels = &prometheus->config->labels;
        _cleanup_text_ struct text words = {0};
        for (size_t i = 0; i < labels->count; i++) {
                if (!prometheus->labels[i].value)
                        continue;
                text_puts(&words, words.length > 0 ? "," : "");
                label_put(&words, &prometheus->labels[i]);
        }
        check_skip(sink, SKIP_MALFORMED, "%s{%s}: a histogram, which has no single value",
                   prometheus->family.name, text_string(&words));
}

/* A sample of each series that has enough of the past, with those of its labels that are to be kept. */
static int add_series(struct prometheus_state *prometheus, const struct prometheus_answer *answer,
                      const struct prometheus_answer *past, struct sample_sink *sink, struct error *error)
{
        const struct prometheus_config *config = prometheus->config;
        const double needed = (double)config->history.at_least / NSEC_PER_SEC;
        size_t numbers = 0, histograms = 0;
        for (size_t i = 0; i < answer->count; i++) {
                const struct prometheus_series *series = &answer->series[i];
                if (prometheus->history_query && history_of(&config->labels, past, series) < needed)
                        continue;
                keep_labels(prometheus, series);
                if (series->has_value) {
                        sample_add(sink, &prometheus->family, series->value, prometheus->labels,
                                   config->labels.count);
                        numbers++;
                } else {
                        skip_histogram(prometheus, sink);
                        histograms++;
                }
        }
        return histograms > 0 && numbers == 0
                       ? error_set(error, EBADMSG,
                                   "Prometheus answered a histogram, which has no single value")
                       : 0;
}

static int prometheus_run(void *state, struct deadline deadline, struct sample_sink *sink,
                          struct error *error)
{
        struct prometheus_state *prometheus = state;
        const struct prometheus_config *config = prometheus->config;
        const struct http_request how =
                http_options_request(&config->options, &prometheus->headers, deadline);
        _cleanup_(prometheus_answer_release) struct prometheus_answer answer = {0}, past = {0};
        int r = 0;
        if (prometheus->history_query) {
                r = prometheus_query(prometheus->client, &how, config->options.url, prometheus->history_query,
                                     0, &past, error);
                if (r >= 0)
                        add_history(prometheus, &past, sink);
        }
        if (r >= 0)
                r = prometheus_query(prometheus->client, &how, config->options.url, config->query, 0, &answer,
                                     error);
        if (r >= 0 && answer.count > 1 && config->labels.count == 0)
                return error_set(error, EBADMSG,
                                 "Prometheus answered %zu series, and nothing tells them apart: name some of "
                                 "their labels under labels, or aggregate them",
                                 answer.count);
        if (r >= 0)
                r = add_series(prometheus, &answer, &past, sink, error);
        /* What there is of it is told and judged; that it is all right cannot be said. */
        return r >= 0 ? prometheus_answer_check_whole(&answer, error) : r;
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
