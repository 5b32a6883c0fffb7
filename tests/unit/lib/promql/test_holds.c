/* SPDX-License-Identifier: Apache-2.0 */
/* What is made of a Prometheus' answers: that a condition holds, that it does not, that nobody can know. A
 * real Prometheus is asked by tests/integration/test_verification.py. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "runbook/promql.h"

#define NOW 1800000000.0

/* What there is, each with its value; closed by NULL. Everything else has no series. */
struct finding {
        const char *expression;
        double values[3];
        size_t count;
};

struct server {
        const struct finding *findings;
        char asked[1000];
        int error;
};

static int answer(void *context, const char *expression, struct promql_found *ret, struct error *error)
{
        struct server *server = context;
        struct promql_found found = {.value = NAN};
        strncat(server->asked, expression, sizeof(server->asked) - strlen(server->asked) - 1);
        strncat(server->asked, "|", sizeof(server->asked) - strlen(server->asked) - 1);
        if (server->error != 0)
                return error_set(error, server->error, "no answer");
        for (const struct finding *one = server->findings; one->expression; one++)
                for (size_t i = 0; strcmp(one->expression, expression) == 0 && i < one->count; i++) {
                        found.series++;
                        found.at = NOW;
                        if (!isnan(one->values[i]) && found.numbers++ == 0)
                                found.value = one->values[i];
                        found.zeros += one->values[i] == 0;
                }
        *ret = found;
        return 0;
}

static void check_verdict(const char *query, double age, const struct finding *findings, int wanted,
                          const char *sentence)
{
        _cleanup_error_ struct error error = {0};
        struct server server = {.findings = findings};
        double value = -1;
        int r = promql_holds(query, age, answer, &server, &value, &error);
        if (r != wanted)
                fail_msg("%s: %d, not %d; asked %s", query, r, wanted, server.asked);
        if (sentence && strcmp(error_text(&error), sentence) != 0)
                fail_msg("%s: \"%s\"", query, error_text(&error));
        assert_true(r >= 0 || value == -1);
}

#define CASE(query, wanted, sentence, ...)                                                                 \
        check_verdict(query, INFINITY, (const struct finding[]){__VA_ARGS__ __VA_OPT__(, ){NULL, {0}, 0}}, \
                      wanted, sentence)

static void a_comparison_is_asked_for_with_its_side(void **state _unused_)
{
        CASE("x < 2", 1, NULL, {"x ", {1}, 1}, {"x < 2", {1}, 1});
        CASE("x < 2", 0, NULL, {"x ", {3}, 1});
        CASE("2 > x", 1, NULL, {"x", {1}, 1}, {"2 > x", {2}, 1});
        CASE("x < 2", -ENODATA, "no data for x");
        CASE("x < 2", -ENODATA, "no data for x (NaN)", {"x ", {NAN}, 1});
        CASE("x != 2", -ENODATA, "no data for x (NaN)", {"x ", {NAN}, 1}, {"x != 2", {NAN}, 1});
        CASE("x < 2", 1, NULL, {"x ", {-INFINITY}, 1}, {"x < 2", {-INFINITY}, 1});
        CASE("x < 2", 0, NULL, {"x ", {INFINITY}, 1});
        CASE("x == 0", 1, NULL, {"x ", {0}, 1}, {"x == 0", {0}, 1});
}

static void it_must_hold_for_every_series(void **state _unused_)
{
        CASE("x < 2", 1, NULL, {"x ", {1, 0}, 2}, {"x < 2", {1, 0}, 2});
        CASE("x < 2", 0, NULL, {"x ", {1, 5}, 2}, {"x < 2", {1}, 1});
        CASE("x < 2", 0, NULL, {"x ", {1, 5, NAN}, 3}, {"x < 2", {1}, 1});
        CASE("x < 2", -ENODATA, "no data for x (some of it is NaN)", {"x ", {1, NAN}, 2}, {"x < 2", {1}, 1});
}

static void by_bool_it_holds_where_it_says_1(void **state _unused_)
{
        CASE("x < bool 2", 1, NULL, {"x ", {1}, 1}, {"x < bool 2", {1}, 1});
        CASE("x < bool 2", 0, NULL, {"x ", {3}, 1}, {"x < bool 2", {0}, 1});
        CASE("x < bool 2", -ENODATA, "no data for x (NaN)", {"x ", {NAN}, 1}, {"x < bool 2", {0}, 1});
        CASE("x < bool 2", -ENODATA, "no data for x (some of it is NaN)", {"x ", {NAN, 1}, 2},
             {"x < bool 2", {0, 1}, 2});
}

