/* SPDX-License-Identifier: Apache-2.0 */
/* Labels bound into text: values stay values, whatever they hold. */
#include <errno.h>

#include "runbook/bind.h"
#include "tests/harness/unit.h"

/* What a hostile alert would send. */
static const char *hostile(const void *context, const char *scope, const char *name)
{
        (void)context;
        static const struct {
                const char *scope, *name, *value;
        } values[] = {
                {"labels", "service", "mcp-server"},
                {"labels", "empty", ""},
                {"labels", "again", "${labels.service} $$"},
                {"labels", "quotes", "\"} or vector(1) # ' `"},
                {"labels", "backslash", "a\\"},
                {"labels", "regex", ".*|(a+)?[^$]{2}\\"},
                {"labels", "lines", "a\nb"},
                {"labels", "with.dot-and/slash", "dotted"},
                {"annotations", "summary", "it's slow"},
                {"incident", "id", "INC-2026-0001"},
                {"alert", "fingerprint", "0123"},
        };
        for (size_t i = 0; i < N_ELEMENTS(values); i++)
                if (string_equal(values[i].scope, scope) && string_equal(values[i].name, name))
                        return values[i].value;
        return NULL;
}

static const struct bindings bindings = {.get = hostile};

static const struct {
        const char *pattern;
        enum bind_escape escape;
        const char *bound;
} good[] = {
        {"", BIND_PLAIN, ""},
        {"nothing $1 $ to bind$", BIND_PLAIN, "nothing $1 $ to bind$"},
        {"${labels.service}", BIND_PLAIN, "mcp-server"},
        {"<${labels.service}/${incident.id}>", BIND_PLAIN, "<mcp-server/INC-2026-0001>"},
        {"${labels.empty}", BIND_PLAIN, ""},
        {"${labels.again}", BIND_PLAIN, "${labels.service} $$"},
        {"${labels.with.dot-and/slash}", BIND_PLAIN, "dotted"},
        {"${annotations.summary} ${alert.fingerprint}", BIND_PLAIN, "it's slow 0123"},
        {"$${labels.service} $$$$ $$", BIND_PLAIN, "${labels.service} $$ $"},
        {"$$${labels.service}", BIND_PLAIN, "$mcp-server"},
        {"\"${labels.quotes}\\", BIND_PLAIN, "\"\"} or vector(1) # ' `\\"},

        {"s:${labels.service}:*", BIND_GLOB, "s:mcp\\-server:*"},
        {"[ab]?\\*${labels.regex}", BIND_GLOB, "[ab]?\\*.\\*|(a+)\\?\\[\\^$\\]{2}\\\\"},
        {"\\\\${labels.backslash}", BIND_GLOB, "\\\\a\\\\"},

        {"up{service=\"${labels.service}\"} < 2", BIND_PROMQL, "up{service=\"mcp-server\"} < 2"},
        {"up{a=\"${labels.quotes}\"}", BIND_PROMQL, "up{a=\"\\\"} or vector(1) # ' `\"}"},
        {"up{a='${labels.quotes}'}", BIND_PROMQL, "up{a='\"} or vector(1) # \\' `'}"},
        {"up{a=\"${labels.backslash}\"}", BIND_PROMQL, "up{a=\"a\\\\\"}"},
        {"up{a=\"${labels.lines}\"}", BIND_PROMQL, "up{a=\"a\\nb\"}"},
        {"up{a=\"${labels.again}\"}", BIND_PROMQL, "up{a=\"${labels.service} $$\"}"},
        {"up{a=\"\\\\${labels.service}\"}", BIND_PROMQL, "up{a=\"\\\\mcp-server\"}"},
        {"up{a=\"\\\"${labels.service}\"}", BIND_PROMQL, "up{a=\"\\\"mcp-server\"}"},
        {"up{a=`x\\`, b=\"${labels.service}\"}", BIND_PROMQL, "up{a=`x\\`, b=\"mcp-server\"}"},
        {"up{a=`\n`} # it's \"\n and up{b='${labels.service}'}", BIND_PROMQL,
         "up{a=`\n`} # it's \"\n and up{b='mcp-server'}"},
        {"up{a='#', b=\"${labels.service}\"}", BIND_PROMQL, "up{a='#', b=\"mcp-server\"}"},
        {"up{a=\"$$5\"}", BIND_PROMQL, "up{a=\"$5\"}"},

        /* As an operand of =~ the value means itself, not an expression. */
        {"up{a=~\"${labels.regex}\"}", BIND_PROMQL,
         "up{a=~\"\\\\.\\\\*\\\\|\\\\(a\\\\+\\\\)\\\\?\\\\[\\\\^\\\\$\\\\]\\\\{2\\\\}\\\\\\\\\"}"},
        {"up{a !~ 'x|${labels.service}.*'}", BIND_PROMQL, "up{a !~ 'x|mcp-server.*'}"},
        {"up{a=~\"x\",b=\"${labels.regex}\"}", BIND_PROMQL, "up{a=~\"x\",b=\".*|(a+)?[^$]{2}\\\\\"}"},
        {"up{a=~\n\t\"${labels.backslash}\"}", BIND_PROMQL, "up{a=~\n\t\"a\\\\\\\\\"}"},
};

static void test_binds(void **state)
{
        (void)state;
        for (size_t i = 0; i < N_ELEMENTS(good); i++) {
                _cleanup_error_ struct error error = {0};
                _cleanup_free_ char *bound = NULL;
                assert_int_equal(bind_check(good[i].pattern, good[i].escape, &error), 0);
                assert_int_equal(bind_text(good[i].pattern, &bindings, good[i].escape, &bound, &error), 0);
                assert_string_equal(bound, good[i].bound);
        }
}

