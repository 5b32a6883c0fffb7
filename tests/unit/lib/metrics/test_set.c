/* SPDX-License-Identifier: Apache-2.0 */
/* Sample sets, the order of a page, and the text format 0.0.4. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "lib/metrics/page.h"
#include "runbook/metrics.h"

static const struct metric_family up = {"t_up", METRIC_GAUGE, NULL, "Whether it is up."};
static const struct metric_family up_again = {"t_up", METRIC_GAUGE, NULL, "Whether it is up."};
static const struct metric_family up_other = {"t_up", METRIC_COUNTER, NULL, "Another type."};
static const struct metric_family sent = {"t_sent_bytes_total", METRIC_COUNTER, "bytes",
                                          "Back\\slash\nline."};
static const struct metric_family info = {"t_info", METRIC_INFO, NULL, "What it is."};
static const struct metric_family took = {"t_took_seconds", METRIC_HISTOGRAM, "seconds", "How long."};

static void assert_page(const struct sample_set *const *sets, size_t count, const char *expected,
                        uint64_t expected_duplicates)
{
        _cleanup_text_ struct text page = {0};
        uint64_t duplicates = 99;
        assert_int_equal(metrics_encode_text(sets, count, &page, &duplicates), 0);
        assert_string_equal(text_string(&page), expected);
        assert_int_equal(duplicates, expected_duplicates);
}

static void families_are_sorted_and_every_type_is_spelled(void **state _unused_)
{
        static const double bounds[] = {0.5, 2};
        struct sample_set a = {0}, b = {.common = (const struct label[]){{"check", "b"}}, .common_count = 1};
        struct sample_sink to_a = {&a}, to_b = {&b};
        struct histogram histogram;
        assert_int_equal(histogram_init(&histogram, bounds, N_ELEMENTS(bounds)), 0);
        histogram_observe(&histogram, 0.5); /* a bound belongs to its bucket */
        histogram_observe(&histogram, 1);
        histogram_observe(&histogram, 100);
        SAMPLE_BARE(&to_a, &up, 1);
        SAMPLE_BARE(&to_a, &sent, 1.5);
        sample_add_histogram(&to_b, &took, &histogram, (const struct label[]){{"phase", "x"}}, 1);
        SAMPLE(&to_b, &up_again, 0, {"empty", ""}, {"null", NULL}, {"db", "0"});
        SAMPLE_BARE(&to_b, &info, 1);
        assert_page((const struct sample_set *const[]){&a, &b}, 2,
                    "# HELP t_info What it is.\n"
                    "# TYPE t_info gauge\n"
                    "t_info{check=\"b\"} 1\n"
                    "# HELP t_sent_bytes_total Back\\\\slash\\nline.\n"
                    "# TYPE t_sent_bytes_total counter\n"
                    "t_sent_bytes_total 1.5\n"
                    "# HELP t_took_seconds How long.\n"
                    "# TYPE t_took_seconds histogram\n"
                    "t_took_seconds_bucket{check=\"b\",phase=\"x\",le=\"0.5\"} 1\n"
                    "t_took_seconds_bucket{check=\"b\",phase=\"x\",le=\"2.0\"} 2\n"
                    "t_took_seconds_bucket{check=\"b\",phase=\"x\",le=\"+Inf\"} 3\n"
                    "t_took_seconds_sum{check=\"b\",phase=\"x\"} 101.5\n"
                    "t_took_seconds_count{check=\"b\",phase=\"x\"} 3\n"
                    "# HELP t_up Whether it is up.\n"
                    "# TYPE t_up gauge\n"
                    "t_up 1\n"
                    "t_up{check=\"b\",db=\"0\"} 0\n",
                    0);
        histogram_release(&histogram);
        sample_set_release(&a);
        sample_set_release(&b);
}

