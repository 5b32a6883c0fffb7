/* SPDX-License-Identifier: Apache-2.0 */
/* Against values that were computed with 30 digits by another program (mpmath's betainc). */
#include "tests/harness/unit.h"

#include <math.h>

#include "runbook/beta.h"

static void near(double is, double expected)
{
        if (fabs(is - expected) > 1e-11 * (1 + fabs(expected)))
                fail_msg("%.17g is not %.17g", is, expected);
}

static void how_likely_at_most(_unused_ void **state)
{
        static const struct {
                double a, b, x, likely;
        } known[] = {
                {0.5, 0.5, 0.25, 0.333333333333333},
                {2, 3, 0.4, 0.5248},
                {10.5, 0.5, 0.9, 0.141553091812887},
                {41.5, 3.5, 0.85, 0.0532409110239942},
                {1, 1, 0.3, 0.3},
                {200.5, 2.5, 0.99, 0.542923115719907},
                {3, 4, 0, 0},
                {3, 4, 1, 1},
        };
        for (size_t i = 0; i < N_ELEMENTS(known); i++)
                near(beta_at_most(known[i].a, known[i].b, known[i].x), known[i].likely);
}

static void a_share_is_at_least(_unused_ void **state)
{
        static const struct {
                size_t succeeded, failed;
                double least;
        } known[] = {
                {0, 0, 0},
                {1, 0, 0.228519813806329},
                {5, 0, 0.69425441531105},
                {10, 0, 0.829226891755152},
                {20, 0, 0.909523573462128},
                {41, 3, 0.848202210396175},
                {9, 1, 0.669437196739865},
                {19, 1, 0.820444579963778},
                {10, 10, 0.32423438452823},
                {100, 1, 0.961959163531007},
                {0, 10, 0.000191736288974476},
                {198, 2, 0.972601522162862},
        };
        for (size_t i = 0; i < N_ELEMENTS(known); i++)
                near(beta_share_at_least(known[i].succeeded, known[i].failed, 0.95), known[i].least);
}

static void a_quantile_is_where_that_much_lies_below(_unused_ void **state)
{
        for (double a = 0.5; a < 2000; a *= 3)
                for (double b = 0.5; b < 2000; b *= 5)
                        for (double p = 0.05; p < 1; p += 0.15)
                                near(beta_at_most(a, b, beta_quantile(a, b, p)), p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(how_likely_at_most),
                cmocka_unit_test(a_share_is_at_least),
                cmocka_unit_test(a_quantile_is_where_that_much_lies_below),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
