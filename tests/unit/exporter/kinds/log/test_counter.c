/* SPDX-License-Identifier: Apache-2.0 */
/* What a pattern counts: labels and values out of lines, and what finds no place for them. */
#include "exporter/kinds/log/counter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exporter/check/skipped.h"
#include "tests/harness/kind.h"

static struct log_pattern given;
static struct log_counter *counter;
static struct skipped_items skipped;

static void release(void)
{
        counter = log_counter_free(counter);
        config_release(log_pattern_fields, &given);
        skipped_items_release(&skipped);
        skipped = (struct skipped_items){0};
}

static int tear_down(void **state _unused_)
{
        release();
        return 0;
}

static void open_counter(const char *yaml, size_t members, const char *label)
{
        _cleanup_config_ struct config *config = NULL;
        release();
        assert_int_equal(config_parse("p", yaml, &config, NULL), 0);
        if (!config_read(config_root(config), log_pattern_fields, &given) ||
            log_counter_new(&(const struct check){0}, &given, config_root(config), members, label, &counter) <
                    0)
                fail_msg("%s", config_complaints_text(config));
        log_counter_begin(counter);
}

static void see(const char *line)
{
        assert_int_equal(log_counter_see(counter, 0, line, line), 0);
}

/* What is on the page now; free() it. */
static char *page_of(size_t members)
{
        static const char *const names[] = {"a.service", "b.service"};
        struct sample_set set = {.skipped = &skipped};
        const struct sample_set *const all = &set;
        struct text page = {0};
        for (size_t i = 0; i < members; i++)
                log_counter_add_samples(counter, i, members > 1 ? names[i] : NULL,
                                        &(struct sample_sink){&set});
        assert_int_equal(metrics_encode_text(&all, 1, &page, NULL), 0);
        sample_set_release(&set);
        return text_take(&page);
}

#define MATCHED "runbook_log_matched_lines_total"

static void labels_come_from_groups(void **state _unused_)
{
        open_counter("{name: http, pattern: '\"(?P<method>[A-Z]+) (?P<path>/\\w*)[^\"]*\" (?P<status>\\d+)', "
                     "labels: [status, method]}",
                     1, NULL);
        _cleanup_free_ char *before = page_of(1);
        assert_line(before, MATCHED "{pattern=\"http\"} 0");
        see("1.2.3.4 \"GET /a HTTP/1.1\" 200 17");
        see("1.2.3.4 \"GET /b HTTP/1.1\" 200 17");
        see("1.2.3.4 \"POST /b HTTP/1.1\" 500 17");
        see("something else");
        _cleanup_free_ char *page = page_of(1);
        assert_line(page, MATCHED "{pattern=\"http\"} 0");
        assert_line(page, MATCHED "{pattern=\"http\",status=\"200\",method=\"GET\"} 2");
        assert_line(page, MATCHED "{pattern=\"http\",status=\"500\",method=\"POST\"} 1");
        assert_nowhere(page, "/a");
}

static void a_group_that_took_no_part_leaves_its_label_out(void **state _unused_)
{
        open_counter("{name: p, pattern: 'a(?P<b>b)?(?:c(?P<c>\\w*))?', labels: [b, c]}", 1, NULL);
        see("a");
        see("ab");
        see("ac");
        see("acd");
        _cleanup_free_ char *page = page_of(1);
        assert_line(page, MATCHED "{pattern=\"p\"} 2");
        assert_line(page, MATCHED "{pattern=\"p\",b=\"b\"} 1");
        assert_line(page, MATCHED "{pattern=\"p\",c=\"d\"} 1");
}

