/* SPDX-License-Identifier: Apache-2.0 */
/* Matchers as Alertmanager reads them: what they match, and the sentence for each that is refused. */
#include "tests/harness/unit.h"

#include <errno.h>

#include "responder/alert/match.h"
#include "runbook/text.h"

static struct config_map labels_of(char *const *pairs, char **keys, char **values)
{
        size_t count = 0;
        for (; pairs[2 * count]; count++) {
                keys[count] = pairs[2 * count];
                values[count] = pairs[2 * count + 1];
        }
        return (struct config_map){keys, values, count};
}

/* Whether one matcher matches {service="mcp-server", empty=""}. */
static bool holds(const char *text)
{
        _cleanup_error_ struct error error = {0};
        char service[] = "service", server[] = "mcp-server", empty[] = "empty", nothing[] = "";
        char *const pairs[] = {service, server, empty, nothing, NULL};
        char *keys[2], *values[2];
        const struct config_map labels = labels_of(pairs, keys, values);
        struct matchers matchers = {0};
        if (matchers_add(&matchers, text, &error) < 0)
                fail_msg("%s", error_text(&error));
        bool result = matchers_match(&matchers, &labels);
        matchers_release(&matchers);
        return result;
}

/* Whether x=~"pattern" matches x="value"; !~ must say the opposite. */
static bool pattern_matches(const char *pattern, const char *value)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *copy = strdup(value);
        char name[] = "x";
        char *keys[] = {name}, *values[] = {copy};
        const struct config_map labels = {keys, values, 1};
        bool results[2];
        for (size_t i = 0; i < 2; i++) {
                struct matchers matchers = {0};
                _cleanup_text_ struct text text = {0};
                text_printf(&text, "x%s~\"", i == 0 ? "=" : "!");
                for (const char *c = pattern; *c; c++)
                        text_printf(&text, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
                text_putc(&text, '"');
                if (matchers_add(&matchers, text_string(&text), &error) < 0)
                        fail_msg("%s", error_text(&error));
                results[i] = matchers_match(&matchers, &labels);
                matchers_release(&matchers);
        }
        assert_true(results[0] != results[1]);
        return results[0];
}

static void test_comparisons(void **state _unused_)
{
        static const struct {
                const char *text;
                bool holds;
        } cases[] = {
                {"service=\"mcp-server\"", true},
                {"service=mcp-server", true},
                {"  service = \"mcp-server\"  ", true},
                {"service=\"mcp\"", false},
                {"service!=\"mcp-server\"", false},
                {"service!=\"mcp\"", true},
                {"service=~\"mcp.*\"", true},
                {"service=~\"mcp\"", false},
                {"service=~\"server\"", false},
                {"service!~\"mcp\"", true},
                {"service!~\"mcp-(server|api)\"", false},
                /* An absent label and an empty one are the same. */
                {"absent=\"\"", true},
                {"absent=", true},
                {"absent!=\"\"", false},
                {"absent=~\".*\"", true},
                {"absent=~\".+\"", false},
                {"absent=~\"\"", true},
                {"absent!~\".+\"", true},
                {"empty=\"\"", true},
                {"empty!=\"x\"", true},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++)
                if (holds(cases[i].text) != cases[i].holds)
                        fail_msg("%s", cases[i].text);
}

static void test_all_must_match_and_none_never_does(void **state _unused_)
{
        char a[] = "a", b[] = "b", one[] = "1", two[] = "2";
        char *const pairs[] = {a, one, b, two, NULL};
        char *keys[2], *values[2];
        const struct config_map labels = labels_of(pairs, keys, values), none = {0};
        struct matchers matchers = {0};
        assert_false(matchers_match(&matchers, &labels));
        assert_false(matchers_match(&matchers, &none));
        assert_int_equal(matchers_add(&matchers, "a=1", NULL), 0);
        assert_true(matchers_match(&matchers, &labels));
        assert_int_equal(matchers_add(&matchers, "b=~\"[0-9]\"", NULL), 0);
        assert_true(matchers_match(&matchers, &labels));
        assert_false(matchers_match(&matchers, &none));
        assert_int_equal(matchers_add(&matchers, "b!=2", NULL), 0);
        assert_false(matchers_match(&matchers, &labels));

        /* What is refused leaves no trace. */
        assert_int_equal(matchers_add(&matchers, "b=~\"(\"", NULL), -EINVAL);
        assert_int_equal(matchers.count, 3);
        matchers_release(&matchers);
        assert_int_equal(matchers.count, 0);
}

