/* SPDX-License-Identifier: Apache-2.0 */
/* Sample sets: values with labels that are rendered once, and histograms. */
#include "runbook/metrics.h"

#include <errno.h>
#include <math.h>

#include "runbook/mask.h"
#include "runbook/utf8.h"

/* A longer value is cut: a label names a series, it does not carry a document. */
#define LABEL_VALUE_MAX 1024

static bool is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

bool metric_name_valid(const char *name)
{
        if (!name || !(is_letter(*name) || *name == ':'))
                return false;
        for (const char *c = name + 1; *c; c++)
                if (!is_letter(*c) && !is_digit(*c) && *c != ':')
                        return false;
        return true;
}

bool label_name_valid(const char *name)
{
        return metric_name_valid(name) && !strchr(name, ':') && !string_starts(name, "__");
}

/* Plain ASCII that stands in a label value as it is. */
static bool is_plain(unsigned char c)
{
        return c < 0x80 && c != '\\' && c != '"' && c != '\n' && c != 0;
}

static void put_value(struct text *text, const char *value)
{
        size_t left = strnlen(value, LABEL_VALUE_MAX);
        while (left > 0) {
                size_t n = 0;
                while (n < left && is_plain((unsigned char)value[n]))
                        n++;
                if (n == 0 && (unsigned char)*value >= 0x80)
                        n = utf8_length(value);
                if (n > left)
                        return; /* cut in the middle of a character */
                if (n > 0) {
                        text_append(text, value, n);
                } else {
                        text_puts(text, *value == '\n'   ? "\\n"
                                        : *value == '"'  ? "\\\""
                                        : *value == '\\' ? "\\\\"
                                                         : UTF8_REPLACEMENT);
                        n = 1;
                }
                value += n;
                left -= n;
        }
}

static bool label_given(const struct label *label)
{
        return label->value && *label->value;
}

static bool name_in(const char *name, const struct label *labels, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (label_given(&labels[i]) && strcmp(labels[i].name, name) == 0)
                        return true;
        return false;
}

void label_put(struct text *text, const struct label *label)
{
        text_puts(text, label->name);
        text_append(text, "=\"", 2);
        size_t start = text->length;
        put_value(text, label->value);
        if (text_error(text) == 0) {
                mask_string(text->data + start, MASK_LABEL); /* of ours, which a neighbour may repeat */
                text->length = start + strlen(text->data + start);
        }
        text_putc(text, '"');
}

static void put_next(struct text *text, size_t start, const struct label *label)
{
        if (text->length > start)
                text_putc(text, ',');
        label_put(text, label);
}

/* The labels that are the same for all samples of the set, of which the sample's own hide some. */
static void put_fixed(struct sample_set *set, size_t start, const struct label *labels, size_t count)
{
        for (size_t i = 0; i < set->fixed_count; i++) {
                const struct label *label = &set->fixed[i];
                if (!label_given(label))
                        continue;
                if (name_in(label->name, labels, count) ||
                    name_in(label->name, set->common, set->common_count)) {
                        set->shadowed++;
                        set->shadowed_name = label->name;
                } else {
                        put_next(&set->arena, start, label);
                }
        }
}

/* Rendered once, and copied from there. */
static void put_common(struct sample_set *set)
{
        struct text *text = &set->arena;
        if (set->common_length > 0 && text_reserve(text, set->common_length + 1)) {
                text_append(text, text->data + set->common_at, set->common_length);
                return;
        }
        size_t start = text->length;
        for (size_t i = 0; i < set->common_count; i++)
                if (label_given(&set->common[i]))
                        put_next(text, start, &set->common[i]);
        set->common_at = start;
        set->common_length = text->length - start;
}

/* A name that came before is left out: a page with two labels of one name is refused as a whole. Answers how
 * long what stands at the end for all samples is. */
static size_t put_labels(struct sample_set *set, const struct label *labels, size_t count, const char *le)
{
        struct text *text = &set->arena;
        size_t start = text->length;
        put_common(set);
        for (size_t i = 0; i < count; i++)
                if (label_given(&labels[i]) && !name_in(labels[i].name, set->common, set->common_count) &&
                    !name_in(labels[i].name, labels, i))
                        put_next(text, start, &labels[i]);
        size_t own = text->length;
        put_fixed(set, start, labels, count);
        size_t fixed = text->length - own;
        if (le)
                put_next(text, start, &(struct label){"le", le});
        return le ? 0 : fixed;
}

