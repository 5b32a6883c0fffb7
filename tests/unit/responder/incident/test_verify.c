/* SPDX-License-Identifier: Apache-2.0 */
/* What counts as healed, as not healed, and as not known, judged without asking. */
#include "tests/harness/unit.h"

#include <math.h>

#include "responder/incident/verify.h"

#define SECOND NSEC_PER_SEC

enum { UNKNOWN = -1, NO, YES };

/* A look at its due time, or later. */
static enum verdict look_late(const struct verification *verification, struct verify_watch *watch, int answer,
                              nsec late)
{
        const struct verify_answer given = {.known = answer >= 0, .holds = answer > 0};
        nsec at = (watch->last == 0 ? watch->began : watch->due) + late;
        return verify_judge(verification, watch, &given, at, at);
}

static enum verdict look(const struct verification *verification, struct verify_watch *watch, int answer)
{
        return look_late(verification, watch, answer, 0);
}

/* Looks until there is a verdict, and tells after how long. */
static enum verdict look_on(const struct verification *verification, struct verify_watch *watch, int answer,
                            nsec *ret_after)
{
        enum verdict verdict = VERDICT_PENDING;
        while (verdict == VERDICT_PENDING)
                verdict = look(verification, watch, answer);
        *ret_after = watch->last - watch->began;
        return verdict;
}

static void it_must_hold_for_its_time_without_a_break(void **state _unused_)
{
        const struct verification verification = {
                .hold_for = 30 * SECOND, .within = 300 * SECOND, .every = 10 * SECOND};
        struct verify_watch watch = {.began = 100 * SECOND};
        nsec after = 0;
        assert_int_equal(look(&verification, &watch, NO), VERDICT_PENDING);
        for (int i = 0; i < 3; i++)
                assert_int_equal(look(&verification, &watch, YES), VERDICT_PENDING);
        assert_int_equal(watch.held, 20 * SECOND);
        assert_int_equal(look(&verification, &watch, NO), VERDICT_PENDING); /* counted anew */
        assert_int_equal(look_on(&verification, &watch, YES, &after), VERDICT_HEALED);
        assert_int_equal(after, 80 * SECOND);
}

static void what_nobody_knows_neither_breaks_nor_counts(void **state _unused_)
{
        const struct verification verification = {
                .hold_for = 30 * SECOND, .within = 300 * SECOND, .every = 10 * SECOND};
        struct verify_watch watch = {.began = 100 * SECOND};
        look(&verification, &watch, YES);
        look(&verification, &watch, YES);
        look(&verification, &watch, UNKNOWN);
        look(&verification, &watch, UNKNOWN);
        assert_int_equal(look(&verification, &watch, YES), VERDICT_PENDING);
        assert_int_equal(watch.held, 10 * SECOND);
        assert_int_equal(watch.seen, 10 * SECOND);
        assert_int_equal(watch.unseen, 20 * SECOND);
        look(&verification, &watch, YES);
        assert_int_equal(look(&verification, &watch, YES), VERDICT_HEALED);
        assert_int_equal(watch.looks, 7);
        assert_int_equal(watch.errors, 2);
}

static void within_is_time_that_was_seen(void **state _unused_)
{
        const struct verification verification = {.within = 300 * SECOND, .every = 5 * SECOND};
        struct verify_watch watch = {.began = 100 * SECOND};
        nsec after = 0;
        assert_int_equal(look_on(&verification, &watch, NO, &after), VERDICT_NOT_HEALED);
        assert_int_equal(after, 300 * SECOND);

        /* Answers that come after a while of none: the verdict is theirs. */
        struct verify_watch late = {.began = 100 * SECOND};
        for (int i = 0; i < 50; i++)
                assert_int_equal(look(&verification, &late, UNKNOWN), VERDICT_PENDING);
        assert_int_equal(look_on(&verification, &late, NO, &after), VERDICT_NOT_HEALED);
        assert_int_equal(after, 550 * SECOND);
}

static void no_answer_is_an_end_of_its_own(void **state _unused_)
{
        const struct verification verification = {.within = 300 * SECOND, .every = 5 * SECOND};
        struct verify_watch watch = {.began = 100 * SECOND};
        nsec after = 0;
        assert_int_equal(look_on(&verification, &watch, UNKNOWN, &after), VERDICT_UNKNOWN);
        assert_int_equal(after, 300 * SECOND);

        /* Every other one: no two answers in a row have seen anything, and that has an end, too. */
        struct verify_watch now_and_then = {.began = 100 * SECOND};
        enum verdict verdict = VERDICT_PENDING;
        for (int i = 0; verdict == VERDICT_PENDING; i++)
                verdict = look(&verification, &now_and_then, i % 2 ? UNKNOWN : NO);
        assert_int_equal(verdict, VERDICT_UNKNOWN);
        assert_in_range(now_and_then.last - now_and_then.began, 595 * SECOND, 605 * SECOND);
}

