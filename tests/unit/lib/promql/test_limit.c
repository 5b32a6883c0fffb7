/* SPDX-License-Identifier: Apache-2.0 */
/* The number that a condition compares with. */
#include "tests/harness/unit.h"

#include <errno.h>

#include "runbook/promql.h"

static void a_condition_has_one_limit_or_none(void **state _unused_)
{
        static const struct {
                const char *query;
                int found;
                double limit;
        } cases[] = {
                {"x < 2", 1, 2},
                {"2 > x", 1, 2},
                {"(sum by (job) (rate(a[5m])) / 3) >= -(0.25)", 1, -0.25},
                {"(x == bool 1e3) and on (job) y > 4", 1, 1000},
                {"x > 1 unless y < 2", 1, 1},
                {"x < 2 or y < 3", 0, 0},
                {"x < y", 0, 0},
                {"x < y + 1", 0, 0},
                {"absent(x)", 0, 0},
                {"sum(x > 2)", 0, 0},
                {"x", 0, 0},
                {"x < ", -EINVAL, 0},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                double limit = 0;
                int r = promql_limit(cases[i].query, &limit, NULL);
                if (r != cases[i].found || limit < cases[i].limit || limit > cases[i].limit)
                        fail_msg("%s: %d, %g", cases[i].query, r, limit);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(a_condition_has_one_limit_or_none)};
        return cmocka_run_group_tests_name("promql_limit", tests, NULL, NULL);
}
