/* SPDX-License-Identifier: Apache-2.0 */
/* The text format read: what our own pages hold comes back, and what is no page is told by its line. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <math.h>

#include "runbook/exposition.h"

/* Every sample of a page on a line of its own: name, labels and value; ends with what the reader answered. */
static char *read_page(const char *data, size_t length)
{
        _cleanup_(exposition_release) struct exposition page;
        struct exposition_sample sample;
        struct text text = {0};
        int r;
        exposition_init(&page, data, length);
        while ((r = exposition_next(&page, &sample)) > 0) {
                text_puts(&text, sample.name);
                for (size_t i = 0; i < sample.label_count; i++)
                        text_printf(&text, " %s=%s", sample.labels[i].name, sample.labels[i].value);
                text_puts(&text, ": ");
                text_put_double(&text, sample.value);
                text_putc(&text, '\n');
        }
        text_printf(&text, "%s at %zu",
                    r == 0         ? "end"
                    : r == -EPROTO ? "no sample"
                    : r == -E2BIG  ? "too much"
                                   : "failed",
                    page.line);
        return text_take(&text);
}

static void assert_read(const char *data, const char *expected)
{
        _cleanup_free_ char *read = read_page(data, strlen(data));
        assert_string_equal(read, expected);
}

static void samples_come_one_after_the_other(void **state _unused_)
{
        assert_read("", "end at 0");
        assert_read("\n \n# HELP a x\n#\n", "end at 4");
        assert_read("# TYPE a gauge\na 1\nb_total{x=\"1\",y=\"2\"} 2.5e3\r\n\n  c:d{} NaN 1700000000000\n"
                    "e{ x = \"\" , } -Inf -1\nf\t+Inf",
                    "a: 1\nb_total x=1 y=2: 2500\nc:d: NaN\ne x=: -Inf\nf: +Inf\nend at 7");
        assert_read("a{x=\"} # , \\\" \\\\ \\n\"} 1", "a x=} # , \" \\ \n: 1\nend at 1");
}

static void names_in_quotes_and_what_openmetrics_adds(void **state _unused_)
{
        assert_read("{\"my.metric\"} 3\n{ \"a\" , x=\"1\" } 1\na{\"x\"=\"2\"} 2\n",
                    "my.metric: 3\na x=1: 1\na x=2: 2\nend at 3");
        assert_read("a_bucket{le=\"1\"} 5 # {trace_id=\"a\"} 1\na 1 1700000000.123 # {} 1 2\na 1 -1.5e3\n",
                    "a_bucket le=1: 5\na: 1\na: 1\nend at 3");
        assert_read("a{x=\"C:\\dir\"} 1", "a x=C:\\dir: 1\nend at 1");
}

/* What could not be read is told with its name, and the next line is read. */
static void a_page_is_read_on_behind_what_is_no_sample(void **state _unused_)
{
        static const char data[] = "a{x} 1\nb x\n{\"c.d\"} {count:1}\n{} 1\nlast 1\n";
        static const char *const names[] = {"a", NULL, "c.d", ""};
        _cleanup_(exposition_release) struct exposition page;
        struct exposition_sample sample;
        exposition_init(&page, data, strlen(data));
        for (size_t i = 0; i < N_ELEMENTS(names); i++) {
                assert_int_equal(exposition_next(&page, &sample), -EPROTO);
                assert_true(string_equal(sample.name, names[i]));
        }
        assert_int_equal(exposition_next(&page, &sample), 1);
        assert_string_equal(sample.name, "last");
}

static void a_line_that_is_no_sample_is_told(void **state _unused_)
{
        static const char *const lines[] = {
                "a",
                "a{",
                "a{x} 1",
                "a{x=\"1} 1",
                "a{x=1} 1",
                "a{x=\"1\"y=\"2\"} 1",
                "a{x=\"\\",
                "a{x=\"1\",,} 1",
                "a{x=\"1\" 1",
                "a b",
                "a 1 2 3",
                "a 1 --2",
                "a 1x",
                "a 0x10",
                "a -0X1p3",
                "a nan(1)",
                "a{__x=\"1\"} 1",
                "a{x:y=\"1\"} 1",
                "a{1=\"1\"} 1",
                "a{x=\"1\",x=\"2\"} 1",
                "9a 1",
                "{x=\"1\"} 1",
                "{\"\"} 1",
                "{\"a\"=\"1\"} 1",
                "{x=\"1\",\"a\"} 1",
                "a{\"b\"} 1",
                "a 1 # x",
                "a 1#{} 1",
                "a{x=\"1\"\n} 1",
                "a\n1",
                "<html>",
        };
        for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
                _cleanup_free_ char *page = text_format("first 1\n%s\nlast 1\n", lines[i]);
                _cleanup_free_ char *read = read_page(page, strlen(page));
                if (!string_equal(read, "first: 1\nno sample at 2"))
                        fail_msg("%s: %s", lines[i], read);
        }
}