static void special_values_are_spelled_as_prometheus_reads_them(void **state _unused_)
{
        struct sample_set set = {0};
        struct sample_sink sink = {&set};
        SAMPLE(&sink, &up, NAN, {"n", "1"});
        SAMPLE(&sink, &up, INFINITY, {"n", "2"});
        SAMPLE(&sink, &up, -INFINITY, {"n", "3"});
        SAMPLE(&sink, &up, 0.1, {"n", "4"});
        assert_page((const struct sample_set *const[]){&set}, 1,
                    "# HELP t_up Whether it is up.\n# TYPE t_up gauge\n"
                    "t_up{n=\"1\"} NaN\nt_up{n=\"2\"} +Inf\nt_up{n=\"3\"} -Inf\nt_up{n=\"4\"} 0.1\n",
                    0);
        sample_set_release(&set);
}

static void assert_labels(const char *value, const char *expected)
{
        struct sample_set set = {0};
        SAMPLE(&(struct sample_sink){&set}, &up, 1, {"l", value});
        assert_int_equal(set.error, 0);
        assert_string_equal(text_string(&set.arena), expected);
        sample_set_release(&set);
}

static void label_values_are_escaped_and_made_utf8(void **state _unused_)
{
        assert_labels("a\"b\\c\nd", "l=\"a\\\"b\\\\c\\nd\"");
        assert_labels("gr\xC3\xBC\xC3\x9F", "l=\"gr\xC3\xBC\xC3\x9F\"");
        assert_labels("\xFF!\xC0\xAF", "l=\"\xEF\xBF\xBD!\xEF\xBF\xBD\xEF\xBF\xBD\"");
        assert_labels("\xED\xA0\x80", "l=\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""); /* a surrogate */
        assert_labels("tab\t", "l=\"tab\t\"");
}

static void long_values_are_cut_between_characters(void **state _unused_)
{
        char value[2001] = {0}, expected[1100] = {0};
        value[0] = 'x'; /* so that 1024 falls inside of a character */
        for (size_t i = 1; i < 2000; i += 2)
                memcpy(value + i, "\xC3\xBC", i + 1 < 2000 ? 2 : 0);
        snprintf(expected, sizeof(expected), "l=\"%.1023s\"", value);
        assert_labels(value, expected);
}

static void a_label_name_stands_once(void **state _unused_)
{
        struct sample_set set = {.common = (const struct label[]){{"check", "c"}}, .common_count = 1};
        SAMPLE(&(struct sample_sink){&set}, &up, 1, {"check", "mine"}, {"a", "1"}, {"a", "2"});
        assert_string_equal(text_string(&set.arena), "check=\"c\",a=\"1\"");
        sample_set_release(&set);
}

/* What a sample has itself is never replaced, and what was left out for it is counted. */
static void fixed_labels_stand_behind_a_samples_own(void **state _unused_)
{
        struct sample_set set = {.common = (const struct label[]){{"check", "c"}},
                                 .common_count = 1,
                                 .fixed = (const struct label[]){{"env", "prod"}, {"team", "x"}},
                                 .fixed_count = 2};
        SAMPLE(&(struct sample_sink){&set}, &up, 1, {"a", "1"});
        SAMPLE(&(struct sample_sink){&set}, &up, 1, {"team", "mine"}, {"env", ""});
        assert_string_equal(text_string(&set.arena), "check=\"c\",a=\"1\",env=\"prod\",team=\"x\""
                                                     "check=\"c\",team=\"mine\",env=\"prod\"");
        assert_int_equal(set.samples[0].fixed_length, strlen(",env=\"prod\",team=\"x\""));
        assert_int_equal(set.samples[1].fixed_length, strlen(",env=\"prod\""));
        assert_int_equal(set.shadowed, 1);
        assert_string_equal(set.shadowed_name, "team");
        sample_set_release(&set);
}

/* Who fills a set may say which of equal series stands for all, and what is on no page although it is in it.
 */
static void what_is_kept_stands_first_and_what_is_cut_is_on_no_page(void **state _unused_)
{
        struct sample_set set = {0};
        const struct sample_set *const all = &set;
        struct sample_sink sink = {&set};
        _cleanup_text_ struct text page = {0};
        SAMPLE(&sink, &up, 1, {"n", "a"});
        SAMPLE(&sink, &up, 2, {"n", "b"});
        SAMPLE(&sink, &up, 3, {"n", "a"});
        SAMPLE(&sink, &up, 4, {"n", "a"});
        set.samples[2].kept = set.samples[3].kept = true;
        set.samples[1].cut = true;
        assert_int_equal(sample_set_mark_repeated(&set), 2);
        assert_true(set.samples[0].kept && !set.samples[0].repeated && set.samples[2].repeated);
        assert_int_equal(metrics_encode_text(&all, 1, &page, NULL), 0);
        assert_non_null(strstr(text_string(&page), "{n=\"a\"} 3\n"));
        assert_null(strstr(text_string(&page), "n=\"b\""));
        sample_set_release(&set);
}

static void series_beyond_the_limit_are_dropped_and_counted(void **state _unused_)
{
        static const double bounds[] = {1, 2};
        struct sample_set set = {.limit = 2};
        struct sample_sink sink = {&set};
        struct histogram histogram;
        assert_int_equal(histogram_init(&histogram, bounds, 2), 0);
        sample_add_histogram(&sink, &took, &histogram, NULL, 0); /* five rows: all or none */
        assert_int_equal(set.count, 0);
        assert_int_equal(set.dropped, 5);
        SAMPLE(&sink, &up, 1, {"n", "1"});
        SAMPLE(&sink, &up, 1, {"n", "2"});
        SAMPLE(&sink, &up, 1, {"n", "3"});
        assert_int_equal(set.count, 2);
        assert_int_equal(set.dropped, 6);
        sample_set_clear(&set);
        assert_int_equal(set.dropped, 0);
        SAMPLE(&sink, &up, 1, {"n", "3"});
        assert_int_equal(set.count, 1);
        histogram_release(&histogram);
        sample_set_release(&set);
}

static void duplicates_and_contradictions_are_left_out_and_counted(void **state _unused_)
{
        struct sample_set a = {0}, b = {0};
        SAMPLE(&(struct sample_sink){&a}, &up, 1, {"n", "1"});
        SAMPLE(&(struct sample_sink){&a}, &up, 2, {"n", "1"});
        SAMPLE(&(struct sample_sink){&b}, &up_again, 3, {"n", "1"});
        SAMPLE(&(struct sample_sink){&b}, &up_again, 4, {"n", "2"});
        SAMPLE(&(struct sample_sink){&b}, &up_other, 5, {"n", "3"});
        assert_page((const struct sample_set *const[]){&a, &b}, 2,
                    "# HELP t_up Whether it is up.\n# TYPE t_up gauge\nt_up{n=\"1\"} 1\nt_up{n=\"2\"} 4\n",
                    3);
        sample_set_release(&a);
        sample_set_release(&b);
}

static void many_series_stay_in_order(void **state _unused_)
{
        enum { COUNT = 20000 };
        struct sample_set set = {0};
        struct sample_sink sink = {&set};
        _cleanup_metrics_page_ struct metrics_page page = {0};
        for (int i = 0; i < COUNT; i++) {
                char number[16];
                snprintf(number, sizeof(number), "%d", i);
                SAMPLE(&sink, i % 2 ? &up : &sent, i, {"n", number});
        }
        assert_int_equal(metrics_page_build((const struct sample_set *const[]){&set}, 1, NULL, &page), 0);
        assert_int_equal(page.duplicates, 0);
        assert_int_equal(page.group_count, 2);
        for (size_t g = 0; g < 2; g++) {
                assert_int_equal(page.groups[g].count, COUNT / 2);
                for (size_t i = 0; i < COUNT / 2; i++)
                        assert_int_equal(page.groups[g].rows[i].sample->value, 2 * i + g);
        }
        sample_set_release(&set);
}

static void a_failed_set_fails_the_page(void **state _unused_)
{
        struct sample_set set = {.error = -ENOMEM};
        _cleanup_text_ struct text page = {0};
        assert_int_equal(metrics_encode_text((const struct sample_set *const[]){&set}, 1, &page, NULL),
                         -ENOMEM);
        assert_int_equal(page.length, 0);
}

static void names_are_checked(void **state _unused_)
{
        assert_true(metric_name_valid("runbook:x_1"));
        assert_false(metric_name_valid("1x"));
        assert_false(metric_name_valid(""));
        assert_false(metric_name_valid("a-b"));
        assert_true(label_name_valid("a1"));
        assert_false(label_name_valid("a:b"));
        assert_false(label_name_valid("__name__"));
        assert_false(label_name_valid(NULL));
}

static double value_of(const struct sample_set *set, const char *name)
{
        for (size_t i = 0; i < set->count; i++)
                if (strcmp(set->samples[i].family->name, name) == 0)
                        return set->samples[i].value;
        fail_msg("no %s", name);
        return 0;
}

static void the_process_knows_itself(void **state _unused_)
{
        struct sample_set set = {0};
        metrics_process(&(struct sample_sink){&set});
        assert_true(value_of(&set, "process_cpu_seconds_total") >= 0);
        assert_true(value_of(&set, "process_open_fds") >= 3);
        assert_true(value_of(&set, "process_max_fds") > value_of(&set, "process_open_fds"));
        assert_true(value_of(&set, "process_resident_memory_bytes") > 500e3);
        assert_true(value_of(&set, "process_virtual_memory_bytes") >
                    value_of(&set, "process_resident_memory_bytes"));
        assert_int_equal(value_of(&set, "process_threads"), 1);
        double start = value_of(&set, "process_start_time_seconds");
        double now = nsec_to_seconds(clock_wall());
        assert_true(start > now - 3600 && start < now + 5);
        sample_set_release(&set);
}

static void series_that_are_there_again_are_marked(void **state _unused_)
{
        struct sample_set set = {0};
        struct sample_sink sink = {&set};
        assert_int_equal(sample_set_mark_repeated(&set), 0);
        SAMPLE(&sink, &up, 1, {"n", "1"});
        SAMPLE(&sink, &up, 2, {"n", "2"});
        SAMPLE(&sink, &up, 3, {"n", "1"});
        SAMPLE(&sink, &up_other, 4, {"n", "1"});
        SAMPLE(&sink, &up, 5, {"n", "1"}, {"m", ""});
        assert_int_equal(sample_set_mark_repeated(&set), 2);
        for (size_t i = 0; i < set.count; i++)
                assert_int_equal(set.samples[i].repeated, i == 2 || i == 4);
        sample_set_release(&set);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(families_are_sorted_and_every_type_is_spelled),
                cmocka_unit_test(special_values_are_spelled_as_prometheus_reads_them),
                cmocka_unit_test(label_values_are_escaped_and_made_utf8),
                cmocka_unit_test(long_values_are_cut_between_characters),
                cmocka_unit_test(a_label_name_stands_once),
                cmocka_unit_test(fixed_labels_stand_behind_a_samples_own),
                cmocka_unit_test(what_is_kept_stands_first_and_what_is_cut_is_on_no_page),
                cmocka_unit_test(series_beyond_the_limit_are_dropped_and_counted),
                cmocka_unit_test(duplicates_and_contradictions_are_left_out_and_counted),
                cmocka_unit_test(many_series_stay_in_order),
                cmocka_unit_test(a_failed_set_fails_the_page),
                cmocka_unit_test(names_are_checked),
                cmocka_unit_test(series_that_are_there_again_are_marked),
                cmocka_unit_test(the_process_knows_itself),
        };
        return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
