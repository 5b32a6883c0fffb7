/* SPDX-License-Identifier: Apache-2.0 */
/* URLs put together from what operators write. */
#include "tests/harness/unit.h"

#include "runbook/http_client.h"

static void slashes_at_the_end_of_a_base_do_not_count(void **state _unused_)
{
        static const struct {
                const char *base, *url;
        } cases[] = {
                {"http://h:1", "http://h:1/x?y="},
                {"http://h:1/", "http://h:1/x?y="},
                {"http://h:1/p", "http://h:1/p/x?y="},
                {"http://h:1/p//", "http://h:1/p/x?y="},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_text_ struct text url = {0};
                http_put_url(&url, cases[i].base, "/x?y=");
                assert_string_equal(text_string(&url), cases[i].url);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(slashes_at_the_end_of_a_base_do_not_count),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
