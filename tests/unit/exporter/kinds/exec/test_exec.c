/* SPDX-License-Identifier: Apache-2.0 */
/* Kind exec: its options, and what it reads in the output of programs. */
#include <errno.h>
#include <string.h>

#include "exporter/check/skipped.h"
#include "exporter/kinds/exec/nagios.h"
#include "exporter/kinds/exec/samples.h"
#include "tests/harness/kind.h"

static char *page_of(struct sample_set *set)
{
        const struct sample_set *const all = set;
        struct text page = {0};
        assert_int_equal(metrics_encode_text(&all, 1, &page, NULL), 0);
        text_puts(&page, "");
        sample_set_release(set);
        return text_take(&page);
}

static char *nagios(const char *output)
{
        struct sample_set set = {0};
        nagios_add(output, strlen(output), &(struct sample_sink){.set = &set});
        return page_of(&set);
}

#define VALUE "runbook_exec_performance"
#define LIMIT "runbook_exec_performance_limit"

static void performance_data_is_told_in_base_units(void **state _unused_)
{
        _cleanup_free_ char *page = nagios("DISK OK - free | /=2643MB;5948;5958;0;5968 time=12.5ms;;; "
                                           "'it''s 80%'=80%;@10:20;~:90 users=3 in=7c size=1.5GB x=2s\n");
        assert_line(page, VALUE "{label=\"/\",unit=\"bytes\"} 2771386368");
        assert_line(page, LIMIT "{label=\"/\",unit=\"bytes\",limit=\"warning_upper\"} 6236930048");
        assert_line(page, LIMIT "{label=\"/\",unit=\"bytes\",limit=\"minimum\"} 0");
        assert_line(page, LIMIT "{label=\"/\",unit=\"bytes\",limit=\"maximum\"} 6257901568");
        assert_line(page, VALUE "{label=\"time\",unit=\"seconds\"} 0.0125");
        assert_nowhere(page, LIMIT "{label=\"time\"");
        assert_line(page, VALUE "{label=\"it's 80%\",unit=\"ratio\"} 0.8");
        assert_line(page, LIMIT "{label=\"it's 80%\",unit=\"ratio\",limit=\"warning_lower\"} 0.1");
        assert_line(page, LIMIT "{label=\"it's 80%\",unit=\"ratio\",limit=\"warning_upper\"} 0.2");
        assert_nowhere(page, "critical_lower\"} 0"); /* "~" is no end */
        assert_line(page, LIMIT "{label=\"it's 80%\",unit=\"ratio\",limit=\"critical_upper\"} 0.9");
        assert_line(page, VALUE "{label=\"users\"} 3");
        assert_line(page, VALUE "{label=\"in\",unit=\"count\"} 7");
        assert_line(page, VALUE "{label=\"size\",unit=\"bytes\"} 1610612736");
        assert_line(page, VALUE "{label=\"x\",unit=\"seconds\"} 2");
}

static void data_stands_on_the_first_line_and_after_the_long_text(void **state _unused_)
{
        _cleanup_free_ char *page = nagios("OK | a=1\nlong text b=2\nmore | c=3\nd=4 e=5\n");
        for (const char *label = "acde"; *label; label++) {
                _cleanup_free_ char *wanted = text_format(VALUE "{label=\"%c\"} ", *label);
                if (!strstr(page, wanted))
                        fail_msg("no %s in:\n%s", wanted, page);
        }
        assert_nowhere(page, "\"b\"");
}

static void what_is_no_performance_data_is_passed_over(void **state _unused_)
{
        static const char *const outputs[] = {
                "",       "OK",     "OK |",      "OK | a=U",   "OK | a=1furlong",
                "OK | a", "OK | =", "OK | 'a=1", "OK | a=inf", "OK | a=;1;2",
                "|",      "| '",    "| ''=1",    "| a=nan;1"};
        for (size_t i = 0; i < N_ELEMENTS(outputs); i++) {
                _cleanup_free_ char *page = nagios(outputs[i]);
                assert_nowhere(page, VALUE);
        }
        _cleanup_free_ char *page = nagios("| junk a=x b=2 'c c' d=4\n");
        assert_line(page, VALUE "{label=\"b\"} 2");
        assert_line(page, VALUE "{label=\"d\"} 4");
}

