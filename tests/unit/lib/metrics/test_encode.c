/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every format against a golden file: one page with all that a page may have.
 *
 * To see what a change does to them: RUNBOOK_WRITE_GOLDEN=1 build/tests/unit/lib/metrics/test_encode; git
 * diff tests/data
 */
#include "tests/harness/unit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <zlib.h>

#include "generated/metrics.pb-c.h"
#include "runbook/file.h"
#include "runbook/gzip.h"
#include "runbook/metrics.h"

#define GOLDEN "tests/data/formats/"

static const struct metric_family up = {"t_up", METRIC_GAUGE, NULL, "Whether it is \"up\"."};
static const struct metric_family sent = {"t_sent_bytes_total", METRIC_COUNTER, "bytes",
                                          "Back\\slash\nand line."};
static const struct metric_family unnamed = {"t_requests", METRIC_COUNTER, NULL, "A counter without _total."};
static const struct metric_family keys = {"t_keys", METRIC_GAUGE, NULL, "Takes the counter's short name."};
static const struct metric_family keys_total = {"t_keys_total", METRIC_COUNTER, NULL, "Keys that came."};
static const struct metric_family age = {"t_age", METRIC_GAUGE, "seconds", "A unit the name has not."};
static const struct metric_family info = {"t_build_info", METRIC_INFO, NULL, "What it is."};
static const struct metric_family about = {"t_about", METRIC_INFO, NULL, "An info without _info."};
static const struct metric_family took = {"t_took_seconds", METRIC_HISTOGRAM, "seconds", "How long."};
static const struct metric_family waited = {"t_waited_seconds", METRIC_HISTOGRAM, "seconds", "Native, too."};

static void add_histograms(struct sample_sink *sink)
{
        static const double bounds[] = {0.25, 1, 10};
        struct histogram classic, native;
        assert_int_equal(histogram_init(&classic, bounds, N_ELEMENTS(bounds)), 0);
        assert_int_equal(histogram_init_native(&native, bounds, N_ELEMENTS(bounds)), 0);
        for (int i = 1; i <= 4; i++) {
                histogram_observe(&classic, i * 0.25);
                histogram_observe(&native, i * 0.25);
        }
        histogram_observe(&native, 0);
        histogram_observe(&native, 1.01);
        histogram_observe(&native, 300);
        sample_add_histogram(sink, &took, &classic, (const struct label[]){{"phase", "x"}}, 1);
        sample_add_histogram(sink, &waited, &native, (const struct label[]){{"phase", "x"}}, 1);
        sample_add_histogram(sink, &waited, &classic, (const struct label[]){{"phase", "x"}}, 1); /* again */
        histogram_release(&classic);
        histogram_release(&native);
}

static void fill(struct sample_set *a, struct sample_set *b)
{
        struct sample_sink to_a = {a}, to_b = {b};
        SAMPLE_BARE(&to_a, &up, 1);
        SAMPLE(&to_a, &up, 0.1, {"quoted", "a\"b\\c\nd"}, {"umlaut", "gr\xC3\xBC\xC3\x9F"}, {"bad", "\xFF!"});
        SAMPLE(&to_a, &up, NAN, {"n", "1"});
        SAMPLE(&to_a, &up, INFINITY, {"n", "2"});
        SAMPLE(&to_a, &up, -INFINITY, {"n", "3"});
        SAMPLE_BARE(&to_b, &sent, 12345678901234567890.0);
        SAMPLE_BARE(&to_b, &unnamed, 7);
        SAMPLE_BARE(&to_b, &keys, 3);
        SAMPLE_BARE(&to_b, &keys_total, 5);
        SAMPLE_BARE(&to_b, &age, 1700000000.123);
        SAMPLE(&to_b, &info, 1, {"version", "1.2.3"});
        SAMPLE_BARE(&to_b, &about, 1);
        add_histograms(&to_b);
        SAMPLE(&to_a, &up, 9, {"n", "1"}); /* a duplicate */
}

static void read_file(const char *path, struct text *ret)
{
        _cleanup_error_ struct error error = {0};
        if (file_read_whole(path, 1 << 20, ret, &error) < 0)
                fail_msg("%s", error_text(&error));
}

static void write_file(const char *path, const struct text *text)
{
        FILE *file = fopen(path, "wbe");
        assert_non_null(file);
        assert_int_equal(fwrite(text->data, 1, text->length, file), text->length);
        fclose(file);
}

