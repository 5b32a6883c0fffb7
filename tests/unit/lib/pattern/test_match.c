/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns against libc's where the two mean the same (it errs in `(^.){2}`), and where it takes minutes. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <regex.h>

#include "runbook/pattern.h"
#include "runbook/text.h"

/* The same numbers in each run (xorshift), so that a failure comes again. */
struct numbers {
        uint64_t state;
};

static unsigned below(struct numbers *numbers, unsigned limit)
{
        numbers->state ^= numbers->state << 13;
        numbers->state ^= numbers->state >> 7;
        numbers->state ^= numbers->state << 17;
        return (unsigned)(numbers->state % limit);
}

static void put_alternatives(struct numbers *numbers, unsigned depth, struct text *text);

static void put_atom(struct numbers *numbers, unsigned depth, struct text *text)
{
        static const char *const atoms[] = {"a", "b", "c", ".", "[ab]", "[^a]", "[a-b]", "\\."};
        if (depth == 0 || below(numbers, 3) > 0) {
                text_puts(text, atoms[below(numbers, N_ELEMENTS(atoms))]);
                return;
        }
        text_putc(text, '(');
        put_alternatives(numbers, depth - 1, text);
        text_putc(text, ')');
}

static void put_alternatives(struct numbers *numbers, unsigned depth, struct text *text)
{
        static const char *const repeats[] = {"*", "+", "?", "{2}", "{1,}", "{0,2}", "{1,3}", "{0}"};
        for (unsigned ways = 1 + below(numbers, 2) * below(numbers, 2); ways > 0; ways--) {
                for (unsigned atoms = 1 + below(numbers, 3); atoms > 0; atoms--) {
                        put_atom(numbers, depth, text);
                        if (below(numbers, 3) == 0)
                                text_puts(text, repeats[below(numbers, N_ELEMENTS(repeats))]);
                }
                if (ways > 1)
                        text_putc(text, '|');
        }
}

static void put_value(struct numbers *numbers, struct text *text)
{
        for (unsigned length = below(numbers, 9); length > 0; length--)
                text_putc(text, "abc."[below(numbers, 4)]);
}

static void test_as_libc_has_it(void **state _unused_)
{
        struct numbers numbers = {.state = 20260131};
        unsigned matched = 0, missed = 0;
        for (int i = 0; i < 4000; i++) {
                _cleanup_text_ struct text text = {0};
                put_alternatives(&numbers, 3, &text);
                _cleanup_free_ char *anchored = text_format("^(%s)$", text_string(&text));
                _cleanup_error_ struct error error = {0};
                struct pattern *pattern = NULL;
                regex_t regex, anywhere;
                assert_int_equal(regcomp(&regex, anchored, REG_EXTENDED | REG_NOSUB), 0);
                assert_int_equal(regcomp(&anywhere, text_string(&text), REG_EXTENDED | REG_NOSUB), 0);
                if (pattern_compile(text_string(&text), &pattern, &error) < 0)
                        fail_msg("%s", error_text(&error));
                for (int k = 0; k < 20; k++) {
                        _cleanup_text_ struct text value = {0};
                        put_value(&numbers, &value);
                        bool expected = regexec(&regex, text_string(&value), 0, NULL, 0) == 0;
                        if (pattern_matches(pattern, text_string(&value)) != expected)
                                fail_msg("'%s' and '%s'", text_string(&text), text_string(&value));
                        matched += expected;
                        expected = regexec(&anywhere, text_string(&value), 0, NULL, 0) == 0;
                        if (pattern_found(pattern, text_string(&value)) != expected)
                                fail_msg("'%s' in '%s'", text_string(&text), text_string(&value));
                        missed += !expected;
                }
                regfree(&regex);
                regfree(&anywhere);
                pattern_free(pattern);
        }
        assert_true(matched >= 1000 && matched <= 79000); /* both answers were really asked for */
        assert_true(missed >= 1000 && missed <= 79000);
}

/* ^ and $ are the value's ends wherever it is looked for. */
static void test_anywhere(void **state _unused_)
{
        static const struct {
                const char *pattern, *value;
                bool found;
        } cases[] = {
                {"^ab", "abc", true},  {"^ab", "cab", false}, {"bc$", "abc", true},
                {"bc$", "bca", false}, {"^$", "", true},      {"^$", "a", false},
                {"", "abc", true},     {"b|^c", "abc", true}, {"error", "an \xff error", true},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct pattern *pattern;
                assert_int_equal(pattern_compile(cases[i].pattern, &pattern, NULL), 0);
                if (pattern_found(pattern, cases[i].value) != cases[i].found)
                        fail_msg("'%s' in '%s'", cases[i].pattern, cases[i].value);
                pattern_free(pattern);
        }
}

/* libc's matcher takes two minutes for the first of these. */
static void test_long_values(void **state _unused_)
{
        enum { LENGTH = 64 * 1024 };
        static const struct {
                const char *pattern;
                bool matches;
        } cases[] = {
                {".*a.{20}b.*c", false}, {"(a|b)*", true}, {"((a*)*b*)*", true},
                {"(a?){100}.*", true},   {".*ab.*", true},
        };
        struct numbers numbers = {.state = 1};
        _cleanup_free_ char *value = malloc(LENGTH + 1);
        assert_non_null(value);
        for (size_t i = 0; i < LENGTH; i++)
                value[i] = "ab"[below(&numbers, 2)];
        value[LENGTH] = '\0';
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct pattern *pattern = NULL;
                assert_int_equal(pattern_compile(cases[i].pattern, &pattern, NULL), 0);
                assert_int_equal(pattern_matches(pattern, value), cases[i].matches);
                pattern_free(pattern);
        }
}

