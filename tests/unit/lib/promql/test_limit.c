/* SPDX-License-Identifier: Apache-2.0 */
/* The number that a condition compares with. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <string.h>

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

static void what_is_compared_is_the_other_side(void **state _unused_)
{
        static const struct {
                const char *query, *measured; /* NULL: there is none */
        } cases[] = {
                {"max(x{a=\"b < 1\"}) < 2", "max(x{a=\"b < 1\"})"},
                {"2 > rate(x[5m]) ", "rate(x[5m])"},
                {"((x + y) >= 3) and z", "(x + y)"},
                {"x < y", NULL},
                {"x < 2 or y < 3", NULL},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *measured = NULL;
                assert_int_equal(promql_measured(cases[i].query, &measured, NULL), cases[i].measured != NULL);
                size_t length = measured ? strlen(measured) : 0;
                while (length > 0 && measured[length - 1] == ' ')
                        measured[--length] = '\0';
                assert_true(!measured == !cases[i].measured);
                if (measured)
                        assert_string_equal(measured, cases[i].measured);
        }
        assert_int_equal(promql_measured("x < ", &(char *){NULL}, NULL), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_condition_has_one_limit_or_none),
                cmocka_unit_test(what_is_compared_is_the_other_side),
        };
        return cmocka_run_group_tests_name("promql_limit", tests, NULL, NULL);
}