/* A user's name, a session: what was meant to be few is many. */
static void series_beyond_the_limit_are_counted_together(void **state _unused_)
{
        open_counter("{name: p, pattern: 'user=(?P<user>\\S+)', labels: user, max_series: 2}", 1, NULL);
        for (int i = 0; i < 10; i++) {
                char line[32];
                snprintf(line, sizeof(line), "user=u%d", i % 5);
                see(line);
        }
        _cleanup_free_ char *page = page_of(1);
        assert_line(page, MATCHED "{pattern=\"p\"} 6");
        assert_line(page, MATCHED "{pattern=\"p\",user=\"u0\"} 2");
        assert_line(page, MATCHED "{pattern=\"p\",user=\"u1\"} 2");
        assert_nowhere(page, "u2");
        assert_int_equal(skipped.of[SKIP_BEYOND_LIMIT].count, 6);
        assert_nowhere(skipped_items_text(&skipped, SKIP_BEYOND_LIMIT), "u2");
        log_counter_begin(counter);
        skipped_items_release(&skipped);
        skipped = (struct skipped_items){0};
        _cleanup_free_ char *later = page_of(1);
        assert_line(later, MATCHED "{pattern=\"p\"} 6");
        assert_int_equal(skipped.of[SKIP_BEYOND_LIMIT].count, 0);
}

static void labels_that_are_none_are_counted_without(void **state _unused_)
{
        char line[400];
        open_counter("{name: p, pattern: 'x=(?P<x>.*)', labels: x}", 1, NULL);
        see("x=\xff\xfe");
        memset(line, 'y', sizeof(line));
        memcpy(line, "x=", 2);
        line[sizeof(line) - 1] = '\0';
        see(line);
        line[2 + 256] = '\0';
        see(line);
        see("x=a\\\"b");
        _cleanup_free_ char *page = page_of(1);
        assert_line(page, MATCHED "{pattern=\"p\"} 2");
        assert_line(page, MATCHED "{pattern=\"p\",x=\"a\\\\\\\"b\"} 1");
        assert_int_equal(skipped.of[SKIP_NOT_UTF8].count, 1);
        assert_int_equal(skipped.of[SKIP_BEYOND_LIMIT].count, 1);
}

static void a_value_is_the_last_one_a_sum_or_a_histogram(void **state _unused_)
{
        static const struct {
                const char *type, *name;
                const char *lines[4];
        } cases[] = {
                {"gauge", "took_seconds", {"took_seconds{pattern=\"p\",path=\"/a\"} 0.5"}},
                {"counter",
                 "took_seconds_total",
                 {"took_seconds_total{pattern=\"p\"} 0", "took_seconds_total{pattern=\"p\",path=\"/a\"} 2"}},
                {"histogram, buckets: [1, '2.5']",
                 "took_seconds",
                 {"took_seconds_bucket{pattern=\"p\",path=\"/a\",le=\"1.0\"} 1",
                  "took_seconds_bucket{pattern=\"p\",path=\"/a\",le=\"+Inf\"} 2",
                  "took_seconds_sum{pattern=\"p\",path=\"/a\"} 2", "took_seconds_count{pattern=\"p\"} 0"}},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *yaml =
                        text_format("{name: p, pattern: '(?P<path>/\\w*) took=(?P<ms>\\S*)', labels: path, "
                                    "value: {group: ms, name: %s, factor: 0.001, type: %s}}",
                                    cases[i].name, cases[i].type);
                open_counter(yaml, 1, NULL);
                _cleanup_free_ char *before = page_of(1);
                if (i == 0)
                        assert_nowhere(before, "took_seconds{");
                see("/a took=1500");
                see("/a took=500");
                see("/a took=fast");
                see("/a took=0x10");
                see("/a took=");
                _cleanup_free_ char *page = page_of(1);
                for (size_t k = 0; k < N_ELEMENTS(cases[i].lines) && cases[i].lines[k]; k++)
                        assert_line(page, cases[i].lines[k]);
                assert_line(page, MATCHED "{pattern=\"p\",path=\"/a\"} 5");
                assert_int_equal(skipped.of[SKIP_MALFORMED].count, 3);
        }
}

static void a_sum_never_falls(void **state _unused_)
{
        open_counter("{name: p, pattern: 'n=(?P<n>\\S+)', value: {group: n, name: n_total, type: counter}}",
                     1, NULL);
        see("n=2");
        see("n=-1");
        _cleanup_free_ char *page = page_of(1);
        assert_line(page, "n_total{pattern=\"p\"} 2");
        assert_int_equal(skipped.of[SKIP_MALFORMED].count, 1);
        open_counter("{name: p, pattern: 'n=(?P<n>\\S+)', value: {group: n, name: n_celsius}}", 1, NULL);
        see("n=-1");
        _cleanup_free_ char *gauge = page_of(1);
        assert_line(gauge, "n_celsius{pattern=\"p\"} -1");
}