static void encode(enum metrics_format format, const char *const *names, struct text *page)
{
        struct sample_set a = {0}, b = {.common = (const struct label[]){{"check", "b"}}, .common_count = 1};
        uint64_t duplicates = 0;
        fill(&a, &b);
        assert_int_equal(metrics_encode(format, (const struct sample_set *const[]){&a, &b}, 2, names, page,
                                        &duplicates),
                         0);
        assert_int_equal(duplicates, names ? 0 : 7); /* the rows of a histogram, and one */
        sample_set_release(&a);
        sample_set_release(&b);
}

static void assert_golden(enum metrics_format format, const char *path)
{
        _cleanup_text_ struct text page = {0}, golden = {0};
        encode(format, NULL, &page);
        if (getenv("RUNBOOK_WRITE_GOLDEN"))
                write_file(path, &page);
        read_file(path, &golden);
        if (format != METRICS_PROTOBUF)
                assert_string_equal(text_string(&page), text_string(&golden));
        assert_int_equal(page.length, golden.length);
        assert_memory_equal(page.data, golden.data, page.length);
}

static void text_is_golden(void **state _unused_)
{
        assert_golden(METRICS_TEXT, GOLDEN "text-0.0.4.txt");
}

static void openmetrics_is_golden(void **state _unused_)
{
        assert_golden(METRICS_OPENMETRICS_1, GOLDEN "openmetrics-1.0.0.txt");
        assert_golden(METRICS_OPENMETRICS_0, GOLDEN "openmetrics-1.0.0.txt");
}

static void openmetrics_2_is_golden(void **state _unused_)
{
        assert_golden(METRICS_OPENMETRICS_2, GOLDEN "openmetrics-2.0.0.txt");
}

static void protobuf_is_golden(void **state _unused_)
{
        assert_golden(METRICS_PROTOBUF, GOLDEN "delimited.pb");
}

static size_t read_varint(const struct text *page, size_t *at)
{
        size_t value = 0;
        for (int shift = 0;; shift += 7) {
                assert_true(*at < page->length);
                unsigned char byte = (unsigned char)page->data[(*at)++];
                value |= (size_t)(byte & 0x7f) << shift;
                if (!(byte & 0x80))
                        return value;
        }
}

static void check_family(const Io__Prometheus__Client__MetricFamily *family)
{
        const Io__Prometheus__Client__Metric *metric = family->metric[0];
        if (strcmp(family->name, "t_up") == 0) {
                assert_int_equal(family->type, IO__PROMETHEUS__CLIENT__METRIC_TYPE__GAUGE);
                assert_int_equal(family->n_metric, 5);
                assert_int_equal(metric->n_label, 0);
                assert_true(metric->gauge->value == 1);
                assert_string_equal(family->metric[1]->label[0]->name, "quoted");
                assert_string_equal(family->metric[1]->label[0]->value, "a\"b\\c\nd");
                assert_string_equal(family->metric[1]->label[1]->value, "gr\xC3\xBC\xC3\x9F");
                assert_string_equal(family->metric[1]->label[2]->value, "\xEF\xBF\xBD!");
        } else if (strcmp(family->name, "t_sent_bytes_total") == 0) {
                assert_int_equal(family->type, IO__PROMETHEUS__CLIENT__METRIC_TYPE__COUNTER);
                assert_string_equal(family->unit, "bytes");
                assert_string_equal(family->help, "Back\\slash\nand line.");
                assert_true(metric->counter->value == 12345678901234567890.0);
        } else if (strcmp(family->name, "t_waited_seconds") == 0) {
                const Io__Prometheus__Client__Histogram *histogram = metric->histogram;
                /* 0.25 0.5 0.75 1 1.01 300: 2^(-16/8), 2^(-8/8), 2^(-3/8), 2^(0/8), 2^(1/8), 2^(66/8) */
                static const int32_t offsets[] = {-16, 7, 4, 2, 64}, lengths[] = {1, 1, 1, 2, 1};
                assert_int_equal(family->type, IO__PROMETHEUS__CLIENT__METRIC_TYPE__HISTOGRAM);
                assert_int_equal(family->n_metric, 1);
                assert_int_equal(histogram->sample_count, 7);
                assert_true(histogram->sample_sum == 303.51);
                assert_int_equal(histogram->n_bucket, 3);
                assert_true(histogram->bucket[2]->upper_bound == 10);
                assert_int_equal(histogram->bucket[2]->cumulative_count, 6);
                assert_int_equal(histogram->schema, 3);
                assert_int_equal(histogram->zero_count, 1);
                assert_int_equal(histogram->n_positive_span, N_ELEMENTS(offsets));
                for (size_t i = 0; i < N_ELEMENTS(offsets); i++) {
                        assert_int_equal(histogram->positive_span[i]->offset, offsets[i]);
                        assert_int_equal(histogram->positive_span[i]->length, lengths[i]);
                }
                assert_int_equal(histogram->n_positive_delta, 6);
                assert_int_equal(histogram->positive_delta[0], 1);
                for (size_t i = 1; i < 6; i++)
                        assert_int_equal(histogram->positive_delta[i], 0);
        }
}