/* As Python's re has it, whose preferences are RE2's; two times 60,000 random patterns were compared once. */
static void test_groups_hold_what_re2_says(void **state _unused_)
{
        static const struct {
                const char *pattern, *value;
                const char *groups; /* "0-3 _": from, to; NULL: not found */
        } cases[] = {
                {"(?P<a>b+)", "abbc", "1-3"},
                {"(?<a>b+?)", "abbc", "1-2"},
                {"(?P<a>b*)", "abbc", "0-0"},
                {"(?P<a>a|ab)(?P<b>c|bcd)?", "abcd", "0-1 1-4"},
                {"(?P<a>a|ab)(?P<b>c|bcd)$", "abc", "0-2 2-3"},
                {"x|(?P<a>b)", "xb", "_"},
                {"(?:(?P<a>a)|b)+", "aab", "1-2"},
                {"(?:(?P<a>[ab])c?){2}", "xacbx", "3-4"},
                {"(?P<a>(?P<b>.)(?P<c>.))$", "abc", "1-3 1-2 2-3"},
                {"^(?P<a>.*?)(?P<b>c*)$", "abcc", "0-2 2-4"},
                {"(?P<a>a){0}b", "ab", "_"},
                {"(?P<a>a{1,3}?)(?P<b>a*)", "aaaa", "0-1 1-4"},
                {"(?P<a>\xc3\xa4+).", "x\xc3\xa4\xc3\xa4\xff", "1-5"},
                {"took=(?P<a>[0-9.]+)(?P<b>ms|s)", "GET / took=12.5ms", "11-15 15-17"},
                {"(?P<a>)", "", "0-0"},
                {"a(?P<a>b)", "acb", NULL},
                {"(?P<a>^a)$", "ba", NULL},
                {"a", "ba", ""},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct pattern *pattern = NULL;
                struct pattern_span spans[PATTERN_GROUPS_MAX];
                _cleanup_text_ struct text text = {0};
                assert_int_equal(pattern_compile(cases[i].pattern, &pattern, NULL), 0);
                int found = pattern_capture(pattern, cases[i].value, spans);
                assert_int_equal(found, cases[i].groups != NULL);
                for (size_t k = 0; found && k < pattern_groups(pattern); k++) {
                        ptrdiff_t from = spans[k].start ? spans[k].start - cases[i].value : 0;
                        text_printf(&text, k ? " " : "");
                        if (spans[k].start)
                                text_printf(&text, "%td-%td", from, from + (ptrdiff_t)spans[k].length);
                        else
                                text_putc(&text, '_');
                }
                if (found && strcmp(text_string(&text), cases[i].groups) != 0)
                        fail_msg("'%s' in '%s': %s", cases[i].pattern, cases[i].value, text_string(&text));
                pattern_free(pattern);
        }
}

static void test_groups_have_names(void **state _unused_)
{
        static const struct {
                const char *pattern, *message;
        } wrong[] = {
                {"(?P<>a)", "a group whose name is none"}, {"(?P<a-b>a)", "a group whose name is none"},
                {"(?<a", "a group whose name is none"},    {"(?P<a>b)(?<a>c)", "two groups of the name a"},
                {"(?P<a>b", "'(' without its ')'"},
        };
        _cleanup_text_ struct text many = {0};
        _cleanup_error_ struct error error = {0};
        struct pattern *pattern = NULL;
        assert_int_equal(pattern_compile("(a)(?P<first>b)(?:c)(?<x2>d)", &pattern, NULL), 0);
        assert_int_equal(pattern_groups(pattern), 2);
        assert_string_equal(pattern_group_name(pattern, 0), "first");
        assert_string_equal(pattern_group_name(pattern, 1), "x2");
        assert_true(pattern_matches(pattern, "abcd") && pattern_found(pattern, "xabcdx"));
        pattern_free(pattern);
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
                _cleanup_error_ struct error reason = {0};
                assert_int_equal(pattern_compile(wrong[i].pattern, &pattern, &reason), -EINVAL);
                assert_non_null(strstr(error_text(&reason), wrong[i].message));
        }
        for (int i = 0; i <= PATTERN_GROUPS_MAX; i++)
                text_printf(&many, "(?P<g%d>a)", i);
        assert_int_equal(pattern_compile(text_string(&many), &pattern, &error), -E2BIG);
        assert_non_null(strstr(error_text(&error), "more than 16 named groups"));
}

/* A backtracking matcher does not come back from the first of these. */
static void test_groups_of_long_values(void **state _unused_)
{
        static const char *const patterns[] = {"(?P<a>(?:a*)*)*c", "(?P<a>(?:a?){100}.*)$",
                                               "(?P<a>.*a.{20}b)"};
        enum { LENGTH = 64 * 1024 };
        _cleanup_free_ char *value = malloc(LENGTH + 1);
        assert_non_null(value);
        memset(value, 'a', LENGTH);
        value[LENGTH] = '\0';
        for (size_t i = 0; i < N_ELEMENTS(patterns); i++) {
                struct pattern *pattern = NULL;
                struct pattern_span span;
                assert_int_equal(pattern_compile(patterns[i], &pattern, NULL), 0);
                assert_int_equal(pattern_capture(pattern, value, &span), i == 1);
                pattern_free(pattern);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_groups_hold_what_re2_says),
                cmocka_unit_test(test_groups_have_names),
                cmocka_unit_test(test_groups_of_long_values),
                cmocka_unit_test(test_as_libc_has_it),
                cmocka_unit_test(test_anywhere),
                cmocka_unit_test(test_long_values),
        };
        return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
