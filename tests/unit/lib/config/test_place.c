/* SPDX-License-Identifier: Apache-2.0 */
/* Where a piece of a value stands in the file, however the value was written. */
#include "tests/harness/unit.h"

#include <string.h>

#include "runbook/config.h"

/* The complaint stands at the `what` of the value, which is also how the file writes it. */
static void assert_found(const char *yaml, const char *what, const char *place)
{
        _cleanup_config_ struct config *config = NULL;
        assert_int_equal(config_parse("c", yaml, &config, NULL), 0);
        struct config_node *root = config_root(config);
        const char *text = config_scalar(config_member(root, "v"));
        const char *at = *what ? strstr(text, what) : text + strlen(text);
        assert_non_null(at);
        config_complain_inside(root, "v", (size_t)(at - text), "here");
        assert_string_equal(config_complaints_text(config), place);
}

static void every_way_to_write_a_value_is_followed(void **state _unused_)
{
        static const struct {
                const char *yaml, *what, *place;
        } cases[] = {
                {"v: one two\n", "two", "c:1:8: here"},
                {"v: one two\n", "one", "c:1:4: here"},
                {"v: one two\n", "", "c:1:11: here"},
                {"v: one\n  two  # a comment\n", "two", "c:2:3: here"},
                {"v: one\n\n\n   two three\n", "three", "c:4:8: here"},
                {"v: 'one two'\n", "two", "c:1:9: here"},
                {"v: 'o''n''e two'\n", "two", "c:1:13: here"},
                {"v: 'one\n  two'\n", "two", "c:2:3: here"},
                {"v: \"one two\"\n", "two", "c:1:9: here"},
                {"v: \"\\\"one\\\" two\"\n", "two", "c:1:13: here"},
                {"v: \"o\\\\ne\\ttwo\\n\"\n", "two", "c:1:12: here"},
                {"v: \"one\\\n  two\"\n", "two", "c:2:3: here"},
                {"v: |\n  one\n  two\n", "two", "c:3:3: here"},
                {"v: |-  # a comment\n    one\n      two\n", "two", "c:3:7: here"},
                {"v: >\n  one\n\n  two three\n", "three", "c:4:7: here"},
                {"v: >-\n  one\n  two", "", "c:3:6: here"},
                {"v: größer two\n", "two", "c:1:11: here"},
                {"{a: 1, v: one two}\n", "two", "c:1:15: here"},
                {"a: &x one two\nv: *x\n", "two", "c:1:11: here"},
                /* An escape that says more than a blank: the value's own place. */
                {"v: \"\\u00e9 two\"\n", "two", "c:1:4: here"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++)
                assert_found(cases[i].yaml, cases[i].what, cases[i].place);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(every_way_to_write_a_value_is_followed)};
        return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
