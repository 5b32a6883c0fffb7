/* SPDX-License-Identifier: Apache-2.0 */
/* Matches of one pattern: found, given their labels, counted. */
#include "exporter/kinds/log/counter.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "exporter/check/skipped.h"
#include "runbook/pattern.h"
#include "runbook/utf8.h"

#define SERIES_MAX 1000
#define LABEL_BYTES_MAX 256
#define NUMBER_BYTES_MAX 64
#define BUCKETS_MAX 64

LOG_COUNTER_FAMILIES(DEFINE_SHARED_FAMILY)

static const char *const value_types[] = {"gauge", "counter", "histogram", NULL};
tables_agree(value_types, METRIC_HISTOGRAM + 2);

#define VALUE_HELP "Told by lines of logs."
#define VALUE(member) offsetof(struct log_pattern, value.member) - offsetof(struct log_pattern, value)

static const struct config_field value_fields[] = {
        {"group", CONFIG_STRING, VALUE(group), .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "The group that holds the number"},
        {"name", CONFIG_STRING, VALUE(metric.name), .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "The metric, with its unit; counters end in `_total`"},
        {"type", CONFIG_ENUM, VALUE(metric.type), .choices = value_types, .fallback = "gauge",
         .help = "gauge: the last number; counter: the sum of all; histogram: how they are distributed"},
        {"help", CONFIG_STRING, VALUE(metric.help), .fallback = VALUE_HELP, .flags = CONFIG_NOT_EMPTY,
         .help = "One sentence"},
        {"factor", CONFIG_NUMBER, VALUE(factor), .fallback = "1",
         .help = "What the number is multiplied by, as 0.001 for milliseconds"},
        {"buckets", CONFIG_STRINGS, VALUE(buckets), .flags = CONFIG_NOT_EMPTY,
         .fallback = "[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]",
         .help = "Of a histogram: the upper limits, rising"},
        {0},
};

const struct config_field log_pattern_fields[] = {
        {"name", CONFIG_STRING, offsetof(struct log_pattern, name),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY, .help = "The label `pattern` of its counter"},
        {"pattern", CONFIG_STRING, offsetof(struct log_pattern, pattern),
         .flags = CONFIG_REQUIRED | CONFIG_NOT_EMPTY,
         .help = "A regular expression (RE2 without flags) to look for anywhere in a line"},
        {"ignore_case", CONFIG_BOOL, offsetof(struct log_pattern, ignore_case), .fallback = "false",
         .help = "Lines are turned to lower case first (ASCII); the pattern is written in it"},
        {"labels", CONFIG_STRINGS, offsetof(struct log_pattern, labels), .flags = CONFIG_NOT_EMPTY,
         .help = "Groups of the pattern, `(?P<name>…)`, that are labels: what they hold leaves the host"},
        {"max_series", CONFIG_INT, offsetof(struct log_pattern, max_series), .flags = CONFIG_POSITIVE,
         .fallback = "100",
         .help = "How many series there are of different labels, at most 1000; further lines are counted in "
                 "the series without these labels"},
        {"value", CONFIG_OBJECT, offsetof(struct log_pattern, value), .fields = value_fields,
         .help = "A number in the line, as a metric of its own with the same labels"},
        {0},
};

/* What has the same labels. */
struct series {
        uint64_t hash;
        size_t member;
        char **labels; /* as many as the pattern has; NULL in it: the group took no part. NULL: none at all */
        uint64_t matched;
        bool has_value;
        double value; /* the last one, or the sum */
        struct histogram histogram;
};

enum skipped { SKIPPED_MANY, SKIPPED_LONG, SKIPPED_NOT_UTF8, SKIPPED_NO_NUMBER, SKIPPED };
static const struct {
        enum skip_reason reason;
        const char *words;
} skips[] = {
        [SKIPPED_MANY] = {SKIP_BEYOND_LIMIT, "has more labels than max_series"},
        [SKIPPED_LONG] = {SKIP_BEYOND_LIMIT, "has a label of more than 256 bytes"},
        [SKIPPED_NOT_UTF8] = {SKIP_NOT_UTF8, "has a label that is no UTF-8"},
        [SKIPPED_NO_NUMBER] = {SKIP_MALFORMED, "has a value that is no number for its metric"},
};
tables_agree(skips, SKIPPED);
_Static_assert(LABEL_BYTES_MAX == 256, "the words say so");

struct log_counter {
        const struct log_pattern *given;
        const char *member_label;
        struct pattern *pattern;
        size_t groups[PATTERN_GROUPS_MAX]; /* of the labels, among those of the pattern */
        size_t value_group;
        struct metric_family family; /* of the value */
        double *bounds;
        struct series *without; /* labels; one for each member */
        size_t members;
        struct series *series;
        size_t count;
        uint64_t skipped[SKIPPED]; /* in this run */
};

