/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict over a run: all series are judged, and what nothing is known of is told. */
#include "tests/harness/unit.h"

#include <math.h>
#include <stdio.h>

#include "exporter/check/internal.h"
#include "exporter/check/verdict.h"

static const struct metric_family one = {"t_one", METRIC_GAUGE, NULL, "O."},
                                  two = {"t_two", METRIC_GAUGE, NULL, "T."};
static const struct metric_family *const families[] = {&one, &two, NULL};

/* A check with one condition under warn, and what a run of it measures. */
struct room {
        struct threshold threshold;
        struct check check;
        struct sample_set set;
        struct sample_sink sink;
        struct verdict verdict;
};

static void begin(struct room *room, const char *condition, enum when_empty when_empty, int64_t max_series)
{
        *room = (struct room){
                .check = {.name = (char *)"c", .max_series = max_series, .when_empty = (int)when_empty},
                .set = {.limit = JUDGED_SERIES_MAX}};
        room->sink.set = &room->set;
        if (!condition)
                return;
        assert_int_equal(threshold_parse(condition, THRESHOLD_WARN, &room->threshold, NULL), 0);
        room->threshold.when_empty = (int)when_empty;
        room->check.thresholds = (struct thresholds){&room->threshold, 1};
        thresholds_bind(&room->check.thresholds, families, NULL, NULL);
}

static void judge(struct room *room, const struct metric_family *const *own)
{
        assert_int_equal(verdict_init(&room->verdict, &room->check, own), 0);
        verdict_judge(&room->verdict, &room->set, own, 0);
}

/* What is told, a line each. */
static void assert_told(const struct room *room, const char *expected)
{
        _cleanup_text_ struct text text = {0};
        struct verdict_lines lines = {&text, ""};
        verdict_tell_beyond(&room->verdict, verdict_put_line, &lines);
        verdict_tell_unknown(&room->verdict, verdict_put_line, &lines);
        assert_string_equal(text_string(&text), expected);
}

static void end(struct room *room)
{
        verdict_release(&room->verdict);
        sample_set_release(&room->set);
        threshold_release(&room->threshold);
}

static void a_condition_over_no_series_is_unknown(void **state _unused_)
{
        struct room room;
        begin(&room, "t_one > 5", WHEN_EMPTY_UNKNOWN, 10);
        SAMPLE_BARE(&room.sink, &two, 9);
        judge(&room, NULL);
        assert_int_equal(verdict_count_unknown(&room.verdict), 1);
        assert_told(&room, "nothing was measured  (warn: t_one > 5)\n");
        end(&room);
}

static void a_condition_may_be_over_none_where_the_check_says_so(void **state _unused_)
{
        struct room room;
        begin(&room, "t_one > 5", WHEN_EMPTY_PASS, 10);
        judge(&room, families);
        assert_int_equal(verdict_count_unknown(&room.verdict), 0);
        assert_told(&room, "");
        end(&room);
}

/* The other series that are numbers are judged all the same, and it is no matter of when_empty. */
static void what_is_no_number_is_unknown(void **state _unused_)
{
        struct room room;
        begin(&room, "t_one > 5", WHEN_EMPTY_PASS, 10);
        SAMPLE(&room.sink, &one, NAN, {"n", "a"});
        SAMPLE(&room.sink, &one, 1, {"n", "b"});
        SAMPLE(&room.sink, &one, 6, {"n", "c"});
        judge(&room, NULL);
        assert_int_equal(verdict_count_unknown(&room.verdict), 1);
        assert_told(&room,
                    "6 {n=\"c\"}  (warn: t_one > 5)\n1 of 3 series: not a number  (warn: t_one > 5)\n");
        end(&room);
}

