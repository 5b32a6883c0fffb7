/* SPDX-License-Identifier: Apache-2.0 */
/* What the neighbours' answers mean: a query that holds, a check that succeeds. */
#include <errno.h>
#include <math.h>

#include "responder/targets/internal.h"
#include "tests/harness/neighbour.h"
#include "tests/harness/unit.h"

#define SOON deadline_in(10 * NSEC_PER_SEC)

/* Targets whose three URLs are all the neighbour's. */
static struct targets *open_targets(struct neighbour *neighbour, struct target_set *set)
{
        struct targets *targets = NULL;
        neighbour_start(neighbour);
        *set = (struct target_set){.prometheus_url = neighbour->url,
                                   .exporter_url = neighbour->url,
                                   .alertmanager_url = neighbour->url};
        assert_int_equal(targets_new(set, &targets, NULL), 0);
        return targets;
}

#define VECTOR(items) "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" items "]}}"

static void test_a_query_holds_when_all_of_it_does(void **state _unused_)
{
        static const struct {
                const char *answer;
                bool holds;
                double value;
        } cases[] = {
                {VECTOR("{\"metric\":{},\"value\":[1,\"0.25\"]}"), true, 0.25},
                {VECTOR("{\"metric\":{},\"value\":[1,\"0\"]},{\"metric\":{},\"value\":[1,\"5\"]}"), true, 0},
                {VECTOR("{\"metric\":{},\"value\":[1,\"+Inf\"]}"), true, INFINITY},
                {VECTOR("{\"metric\":{},\"histogram\":[1,{}]}"), true, NAN},
        };
        struct neighbour neighbour;
        struct target_set set;
        struct targets *targets = open_targets(&neighbour, &set);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                bool holds = !cases[i].holds;
                double value = -1;
                neighbour_says(&neighbour, 200, cases[i].answer);
                assert_int_equal(targets_query_holds(targets, "x < 2", 0, SOON, &holds, &value, NULL), 0);
                assert_int_equal(holds, cases[i].holds);
                assert_true(isnan(cases[i].value) ? isnan(value) : value == cases[i].value);
                /* By POST, for no cache may answer, and no URL be too long; the second question at the time
                 * of the first answer. */
                assert_non_null(strstr(text_string(&neighbour.asked), "POST /at/api/v1/query "));
                assert_non_null(strstr(text_string(&neighbour.asked), "query=x%20%3C%202&time=1.000"));
        }
        targets_free(targets);
        neighbour_stop(&neighbour);
}

#define ONE "{\"metric\":{},\"value\":[1,\"1\"]}"
#define WARNING(text)                                   \
        "{\"status\":\"success\",\"warnings\":[\"" text \
        "\"],\"data\":{\"resultType\":\"vector\",\"result\":[" ONE "]}}"

static void test_what_is_no_answer_is_no_verdict(void **state _unused_)
{
        static const struct {
                unsigned status;
                const char *query, *answer;
                int code;
                const char *sentence;
        } cases[] = {
                {200, "x < 2", VECTOR(""), ENODATA, "no data for x"},
                {200, "x < 2", VECTOR("{\"metric\":{},\"value\":[1,\"NaN\"]}"), ENODATA,
                 "no data for x (NaN)"},
                {200, "x < 2", WARNING("No StoreAPIs matched for this query"), ENODATA,
                 "Prometheus has only a part of the answer: No StoreAPIs"},
                {200, "x < 2", WARNING("PromQL warning: no le"), 0, ""},
                {200, "1", VECTOR(ONE), EINVAL, "a scalar, where an instant vector"},
                {200, "x", VECTOR("{}"), EBADMSG, "without labels"},
                {422, "x", "{\"status\":\"error\",\"error\":\"bad\"}", EREMOTEIO,
                 "Prometheus answered 422: bad"},
                {502, "x", "", EREMOTEIO, "Prometheus answered 502"},
                {200, "x", "", EBADMSG, "JSON"},
        };
        struct neighbour neighbour;
        struct target_set set;
        struct targets *targets = open_targets(&neighbour, &set);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                bool holds = true;
                double value = -1;
                neighbour_says(&neighbour, cases[i].status, cases[i].answer);
                assert_int_equal(
                        targets_query_holds(targets, cases[i].query, 0, SOON, &holds, &value, &error),
                        -cases[i].code);
                assert_non_null(strstr(error_text(&error), cases[i].sentence));
                assert_true(holds && (value == -1) == (cases[i].code != 0));
        }
        targets_free(targets);
        neighbour_stop(&neighbour);
}