static void release_series(const struct log_counter *counter, struct series *series)
{
        for (size_t i = 0; series->labels && i < counter->given->labels.count; i++)
                free(series->labels[i]);
        free(series->labels);
        histogram_release(&series->histogram);
}

struct log_counter *log_counter_free(struct log_counter *counter)
{
        if (!counter)
                return NULL;
        for (size_t i = 0; i < counter->count; i++)
                release_series(counter, &counter->series[i]);
        for (size_t i = 0; counter->without && i < counter->members; i++)
                release_series(counter, &counter->without[i]);
        free(counter->series);
        free(counter->without);
        free(counter->bounds);
        pattern_free(counter->pattern);
        free(counter);
        return NULL;
}
DEFINE_CLEANUP(struct log_counter *, log_counter_free);

const struct metric_family *log_counter_family(const struct log_counter *counter)
{
        return counter->given->value.group ? &counter->family : NULL;
}

/* A capital could never be found; those behind a backslash are classes, and names of groups are not looked
 * for. */
static bool has_capital(const char *pattern)
{
        for (; *pattern; pattern++) {
                if (*pattern == '\\' && pattern[1])
                        pattern++;
                else if (string_starts(pattern, "(?P<") || string_starts(pattern, "(?<"))
                        pattern += strcspn(pattern, ">") - (strchr(pattern, '>') ? 0 : 1);
                else if (*pattern >= 'A' && *pattern <= 'Z')
                        return true;
        }
        return false;
}

/* The number of a named group; false after a complaint. */
static bool find_group(const struct log_counter *counter, const char *name, struct config_node *node,
                       const char *key, size_t *ret)
{
        const char *names[PATTERN_GROUPS_MAX];
        size_t count = pattern_groups(counter->pattern);
        for (size_t i = 0; i < count; i++) {
                names[i] = pattern_group_name(counter->pattern, i);
                *ret = i;
                if (strcmp(names[i], name) == 0)
                        return true;
        }
        _cleanup_error_ struct error error = {0};
        words_unknown(names, count, name, "the pattern has no group", &error);
        config_complain(node, key, "%s", error_text(&error));
        return false;
}

static bool check_labels(struct log_counter *counter, const struct check *check, struct config_node *node)
{
        const struct config_strings *labels = &counter->given->labels;
        for (size_t i = 0; i < labels->count; i++) {
                const char *name = labels->items[i];
                bool is_ours = strcmp(name, "pattern") == 0 || string_equal(name, counter->member_label);
                for (size_t k = 0; k < i; k++)
                        is_ours = is_ours || strcmp(name, labels->items[k]) == 0;
                if (is_ours)
                        config_complain(node, "labels", "there is a label \"%s\" already", name);
                if (is_ours || !operator_label_check(check, name, node, "labels") ||
                    !find_group(counter, name, node, "labels", &counter->groups[i]))
                        return false;
        }
        return true;
}

/* -EINVAL after a complaint about the value's part of the mapping. */
static int read_buckets(struct log_counter *counter, struct config_node *node)
{
        const struct config_strings *buckets = &counter->given->value.buckets;
        if (buckets->count > BUCKETS_MAX) {
                config_complain(node, "buckets", "at most %d", BUCKETS_MAX);
                return -EINVAL;
        }
        counter->bounds = calloc(buckets->count + 1, sizeof(*counter->bounds));
        if (!counter->bounds)
                return -ENOMEM;
        for (size_t i = 0; i < buckets->count; i++)
                if (!operator_number(buckets->items[i], &counter->bounds[i]) ||
                    (i > 0 && counter->bounds[i] <= counter->bounds[i - 1])) {
                        config_complain(node, "buckets",
                                        "\"%s\" is no number, or not more than the one before",
                                        buckets->items[i]);
                        return -EINVAL;
                }
        return 0;
}

static int prepare_value(struct log_counter *counter, struct config_node *node)
{
        const struct operator_metric *metric = &counter->given->value.metric;
        bool fine = operator_metric_check(metric, node) &&
                    find_group(counter, counter->given->value.group, node, "group", &counter->value_group);
        counter->family = operator_metric_family(metric);
        if (metric->type != METRIC_HISTOGRAM && config_member(node, "buckets")) {
                config_complain(node, "buckets", "buckets are of use to a histogram alone");
                fine = false;
        }
        int r = read_buckets(counter, node);
        return r < 0 ? r : fine ? 0 : -EINVAL;
}