static void protobuf_reads_back(void **state _unused_)
{
        _cleanup_text_ struct text page = {0};
        size_t at = 0, families = 0;
        encode(METRICS_PROTOBUF, NULL, &page);
        while (at < page.length) {
                size_t length = read_varint(&page, &at);
                assert_true(length <= page.length - at);
                Io__Prometheus__Client__MetricFamily *family = io__prometheus__client__metric_family__unpack(
                        NULL, length, (const uint8_t *)page.data + at);
                assert_non_null(family);
                assert_true(family->n_metric > 0);
                check_family(family);
                io__prometheus__client__metric_family__free_unpacked(family, NULL);
                at += length;
                families++;
        }
        assert_int_equal(families, 10);
}

static void only_named_families_are_written(void **state _unused_)
{
        _cleanup_text_ struct text page = {0};
        encode(METRICS_TEXT,
               (const char *const[]){"t_age", "t_took_seconds_bucket", "t_k", "t_keys_sum", NULL}, &page);
        assert_non_null(strstr(text_string(&page), "t_age"));
        assert_non_null(strstr(text_string(&page), "t_took_seconds_sum"));
        assert_null(strstr(text_string(&page), "t_keys"));
        assert_null(strstr(text_string(&page), "t_up"));
}

static void native_buckets_are_joined_when_there_are_too_many(void **state _unused_)
{
        struct histogram histogram;
        static const double bound = 1;
        uint64_t total = 0;
        assert_int_equal(histogram_init_native(&histogram, &bound, 1), 0);
        const struct native_buckets *native = histogram.native;
        for (int e = -1100; e < 1024; e++)
                for (int step = 0; step < 16; step++)
                        histogram_observe(&histogram, ldexp(1 + step / 16.0, e));
        histogram_observe(&histogram, INFINITY);
        histogram_observe(&histogram, NAN);
        assert_true(native->schema >= -4 && native->count <= NATIVE_BUCKETS_MAX);
        for (uint32_t i = 0; i < native->count; i++) {
                assert_true(native->buckets[i].count > 0);
                assert_true(i == 0 || native->buckets[i].index > native->buckets[i - 1].index);
                total += native->buckets[i].count;
        }
        assert_int_equal(total + native->zero_count, 2124 * 16 + 1);
        histogram_release(&histogram);
}

static void observe(struct native_buckets *native, double value)
{
        uint64_t count = 0;
        histogram_observe(&(struct histogram){.counts = &count, .native = native}, value);
}

static void native_buckets_hold_what_lies_between_their_bounds(void **state _unused_)
{
        for (int i = -40; i <= 40; i++) {
                struct native_buckets native = {.schema = 3};
                double bound = exp2(i / 8.0);
                if (i % 8 == 0) { /* exact; the others only nearly */
                        observe(&native, bound);
                        assert_int_equal(native.buckets[0].index, i);
                }
                native = (struct native_buckets){.schema = 3};
                observe(&native, bound * 0.999);
                observe(&native, bound * 1.001);
                assert_int_equal(native.buckets[0].index, i);
                assert_int_equal(native.buckets[1].index, i + 1);
        }
}

static void gzip_reads_back(void **state _unused_)
{
        _cleanup_text_ struct text page = {0}, zipped = {0};
        unsigned char back[65536];
        z_stream stream = {0};
        encode(METRICS_TEXT, NULL, &page);
        assert_int_equal(gzip_compress(page.data, page.length, &zipped), 0);
        assert_true(zipped.length < page.length);
        assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
        stream.next_in = (unsigned char *)zipped.data;
        stream.avail_in = (unsigned)zipped.length;
        stream.next_out = back;
        stream.avail_out = sizeof(back);
        assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
        assert_int_equal(stream.total_out, page.length);
        assert_memory_equal(back, page.data, page.length);
        inflateEnd(&stream);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_is_golden),
                cmocka_unit_test(openmetrics_is_golden),
                cmocka_unit_test(openmetrics_2_is_golden),
                cmocka_unit_test(protobuf_is_golden),
                cmocka_unit_test(protobuf_reads_back),
                cmocka_unit_test(only_named_families_are_written),
                cmocka_unit_test(native_buckets_are_joined_when_there_are_too_many),
                cmocka_unit_test(native_buckets_hold_what_lies_between_their_bounds),
                cmocka_unit_test(gzip_reads_back),
        };
        return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