#define MATRIX(items) "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[" items "]}}"

/* For a picture: of one series, what is a number; and nothing is made up. */
static void test_what_was_before(void **state _unused_)
{
        static const struct {
                const char *query, *answer, *past; /* NULL: none */
                int code;
        } cases[] = {
                {"x < 2",
                 MATRIX("{\"metric\":{},\"values\":[[1,\"3\"],[2,\"NaN\"],[3,\"1.5\"]]},{\"values\":[[1,"
                        "\"9\"]]}"),
                 "[[1,3],[3,1.5]]", 0},
                {"x < 2", MATRIX(""), "[]", 0},
                {"x < 2", MATRIX("{\"values\":[[1]]}"), NULL, EBADMSG},
                {"x < 2", VECTOR(ONE), NULL, EBADMSG},
                {"x < 2", "{\"status\":\"error\",\"error\":\"bad\"}", NULL, EREMOTEIO},
                {"x < y", MATRIX(""), NULL, ENODATA},
        };
        struct neighbour neighbour;
        struct target_set set;
        struct targets *targets = open_targets(&neighbour, &set);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_json_ cJSON *past = NULL;
                neighbour_says(&neighbour, 200, cases[i].answer);
                assert_int_equal(targets_query_past(targets, cases[i].query, 100 * NSEC_PER_SEC,
                                                    196 * NSEC_PER_SEC, 49, SOON, &past, NULL),
                                 -cases[i].code);
                _cleanup_free_ char *text = past ? cJSON_PrintUnformatted(past) : NULL;
                assert_true(!text == !cases[i].past);
                if (text)
                        assert_string_equal(text, cases[i].past);
                if (i == 0)
                        assert_non_null(strstr(text_string(&neighbour.asked), "GET /at/api/v1/query_range "));
        }
        targets_free(targets);
        neighbour_stop(&neighbour);
}

static void test_check_answers(void **state _unused_)
{
        static const char page[] =
                "# HELP runbook_check_success Whether it succeeded.\n"
                "# TYPE runbook_check_success gauge\n"
                "runbook_check_success_extra{check=\"redis\"} 0\n"
                "runbook_check_success{check=\"redis_2\"} 0\n"
                "runbook_check_success{check=\"redis\"} 1\n"
                "runbook_check_success{a=\"}check=\\\"x\\\"\",check=\"mcp\",b=\"\"} 0\n"
                "runbook_check_success{check=\"with \\\"quotes\\\" \\\\ \\n\"} 1 1700000000000\n"
                "runbook_check_success{check=\"unknown\"} NaN\n"
                "runbook_check_success{check=\"half\"} 0.5\n";
        static const struct {
                const char *check;
                int result;
                bool holds;
        } cases[] = {
                {"redis", 0, true},        {"redis_2", 0, false},
                {"mcp", 0, false},         {"with \"quotes\" \\ \n", 0, true},
                {"x", -ENOENT, false},     {"red", -ENOENT, false},
                {"", -ENOENT, false},      {"unknown", -EBADMSG, false},
                {"half", -EBADMSG, false},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                bool holds = !cases[i].holds;
                assert_int_equal(check_answer_parse(page, strlen(page), cases[i].check, 0, &holds, &error),
                                 cases[i].result);
                assert_int_equal(holds, cases[i].result == 0 ? cases[i].holds : !cases[i].holds);
        }
}

