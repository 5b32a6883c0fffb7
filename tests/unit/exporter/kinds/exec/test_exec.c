/* SPDX-License-Identifier: Apache-2.0 */
/* Kind exec: its options, and what it reads in the output of programs. */
#include <errno.h>
#include <string.h>

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

        nagios_add(output, &(struct sample_sink){.set = &set});
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

static const struct metric_family updates = {"updates", METRIC_GAUGE, NULL, "h"},
                                  seen = {"seen_total", METRIC_COUNTER, NULL, "h"};
static const struct metric_family *const wanted[] = {&updates, &seen, NULL};

static void samples_of_the_named_metrics_are_taken(void **state _unused_)
{
        struct sample_set set = {0};
        size_t ignored;

        assert_int_equal(
                samples_add("# HELP updates x\n# TYPE updates gauge\n"
                            "updates{ origin = \"a \\\"b\\\"\\n\\\\\" , arch=\"\",} 1.5e1 1700000000000\r\n"
                            "\n  seen_total 3\nupdates{} NaN\nother{a=\"b\"} 1\nother_total 2",
                            wanted, &(struct sample_sink){.set = &set}, &ignored, NULL),
                0);
        assert_int_equal(ignored, 2);
        _cleanup_free_ char *page = page_of(&set);
        assert_line(page, "updates{origin=\"a \\\"b\\\"\\n\\\\\"} 15");
        assert_line(page, "updates NaN");
        assert_line(page, "seen_total 3");
        assert_nowhere(page, "other");
}

static void a_malformed_line_is_named(void **state _unused_)
{
        static const char *const lines[] = {"updates",
                                            "updates{",
                                            "updates{a} 1",
                                            "updates{a=\"b} 1",
                                            "updates{a=b} 1",
                                            "updates{a=\"b\"c=\"d\"} 1",
                                            "updates{a=\"\\x\"} 1",
                                            "updates x",
                                            "updates 1 2 3",
                                            "updates{check=\"x\"} 1",
                                            "updates{__a=\"x\"} 1",
                                            "updates{a=\"1\",a=\"2\"} 1",
                                            "{} 1",
                                            "updates{a=\"1\"\n} 1",
                                            "updates\n1",
                                            "{a=\"b\"} 1"};

        for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
                _cleanup_error_ struct error error = {0};
                struct sample_set set = {0};
                size_t ignored;
                _cleanup_free_ char *output =
                        text_format("updates 7\n%s\nupdates{a=\"later\"} 8\n", lines[i]);

                if (samples_add(output, wanted, &(struct sample_sink){.set = &set}, &ignored, &error) !=
                    -EPROTO)
                        fail_msg("taken: %s", lines[i]);
                assert_string_equal(error_text(&error), "line 2 of the output is no sample");
                _cleanup_free_ char *page = page_of(&set);
                assert_line(page, "updates 7");
                assert_nowhere(page, "later");
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
                cmocka_unit_test(a_malformed_line_is_named),
                cmocka_unit_test(mistakes_are_named),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