static void units_with_a_meaning_are_measured_e1(void **state _unused_)
{
        _cleanup_free_ char *page = nagios(
                "| temp=42C;50;60 fan=1200RPM volt=3.3V mem=10kB age=3d big=1PB frost=14F load=0,75;1,5 "
                "wait=5µs gone=2h net=3Mb power=1kWh\n");
        assert_line(page, VALUE "{label=\"temp\",unit=\"celsius\"} 42");
        assert_line(page, LIMIT "{label=\"temp\",unit=\"celsius\",limit=\"warning_upper\"} 50");
        assert_line(page, VALUE "{label=\"fan\",unit=\"rpm\"} 1200");
        assert_line(page, VALUE "{label=\"volt\",unit=\"volts\"} 3.3");
        assert_line(page, VALUE "{label=\"mem\",unit=\"bytes\"} 10000");
        assert_line(page, VALUE "{label=\"age\",unit=\"seconds\"} 259200");
        assert_line(page, VALUE "{label=\"big\",unit=\"bytes\"} 1125899906842624");
        assert_line(page, VALUE "{label=\"frost\",unit=\"celsius\"} -10");
        assert_line(page, VALUE "{label=\"load\"} 0.75");
        assert_line(page, LIMIT "{label=\"load\",limit=\"warning_upper\"} 1.5");
        assert_line(page, VALUE "{label=\"gone\",unit=\"seconds\"} 7200");
        assert_line(page, VALUE "{label=\"net\",unit=\"bits\"} 3000000");
        assert_line(page, VALUE "{label=\"power\",unit=\"joules\"} 3600000");
}

static void what_has_no_meaning_is_counted_e1(void **state _unused_)
{
        static const struct {
                const char *output;
                int unknown_unit, malformed;
        } cases[] = {{"| a=1 b=U", 0, 0},       {"| a=1 b=2furlong", 1, 0}, {"| a=1 b=2K", 1, 0},
                     {"| a=1 b=1.234,5", 0, 1}, {"| a=1 b=x", 0, 1},        {"| a=1 b=nan", 0, 1},
                     {"| a=1 b=0x10", 0, 1},    {"| a=1 junk b=2", 0, 1},   {"| a=1;x;2", 0, 1},
                     {"| a=1 'b=2", 0, 1},      {"| a=1;~:5;@2:~;;", 0, 0}, {"| a=1,", 0, 1}};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct skipped_items skipped = {0};
                struct sample_set set = {.skipped = &skipped};
                nagios_add(cases[i].output, strlen(cases[i].output), &(struct sample_sink){.set = &set});
                if ((int)skipped.of[SKIP_UNKNOWN_UNIT].count != cases[i].unknown_unit ||
                    (int)skipped.of[SKIP_MALFORMED].count != cases[i].malformed)
                        fail_msg("%s: %s; %s", cases[i].output,
                                 skipped_items_text(&skipped, SKIP_UNKNOWN_UNIT),
                                 skipped_items_text(&skipped, SKIP_MALFORMED));
                skipped_items_release(&skipped);
                sample_set_release(&set);
        }
}

static const struct metric_family updates = {"updates", METRIC_GAUGE, NULL, "h"},
                                  seen = {"seen_total", METRIC_COUNTER, NULL, "h"};
static const struct metric_family *const wanted[] = {&updates, &seen, NULL};

static void samples_of_the_named_metrics_are_taken(void **state _unused_)
{
        struct sample_set set = {0};
        size_t ignored;
        static const char output[] =
                "# HELP updates x\n# TYPE updates gauge\n"
                "updates{ origin = \"a \\\"b\\\"\\n\\\\\" , arch=\"\",} 1.5e1 1700000000000\r\n"
                "\n  seen_total 3\nupdates{} NaN\nother{a=\"b\"} 1\nother_total 2";

        assert_int_equal(samples_add(output, sizeof(output) - 1, wanted, &(struct sample_sink){.set = &set},
                                     &ignored, NULL),
                         0);
        assert_int_equal(ignored, 2);
        _cleanup_free_ char *page = page_of(&set);
        assert_line(page, "updates{origin=\"a \\\"b\\\"\\n\\\\\"} 15");
        assert_line(page, "updates NaN");
        assert_line(page, "seen_total 3");
        assert_nowhere(page, "other");
}

