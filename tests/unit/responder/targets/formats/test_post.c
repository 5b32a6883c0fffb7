/* SPDX-License-Identifier: Apache-2.0 */
/* What a receiver wants when it refuses. */
#include "responder/targets/internal.h"
#include "tests/harness/unit.h"

static void test_retry_after(void **state _unused_)
{
        static const struct {
                const char *value;
                int64_t seconds;
        } rows[] = {{"3", 3},
                    {"86400", 86400},
                    {"86401", 0},
                    {"0", 0},
                    {"-1", 0},
                    {"", 0},
                    {"3s", 0},
                    {"99999999999999999999", 0},
                    {"Fri, 31 Dec 1999 23:59:59 GMT", 0}};
        for (size_t i = 0; i < N_ELEMENTS(rows); i++)
                assert_int_equal(retry_after_parse(rows[i].value), rows[i].seconds * NSEC_PER_SEC);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_retry_after)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