static const struct {
        const char *pattern;
        enum bind_escape escape;
        const char *sentence;
} bad[] = {
        {"a ${labels.x", BIND_PLAIN, "'${labels.x' has no closing '}'; write $$ for a '$'"},
        {"${labels.${labels.x}}", BIND_PLAIN,
         "'${labels.${labels.x}}' has no closing '}'; write $$ for a '$'"},
        {"${label.x}", BIND_PLAIN, "'${label.…}' is not known; did you mean '${labels.…}'?"},
        {"${}", BIND_PLAIN,
         "'${…}' is not known; write ${labels.name}, ${annotations.name} or ${incident.id}, or $$ for a '$'"},
        {"${HOME}", BIND_PLAIN,
         "'${HOME…}' is not known; write ${labels.name}, ${annotations.name} or ${incident.id}, or $$ for a "
         "'$'"},
        {"${labels}", BIND_PLAIN, "'${labels}' has no name; write ${labels.name}"},
        {"${labels.}", BIND_PLAIN, "'${labels}' has no name; write ${labels.name}"},
        {"${labels.a b}", BIND_PLAIN, "'${labels.a b}' holds white space; take it away"},
        {"a\\${labels.x}", BIND_GLOB, "'\\$' is not an escape of a pattern; write $$ for a '$'"},
        {"up > ${labels.x}", BIND_PROMQL, "${labels.x} stands outside of quotes; write \"${labels.x}\""},
        {"up{a=`${labels.x}`}", BIND_PROMQL,
         "${labels.x} stands in backticks, where nothing can be escaped; use \"…\""},
        {"up # \"${labels.x}\"", BIND_PROMQL, "${labels.x} stands outside of quotes; write \"${labels.x}\""},
        {"up{a=\"x", BIND_PROMQL, "a string is not closed"},
        {"up{a='x\n'}", BIND_PROMQL, "a string is not closed at the end of its line"},
        {"up{a=\"\\${labels.x}\"}", BIND_PROMQL, "'\\$' is not an escape of PromQL; write $$ for a '$'"},
};

static void test_refuses_at_load(void **state)
{
        (void)state;
        for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
                _cleanup_error_ struct error error = {0};
                char *bound = NULL;
                assert_int_equal(bind_check(bad[i].pattern, bad[i].escape, &error), -EINVAL);
                assert_string_equal(error_text(&error), bad[i].sentence);
                assert_int_equal(bind_text(bad[i].pattern, &bindings, bad[i].escape, &bound, NULL), -EINVAL);
                assert_null(bound);
        }
}

static void test_a_missing_value_stops(void **state)
{
        (void)state;
        static const struct {
                const char *pattern, *sentence;
        } cases[] = {
                {"${labels.x}", "the alert has no label 'x'"},
                {"${labels.service} ${annotations.y}", "the alert has no annotation 'y'"},
                {"${alert.z}", "an alert has no 'z'"},
                {"${incident.number}", "an incident has no 'number'"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                char *bound = NULL;
                assert_int_equal(bind_check(cases[i].pattern, BIND_PLAIN, NULL), 0);
                assert_int_equal(bind_text(cases[i].pattern, &bindings, BIND_PLAIN, &bound, &error), -ENOKEY);
                assert_string_equal(error_text(&error), cases[i].sentence);
                assert_null(bound);
        }

        /* An empty value would let a pattern match more than was meant. */
        _cleanup_error_ struct error error = {0};
        char *bound = NULL;
        assert_int_equal(bind_text("user:${labels.empty}*", &bindings, BIND_GLOB, &bound, &error), -ENOKEY);
        assert_null(bound);
}

static const char *huge(const void *context, const char *scope, const char *name)
{
        (void)scope;
        (void)name;
        return context;
}

static void test_bounds_the_result(void **state)
{
        (void)state;
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *value = malloc(600000);
        char *bound = NULL;
        assert_non_null(value);
        memset(value, 'x', 600000 - 1);
        value[600000 - 1] = '\0';
        struct bindings large = {.get = huge, .context = value};
        assert_int_equal(bind_text("${labels.a}${labels.a}", &large, BIND_PLAIN, &bound, &error), -E2BIG);
        assert_string_equal(error_text(&error), "is larger than 1 MiB with its values bound");
        assert_int_equal(bind_text("${labels.a}", &large, BIND_PLAIN, &bound, &error), 0);
        assert_int_equal(strlen(bound), 600000 - 1);
        free(bound);
}

static void letters_stand_for_values_and_nothing_moves(void **state _unused_)
{
        static const char *const cases[][2] = {
                {"a", "a"},
                {"a=\"${labels.x}\" b", "a=\"xxxxxxxxxxx\" b"},
                {"${labels.x}${incident.id}", "xxxxxxxxxxxxxxxxxxxxxxxxx"},
                {"$${labels.x} $$", "$${labels.x} $$"},
                {"$$${labels.x}", "$$xxxxxxxxxxx"},
                {"${labels.x", "${labels.x"},
                {"$", "$"},
                {"", ""},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *filled = bind_fill(cases[i][0]);
                assert_string_equal(filled, cases[i][1]);
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binds),
        cmocka_unit_test(test_refuses_at_load),
        cmocka_unit_test(test_a_missing_value_stops),
        cmocka_unit_test(test_bounds_the_result),
        cmocka_unit_test(letters_stand_for_values_and_nothing_moves),
};

int main(void)
{
        return cmocka_run_group_tests_name("bind", tests, NULL, NULL);
}
