/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delimited protocol buffers: each family as one message (metrics.proto) after its length.
 *
 * The metrics of a family are packed one by one, so that a page of any size needs the structures of one
 * metric alone; the fields of a message may come in any order, and so the family's others come first.
 */
#include <errno.h>
#include <math.h>

#include "generated/metrics.pb-c.h"
#include "lib/metrics/writer.h"

typedef Io__Prometheus__Client__LabelPair LabelPair;
typedef Io__Prometheus__Client__Number Number;
typedef Io__Prometheus__Client__Bucket Bucket;
typedef Io__Prometheus__Client__BucketSpan BucketSpan;
typedef Io__Prometheus__Client__Histogram Histogram;
typedef Io__Prometheus__Client__Metric Metric;
typedef Io__Prometheus__Client__MetricFamily MetricFamily;

#define METRIC_TAG (4 << 3 | 2) /* field 4 of MetricFamily, length-delimited */

static const Io__Prometheus__Client__MetricType types[] = {
        [METRIC_GAUGE] = IO__PROMETHEUS__CLIENT__METRIC_TYPE__GAUGE,
        [METRIC_COUNTER] = IO__PROMETHEUS__CLIENT__METRIC_TYPE__COUNTER,
        [METRIC_HISTOGRAM] = IO__PROMETHEUS__CLIENT__METRIC_TYPE__HISTOGRAM,
        [METRIC_INFO] = IO__PROMETHEUS__CLIENT__METRIC_TYPE__GAUGE,
};
tables_agree(types, METRIC_TYPES);

/* Messages of one type and the pointers to them, as protobuf-c wants a repeated field. */
struct labels {
        LabelPair *messages, **pointers;
        size_t capacity;
};

struct buckets {
        Bucket *messages, **pointers;
        size_t capacity;
};

struct state {
        struct text metrics; /* of the present family, packed */
        struct text words;   /* label names and values, NUL after each */
        struct labels labels;
        struct buckets buckets;
};

static int begin_page(struct metrics_output *out)
{
        out->state = calloc(1, sizeof(struct state));
        return out->state ? 0 : -ENOMEM;
}

static void end_page(struct metrics_output *out)
{
        struct state *state = out->state;
        text_free(&state->metrics);
        text_free(&state->words);
        free(state->labels.messages);
        free(state->labels.pointers);
        free(state->buckets.messages);
        free(state->buckets.pointers);
        free(state);
}

static void begin_family(struct metrics_output *out)
{
        text_clear(&((struct state *)out->state)->metrics);
}

static void put_varint(struct text *text, uint64_t value)
{
        for (; value >= 0x80; value >>= 7)
                text_putc(text, (char)(value | 0x80));
        text_putc(text, (char)value);
}

static void put_message(struct text *text, const ProtobufCMessage *message, size_t size)
{
        if (text_reserve(text, size))
                text->length += protobuf_c_message_pack(message, (uint8_t *)text->data + text->length);
}

/* Room for `count` messages of `holder`, whose pointers stay in place. */
#define MAKE_ROOM(text, holder, count)                                                                      \
        do {                                                                                                \
                if ((count) <= (holder)->capacity)                                                          \
                        break;                                                                              \
                size_t _capacity = 2 * (count);                                                             \
                void *_messages = reallocarray((holder)->messages, _capacity, sizeof(*(holder)->messages)); \
                if (_messages)                                                                              \
                        (holder)->messages = _messages;                                                     \
                void *_pointers = reallocarray((holder)->pointers, _capacity, sizeof(*(holder)->pointers)); \
                if (_pointers)                                                                              \
                        (holder)->pointers = _pointers;                                                     \
                if (_messages && _pointers)                                                                 \
                        (holder)->capacity = _capacity;                                                     \
                else                                                                                        \
                        (text)->error = -ENOMEM;                                                            \
        } while (0)

/* Copies up to `end` with escapes resolved; the place after it. */
static const char *copy_value(struct text *words, const char *from, const char *end)
{
        char *to = words->data + words->length;
        for (; from < end && *from != '"'; from++) {
                if (*from == '\\' && from + 1 < end) {
                        from++;
                        *to++ = *from == 'n' ? '\n' : *from;
                } else {
                        *to++ = *from;
                }
        }
        *to++ = '\0';
        words->length = (size_t)(to - words->data);
        return from;
}

static const char *copy_name(struct text *words, const char *from, const char *end)
{
        const char *equals = memchr(from, '=', (size_t)(end - from));
        size_t length = (size_t)(equals - from);
        memcpy(words->data + words->length, from, length);
        words->length += length;
        words->data[words->length++] = '\0';
        return equals;
}

/* Takes `name="value",…` apart. Its words fit into as much room: `="",` is longer than two NULs. */
static size_t take_labels(struct metrics_output *out, const char *labels, size_t length)
{
        struct state *state = out->state;
        const char *end = labels + length;
        size_t count = 0;
        text_clear(&state->words);
        if (!text_reserve(&state->words, length + 2)) {
                out->text->error = -ENOMEM;
                return 0;
        }
        while (labels < end) {
                MAKE_ROOM(out->text, &state->labels, count + 1);
                if (text_error(out->text) < 0)
                        return 0;
                LabelPair *pair = &state->labels.messages[count++];
                io__prometheus__client__label_pair__init(pair);
                pair->name = state->words.data + state->words.length;
                labels = copy_name(&state->words, labels, end) + 2;
                pair->value = state->words.data + state->words.length;
                labels = copy_value(&state->words, labels, end) + 2;
        }
        for (size_t i = 0; i < count; i++)
                state->labels.pointers[i] = &state->labels.messages[i];
        return count;
}