/* A check that does not know how it stands, or ran before what it is asked about, is no answer. */
static void test_how_a_check_stands_is_asked_for(void **state _unused_)
{
        static const struct {
                const char *standing;
                int success;
                double last_run;
                int result;
                bool holds;
        } cases[] = {
                {"pass", 1, 100, 0, true},
                {"warn", 1, 100, 0, true},
                {"fail", 1, 100, 0, false},
                {"fail", 0, 100, 0, false},
                {"unknown", 1, 100, ENODATA, false},
                {"unknown", 0, 100, ENODATA, false},
                {"not_set_up", 0, 100, ENODATA, false},
                {"pass", 1, 98, ENODATA, false},
                {"fail", 0, 98, ENODATA, false},
                {"pass", 1, 99.5, 0, true},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                bool holds = false;
                _cleanup_free_ char *page =
                        text_format("runbook_check_standing{check=\"a\",standing=\"nothing\"} 0\n"
                                    "runbook_check_standing{check=\"a\",standing=\"%s\"} 1\n"
                                    "runbook_check_standing{check=\"b\",standing=\"unknown\"} 1\n"
                                    "runbook_check_last_run_timestamp_seconds{check=\"a\"} %g\n"
                                    "runbook_check_success{check=\"a\"} %d\n",
                                    cases[i].standing, cases[i].last_run, cases[i].success);
                assert_int_equal(
                        check_answer_parse(page, strlen(page), "a", 100 * NSEC_PER_SEC, &holds, &error),
                        -cases[i].result);
                assert_int_equal(holds, cases[i].holds);
                assert_true(cases[i].result == 0 ||
                            strstr(error_text(&error), "no data for the check \"a\""));
        }
}

/* What follows the cut is not known, so nobody can say that a check is not there. */
static void test_a_cut_page_is_no_verdict(void **state _unused_)
{
        static const char *const ends[] = {"runbook_check_success{check=\"cut\"",
                                           "runbook_check_success{check=\"cut\"} ", "<html>"};
        for (size_t i = 0; i < N_ELEMENTS(ends); i++) {
                _cleanup_error_ struct error error = {0};
                _cleanup_free_ char *page = text_format("runbook_check_success{check=\"a\"} 1\n%s", ends[i]);
                bool holds = false;
                assert_int_equal(check_answer_parse(page, strlen(page), "cut", 0, &holds, &error), -EBADMSG);
                assert_non_null(strstr(error_text(&error), "line 2"));
                assert_int_equal(check_answer_parse(page, strlen(page), "a", 0, &holds, NULL), -EBADMSG);
                assert_false(holds);
        }
}

static void test_the_exporter_is_asked_for_one_check(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        struct neighbour neighbour;
        struct target_set set;
        struct targets *targets = open_targets(&neighbour, &set);
        bool holds = false;
        neighbour_says(&neighbour, 200, "runbook_check_success{check=\"a & b\"} 1\n");
        assert_int_equal(targets_check_holds(targets, "a & b", 0, SOON, &holds, NULL), 0);
        assert_true(holds);
        assert_string_equal(text_string(&neighbour.asked), "GET /at/metrics <collect[]=a & b>\n");
        neighbour_says(&neighbour, 503, "runbook_check_success{check=\"a\"} 0\n");
        assert_int_equal(targets_check_holds(targets, "a", 0, SOON, &holds, &error), -EREMOTEIO);
        assert_true(holds);
        targets_free(targets);
        neighbour_stop(&neighbour);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_query_holds_when_all_of_it_does),
                cmocka_unit_test(test_what_is_no_answer_is_no_verdict),
                cmocka_unit_test(test_what_was_before),
                cmocka_unit_test(test_check_answers),
                cmocka_unit_test(test_how_a_check_stands_is_asked_for),
                cmocka_unit_test(test_a_cut_page_is_no_verdict),
                cmocka_unit_test(test_the_exporter_is_asked_for_one_check),
        };
        if (http_client_global_init(NULL) < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
