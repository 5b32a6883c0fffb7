/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of an expression, and where; what both take and refuse stands in tests/data/promql. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <string.h>

#include "lib/promql/internal.h"

static void what_an_expression_gives_is_told(void **state _unused_)
{
        static const struct {
                const char *text;
                enum promql_type type;
        } cases[] = {
                {"1 + 2", PROMQL_SCALAR},
                {"time() > bool 1", PROMQL_SCALAR},
                {"scalar(up)", PROMQL_SCALAR},
                {"up", PROMQL_VECTOR},
                {"1 + up", PROMQL_VECTOR},
                {"-(up)", PROMQL_VECTOR},
                {"sum by (job) (rate(up[5m]))", PROMQL_VECTOR},
                {"up[5m]", PROMQL_RANGE},
                {"(up[1h:5m])", PROMQL_RANGE},
                {"'x'", PROMQL_STRING},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                enum promql_type type = PROMQL_TYPES;
                size_t fault = 77;
                if (promql_check(cases[i].text, &type, &fault, &error) < 0)
                        fail_msg("%s: %s", cases[i].text, error_text(&error));
                assert_int_equal(type, cases[i].type);
                assert_int_equal(fault, 77);
        }
}

static void what_is_wrong_is_told_with_its_place(void **state _unused_)
{
        static const struct {
                const char *text;
                size_t fault;
                const char *sentence;
        } cases[] = {
                {"", 0, "there is no expression"},
                {"sum(up", 3, "this '(' is never closed"},
                {"sum(up) < 2)", 11, "this ')' closes nothing"},
                {"ratee(up[5m])", 0, "there is no function \"ratee\"; did you mean \"rate\"?"},
                {"1 + summ(up)", 4, "there is no function \"summ\"; did you mean \"sum\"?"},
                {"rate(up)", 5, "rate() takes a range vector here, such as x[5m], not an instant vector"},
                {"clamp(up, 1)", 0, "clamp() takes 3 arguments, not 2"},
                {"round(up, 1, 2)", 0, "round() takes from 1 to 2 arguments, not 3"},
                {"label_join(up)", 0, "label_join() takes at least 3 arguments, not 1"},
                {"up[5m5h]", 3,
                 "in '5m5h' the units are not y, w, d, h, m, s, ms, each once and in this order"},
                {"up[0s]", 3, "a duration must be more than 0"},
                {"up[5 m]", 5, "'m' stands where a ':' or the closing ']' should stand"},
                {"up[5x]", 3, "'5x' is neither a number nor a duration such as 5m or 1h30m"},
                {"(up)[5m]", 4,
                 "only a metric or a selector has a range; of an instant vector, write a subquery such as "
                 "[5m:]"},
                {"rate(up[5m]) offset 5m", 13,
                 "offset stands behind a selector, a range or a subquery alone"},
                {"1 == 2", 2, "two scalars are compared by '== bool'; alone it filters a vector"},
                {"up and 1", 3, "'and' stands between two instant vectors"},
                {"up = 1", 3,
                 "'=' stands where an operator or the end should stand; what is equal is told by =="},
                {"up && up", 3, "'&&' means nothing in PromQL; write and"},
                {"{job=~'.*'}", 0,
                 "every series in the database matches this; name a metric, or a matcher that an empty value "
                 "does not match"},
                {"up{job=~'a('}", 8, "the pattern 'a(' has a '(' without its ')'"},
                {"up{job='x\ny'}", 7, "the string that begins here has no closing ' on its line"},
                {"up{job='\\z'}", 8,
                 "a backslash before 'z' means nothing in a string; write \\\\ for a backslash"},
                {"up{job='a' instance='b'}", 11, "'instance' stands where a ',' or the '}' should stand"},
                {"sum by job (up)", 7, "'job' stands where a '(' with labels should stand"},
                {"up + on (a) group_left (a) up", 3, "the label a stands in on and in group at once"},
                {"up \x1b[31m", 3, "a byte 0x1b means nothing in PromQL"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                enum promql_type type = PROMQL_TYPES;
                size_t fault = 77;
                if (promql_check(cases[i].text, &type, &fault, &error) != -EINVAL)
                        fail_msg("%s is taken", cases[i].text);
                assert_string_equal(error_text(&error), cases[i].sentence);
                if (fault != cases[i].fault)
                        fail_msg("%s: at %zu", cases[i].text, fault);
                assert_int_equal(type, PROMQL_TYPES);
        }
}

/* However it is nested, the stack has room; what is long but flat has no limit. */
static void what_is_nested_too_deep_is_refused(void **state _unused_)
{
        static const char *const pieces[] = {"(", "-", "sum(", "2^", "abs(-(", "x[5m:1m] + (", "up + (1 * "};
        enum promql_type type;
        for (size_t i = 0; i < N_ELEMENTS(pieces); i++) {
                _cleanup_error_ struct error error = {0};
                _cleanup_text_ struct text text = {0};
                for (int k = 0; k < 100000; k++)
                        text_puts(&text, pieces[i]);
                assert_int_equal(promql_check(text_string(&text), &type, NULL, &error), -EINVAL);
        }
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text flat = {0}, durations = {0};
        text_puts(&flat, "up");
        for (int k = 0; k < 20000; k++)
                text_puts(&flat, " + up");
        assert_int_equal(promql_check(text_string(&flat), &type, NULL, &error), 0);
        text_puts(&durations, "up[");
        for (int k = 0; k < 100000; k++)
                text_puts(&durations, "(");
        assert_int_equal(promql_check(text_string(&durations), &type, NULL, &error), -EINVAL);
        assert_string_equal(error_text(&error), "it is nested more than 200 deep");
}

static void assert_complaints(const char *yaml, bool bound, const char *complaints)
{
        _cleanup_config_ struct config *config = NULL;
        assert_int_equal(config_parse("c.yml", yaml, &config, NULL), 0);
        struct config_node *root = config_root(config);
        bool fine = promql_check_member(root, "query", config_scalar(config_member(root, "query")),
                                        1U << PROMQL_VECTOR, bound);
        assert_string_equal(config_complaints_text(config), complaints);
        assert_int_equal(fine, *complaints == '\0');
}

static void a_mistake_in_a_file_is_told_at_its_own_place(void **state _unused_)
{
        assert_complaints("query: up\n", false, "");
        assert_complaints("query: sum(up\n", false,
                          "c.yml:1:11: 'query' is not PromQL: this '(' is never closed");
        assert_complaints("a: b\nquery: |\n  sum(up) <\n    ratee(up[5m])\n", false,
                          "c.yml:4:5: 'query' is not PromQL: there is no function \"ratee\"; did you mean "
                          "\"rate\"?");
        assert_complaints("query: 'up{job=''x''} < 2)'\n", false,
                          "c.yml:1:26: 'query' is not PromQL: this ')' closes nothing");
        assert_complaints("query: up[5m]\n", false,
                          "c.yml:1:8: 'query' gives a range vector, where an instant vector is wanted");
        assert_complaints("query: 1 + 1\n", false,
                          "c.yml:1:8: 'query' gives a scalar, where an instant vector is wanted: a scalar is "
                          "always there, whatever it says; compare a vector, as in x < 2");
}

static void a_word_stands_for_what_will_be_bound(void **state _unused_)
{
        assert_complaints("query: 'up{job=\"${labels.job}\"} == 1'\n", true, "");
        assert_complaints("query: 'up{job=~\"a|${labels.job}\"} == 1'\n", true, "");
        assert_complaints("query: 'up{job=\"$$x\"} == 1'\n", true, "");
        assert_complaints("query: 'up{job=\"${labels.job}\"} == 1)'\n", true,
                          "c.yml:1:37: 'query' is not PromQL: this ')' closes nothing");
        _cleanup_config_ struct config *config = NULL;
        assert_int_equal(config_parse("c.yml", "query: 'up == ${labels.x}'\n", &config, NULL), 0);
        assert_false(promql_check_member(config_root(config), "query", "up == ${labels.x}",
                                         1U << PROMQL_VECTOR, true));
        assert_int_equal(config_complaints(config), 0); /* that was told when it was read */
}

static void add_name(void *context, const char *metric)
{
        text_printf(context, "%s ", metric);
}

static void every_metric_that_is_read_is_told(void **state _unused_)
{
        static const struct {
                const char *query, *metrics;
        } cases[] = {
                {"up", "up "},
                {"sum by (job) (rate(a_total{x=\"b\"}[5m])) / on (job) group_left () (c:d offset 5m) > bool "
                 "2",
                 "a_total c:d "},
                {"max_over_time((a - a)[1h:5m]) unless vector(1)", "a a "},
                {"{__name__=\"a\"} or -b @ 12", "b "},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_text_ struct text metrics = {0};
                assert_int_equal(promql_each_metric(cases[i].query, add_name, &metrics, NULL), 0);
                assert_string_equal(text_string(&metrics), cases[i].metrics);
        }
        assert_int_equal(promql_each_metric("sum(up", add_name, NULL, NULL), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_an_expression_gives_is_told),
                cmocka_unit_test(what_is_wrong_is_told_with_its_place),
                cmocka_unit_test(what_is_nested_too_deep_is_refused),
                cmocka_unit_test(a_mistake_in_a_file_is_told_at_its_own_place),
                cmocka_unit_test(a_word_stands_for_what_will_be_bound),
                cmocka_unit_test(every_metric_that_is_read_is_told),
        };
        return cmocka_run_group_tests_name("promql", tests, NULL, NULL);
}
