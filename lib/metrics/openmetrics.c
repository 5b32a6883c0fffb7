/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenMetrics 1.0.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/), and the candidate of 2.0.0
 * (open_metrics_spec_2_0.md beside it, of 2026), which is only written for those who ask for it by version.
 *
 * Series have the same names in every format. Where the rules of 1.0 would need another name, a family is
 * described as what it can be under its own: a counter as unknown, an info as a gauge.
 */
#include "lib/metrics/writer.h"

static const char *const type_words[] = {
        [METRIC_GAUGE] = "gauge",
        [METRIC_COUNTER] = "counter",
        [METRIC_HISTOGRAM] = "histogram",
        [METRIC_INFO] = "info",
};
tables_agree(type_words, METRIC_TYPES);

static const struct {
        const char *suffix; /* the series' name has it, and in 1.0 the family's has not */
        const char *otherwise;
} by_suffix[] = {
        [METRIC_GAUGE] = {"", "gauge"},
        [METRIC_COUNTER] = {"_total", "unknown"},
        [METRIC_HISTOGRAM] = {"", "histogram"},
        [METRIC_INFO] = {"_info", "gauge"},
};
tables_agree(by_suffix, METRIC_TYPES);

/* How the metadata calls a family. */
struct description {
        size_t length; /* of its name, from the series' one */
        const char *type;
        const char *unit; /* NULL: none is told */
};

static bool ends_with(const char *string, size_t length, const char *end)
{
        size_t end_length = strlen(end);
        return length > end_length && memcmp(string + length - end_length, end, end_length) == 0;
}

/* Whether the page has a family `name[0..length)` + `suffix`, other than `self`. */
static bool page_has(const struct metrics_page *page, const char *name, size_t length, const char *suffix,
                     const struct metric_family *self)
{
        size_t low = 0, high = page->group_count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const struct metric_family *family = page->groups[middle].family;
                int order = strncmp(family->name, name, length);
                if (order == 0)
                        order = strcmp(family->name + length, suffix);
                if (order == 0)
                        return family != self;
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return false;
}

/* The name without its suffix must be nobody else's. */
static bool shortened_is_free(const struct metrics_output *out, size_t length)
{
        const struct metric_family *family = out->group->family;
        return !page_has(out->page, family->name, length, "", family) &&
               !page_has(out->page, family->name, length, "_total", family) &&
               !page_has(out->page, family->name, length, "_info", family);
}

static struct description describe_1(const struct metrics_output *out)
{
        const struct metric_family *family = out->group->family;
        const char *suffix = by_suffix[family->type].suffix;
        struct description description = {out->name_length, type_words[family->type], NULL};
        if (*suffix) {
                size_t length = out->name_length - strlen(suffix);
                if (ends_with(family->name, out->name_length, suffix) && shortened_is_free(out, length))
                        description.length = length;
                else
                        description.type = by_suffix[family->type].otherwise;
        }
        /* Prometheus refuses a page with a unit that the name does not end in. */
        if (family->unit && family->type != METRIC_INFO) {
                size_t unit_length = strlen(family->unit);
                if (ends_with(family->name, description.length, family->unit) &&
                    family->name[description.length - unit_length - 1] == '_')
                        description.unit = family->unit;
        }
        return description;
}

static struct description describe_2(const struct metrics_output *out)
{
        const struct metric_family *family = out->group->family;
        bool info = family->type == METRIC_INFO && ends_with(family->name, out->name_length, "_info");
        return (struct description){out->name_length,
                                    family->type == METRIC_INFO && !info ? "gauge" : type_words[family->type],
                                    info ? NULL : family->unit};
}

static void put_escaped(struct text *text, const char *string)
{
        for (const char *c = string; *c; c++)
                switch (*c) {
                case '\\': text_append(text, "\\\\", 2); break;
                case '\n': text_append(text, "\\n", 2); break;
                case '"': text_append(text, "\\\"", 2); break;
                default: text_putc(text, *c);
                }
}

static void put_descriptor(struct metrics_output *out, const char *word, size_t name_length)
{
        text_puts(out->text, word);
        text_append(out->text, out->group->family->name, name_length);
        text_putc(out->text, ' ');
}