/* Reads the output, with `skipped` for what is not taken; what samples_add() answered. */
static int read_samples(const char *output, size_t length, struct skipped_items *skipped, size_t *ret_ignored,
                        char **ret_page, struct error *error)
{
        struct sample_set set = {.skipped = skipped};
        int r = samples_add(output, length, wanted, &(struct sample_sink){.set = &set}, ret_ignored, error);
        *ret_page = page_of(&set);
        return r;
}

/* B2: what of a metric that the check names cannot be taken costs itself, and is counted by its reason. */
static void a_sample_that_cannot_be_taken_costs_itself_b2(void **state _unused_)
{
        static const struct {
                const char *line;
                enum skip_reason reason;
        } lines[] = {{"updates{", SKIP_MALFORMED},
                     {"updates{a} 1", SKIP_MALFORMED},
                     {"updates{a=\"b} 1", SKIP_MALFORMED},
                     {"updates{a=b} 1", SKIP_MALFORMED},
                     {"updates{a=\"b\"c=\"d\"} 1", SKIP_MALFORMED},
                     {"updates 1 2 3", SKIP_MALFORMED},
                     {"updates{check=\"x\"} 1", SKIP_RESERVED},
                     {"updates{__a=\"x\"} 1", SKIP_MALFORMED},
                     {"updates{\"my.label\"=\"x\"} 1", SKIP_MALFORMED},
                     {"updates{a=\"1\",a=\"2\"} 1", SKIP_MALFORMED},
                     {"updates{a=\"\xff\"} 1", SKIP_NOT_UTF8},
                     {"updates {count:12,sum:100,schema:3} # a native histogram", SKIP_MALFORMED},
                     {"{} 1", SKIP_MALFORMED},
                     {"{a=\"b\"} 1", SKIP_MALFORMED}};
        for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
                _cleanup_error_ struct error error = {0};
                struct skipped_items skipped = {0};
                _cleanup_free_ char *page = NULL,
                                    *output = text_format("updates 7\n%s\nupdates{a=\"later\"} 8\n",
                                                          lines[i].line);
                size_t ignored;
                assert_int_equal(read_samples(output, strlen(output), &skipped, &ignored, &page, &error), 0);
                assert_line(page, "updates 7");
                assert_line(page, "updates{a=\"later\"} 8");
                for (enum skip_reason reason = 0; reason < SKIP_REASONS; reason++)
                        if (skipped.of[reason].count != (reason == lines[i].reason))
                                fail_msg("%s: %s %d", lines[i].line, skip_reasons[reason],
                                         (int)skipped.of[reason].count);
                assert_non_null(strstr(skipped_items_text(&skipped, lines[i].reason), "on line 2"));
                assert_int_equal(ignored, 0);
                skipped_items_release(&skipped);
        }
}

/* B2: whatever stands on the line of a metric that the check does not name. */
static void lines_of_other_metrics_are_passed_over_unread_b2(void **state _unused_)
{
        static const char *const lines[] = {
                "other{check=\"a\"} 1",        "other_bucket{le=\"1\"} 5 # {trace_id=\"a\"} 1",
                "{\"my.metric\"} 3",           "{\"my.metric\",l=\"v\"} 3",
                "other{l=\"C:\\dir\"} 1",      "other 1 1700000000.123",
                "other{__a=\"x\"} 1",          "other{a=\"\xff\"} 1",
                "other{\"my.label\"=\"x\"} 1", "other {count:12,sum:100,schema:3}"};
        for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
                struct skipped_items skipped = {0};
                _cleanup_free_ char *page = NULL, *output = text_format("%s\nupdates 1\n", lines[i]);
                size_t ignored;
                assert_int_equal(read_samples(output, strlen(output), &skipped, &ignored, &page, NULL), 0);
                assert_line(page, "updates 1");
                if (ignored != 1 || skipped.of[SKIP_MALFORMED].count > 0)
                        fail_msg("%s: %zu ignored", lines[i], ignored);
                skipped_items_release(&skipped);
        }
}

