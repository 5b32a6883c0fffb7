/* SPDX-License-Identifier: Apache-2.0 */
/* What counts as healed, judged without asking. */
#include "tests/harness/unit.h"

#include "responder/incident/verify.h"

#define SECOND NSEC_PER_SEC

static enum verdict look(const struct verification *verification, struct verify_watch *watch, int answer,
                         nsec at)
{
        const struct verify_answer given = {.known = answer >= 0, .holds = answer > 0};
        return verify_judge(verification, watch, &given, at * SECOND);
}

enum { UNKNOWN = -1, NO, YES };

static void test_holds_for_a_while(_unused_ void **state)
{
        const struct verification verification = {
                .hold_for = 30 * SECOND, .within = 300 * SECOND, .every = 5 * SECOND};
        struct verify_watch watch = {.began = 100 * SECOND};
        assert_int_equal(look(&verification, &watch, NO, 100), VERDICT_PENDING);
        assert_int_equal(look(&verification, &watch, YES, 110), VERDICT_PENDING);
        assert_int_equal(look(&verification, &watch, YES, 139), VERDICT_PENDING);
        assert_int_equal(look(&verification, &watch, NO, 140), VERDICT_PENDING); /* broken: counted anew */
        assert_int_equal(look(&verification, &watch, YES, 150), VERDICT_PENDING);
        assert_int_equal(look(&verification, &watch, UNKNOWN, 170), VERDICT_PENDING); /* neither breaks … */
        assert_int_equal(look(&verification, &watch, UNKNOWN, 185), VERDICT_PENDING); /* … nor confirms */
        assert_int_equal(look(&verification, &watch, YES, 186), VERDICT_HEALED);
        assert_int_equal(watch.looks, 8);
        assert_int_equal(watch.errors, 2);
}

static void test_within(_unused_ void **state)
{
        const struct verification verification = {.within = 300 * SECOND, .every = 5 * SECOND};
        struct verify_watch watch = {.began = 100 * SECOND};
        assert_int_equal(look(&verification, &watch, NO, 399), VERDICT_PENDING);
        assert_int_equal(look(&verification, &watch, NO, 400), VERDICT_NOT_HEALED);
        assert_int_equal(look(&verification, &watch, YES, 101), VERDICT_HEALED);

        /* The daemon was away for all of the time: it looks once before it judges. */
        struct verify_watch late = {.began = 100 * SECOND};
        assert_int_equal(look(&verification, &late, YES, 5000), VERDICT_HEALED);
        struct verify_watch silent = {.began = 100 * SECOND};
        assert_int_equal(look(&verification, &silent, UNKNOWN, 399), VERDICT_PENDING);
        assert_int_equal(look(&verification, &silent, UNKNOWN, 400), VERDICT_NOT_HEALED);
}

static void test_next_look(_unused_ void **state)
{
        const struct verification verification = {
                .hold_for = 12 * SECOND, .within = 100 * SECOND, .every = 5 * SECOND};
        struct verify_watch watch = {.began = 100 * SECOND};
        assert_int_equal(verify_next(&verification, &watch, 100 * SECOND), 105 * SECOND);
        look(&verification, &watch, YES, 105);
        assert_int_equal(verify_next(&verification, &watch, 110 * SECOND), 115 * SECOND);
        assert_int_equal(verify_next(&verification, &watch, 115 * SECOND),
                         117 * SECOND); /* held long enough then */
        assert_int_equal(verify_next(&verification, &watch, 198 * SECOND), 200 * SECOND); /* the end */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_holds_for_a_while),
                cmocka_unit_test(test_within),
                cmocka_unit_test(test_next_look),
        };
        return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
