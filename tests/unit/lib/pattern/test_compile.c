/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong in a pattern, and what is right but not known here, are told apart. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <string.h>

#include "runbook/pattern.h"

static void what_re2_knows_is_not_called_wrong(void **state _unused_)
{
        static const struct {
                const char *text;
                int result;
        } cases[] = {
                {"(?i)a", -ENOTSUP},        {"(?i:a)", -ENOTSUP},      {"(?P<n>a", -EINVAL},
                {"(?P<>a)", -EINVAL},       {"\\ba", -ENOTSUP},        {"\\pL", -ENOTSUP},
                {"\\x41", -ENOTSUP},        {"\\101", -ENOTSUP},       {"\\Qa.b\\E", -ENOTSUP},
                {"[[:^alpha:]]", -ENOTSUP}, {"[[:print:]]", -ENOTSUP}, {"(a{100}){100}", -E2BIG},
                {"(?=a)", -EINVAL},         {"(?<=a)", -EINVAL},       {"(?P=n)", -EINVAL},
                {"\\y", -EINVAL},           {"\\1", -EINVAL},          {"\\8", -EINVAL},
                {"[[:foo:]]", -EINVAL},     {"[[:^foo:]]", -EINVAL},   {"(", -EINVAL},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                struct pattern *pattern = NULL;
                int r = pattern_compile(cases[i].text, &pattern, &error);
                if (r != cases[i].result)
                        fail_msg("%s: %d, %s", cases[i].text, r, error_text(&error));
                assert_null(pattern);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(what_re2_knows_is_not_called_wrong)};
        return cmocka_run_group_tests_name("compile", tests, NULL, NULL);
}
