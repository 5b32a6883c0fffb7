/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/harness/unit.h"

#include "exporter/kinds/shared/globs.h"

static void a_name_matches_as_a_whole(void **state _unused_)
{
        static char *items[] = {(char *)"shop", (char *)"test_*", (char *)"db[12]"};
        const struct config_strings globs = {items, N_ELEMENTS(items)}, none = {0};
        static const char *const those[] = {"shop", "test_", "test_a", "db1"};
        static const char *const others[] = {"", "shops", "my_shop", "test", "db3", "db12"};
        for (size_t i = 0; i < N_ELEMENTS(those); i++) {
                assert_true(globs_match(&globs, those[i]));
                assert_false(globs_match(&none, those[i]));
        }
        for (size_t i = 0; i < N_ELEMENTS(others); i++)
                assert_false(globs_match(&globs, others[i]));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_name_matches_as_a_whole),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