/* The smallest input of H1: `for: 3s, within: 8s`, and nobody there for ten seconds. */
static void our_own_absence_is_no_time_h1(void **state _unused_)
{
        const struct verification verification = {
                .hold_for = 3 * SECOND, .within = 8 * SECOND, .every = 5 * SECOND};
        nsec after = 0;
        /* Killed, started again: nothing was seen before. */
        struct verify_watch started = {.began = 100 * SECOND};
        assert_int_equal(look_late(&verification, &started, YES, 15 * SECOND), VERDICT_PENDING);
        assert_int_equal(look_on(&verification, &started, YES, &after), VERDICT_HEALED);
        assert_int_equal(after, 18 * SECOND);
        /* Stopped and continued between two looks; and, what is left of `within`, seen through. */
        for (int answer = NO; answer <= YES; answer++) {
                struct verify_watch stopped = {.began = 100 * SECOND};
                look(&verification, &stopped, NO);
                look(&verification, &stopped, NO);
                assert_int_equal(look_late(&verification, &stopped, answer, 10 * SECOND), VERDICT_PENDING);
                assert_int_equal(look_on(&verification, &stopped, answer, &after),
                                 answer == YES ? VERDICT_HEALED : VERDICT_NOT_HEALED);
                assert_int_equal(after, 21 * SECOND);
        }
        /* While it waited for an answer, which took longer than one may. */
        struct verify_watch waiting = {.began = 100 * SECOND};
        const struct verify_answer none = {.known = false};
        look(&verification, &waiting, NO);
        assert_int_equal(verify_judge(&verification, &waiting, &none, waiting.due, waiting.due + 60 * SECOND),
                         VERDICT_PENDING);
        assert_int_equal(waiting.unseen, 0);
}

/* However long it was away or had no answers: there is an end, but not before it could be seen to hold. */
static void there_is_an_end(void **state _unused_)
{
        const struct verification verification = {
                .hold_for = 30 * SECOND, .within = 300 * SECOND, .every = 5 * SECOND};
        nsec after = 0;
        struct verify_watch holds = {.began = -100000 * SECOND};
        assert_int_equal(look_late(&verification, &holds, YES, 100100 * SECOND), VERDICT_PENDING);
        assert_int_equal(look_on(&verification, &holds, YES, &after), VERDICT_HEALED);
        struct verify_watch other = {.began = -100000 * SECOND};
        look_late(&verification, &other, NO, 100100 * SECOND);
        assert_int_equal(look_on(&verification, &other, NO, &after), VERDICT_UNKNOWN);
        assert_in_range(other.last, 130 * SECOND, 150 * SECOND);
        /* Whoever is always late never sees anything. */
        struct verify_watch late = {.began = 100 * SECOND};
        enum verdict verdict = VERDICT_PENDING;
        while (verdict == VERDICT_PENDING)
                verdict = look_late(&verification, &late, NO, 3 * SECOND);
        assert_int_equal(verdict, VERDICT_UNKNOWN);
}

static void the_next_look_is_not_later_than_what_decides(void **state _unused_)
{
        const struct verification verification = {
                .hold_for = 12 * SECOND, .within = 100 * SECOND, .every = 5 * SECOND};
        struct verify_watch watch = {.began = 100 * SECOND};
        look(&verification, &watch, YES);
        assert_int_equal(watch.due, 105 * SECOND);
        look(&verification, &watch, YES);
        look(&verification, &watch, YES);
        assert_int_equal(watch.due, 112 * SECOND); /* held long enough then */
        struct verify_watch end = {.began = 100 * SECOND};
        nsec after = 0;
        const struct verification odd = {.within = 12 * SECOND, .every = 5 * SECOND};
        assert_int_equal(look_on(&odd, &end, NO, &after), VERDICT_NOT_HEALED);
        assert_int_equal(after, 12 * SECOND);
}

static void of_many_values_few_are_kept_and_the_last(void **state _unused_)
{
        struct verify_values values = {0};
        verify_keep(&values, 0, NAN, false);
        assert_null(values.list); /* what was not measured is nothing */
        for (int i = 0; i < 1000; i++)
                verify_keep(&values, i * SECOND, i, i == 999);
        verify_keep(&values, 1000 * SECOND, INFINITY, true);
        int count = cJSON_GetArraySize(values.list);
        assert_in_range(count, VERIFY_VALUES_MOST / 2, VERIFY_VALUES_MOST);
        assert_int_equal(cJSON_GetArrayItem(cJSON_GetArrayItem(values.list, 0), 1)->valueint, 0);
        assert_int_equal(cJSON_GetArrayItem(cJSON_GetArrayItem(values.list, count - 1), 1)->valueint, 999);
        for (int i = 1; i < count - 1; i++) /* as far from each other, in seconds as well */
                assert_int_equal(cJSON_GetArrayItem(cJSON_GetArrayItem(values.list, i), 0)->valueint,
                                 i * (int)values.apart);
        cJSON_Delete(values.list);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_must_hold_for_its_time_without_a_break),
                cmocka_unit_test(what_nobody_knows_neither_breaks_nor_counts),
                cmocka_unit_test(within_is_time_that_was_seen),
                cmocka_unit_test(no_answer_is_an_end_of_its_own),
                cmocka_unit_test(our_own_absence_is_no_time_h1),
                cmocka_unit_test(there_is_an_end),
                cmocka_unit_test(the_next_look_is_not_later_than_what_decides),
                cmocka_unit_test(of_many_values_few_are_kept_and_the_last),
        };
        return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