/* The last value is known once there was one; sums and histograms begin at nothing. */
static int begin_value(const struct log_counter *counter, struct series *series)
{
        int type = counter->given->value.metric.type;
        if (!counter->given->value.group || type == METRIC_GAUGE)
                return 0;
        series->has_value = true;
        return type == METRIC_HISTOGRAM ? histogram_init(&series->histogram, counter->bounds,
                                                         counter->given->value.buckets.count)
                                        : 0;
}

static int compile(struct log_counter *counter, const struct check *check, struct config_node *node)
{
        const struct log_pattern *given = counter->given;
        _cleanup_error_ struct error error = {0};
        if (given->ignore_case && has_capital(given->pattern)) {
                config_complain(node, "pattern", "with ignore_case a pattern is written in lower case");
                return -EINVAL;
        }
        int r = pattern_compile(given->pattern, &counter->pattern, &error);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                config_complain(node, "pattern", "%s", error_text(&error));
                return -EINVAL;
        }
        if (given->max_series > SERIES_MAX) {
                config_complain(node, "max_series", "at most %d", SERIES_MAX);
                return -EINVAL;
        }
        if (given->labels.count > PATTERN_GROUPS_MAX) {
                config_complain(node, "labels", "at most %d", PATTERN_GROUPS_MAX);
                return -EINVAL;
        }
        if (!check_labels(counter, check, node))
                return -EINVAL;
        return given->value.group ? prepare_value(counter, config_member(node, "value")) : 0;
}

int log_counter_new(const struct check *check, const struct log_pattern *given, struct config_node *node,
                    size_t members, const char *member_label, struct log_counter **ret)
{
        _cleanup_(log_counter_free_p) struct log_counter *counter = calloc(1, sizeof(*counter));
        if (!counter)
                return -ENOMEM;
        counter->given = given;
        counter->member_label = member_label;
        counter->members = members;
        int r = compile(counter, check, node);
        if (r < 0)
                return r;
        counter->without = calloc(members + 1, sizeof(*counter->without));
        if (!counter->without)
                return -ENOMEM;
        for (size_t i = 0; i < members; i++)
                if (begin_value(counter, &counter->without[i]) < 0)
                        return -ENOMEM;
        *ret = TAKE_PTR(counter);
        return 0;
}

void log_counter_begin(struct log_counter *counter)
{
        memset(counter->skipped, 0, sizeof(counter->skipped));
}

/* What the labels of a match are; false when they can be none. */
static bool check_spans(struct log_counter *counter, const struct pattern_span *spans)
{
        for (size_t i = 0; i < counter->given->labels.count; i++) {
                const struct pattern_span *span = &spans[counter->groups[i]];
                char value[LABEL_BYTES_MAX + 1];
                if (span->length > LABEL_BYTES_MAX) {
                        counter->skipped[SKIPPED_LONG]++;
                        return false;
                }
                if (span->length > 0)
                        memcpy(value, span->start, span->length);
                value[span->length] = '\0';
                if (!utf8_valid(value)) {
                        counter->skipped[SKIPPED_NOT_UTF8]++;
                        return false;
                }
        }
        return true;
}

/* FNV-1a, with a byte between the labels that none of them has. */
static uint64_t hash_of(const struct log_counter *counter, size_t member, const struct pattern_span *spans)
{
        uint64_t hash = 0xcbf29ce484222325 ^ member;
        for (size_t i = 0; i < counter->given->labels.count; i++) {
                const struct pattern_span *span = &spans[counter->groups[i]];
                for (size_t k = 0; k <= span->length; k++) {
                        hash ^= k < span->length ? (unsigned char)span->start[k] : 0xff;
                        hash *= 0x100000001b3;
                }
        }
        return hash;
}

static bool has_labels(const struct log_counter *counter, const struct series *series,
                       const struct pattern_span *spans)
{
        for (size_t i = 0; i < counter->given->labels.count; i++) {
                const struct pattern_span *span = &spans[counter->groups[i]];
                if (strlen(series->labels[i]) != span->length ||
                    (span->length > 0 && memcmp(series->labels[i], span->start, span->length) != 0))
                        return false;
        }
        return true;
}

/* -ENOMEM. */
static int add_series(struct log_counter *counter, size_t member, uint64_t hash,
                      const struct pattern_span *spans)
{
        size_t labels = counter->given->labels.count;
        struct series *all = reallocarray(counter->series, counter->count + 1, sizeof(*all));
        if (!all)
                return -ENOMEM;
        counter->series = all;
        struct series *series = &all[counter->count];
        *series = (struct series){.hash = hash, .member = member, .labels = calloc(labels, sizeof(char *))};
        bool fine = series->labels && begin_value(counter, series) >= 0;
        for (size_t i = 0; fine && i < labels; i++) {
                const struct pattern_span *span = &spans[counter->groups[i]];
                series->labels[i] = span->start ? strndup(span->start, span->length) : strdup("");
                fine = series->labels[i] != NULL;
        }
        if (!fine) {
                release_series(counter, series);
                return -ENOMEM;
        }
        counter->count++;
        return 0;
}