static bool make_room(struct sample_set *set, size_t extra)
{
        if (set->error)
                return false;
        if (set->limit && extra > set->limit - (set->count < set->limit ? set->count : set->limit)) {
                set->dropped += extra;
                return false;
        }
        if (set->count + extra <= set->capacity)
                return true;

        size_t capacity = set->capacity ? set->capacity * 2 : 16;
        if (capacity < set->count + extra)
                capacity = set->count + extra;
        struct sample *samples = reallocarray(set->samples, capacity, sizeof(*samples));
        if (!samples) {
                set->error = -ENOMEM;
                return false;
        }
        set->samples = samples;
        set->capacity = capacity;
        return true;
}

/* The row whose labels begin at `start` of the arena. */
static void finish_row(struct sample_set *set, const struct metric_family *family, uint8_t suffix,
                       double value, size_t start, size_t fixed)
{
        if (text_error(&set->arena) < 0)
                set->error = text_error(&set->arena);
        else if (set->arena.length > UINT32_MAX)
                set->error = -E2BIG;
        else
                set->samples[set->count++] = (struct sample){
                        .family = family,
                        .labels_offset = (uint32_t)start,
                        .labels_length = (uint32_t)(set->arena.length - start),
                        .suffix = suffix,
                        .fixed_length = (uint16_t)(fixed <= UINT16_MAX ? fixed : 0),
                        .value = value,
                };
}

static void add_row(struct sample_set *set, const struct metric_family *family, uint8_t suffix, double value,
                    const struct label *labels, size_t count, const char *le)
{
        size_t start = set->arena.length;
        size_t fixed = put_labels(set, labels, count, le);
        finish_row(set, family, suffix, value, start, fixed);
}

void sample_add(struct sample_sink *sink, const struct metric_family *family, double value,
                const struct label *labels, size_t count)
{
        if (make_room(sink->set, 1))
                add_row(sink->set, family, SAMPLE_PLAIN, value, labels, count, NULL);
}

/* "1.0", not "1": as OpenMetrics and Prometheus spell it, so that each format names the same series. */
static void put_bound(struct text *text, double bound)
{
        text_clear(text);
        text_put_double(text, bound);
        if (!strpbrk(text_string(text), ".eIN"))
                text_puts(text, ".0");
}

static void add_native(struct sample_set *set, const struct metric_family *family,
                       const struct native_buckets *native)
{
        size_t length = offsetof(struct native_buckets, buckets) + native->count * sizeof(*native->buckets);
        size_t start = set->arena.length;
        text_append(&set->arena, native, length);
        finish_row(set, family, SAMPLE_NATIVE, 0, start, 0);
}

/* All rows of a histogram or none: half of one would be wrong. */
void sample_add_histogram(struct sample_sink *sink, const struct metric_family *family,
                          const struct histogram *histogram, const struct label *labels, size_t count)
{
        _cleanup_text_ struct text le = {0};
        struct sample_set *set = sink->set;
        uint64_t cumulative = 0;
        if (!make_room(set, histogram->bound_count + 3 + (histogram->native ? 1 : 0)))
                return;
        for (size_t i = 0; i <= histogram->bound_count; i++) {
                cumulative += histogram->counts[i];
                put_bound(&le, i < histogram->bound_count ? histogram->bounds[i] : INFINITY);
                if (text_error(&le) < 0) {
                        set->error = text_error(&le);
                        return;
                }
                add_row(set, family, SAMPLE_BUCKET, (double)cumulative, labels, count, text_string(&le));
        }
        add_row(set, family, SAMPLE_SUM, histogram->sum, labels, count, NULL);
        add_row(set, family, SAMPLE_COUNT, (double)cumulative, labels, count, NULL);
        if (histogram->native)
                add_native(set, family, histogram->native);
}

void sample_set_clear(struct sample_set *set)
{
        text_clear(&set->arena);
        set->common_length = 0;
        set->count = 0;
        set->dropped = 0;
        set->shadowed = 0;
        set->error = 0;
}

void sample_set_release(struct sample_set *set)
{
        text_free(&set->arena);
        free(set->samples);
        *set = (struct sample_set){0};
}