static void test_patterns(void **state _unused_)
{
        static const struct {
                const char *pattern, *value;
                bool matches;
        } cases[] = {
                {"a|b", "b", true},
                {"a|b", "ab", false}, /* anchored as a whole, not by alternative */
                {"a|b", "bx", false},
                {"^a$", "a", true},
                {"(?:a|b)+c", "abbac", true},
                {"(?:a|b)+c", "c", false},
                {"a{2,3}", "a", false},
                {"a{2,3}", "aaa", true},
                {"a{2}", "aaa", false},
                {"a{2,}", "aaaaa", true},
                {"10\\.0\\.[0-9]{1,3}\\.[0-9]{1,3}:9100", "10.0.12.255:9100", true},
                {"10\\.0\\.[0-9]{1,3}\\.[0-9]{1,3}:9100", "10a0.12.255:9100", false},
                {"\\d+", "2026", true},
                {"\\d+", "20x6", false},
                {"\\D+", "x\xc3\xa4y", true},
                {"\\w+", "a_9", true},
                {"\\w+", "a-9", false},
                {"\\W", "\xc3\xa4", true},
                {"\\s", "\f", true},
                {"\\s", "\v", false},
                {"[[:space:]]", "\v", true},
                {"[[:alpha:]\\d]+", "a1b", true},
                {"\\S+", "no-blank", true},
                {"\\S+", "a blank", false},
                {"a\\nb", "a\nb", true},
                /* Punctuation behind a backslash is itself, also where the C library has plans of its own. */
                {"\\<a\\>", "<a>", true},
                {"\\<a\\>", "a", false},
                {"a\\`b\\'", "a`b'", true},
                {"a\\-b\\/c\\_d", "a-b/c_d", true},
                {"\\^\\$\\.\\|\\?\\*\\+\\(\\)\\[\\{", "^$.|?*+()[{", true},
                {"a]b}c", "a]b}c", true},
                {"a{,3}", "a{,3}", true}, /* no count in RE2, so a brace like any other */
                {"a{,3}", "aaa", false},
                {"a*?b", "aab", true},
                {"a{2,3}?", "aaaa", false},
                {"(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false},
                /* Brackets. */
                {"[]a]+", "]a", true},
                {"[^]a]+", "b^", true},
                {"[^]a]+", "]", false},
                {"[\\[\\]]+", "[]", true},
                {"[\\]a]+", "a]", true},

                {"[a^-]+", "-^a", true},
                {"[\\^]", "^", true},
                {"[\\^\\-]+", "-^", true},
                {"[\\^\\-]+", "a", false},
                {"[-a]+", "a-", true},
                {"[a-c-e]+", "b-e", true},
                {"[a-c-e]+", "d", false},
                {"[[.a.]", "[", true},
                {"[[.a]+", ".[a", true},
                {"[[=a=]", "=", true},
                {"[\\w.-]+", "a.b-c", true},
                {"[^\\d]", "x", true},
                {"[^\\d]", "5", false},
                {"[^\\D]", "5", true},
                {"[^\\d\\D]", "5", false},
                {"[\xc3\xa4-\xc3\xbc]", "\xc3\xb6", true},
                {"[X-b]+", "Z[\\]^_`a", true},
                {"[\\\\]", "\\", true},
                /* A character is a character, however many bytes it has. */
                {".", "\xc3\xa4", true},
                {"..", "\xc3\xa4", false},
                {"....",
                 "\xf0\x9f\x94\xa5\xe2\x82\xac"
                 "a\xc3\xa4",
                 true},
                {"[^a]", "\xe2\x82\xac", true},
                {"[^a]{2}", "\xe2\x82\xac", false},
                {"\xc3\xa4+", "\xc3\xa4\xc3\xa4", true},
                {"(\xc3\xa4|\xc3\xb6)", "\xc3\xb6", true},
                /* As in Go: a dot is no line break, a negated set may be. */
                {".", "\n", false},
                {"[^a]", "\n", true},
                {"[\\s\\S]*", "a\nb", true},
                /* Empty parts. */
                {"", "", true},
                {"", "x", false},
                {"()", "", true},
                {"a||b", "", true},
                {"(|a)b", "b", true},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                if (pattern_matches(cases[i].pattern, cases[i].value) != cases[i].matches)
                        fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].value);
        }
}