static void put_description(struct metrics_output *out, struct description description)
{
        put_descriptor(out, "# TYPE ", description.length);
        text_puts(out->text, description.type);
        text_putc(out->text, '\n');
        if (description.unit) {
                put_descriptor(out, "# UNIT ", description.length);
                text_puts(out->text, description.unit);
                text_putc(out->text, '\n');
        }
        put_descriptor(out, "# HELP ", description.length);
        put_escaped(out->text, out->group->family->help);
        text_putc(out->text, '\n');
}

static void begin_family_1(struct metrics_output *out)
{
        put_description(out, describe_1(out));
}

static void begin_family_2(struct metrics_output *out)
{
        put_description(out, describe_2(out));
}

static void end_page(struct metrics_output *out)
{
        text_puts(out->text, "# EOF\n");
}

static void put_i64(struct text *text, int64_t value)
{
        if (value < 0)
                text_putc(text, '-');
        text_put_u64(text, value < 0 ? (uint64_t)-value : (uint64_t)value);
}

/* ",schema:3,zero_threshold:…,zero_count:0,positive_spans:[offset:length,…],positive_buckets:[count,…]" */
static void put_native(struct text *text, const struct native_buckets *native)
{
        int64_t expected = 0; /* the index after the last span */
        text_puts(text, ",schema:");
        put_i64(text, native->schema);
        text_puts(text, ",zero_threshold:");
        text_put_double(text, native->zero_threshold);
        text_puts(text, ",zero_count:");
        text_put_u64(text, native->zero_count);
        if (native->count == 0)
                return;
        for (uint32_t i = 0; i < native->count;) {
                uint32_t length = native_span(native, i);
                text_puts(text, i == 0 ? ",positive_spans:[" : ",");
                put_i64(text, native->buckets[i].index - expected);
                text_putc(text, ':');
                text_put_u64(text, length);
                expected = native->buckets[i].index + length;
                i += length;
        }
        for (uint32_t i = 0; i < native->count; i++) {
                text_puts(text, i == 0 ? "],positive_buckets:[" : ",");
                text_put_u64(text, native->buckets[i].count);
        }
        text_putc(text, ']');
}

/* One line for one histogram: name{labels} {count:3,sum:1.5,…,bucket:[0.5:1,+Inf:3]} */
static void put_histogram_2(struct metrics_output *out, const struct metrics_row *rows, size_t count)
{
        struct text *text = out->text;
        size_t buckets = 0;
        while (buckets < count && rows[buckets].sample->suffix == SAMPLE_BUCKET)
                buckets++;
        if (buckets == 0 || buckets + 2 > count)
                return; /* what is left of one that was there already */
        const struct metrics_row *sum = &rows[buckets], *total = sum + 1;

        text_append(text, out->group->family->name, out->name_length);
        if (sum->sample->labels_length > 0) {
                text_putc(text, '{');
                text_append(text, sum->labels, sum->sample->labels_length);
                text_putc(text, '}');
        }
        text_puts(text, " {count:");
        text_put_double(text, total->sample->value);
        text_puts(text, ",sum:");
        text_put_double(text, sum->sample->value);
        if (buckets + 3 == count) {
                struct native_buckets native;
                metrics_row_native(&rows[count - 1], &native);
                put_native(text, &native);
        }
        for (size_t i = 0; i < buckets; i++) {
                size_t length;
                const char *bound = metrics_row_bound(&rows[i], &length);
                text_puts(text, i == 0 ? ",bucket:[" : ",");
                text_append(text, bound, length);
                text_putc(text, ':');
                text_put_double(text, rows[i].sample->value);
        }
        text_puts(text, "]}\n");
}

const struct metrics_writer metrics_writer_openmetrics_1 = {
        .begin_family = begin_family_1,
        .number = metrics_put_row,
        .histogram = metrics_put_rows,
        .end_page = end_page,
};

const struct metrics_writer metrics_writer_openmetrics_2 = {
        .begin_family = begin_family_2,
        .number = metrics_put_row,
        .histogram = put_histogram_2,
        .end_page = end_page,
};