static void members_are_told_apart_and_case_is_kept(void **state _unused_)
{
        open_counter("{name: p, pattern: 'by (?P<who>[a-z]+)', ignore_case: true, labels: who}", 2, "unit");
        assert_int_equal(log_counter_see(counter, 0, "By Ann", "by ann"), 0);
        assert_int_equal(log_counter_see(counter, 1, "by Ann", "by ann"), 0);
        assert_int_equal(log_counter_see(counter, 1, "by Bob", "by bob"), 0);
        _cleanup_free_ char *page = page_of(2);
        assert_line(page, MATCHED "{unit=\"a.service\",pattern=\"p\",who=\"Ann\"} 1");
        assert_line(page, MATCHED "{unit=\"b.service\",pattern=\"p\",who=\"Ann\"} 1");
        assert_line(page, MATCHED "{unit=\"b.service\",pattern=\"p\",who=\"Bob\"} 1");
        assert_nowhere(page, "{unit=\"a.service\",pattern=\"p\",who=\"Bob\"}");
}

static void mistakes_have_their_place(void **state _unused_)
{
#define LOG(pattern) "{files: /a, patterns: [{name: p, " pattern "}]}"
        assert_complaint("log", LOG("pattern: '(?P<a>b)', labels: c"), "the pattern has no group \"c\"");
        assert_complaint("log", LOG("pattern: '(?P<a>b)', labels: [a, a]"), "a label \"a\" already");
        assert_complaint("log", LOG("pattern: '(?P<pattern>b)', labels: pattern"),
                         "a label \"pattern\" already");
        assert_complaint("log", LOG("pattern: '(?P<check>b)', labels: check"), "the label \"check\" already");
        assert_complaint("log", LOG("pattern: '(?P<le>b)', labels: le"), "for the rows of histograms");
        assert_complaint("log", LOG("pattern: b, max_series: 1001"), "at most 1000");
        assert_complaint("log", LOG("pattern: '(?P<a>b)', value: {group: c, name: x}"), "no group \"c\"");
        assert_complaint("log", LOG("pattern: '(?P<a>b)', value: {group: a, name: x_total}"),
                         "counters, and only");
        assert_complaint("log", LOG("pattern: '(?P<a>b)', value: {group: a, name: x, buckets: [1]}"),
                         "of use to a histogram alone");
        assert_complaint(
                "log",
                LOG("pattern: '(?P<a>b)', value: {group: a, name: x, type: histogram, buckets: [2, 1]}"),
                "not more than the one before");
        assert_complaint(
                "log",
                "{journal: {units: a.service}, patterns: [{name: p, pattern: '(?P<unit>b)', labels: unit}]}",
                "a label \"unit\" already");
        assert_complaint("log", LOG("pattern: '(?P<a>B)', ignore_case: true, labels: a"), "in lower case");
        assert_complaint("log", LOG("pattern: '(?i)a'"), "that is not supported");
        check_set_free(load_check("log", LOG("pattern: '(?P<A>b)', ignore_case: true, labels: A"), NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(labels_come_from_groups, tear_down),
                cmocka_unit_test_teardown(a_group_that_took_no_part_leaves_its_label_out, tear_down),
                cmocka_unit_test_teardown(series_beyond_the_limit_are_counted_together, tear_down),
                cmocka_unit_test_teardown(labels_that_are_none_are_counted_without, tear_down),
                cmocka_unit_test_teardown(a_value_is_the_last_one_a_sum_or_a_histogram, tear_down),
                cmocka_unit_test_teardown(a_sum_never_falls, tear_down),
                cmocka_unit_test_teardown(members_are_told_apart_and_case_is_kept, tear_down),
                cmocka_unit_test(mistakes_have_their_place),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
