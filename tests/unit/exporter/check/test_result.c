/* SPDX-License-Identifier: Apache-2.0 */
/* How a check stands: every end of a run by every outcome of its conditions. */
#include "tests/harness/unit.h"

#include <errno.h>

#include "exporter/check/internal.h"
#include "exporter/check/result.h"

#define PASS STANDING_PASS
#define WARN STANDING_WARN
#define UNKNOWN STANDING_UNKNOWN
#define FAIL STANDING_FAIL
#define UNSET STANDING_NOT_SET_UP

/* What the conditions came to. */
enum outcome { WITHIN, BEYOND_WARN, BEYOND_FAIL, NOTHING, NOTHING_AND_WARN, NOTHING_AND_FAIL, OUTCOMES };

static const struct ending {
        const char *name;
        int code;
        enum error_meaning meaning;
        bool not_set_up, known, overdue, none, indirect;
        enum standing expected[OUTCOMES];
} endings[] = {
        {"succeeded", .expected = {PASS, WARN, FAIL, UNKNOWN, UNKNOWN, FAIL}},
        {"succeeded, indirect", .indirect = true, .expected = {PASS, WARN, FAIL, UNKNOWN, UNKNOWN, FAIL}},
        {"failed", -EIO, .expected = {FAIL, FAIL, FAIL, FAIL, FAIL, FAIL}},
        {"failed, indirect", -EIO, .indirect = true,
         .expected = {UNKNOWN, UNKNOWN, FAIL, UNKNOWN, UNKNOWN, FAIL}},
        {"does not work, indirect", -EIO, ERROR_FAILED, .indirect = true,
         .expected = {FAIL, FAIL, FAIL, FAIL, FAIL, FAIL}},
        {"was not looked at", -EACCES, ERROR_NOT_LOOKED,
         .expected = {UNKNOWN, UNKNOWN, FAIL, UNKNOWN, UNKNOWN, FAIL}},
        {"was not set up", -ENOENT, .not_set_up = true, .expected = {UNSET, UNSET, FAIL, UNSET, UNSET, FAIL}},
        {"is gone", -ENOENT, .not_set_up = true, .known = true,
         .expected = {FAIL, FAIL, FAIL, FAIL, FAIL, FAIL}},
        {"is gone, indirect", -ENOENT, .not_set_up = true, .known = true, .indirect = true,
         .expected = {UNKNOWN, UNKNOWN, FAIL, UNKNOWN, UNKNOWN, FAIL}},
        {"its secret is gone", -ENOENT, ERROR_NOT_LOOKED, .not_set_up = true, .known = true,
         .expected = {UNKNOWN, UNKNOWN, FAIL, UNKNOWN, UNKNOWN, FAIL}},
        {"hangs", .overdue = true, .expected = {FAIL, FAIL, FAIL, FAIL, FAIL, FAIL}},
        {"hangs, indirect", .overdue = true, .indirect = true,
         .expected = {UNKNOWN, UNKNOWN, FAIL, UNKNOWN, UNKNOWN, FAIL}},
        {"hangs at first", .overdue = true, .none = true, .expected = {FAIL, FAIL, FAIL, FAIL, FAIL, FAIL}},
        {"has not run", .none = true, .expected = {UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN}},
};

static const struct metric_family there = {"t_there", METRIC_GAUGE, NULL, "T."},
                                  away = {"t_away", METRIC_GAUGE, NULL, "A."};
static const struct metric_family *const families[] = {&there, &away, NULL};

/* The conditions of each outcome, over one series of t_there that is 5. */
static const char *const conditions[OUTCOMES][2] = {
        [WITHIN] = {"t_there > 7", NULL},
        [BEYOND_WARN] = {"t_there > 4", NULL},
        [BEYOND_FAIL] = {NULL, "t_there > 4"},
        [NOTHING] = {"t_away > 7", "t_there > 7"},
        [NOTHING_AND_WARN] = {"t_there > 4", "t_away > 4"},
        [NOTHING_AND_FAIL] = {"t_away > 4", "t_there > 4"},
};

static void assert_standing(const struct ending *ending, enum outcome outcome)
{
        const struct check_kind kind = {.name = "k", .indirect = ending->indirect};
        struct threshold items[THRESHOLD_LEVELS];
        struct check check = {.name = (char *)"c", .kind = &kind, .max_series = 10, .thresholds = {items, 0}};
        struct check_result result = {.code = ending->code,
                                      .meaning = ending->meaning,
                                      .not_set_up = ending->not_set_up,
                                      .references = 1};
        struct check_state state = {.check = &check,
                                    .result = ending->none ? NULL : &result,
                                    .known = ending->known,
                                    .overdue = ending->overdue};
        for (enum threshold_level level = 0; level < THRESHOLD_LEVELS; level++)
                if (conditions[outcome][level])
                        assert_int_equal(threshold_parse(conditions[outcome][level], level,
                                                         &items[check.thresholds.count++], NULL),
                                         0);
        thresholds_bind(&check.thresholds, families, NULL, NULL);
        SAMPLE_BARE(&(struct sample_sink){&result.samples}, &there, 5);
        assert_int_equal(verdict_init(&result.verdict, &check, NULL), 0);
        verdict_judge(&result.verdict, &result.samples, NULL, 0);
        if (check_state_standing(&state) != ending->expected[outcome])
                fail_msg("%s, outcome %d: %s, not %s", ending->name, (int)outcome,
                         standing_styles[check_state_standing(&state)].word,
                         standing_styles[ending->expected[outcome]].word);
        /* Advice is for what was measured, and for what does not work. */
        bool measured = !ending->none && (result.verdict.beyond[0] > 0 || result.verdict.beyond[1] > 0);
        assert_int_equal(check_state_needs_advice(&state), measured || ending->expected[outcome] == FAIL);
        verdict_release(&result.verdict);
        sample_set_release(&result.samples);
        for (size_t i = 0; i < check.thresholds.count; i++)
                threshold_release(&items[i]);
}

static void every_end_of_a_run_by_every_outcome(void **state _unused_)
{
        for (size_t i = 0; i < N_ELEMENTS(endings); i++)
                for (enum outcome outcome = 0; outcome < OUTCOMES; outcome++)
                        assert_standing(&endings[i], outcome);
}

/* A warning is known to be no more than that; behind what is unknown there may be a failure. */
static void a_failure_is_worse_than_the_unknown_and_that_than_a_warning(void **state _unused_)
{
        assert_true(STANDING_FAIL > STANDING_UNKNOWN && STANDING_UNKNOWN > STANDING_WARN &&
                    STANDING_WARN > STANDING_PASS && STANDING_PASS > STANDING_NOT_SET_UP);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_end_of_a_run_by_every_outcome),
                cmocka_unit_test(a_failure_is_worse_than_the_unknown_and_that_than_a_warning),
        };
        return cmocka_run_group_tests_name("result", tests, NULL, NULL);
}