static void two_vectors_are_compared_pair_by_pair(void **state _unused_)
{
        CASE("x < y", 1, NULL, {"x ", {1}, 1}, {"y", {2}, 1}, {"x < bool  y", {1}, 1});
        CASE("x < y", 0, NULL, {"x ", {1, 3}, 2}, {"y", {2, 2}, 2}, {"x < bool  y", {1, 0}, 2});
        CASE("x < y", -ENODATA, "no data for y", {"x ", {1}, 1});
        CASE("x < y", -ENODATA, "no data for y (some of it is NaN)", {"x ", {1, 1}, 2}, {"y", {2, NAN}, 2},
             {"x < bool  y", {1, 0}, 2});
        CASE("x < y", -ENODATA, "no data for x < y: no series of one side belongs to one of the other",
             {"x ", {1}, 1}, {"y", {2}, 1});
}

static void of_several_conditions_each_is_judged(void **state _unused_)
{
        CASE("x < 2 or y < 2", 1, NULL, {"y ", {1}, 1}, {"y < 2", {1}, 1});
        CASE("x < 2 or y < 2", -ENODATA, "no data for x", {"y ", {3}, 1});
        CASE("x < 2 or y < 2", 0, NULL, {"x ", {3}, 1}, {"y ", {3}, 1});
        CASE("x < 2 and y < 2", 0, NULL, {"x ", {3}, 1});
        CASE("x < 2 and y < 2", -ENODATA, "no data for y", {"x ", {1}, 1}, {"x < 2 ", {1}, 1});
        CASE("x < 2 and y < 2", 0, NULL, {"x ", {1}, 1}, {"x < 2 ", {1}, 1}, {"y ", {3}, 1});
        CASE("(x < 2) and (y < 2)", 1, NULL, {"x ", {1}, 1}, {"x < 2", {1}, 1},
             {"(x < 2) and (y < 2)", {1}, 1});
        CASE("x < 2 unless z", 1, NULL, {"x ", {1}, 1}, {"x < 2 ", {1}, 1}, {"x < 2 unless z", {1}, 1});
        CASE("x < 2 unless z", 0, NULL, {"x ", {1}, 1}, {"x < 2 ", {1}, 1});
}

/* An empty answer is explained down to what has no data. */
static void what_is_missing_is_named(void **state _unused_)
{
        CASE("max(rate(x{a=\"b\"}[1m])) < 2", -ENODATA, "no data for x{a=\"b\"}[1m]");
        CASE("sum(a) / sum(b) < 0.1", -ENODATA, "no data for b", {"sum(a) ", {0}, 1});
        CASE("sum(a) / sum(b) < 0.1", -ENODATA, "no data for sum(a) / sum(b) (NaN)", {"sum(a) ", {0}, 1},
             {"sum(b) ", {0}, 1}, {"sum(a) / sum(b) ", {NAN}, 1});
        CASE("count(up == 1) > 1", 0, NULL, {"up ", {0}, 1});
        CASE("count(up == 1) > 1", -ENODATA, "no data for up");
        CASE("max(x < 2)", -ENODATA, "no data for x (NaN)", {"x ", {NAN}, 1});
        CASE("x < scalar(y)", -ENODATA, "no data for scalar(y) (NaN)", {"x ", {1}, 1},
             {"scalar(y)", {NAN}, 1});
        CASE("long{name=\"x\"} #here\n < 2", -ENODATA, "no data for long{name=\"x\"} #here");
        CASE("-x == -1", -ENODATA, "no data for x");
        CASE("max_over_time(x[5m:1m]) > 1", -ENODATA, "no data for x[5m:1m]");
        CASE("topk(0, x)", -ENODATA, "no data for topk(0, x)", {"x", {1}, 1});
}

static void what_is_wanted_absent_holds_without_data(void **state _unused_)
{
        CASE("absent(x)", 1, NULL, {"absent(x)", {1}, 1});
        CASE("absent(x)", 0, NULL, {"x", {5}, 1});
        CASE("absent(x) == 1", 0, NULL, {"x", {5}, 1});
        CASE("absent_over_time(x[5m])", 0, NULL);
        CASE("up", 1, NULL, {"up", {0}, 1});
        CASE("up", -ENODATA, "no data for up (NaN)", {"up", {NAN}, 1});
        CASE("vector(1) < 2", 1, NULL, {"vector(1) ", {1}, 1}, {"vector(1) < 2", {1}, 1});
}