/* B2: the same forms, of a metric that is named, are samples. */
static void what_prometheus_reads_is_taken_b2(void **state _unused_)
{
        static const char output[] = "updates{a=\"C:\\dir\"} 1\n"
                                     "updates{a=\"2\"} 2 1700000000.123\n"
                                     "seen_total{a=\"3\"} 3 # {trace_id=\"a\"} 1\n"
                                     "{\"updates\",a=\"4\"} 4\n"
                                     "updates{a=\"\0\"} 5\n"
                                     "updates{a=\"6\"} 6\n";
        _cleanup_text_ struct text many = {0};
        struct skipped_items skipped = {0};
        _cleanup_free_ char *page = NULL, *after = NULL;
        size_t ignored;
        assert_int_equal(read_samples(output, sizeof(output) - 1, &skipped, &ignored, &page, NULL), 0);
        assert_line(page, "updates{a=\"C:\\\\dir\"} 1");
        assert_line(page, "updates{a=\"2\"} 2");
        assert_line(page, "seen_total{a=\"3\"} 3");
        assert_line(page, "updates{a=\"4\"} 4");
        assert_line(page, "updates{a=\"6\"} 6"); /* behind a NUL */
        assert_int_equal(skipped.of[SKIP_MALFORMED].count, 1);

        text_puts(&many, "updates{");
        for (int i = 0; i < 65; i++)
                text_printf(&many, "l%d=\"v\",", i);
        text_puts(&many, "} 1\nother{");
        for (int i = 0; i < 65; i++)
                text_printf(&many, "l%d=\"v\",", i);
        text_puts(&many, "} 1\nupdates 2\n");
        assert_int_equal(read_samples(many.data, many.length, &skipped, &ignored, &after, NULL), 0);
        assert_line(after, "updates 2");
        assert_int_equal(ignored, 1);
        assert_int_equal(skipped.of[SKIP_BEYOND_LIMIT].count, 1);
        skipped_items_release(&skipped);
}

/* A program's complaint is none of its samples: that fails, and the samples are taken even so. */
static void a_line_that_is_no_series_is_named(void **state _unused_)
{
        static const char *const lines[] = {"updates", "updates x",
                                            "Traceback (most recent call last):", "<html>", "updates\n1"};
        for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
                _cleanup_error_ struct error error = {0};
                _cleanup_free_ char *page = NULL,
                                    *output =
                                            text_format("updates 7\n%s\nupdates{a=\"later\"} 8\n", lines[i]);
                size_t ignored;
                assert_int_equal(read_samples(output, strlen(output), NULL, &ignored, &page, &error),
                                 -EPROTO);
                assert_string_equal(error_text(&error), "line 2 of the output is no sample");
                assert_line(page, "updates 7");
                assert_line(page, "updates{a=\"later\"} 8");
        }
}

static void mistakes_are_named(void **state _unused_)
{
        assert_complaint("exec", "{command: [ls]}", "\"ls\" is not the absolute path");
        assert_complaint("exec", "{command: []}", "\"\" is not the absolute path");
        assert_complaint("exec", "{command: [/a], success: [256]}", "\"256\" is not an exit code");
        assert_complaint("exec", "{command: [/a], success: [ok]}", "\"ok\" is not an exit code");
        assert_complaint("exec", "{command: [/a], environment: {LD_PRELOAD: x}}", "LD_PRELOAD");
        assert_complaint("exec", "{command: [/a], output_limit: 17MiB}", "at most 16MiB");
        assert_complaint("exec", "{command: [/a], directory: tmp}", "\"tmp\" is not an absolute path");
        assert_complaint("exec", "{command: [/a], output: prometheus}", "go together");
        assert_complaint("exec", "{command: [/a], metrics: [{name: a}]}", "go together");
        assert_complaint("exec", "{command: [/a], output: prometheus, metrics: [{name: a_total}]}",
                         "counters, and only they");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(performance_data_is_told_in_base_units),
                cmocka_unit_test(data_stands_on_the_first_line_and_after_the_long_text),
                cmocka_unit_test(what_is_no_performance_data_is_passed_over),
                cmocka_unit_test(samples_of_the_named_metrics_are_taken),
                cmocka_unit_test(a_sample_that_cannot_be_taken_costs_itself_b2),
                cmocka_unit_test(lines_of_other_metrics_are_passed_over_unread_b2),
                cmocka_unit_test(what_prometheus_reads_is_taken_b2),
                cmocka_unit_test(a_line_that_is_no_series_is_named),
                cmocka_unit_test(units_with_a_meaning_are_measured_e1),
                cmocka_unit_test(what_has_no_meaning_is_counted_e1),
                cmocka_unit_test(mistakes_are_named),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