/* 0 / 0 is not a number either, but of nothing there is no share: the others decide. */
static void a_share_of_nothing_is_not_there(void **state _unused_)
{
        for (int others = 0; others < 2; others++) {
                struct room room;
                begin(&room, "t_one / t_two > 50%", WHEN_EMPTY_UNKNOWN, 10);
                SAMPLE(&room.sink, &one, 0, {"n", "a"});
                SAMPLE(&room.sink, &two, 0, {"n", "a"});
                if (others) {
                        SAMPLE(&room.sink, &one, 1, {"n", "b"});
                        SAMPLE(&room.sink, &two, 4, {"n", "b"});
                }
                judge(&room, NULL);
                assert_int_equal(verdict_count_unknown(&room.verdict), !others);
                end(&room);
        }
}

static void a_metric_of_the_operators_without_a_series_is_unknown(void **state _unused_)
{
        struct room room;
        begin(&room, "t_one > 5", WHEN_EMPTY_UNKNOWN, 10);
        judge(&room, families); /* t_one is told of by its condition */
        assert_int_equal(verdict_count_unknown(&room.verdict), 2);
        assert_told(&room, "nothing was measured  (warn: t_one > 5)\nnothing was measured  (t_two)\n");
        end(&room);
}

static size_t count_on_page(const struct sample_set *set)
{
        size_t count = 0;
        for (size_t i = 0; i < set->count; i++)
                count += !set->samples[i].cut;
        return count;
}

/* Measures `count` series, the last `beyond` of which are beyond the condition. */
static void measure(struct room *room, int count, int beyond)
{
        for (int i = 0; i < count; i++) {
                char name[16];
                snprintf(name, sizeof(name), "%d", i);
                SAMPLE(&room->sink, &one, i >= count - beyond ? 9 : 1, {"n", name});
        }
}

static void what_is_cut_is_judged_and_what_is_beyond_is_cut_last(void **state _unused_)
{
        struct room room;
        begin(&room, "t_one > 5", WHEN_EMPTY_UNKNOWN, 10);
        measure(&room, 30, 2);
        judge(&room, NULL);
        assert_int_equal(room.verdict.beyond[THRESHOLD_WARN], 2);
        assert_int_equal(room.verdict.cut, 20);
        assert_int_equal(count_on_page(&room.set), 10);
        for (size_t i = 0; i < 30; i++)
                assert_int_equal(room.set.samples[i].cut, i >= 8 && i < 28);
        assert_int_equal(verdict_count_unknown(&room.verdict), 0);
        end(&room);
}

static void a_page_of_what_is_beyond_alone_is_no_larger(void **state _unused_)
{
        struct room room;
        begin(&room, "t_one > 5", WHEN_EMPTY_UNKNOWN, 10);
        measure(&room, 30, 29);
        judge(&room, NULL);
        assert_int_equal(room.verdict.beyond[THRESHOLD_WARN], 29);
        assert_int_equal(count_on_page(&room.set), 10);
        end(&room);
}

static void more_than_can_be_judged_is_unknown(void **state _unused_)
{
        struct room room;
        begin(&room, "t_one > 5", WHEN_EMPTY_UNKNOWN, 10);
        measure(&room, JUDGED_SERIES_MAX + 3, 0);
        judge(&room, NULL);
        assert_int_equal(room.verdict.cut, JUDGED_SERIES_MAX + 3 - 10);
        assert_int_equal(verdict_count_unknown(&room.verdict), 1);
        assert_told(&room, "more than 20000 series: 3 were not judged\n");
        end(&room);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_condition_over_no_series_is_unknown),
                cmocka_unit_test(a_condition_may_be_over_none_where_the_check_says_so),
                cmocka_unit_test(what_is_no_number_is_unknown),
                cmocka_unit_test(a_share_of_nothing_is_not_there),
                cmocka_unit_test(a_metric_of_the_operators_without_a_series_is_unknown),
                cmocka_unit_test(what_is_cut_is_judged_and_what_is_beyond_is_cut_last),
                cmocka_unit_test(a_page_of_what_is_beyond_alone_is_no_larger),
                cmocka_unit_test(more_than_can_be_judged_is_unknown),
        };
        return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