#define AGED(query, wanted, sentence, ...) \
        check_verdict(query, 10, (const struct finding[]){__VA_ARGS__, {NULL, {0}, 0}}, wanted, sentence)

static void an_old_answer_is_none(void **state _unused_)
{
        AGED("x < 2", 1, NULL, {"x ", {1}, 1}, {"x < 2", {1}, 1}, {"min(timestamp(x \n))", {NOW - 9}, 1});
        AGED("x < 2", -ENODATA, "no data for x: the last sample is 11 s old, and from before", {"x ", {1}, 1},
             {"x < 2", {1}, 1}, {"min(timestamp(x \n))", {NOW - 11}, 1});
        AGED("x < 2", -ENODATA, "no data for x: the last sample is 11 s old, and from before", {"x ", {3}, 1},
             {"min(timestamp(x \n))", {NOW - 11}, 1});
        /* In its range there is something, but nothing now. */
        AGED("rate(x[1m]) < 2", -ENODATA, "no data for rate(x[1m]) < 2 now", {"rate(x[1m]) ", {1}, 1},
             {"rate(x[1m]) < 2", {1}, 1});
        /* One of two may have none; what is wanted absent, or of another time, has no age. */
        AGED("x or y", 1, NULL, {"x ", {1}, 1}, {"min(timestamp(x \n))", {NOW}, 1});
        AGED("absent(x)", 1, NULL, {"absent(x)", {1}, 1});
        AGED("x < 2 or absent(x)", 1, NULL, {"absent(x)", {1}, 1});
        AGED("(x or vector(0)) < 2", 1, NULL, {"(x or vector(0)) ", {0}, 1},
             {"(x or vector(0)) < 2", {0}, 1});
        AGED("x offset 1d < 2", 1, NULL, {"x offset 1d ", {1}, 1}, {"x offset 1d < 2", {1}, 1});
        /* Whoever answers the same to everything knows of no ages. */
        AGED("x < 2", 1, NULL, {"x ", {1}, 1}, {"x < 2", {1}, 1}, {"min(timestamp(x \n))", {1}, 1});
}

static void an_error_is_handed_on(void **state _unused_)
{
        static const struct finding none[] = {{NULL, {0}, 0}};
        static const char *const queries[] = {"x < 2", "x < 2 or y < 2", "x and y", "up"};
        for (size_t i = 0; i < N_ELEMENTS(queries); i++) {
                _cleanup_error_ struct error error = {0};
                struct server server = {.findings = none, .error = ETIMEDOUT};
                double value = -1;
                assert_int_equal(promql_holds(queries[i], 1, answer, &server, &value, &error), -ETIMEDOUT);
                assert_string_equal(error_text(&error), "no answer");
        }
}

static void there_is_a_limit_to_what_is_asked(void **state _unused_)
{
        static const struct finding none[] = {{"x ", {3}, 1}, {NULL, {0}, 0}};
        _cleanup_text_ struct text query = {0};
        text_puts(&query, "x < 2");
        for (int i = 0; i < 100; i++)
                text_puts(&query, " or x < 2");
        check_verdict(text_string(&query), INFINITY, none, -E2BIG, NULL);
        for (int i = 0; i < 20000; i++)
                text_puts(&query, " or x < 2");
        check_verdict(text_string(&query), INFINITY, none, -E2BIG, "it is too long to be asked for in parts");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_comparison_is_asked_for_with_its_side),
                cmocka_unit_test(it_must_hold_for_every_series),
                cmocka_unit_test(by_bool_it_holds_where_it_says_1),
                cmocka_unit_test(two_vectors_are_compared_pair_by_pair),
                cmocka_unit_test(of_several_conditions_each_is_judged),
                cmocka_unit_test(what_is_missing_is_named),
                cmocka_unit_test(what_is_wanted_absent_holds_without_data),
                cmocka_unit_test(an_old_answer_is_none),
                cmocka_unit_test(an_error_is_handed_on),
                cmocka_unit_test(there_is_a_limit_to_what_is_asked),
        };
        return cmocka_run_group_tests_name("holds", tests, NULL, NULL);
}