static void test_quotes(void **state _unused_)
{
        assert_true(pattern_matches("say \"hi\"", "say \"hi\""));
        struct matchers matchers = {0};
        char name[] = "x", value[] = "a\"b\\c\nd\\t";
        char *keys[] = {name}, *values[] = {value};
        const struct config_map labels = {keys, values, 1};
        assert_int_equal(matchers_add(&matchers, "x=\"a\\\"b\\\\c\\nd\\t\"", NULL), 0);
        assert_true(matchers_match(&matchers, &labels));
        matchers_release(&matchers);
}

#define USAGE "write it as name=\"value\", name!=\"value\", name=~\"pattern\" or name!~\"pattern\""

static void test_refused_with_a_sentence(void **state _unused_)
{
        static const struct {
                const char *text, *sentence;
        } cases[] = {
                {"", "'' is not a matcher: " USAGE},
                {"service", "'service' is not a matcher: " USAGE},
                {"=\"a\"", "'=\"a\"' is not a matcher: " USAGE},
                {"1a=\"b\"", "'1a=\"b\"' is not a matcher: " USAGE},
                {"a-b=\"c\"", "'a-b=\"c\"' is not a matcher: " USAGE},
                {"{a=\"b\"}", "'{a=\"b\"}' is not a matcher: " USAGE},
                {"a==\"b\"", "'a==\"b\"' is not a matcher: the value =\"b\" is not one quoted string"},
                {"a=\"b", "'a=\"b' is not a matcher: the value \"b is not one quoted string"},
                {"a=\"b\\\"", "'a=\"b\\\"' is not a matcher: the value \"b\\\" is not one quoted string"},
                {"a=\"b\", c=\"d\"",
                 "'a=\"b\", c=\"d\"' is not a matcher: the value \"b\", c=\"d\" is not one quoted string"},
                {"a=b,c=d", "'a=b,c=d' is not a matcher: the value b,c=d is not one quoted string"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                struct matchers matchers = {0};
                assert_int_equal(matchers_add(&matchers, cases[i].text, &error), -EINVAL);
                assert_string_equal(error_text(&error), cases[i].sentence);
                assert_null(matchers.items);
        }
}

static void test_patterns_refused_with_a_sentence(void **state _unused_)
{
        static const struct {
                const char *pattern, *sentence;
        } cases[] = {
                {"x)|(y", "has a ')' without its '('"},
                {"a)", "has a ')' without its '('"},
                {"(a", "has a '(' without its ')'"},
                {"[a", "has a '[' without its ']'"},
                {"[]", "has a '[' without its ']'"},
                {"[^]", "has a '[' without its ']'"},
                {"[[", "has a '[' without its ']'"},
                {"[a\\]b\\", "ends with a backslash"},
                {"a\\", "ends with a backslash"},
                {"*a", "repeats what is not there, or repeats twice"},
                {"(+a)", "repeats what is not there, or repeats twice"},
                {"a|?b", "repeats what is not there, or repeats twice"},
                {"{2}", "repeats what is not there, or repeats twice"},
                {"a++", "repeats what is not there, or repeats twice"},
                {"a{2}{3}", "repeats what is not there, or repeats twice"},
                {"a{3,2}", "has a count in braces that is over 1000, or goes down"},
                {"a{1001}", "has a count in braces that is over 1000, or goes down"},
                {"a{1,99999999999999999999}", "has a count in braces that is over 1000, or goes down"},
                {"((a{100}){100}){100}", "is too large"},
                {"(?i)a", "has a '(?' that is not supported: only '(?:' and '(?P<name>' are; for either "
                          "case, write [Aa]"},
                {"(?P=n)a", "has a '(?' that is not supported: only '(?:' and '(?P<name>' are; for either "
                            "case, write [Aa]"},
                {"(a)\\1", "has '\\1', which is not supported here"},
                {"\\ba", "has '\\b', which is not supported here"},
                {"\\x41", "has '\\x', which is not supported here"},
                {"\\p{L}", "has '\\p', which is not supported here"},
                {"\\Qa\\E", "has '\\Q', which is not supported here"},
                {"\\\xc3\xa4", "has '\\?', which is not supported here"},
                {"[\\b]", "has '\\b', which is not supported here"},
                {"[a-\\d]", "has '\\d', which is not supported here"},
                {"[z-a]", "has a range in brackets that goes down"},
                {"[[:foo:]]", "has a class in '[:' that is not supported"},
                {"[[:^digit:]]", "has a class in '[:' that is not supported"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                struct matchers matchers = {0};
                _cleanup_text_ struct text text = {0};
                text_puts(&text, "x=~\"");
                for (const char *c = cases[i].pattern; *c; c++) {
                        if (*c == '\\')
                                text_putc(&text, '\\');
                        text_putc(&text, *c);
                }
                text_putc(&text, '"');
                if (matchers_add(&matchers, text_string(&text), &error) != -EINVAL)
                        fail_msg("'%s' is taken", cases[i].pattern);
                _cleanup_free_ char *sentence =
                        text_format("the pattern '%s' %s", cases[i].pattern, cases[i].sentence);
                assert_string_equal(error_text(&error), sentence);
                assert_null(matchers.items);
        }
}

static void test_long_patterns(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        struct matchers matchers = {0};
        char text[1100] = "x=~\"";
        memset(text + 4, '.', 1025);
        text[4 + 1025] = '"';
        assert_int_equal(matchers_add(&matchers, text, &error), -EINVAL);
        assert_string_equal(error_text(&error), "a pattern may have at most 1024 bytes");
        text[4 + 1024] = '"';
        text[4 + 1025] = '\0';
        assert_int_equal(matchers_add(&matchers, text, &error), 0);
        matchers_release(&matchers);

        /* Groups in groups, as deep as a pattern can have them. */
        memset(text + 4, '(', 512);
        memset(text + 4 + 512, ')', 512);
        assert_int_equal(matchers_add(&matchers, text, &error), 0);
        matchers_release(&matchers);
}

static struct matchers read_matchers(const char *const *texts)
{
        struct matchers matchers = {0};
        for (; *texts; texts++)
                assert_int_equal(matchers_add(&matchers, *texts, NULL), 0);
        return matchers;
}

static void test_which_labels_are_sure(void **state _unused_)
{
        static const char *const texts[] = {"a=\"1\"",  "b!=\"\"", "c=~\".+\"",  "d!~\"x|\"", "e=~\"x*\"",
                                            "f!=\"x\"", "g=\"\"",  "h!~\"x.*\"", "i=~\"|y\"", NULL};
        struct matchers matchers = read_matchers(texts);
        for (const char *sure = "abcd"; *sure; sure++)
                assert_true(matchers_ensure(&matchers, (char[]){*sure, '\0'}));
        for (const char *unsure = "efghij"; *unsure; unsure++)
                assert_false(matchers_ensure(&matchers, (char[]){*unsure, '\0'}));
        matchers_release(&matchers);
}

static void test_what_refuses_an_alert_is_said(void **state _unused_)
{
        char alertname[] = "alertname", slow[] = "slow", service[] = "service", api[] = "rest-\"api\"";
        char *const pairs[] = {alertname, slow, service, api, NULL};
        char *keys[2], *values[2];
        const struct config_map labels = labels_of(pairs, keys, values);
        static const struct {
                const char *matcher, *why;
        } cases[] = {
                {"service=\"web\"", "service is \"rest-\\\"api\\\"\", not \"web\""},
                {"alertname!=\"slow\"", "alertname is \"slow\", and must not be \"slow\""},
                {"alertname=~\"a|b\"", "alertname is \"slow\", which does not match \"a|b\""},
                {"alertname!~\"s.*\"", "alertname is \"slow\", and must not match \"s.*\""},
                {"job=\"x\"", "there is no label job (it must be \"x\")"},
                {"alertname=\"slow\"", ""},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct matchers matchers = {0};
                _cleanup_text_ struct text why = {0};
                assert_int_equal(matchers_add(&matchers, "alertname=\"slow\"", NULL), 0);
                assert_int_equal(matchers_add(&matchers, cases[i].matcher, NULL), 0);
                assert_int_equal(matchers_missed(&matchers, &labels, SIZE_MAX, &why), *cases[i].why ? 1 : 0);
                assert_string_equal(text_string(&why), cases[i].why);
                assert_int_equal(matchers_missed(&matchers, &labels, 0, NULL) == 0,
                                 matchers_match(&matchers, &labels));
                matchers_release(&matchers);
        }
}

static void test_what_two_sets_have_in_common(void **state _unused_)
{
        static const struct {
                const char *a[3], *b[3], *example; /* NULL: nothing */
        } cases[] = {
                {{"x=\"1\""}, {"x=\"1\""}, "x=\"1\""},
                {{"x=\"1\""}, {"x=\"2\""}, NULL},
                {{"x=\"1\""}, {"y=\"2\""}, "x=\"1\", y=\"2\""},
                {{"x=~\"a|b\""}, {"x=~\"(b|c)\""}, "x=\"b\""},
                {{"x=~\"a|b\""}, {"x=~\"c|d\""}, NULL},
                {{"x=~\"mcp.*\""},
                 {"x=~\".*-server\"", "x!=\"\""},
                 NULL}, /* there is one, and it is not found */
                {{"x=~\"mcp.*\""}, {"x=~\".+\""}, "x=\"mcp\""},
                {{"x!=\"a\""}, {"x!=\"\""}, "x=\"x\""},
                {{"x!=\"a\"", "y=\"1\""}, {"x=\"a\"", "y=\"1\""}, NULL},
                {{"x=\"a\\\"b\\\\\""}, {"y=\"\""}, "x=\"a\\\"b\\\\\""},
                {{"x=~\"[hc]at\\d?\""}, {"x!=\"\""}, "x=\"hat\""},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct matchers a = read_matchers(cases[i].a), b = read_matchers(cases[i].b);
                _cleanup_text_ struct text one = {0}, other = {0};
                int r = matchers_overlap(&a, &b, &one);
                assert_int_equal(r, cases[i].example != NULL);
                assert_int_equal(matchers_overlap(&b, &a, &other), r);
                if (r > 0)
                        assert_string_equal(text_string(&one), cases[i].example);
                matchers_release(&a);
                matchers_release(&b);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_comparisons),
                cmocka_unit_test(test_all_must_match_and_none_never_does),
                cmocka_unit_test(test_patterns),
                cmocka_unit_test(test_quotes),
                cmocka_unit_test(test_refused_with_a_sentence),
                cmocka_unit_test(test_patterns_refused_with_a_sentence),
                cmocka_unit_test(test_long_patterns),
                cmocka_unit_test(test_which_labels_are_sure),
                cmocka_unit_test(test_what_refuses_an_alert_is_said),
                cmocka_unit_test(test_what_two_sets_have_in_common),
        };
        return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