/* A page that a NUL cuts would look whole. */
static void nul_is_no_end(void **state _unused_)
{
#define PAGE(string)                       \
        {                                  \
                string, sizeof(string) - 1 \
        }
        static const struct {
                const char *data;
                size_t length;
        } pages[] = {PAGE("a 1\n\0b 2\n"), PAGE("a 1\nb\0 2\n"), PAGE("a 1\nb{x=\"\0\"} 2"),
                     PAGE("a 1\nb 2\0")};

        for (size_t i = 0; i < N_ELEMENTS(pages); i++) {
                _cleanup_free_ char *read = read_page(pages[i].data, pages[i].length);
                assert_string_equal(read, "a: 1\nno sample at 2");
        }
}

static void there_are_limits(void **state _unused_)
{
        _cleanup_text_ struct text fits = {0}, too_many = {0}, too_long = {0};
        for (int i = 0; i <= EXPOSITION_LABELS_MAX; i++)
                text_printf(i < EXPOSITION_LABELS_MAX ? &fits : &too_many, "l%d=\"v\",", i);
        _cleanup_free_ char *page = text_format("a{%s} 1\na{%s%s} 1", text_string(&fits), text_string(&fits),
                                                text_string(&too_many));
        _cleanup_free_ char *read = read_page(page, strlen(page));
        assert_true(string_ends(read, " l63=v: 1\ntoo much at 2"));

        text_puts(&too_long, "a{x=\"");
        while (too_long.length < EXPOSITION_LINE_MAX)
                text_putc(&too_long, 'x');
        text_puts(&too_long, "\"} 1");
        assert_read(text_string(&too_long), "too much at 1");
}

/* What set.c writes, and whatever a value holds. */
static void our_own_pages_come_back(void **state _unused_)
{
        static const struct metric_family plain = {"plain", METRIC_GAUGE, NULL,
                                                   "With \"quotes\"\nand lines."},
                                          seconds = {"s_seconds", METRIC_HISTOGRAM, "seconds", "H."};
        static const double bounds[] = {0.5};
        struct sample_set set = {0};
        struct sample_sink sink = {&set};
        const struct sample_set *const all = &set;
        struct histogram histogram;
        _cleanup_text_ struct text page = {0};
        SAMPLE(&sink, &plain, -0.1, {"a", "x\"\\\n} 1"}, {"b", ""}, {"c", "ü"});
        assert_int_equal(histogram_init(&histogram, bounds, 1), 0);
        histogram_observe(&histogram, 0.25);
        sample_add_histogram(&sink, &seconds, &histogram, NULL, 0);
        assert_int_equal(metrics_encode_text(&all, 1, &page, NULL), 0);
        _cleanup_free_ char *read = read_page(page.data, page.length);
        assert_non_null(strstr(read, "plain a=x\"\\\n} 1 c=ü: -0.1\n"));
        assert_non_null(strstr(read, "s_seconds_bucket le=0.5: 1\ns_seconds_bucket le=+Inf: 1\n"
                                     "s_seconds_sum: 0.25\ns_seconds_count: 1\nend at "));
        histogram_release(&histogram);
        sample_set_release(&set);
}

static void assert_quoted(const char *string, enum quoted_escape other, const char *value, const char *rest)
{
        _cleanup_text_ struct text text = {0};
        const char *end = quoted_read(string, string + strlen(string), other, &text);
        if (!value) {
                assert_null(end);
                return;
        }
        assert_string_equal(text_string(&text), value);
        assert_string_equal(end, rest);
}

/* Conditions drop a backslash that escapes nothing, matchers keep it for their patterns, pages have none. */
static void a_backslash_means_what_its_notation_says(void **state _unused_)
{
        static const char known[] = "\"\\\"a\\\\b\\n\" rest";
        for (enum quoted_escape other = ESCAPE_REFUSED; other <= ESCAPE_DROPPED; other++) {
                assert_quoted(known, other, "\"a\\b\n", " rest");
                assert_quoted("\"\"", other, "", "");
                assert_quoted("\"two\nlines\"", other, "two\nlines", "");
                static const char *const none[] = {"", "a", "'a'", "\"", "\"a", "\"\\", "\"\\\"", "\"\\\\\\"};
                for (size_t i = 0; i < N_ELEMENTS(none); i++)
                        assert_quoted(none[i], other, NULL, NULL);
        }
        assert_quoted("\"\\d+\"", ESCAPE_REFUSED, NULL, NULL);
        assert_quoted("\"\\d+\"", ESCAPE_KEPT, "\\d+", "");
        assert_quoted("\"\\d+\"", ESCAPE_DROPPED, "d+", "");
}

static void a_string_ends_before_the_end_that_is_given(void **state _unused_)
{
        static const char string[] = "\"ab\"c";
        _cleanup_text_ struct text text = {0};
        for (size_t i = 0; i < 4; i++)
                assert_null(quoted_read(string, string + i, ESCAPE_KEPT, &text));
        assert_ptr_equal(quoted_read(string, string + 4, ESCAPE_KEPT, &text), string + 4);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(samples_come_one_after_the_other),
                cmocka_unit_test(names_in_quotes_and_what_openmetrics_adds),
                cmocka_unit_test(a_page_is_read_on_behind_what_is_no_sample),
                cmocka_unit_test(a_line_that_is_no_sample_is_told),
                cmocka_unit_test(nul_is_no_end),
                cmocka_unit_test(there_are_limits),
                cmocka_unit_test(our_own_pages_come_back),
                cmocka_unit_test(a_backslash_means_what_its_notation_says),
                cmocka_unit_test(a_string_ends_before_the_end_that_is_given),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