static void put_metric(struct metrics_output *out, Metric *metric, const struct metrics_row *labelled)
{
        struct state *state = out->state;
        metric->n_label = take_labels(out, labelled->labels, labelled->sample->labels_length);
        metric->label = state->labels.pointers;
        size_t size = io__prometheus__client__metric__get_packed_size(metric);
        text_putc(&state->metrics, METRIC_TAG);
        put_varint(&state->metrics, size);
        put_message(&state->metrics, &metric->base, size);
}

static void put_number(struct metrics_output *out, const struct metrics_row *row)
{
        Metric metric = IO__PROMETHEUS__CLIENT__METRIC__INIT;
        Number number = IO__PROMETHEUS__CLIENT__NUMBER__INIT;
        number.has_value = 1;
        number.value = row->sample->value;
        if (out->group->family->type == METRIC_COUNTER)
                metric.counter = &number;
        else
                metric.gauge = &number;
        put_metric(out, &metric, row);
}

/* Those below +Inf, which the count stands for. */
static void add_buckets(struct metrics_output *out, Histogram *histogram, const struct metrics_row *rows,
                        size_t count)
{
        struct buckets *buckets = &((struct state *)out->state)->buckets;
        MAKE_ROOM(out->text, buckets, count + 1);
        if (text_error(out->text) < 0)
                return;
        for (size_t i = 0; i < count; i++) {
                size_t length;
                double bound = strtod(metrics_row_bound(&rows[i], &length), NULL); /* a quote ends it */
                if (isinf(bound))
                        continue;
                Bucket *bucket = &buckets->messages[histogram->n_bucket];
                io__prometheus__client__bucket__init(bucket);
                bucket->has_cumulative_count = bucket->has_upper_bound = 1;
                bucket->cumulative_count = (uint64_t)rows[i].sample->value;
                bucket->upper_bound = bound;
                buckets->pointers[histogram->n_bucket++] = bucket;
        }
        histogram->bucket = buckets->pointers;
}

/* The parts of a native histogram that a message points to. */
struct native_parts {
        BucketSpan spans[NATIVE_BUCKETS_MAX], *span_pointers[NATIVE_BUCKETS_MAX];
        int64_t deltas[NATIVE_BUCKETS_MAX];
        struct native_buckets native;
};

static void add_native(Histogram *histogram, const struct metrics_row *row, struct native_parts *parts)
{
        struct native_buckets *native = &parts->native;
        int64_t expected = 0, previous = 0;
        metrics_row_native(row, native);
        histogram->has_schema = histogram->has_zero_threshold = histogram->has_zero_count = 1;
        histogram->schema = native->schema;
        histogram->zero_threshold = native->zero_threshold;
        histogram->zero_count = native->zero_count;
        for (uint32_t i = 0; i < native->count;) {
                BucketSpan *span = &parts->spans[histogram->n_positive_span];
                io__prometheus__client__bucket_span__init(span);
                span->has_offset = span->has_length = 1;
                span->offset = (int32_t)(native->buckets[i].index - expected);
                span->length = native_span(native, i);
                expected = native->buckets[i].index + span->length;
                parts->span_pointers[histogram->n_positive_span++] = span;
                i += span->length;
        }
        for (uint32_t i = 0; i < native->count; i++) {
                parts->deltas[i] = (int64_t)native->buckets[i].count - previous;
                previous = (int64_t)native->buckets[i].count;
        }
        histogram->positive_span = parts->span_pointers;
        histogram->n_positive_delta = native->count;
        histogram->positive_delta = parts->deltas;
}

static void put_histogram(struct metrics_output *out, const struct metrics_row *rows, size_t count)
{
        Metric metric = IO__PROMETHEUS__CLIENT__METRIC__INIT;
        Histogram histogram = IO__PROMETHEUS__CLIENT__HISTOGRAM__INIT;
        struct native_parts parts;
        size_t buckets = 0;
        while (buckets < count && rows[buckets].sample->suffix == SAMPLE_BUCKET)
                buckets++;
        if (buckets + 2 > count)
                return; /* what is left of one that was there already */
        const struct metrics_row *sum = &rows[buckets], *total = sum + 1;
        histogram.has_sample_count = histogram.has_sample_sum = 1;
        histogram.sample_count = (uint64_t)total->sample->value;
        histogram.sample_sum = sum->sample->value;
        add_buckets(out, &histogram, rows, buckets);
        if (buckets + 3 == count)
                add_native(&histogram, &rows[count - 1], &parts);
        metric.histogram = &histogram;
        put_metric(out, &metric, sum);
}

static void end_family(struct metrics_output *out)
{
        const struct metric_family *family = out->group->family;
        struct text *metrics = &((struct state *)out->state)->metrics;
        MetricFamily message = IO__PROMETHEUS__CLIENT__METRIC_FAMILY__INIT;
        message.name = (char *)family->name; /* protobuf-c has no const */
        message.help = (char *)family->help;
        message.unit = (char *)family->unit;
        message.has_type = 1;
        message.type = types[family->type];
        size_t size = io__prometheus__client__metric_family__get_packed_size(&message);
        put_varint(out->text, size + metrics->length);
        put_message(out->text, &message.base, size);
        text_append(out->text, metrics->data, metrics->length);
        if (text_error(metrics) < 0)
                out->text->error = text_error(metrics);
}

const struct metrics_writer metrics_writer_protobuf = {
        .begin_page = begin_page,
        .begin_family = begin_family,
        .number = put_number,
        .histogram = put_histogram,
        .end_family = end_family,
        .end_page = end_page,
};