/* The series of a match. -ENOMEM. */
static int find_series(struct log_counter *counter, size_t member, const struct pattern_span *spans,
                       struct series **ret)
{
        bool any = false;
        *ret = &counter->without[member];
        for (size_t i = 0; i < counter->given->labels.count; i++)
                any = any || spans[counter->groups[i]].length > 0; /* an empty label is none */
        if (!any || !check_spans(counter, spans))
                return 0;
        uint64_t hash = hash_of(counter, member, spans);
        for (size_t i = 0; i < counter->count; i++) {
                struct series *series = &counter->series[i];
                if (series->hash == hash && series->member == member && has_labels(counter, series, spans)) {
                        *ret = series;
                        return 0;
                }
        }
        if (counter->count >= (size_t)counter->given->max_series) {
                counter->skipped[SKIPPED_MANY]++;
                return 0;
        }
        int r = add_series(counter, member, hash, spans);
        if (r >= 0)
                *ret = &counter->series[counter->count - 1];
        return r;
}

/* A sum must not fall, nor may that of a histogram. */
static void take_value(struct log_counter *counter, struct series *series, const struct pattern_span *span)
{
        int type = counter->given->value.metric.type;
        char text[NUMBER_BYTES_MAX + 1];
        double value = NAN;
        if (!span->start)
                return;
        if (span->length <= NUMBER_BYTES_MAX) {
                memcpy(text, span->start, span->length);
                text[span->length] = '\0';
                if (operator_number(text, &value))
                        value *= counter->given->value.factor;
        }
        if (!isfinite(value) || (type != METRIC_GAUGE && value < 0)) {
                counter->skipped[SKIPPED_NO_NUMBER]++;
                return;
        }
        series->has_value = true;
        if (type == METRIC_HISTOGRAM)
                histogram_observe(&series->histogram, value);
        else
                series->value = type == METRIC_COUNTER ? series->value + value : value;
}

int log_counter_see(struct log_counter *counter, size_t member, const char *line, const char *text)
{
        const struct log_pattern *given = counter->given;
        struct pattern_span spans[PATTERN_GROUPS_MAX] = {0};
        struct series *series = &counter->without[member];
        if (!pattern_found(counter->pattern, text))
                return 0;
        if (given->labels.count > 0 || given->value.group) {
                int r = pattern_capture(counter->pattern, text, spans);
                if (r < 0)
                        return r;
                for (size_t i = 0; i < pattern_groups(counter->pattern); i++)
                        if (spans[i].start) /* what stands in the line, in whatever case */
                                spans[i].start = line + (spans[i].start - text);
                r = find_series(counter, member, spans, &series);
                if (r < 0)
                        return r;
        }
        series->matched++;
        if (given->value.group)
                take_value(counter, series, &spans[counter->value_group]);
        return 0;
}

static void add_series_samples(const struct log_counter *counter, const struct series *series,
                               const char *member_name, struct sample_sink *sink)
{
        const struct config_strings *names = &counter->given->labels;
        struct label labels[PATTERN_GROUPS_MAX + 2] = {{counter->member_label, member_name},
                                                       {"pattern", counter->given->name}};
        size_t count = 2;
        for (size_t i = 0; series->labels && i < names->count; i++)
                labels[count++] = (struct label){names->items[i], series->labels[i]};
        sample_add(sink, &log_family_matched, (double)series->matched, labels, count);
        if (series->has_value && counter->given->value.metric.type == METRIC_HISTOGRAM)
                sample_add_histogram(sink, &counter->family, &series->histogram, labels, count);
        else if (series->has_value)
                sample_add(sink, &counter->family, series->value, labels, count);
}

void log_counter_add_samples(const struct log_counter *counter, size_t member, const char *member_name,
                             struct sample_sink *sink)
{
        add_series_samples(counter, &counter->without[member], member_name, sink);
        for (size_t i = 0; i < counter->count; i++)
                if (counter->series[i].member == member)
                        add_series_samples(counter, &counter->series[i], member_name, sink);
        for (enum skipped skipped = 0; member == 0 && skipped < SKIPPED; skipped++)
                for (uint64_t i = 0; i < counter->skipped[skipped]; i++)
                        check_skip(sink, skips[skipped].reason, "a match of %s %s", counter->given->name,
                                   skips[skipped].words);
}
