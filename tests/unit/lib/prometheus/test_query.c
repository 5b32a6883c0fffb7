/* SPDX-License-Identifier: Apache-2.0 */
/* Instant queries: how they are asked, what they give, and that whatever is no clear answer is an error. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <math.h>

#include "lib/prometheus/internal.h"
#include "tests/harness/neighbour.h"

#define SOON deadline_in(10 * NSEC_PER_SEC)
#define RESULT(type, result) \
        "{\"status\":\"success\",\"data\":{\"resultType\":\"" type "\",\"result\":" result "}}"

static void parse(const char *body, struct prometheus_answer *answer)
{
        _cleanup_error_ struct error error = {0};
        if (prometheus_answer_parse(200, body, strlen(body), answer, &error) < 0)
                fail_msg("%s: %s", body, error_text(&error));
}

static void a_vector_has_any_number_of_series(void **state _unused_)
{
        struct prometheus_answer answer;
        parse(RESULT("vector", "[]"), &answer);
        assert_false(answer.scalar);
        assert_int_equal(answer.count, 0);
        prometheus_answer_release(&answer);

        parse(RESULT("vector", "[{\"metric\":{\"job\":\"a\"},\"value\":[1.5,\"0.25\"]},"
                               "{\"metric\":{},\"value\":[1,\"NaN\"]},{\"metric\":{},\"value\":[1,\"+Inf\"]},"
                               "{\"metric\":{\"job\":\"h\"},\"histogram\":[1,{\"count\":\"3\"}]}]"),
              &answer);
        assert_int_equal(answer.count, 4);
        assert_string_equal(json_string(answer.series[0].labels, "job"), "a");
        assert_true(answer.series[0].has_value && answer.series[0].value == 0.25);
        assert_true(answer.series[1].has_value && isnan(answer.series[1].value));
        assert_true(answer.series[2].has_value && isinf(answer.series[2].value));
        assert_true(!answer.series[3].has_value && isnan(answer.series[3].value));
        prometheus_answer_release(&answer);
}

static void a_scalar_is_one_without_labels(void **state _unused_)
{
        struct prometheus_answer answer;
        parse(RESULT("scalar", "[1,\"42\"]"), &answer);
        assert_true(answer.scalar && answer.count == 1 && !answer.series[0].labels);
        assert_true(answer.series[0].has_value && answer.series[0].value == 42);
        prometheus_answer_release(&answer);
}

static void what_is_no_clear_answer_is_an_error(void **state _unused_)
{
        static const struct {
                long status;
                const char *body;
                int code;
                const char *sentence;
        } cases[] = {
                {200, RESULT("matrix", "[]"), EINVAL, "the query gives a matrix, not an instant vector"},
                {200, RESULT("string", "[1,\"x\"]"), EINVAL, "the query gives a string"},
                {200, RESULT("vector", "{}"), EBADMSG, "has no result"},
                {200, RESULT("vector", "[1]"), EBADMSG, "without labels"},
                {200, RESULT("vector", "[{\"value\":[1,\"1\"]}]"), EBADMSG, "without labels"},
                {200, RESULT("vector", "[{\"metric\":{}}]"), EBADMSG, "not a number"},
                {200, RESULT("vector", "[{\"metric\":{},\"value\":[1,\"one\"]}]"), EBADMSG, "not a number"},
                {200, RESULT("vector", "[{\"metric\":{},\"value\":[1,\"1x\"]}]"), EBADMSG, "not a number"},
                {200, RESULT("vector", "[{\"metric\":{},\"value\":[1,1]}]"), EBADMSG, "not a number"},
                {200, RESULT("vector", "[{\"metric\":{},\"value\":[1,\"\"]}]"), EBADMSG, "not a number"},
                {200, RESULT("scalar", "[]"), EBADMSG, "not a number"},
                {200, "{\"status\":\"success\",\"data\":{\"result\":[]}}", EBADMSG, "has no result"},
                {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\"}}", EBADMSG, "no result"},
                {200, "{\"status\":\"success\"}", EBADMSG, "no result"},
                {400, "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse error: x\"}",
                 EREMOTEIO, "Prometheus answered 400: parse error: x"},
                {200, "{}", EREMOTEIO, "Prometheus answered 200: no reason given"},
                {503, "Service Unavailable", EREMOTEIO, "Prometheus answered 503: no reason given"},
                {200, "<html>", EBADMSG, "Prometheus' answer: not valid JSON"},
                {200, "", EBADMSG, "JSON"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                struct prometheus_answer answer = {.count = 7};
                int r = prometheus_answer_parse(cases[i].status, cases[i].body, strlen(cases[i].body),
                                                &answer, &error);
                if (r != -cases[i].code || !strstr(error_text(&error), cases[i].sentence))
                        fail_msg("%s: %d %s", cases[i].body, r, error_text(&error));
                assert_true(answer.count == 7 && !answer.document);
        }
}

/* Both ways ask for the same, whatever the query holds and however the base ends. */
static void it_is_asked_by_url_or_as_a_form(void **state _unused_)
{
        static const char query[] = "sum(x{a=\"b & c+d\"}) < 2 # ü";
        static const char *const headers[] = {"X-Asked: yes", NULL};
        struct neighbour neighbour;
        neighbour_start(&neighbour);
        _cleanup_http_client_ struct http_client *client = http_client_new();
        for (int slashes = 0; slashes < 3; slashes++) {
                _cleanup_free_ char *base = text_format("%s%.*s", neighbour.url, slashes, "//");
                neighbour_says(&neighbour, 200, RESULT("vector", "[]"));
                struct http_request how = {.headers = headers, .deadline = SOON};
                for (int i = 0; i < 2; i++) {
                        struct prometheus_answer answer = {.count = 7};
                        assert_int_equal(prometheus_query(client, &how, base, query, 0, &answer, NULL), 0);
                        assert_int_equal(answer.count, 0);
                        prometheus_answer_release(&answer);
                        how.method = "POST";
                }
                assert_string_equal(
                        text_string(&neighbour.asked),
                        "GET /at/api/v1/query <query=sum(x{a=\"b & c+d\"}) < 2 # ü> [X-Asked: yes]\n"
                        "POST /at/api/v1/query [Content-Type: application/x-www-form-urlencoded] "
                        "[X-Asked: yes] query=sum%28x%7Ba%3D%22b%20%26%20c%2Bd%22%7D%29%20%3C%202%20%23%20"
                        "%C3%BC\n");
        }
        neighbour_stop(&neighbour);
}

static void a_range_is_a_matrix_or_an_error(void **state _unused_)
{
        _cleanup_json_ cJSON *matrix = NULL;
        const char *good =
                "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":"
                "{\"a\":\"b\"},\"values\":[[1,\"1\"],[31,\"1\"]]}]}}";
        assert_int_equal(prometheus_range_parse(200, good, strlen(good), &matrix, NULL), 0);
        assert_int_equal(cJSON_GetArraySize(json_get(cJSON_GetArrayItem(matrix, 0), "values", NULL)), 2);
        static const struct {
                long status;
                const char *body;
                int result;
        } bad[] = {
                {200, "", -EBADMSG},
                {502, "<html>", -EREMOTEIO},
                {422, "{\"status\":\"error\",\"error\":\"too many points\"}", -EREMOTEIO},
                {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}",
                 -EBADMSG},
                {200, "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\"}}", -EBADMSG},
                {200, "{\"status\":\"success\"}", -EBADMSG},
        };
        for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
                cJSON *none = NULL;
                assert_int_equal(
                        prometheus_range_parse(bad[i].status, bad[i].body, strlen(bad[i].body), &none, NULL),
                        bad[i].result);
                assert_null(none);
        }
}

static void who_cannot_be_reached_is_named(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_http_client_ struct http_client *client = http_client_new();
        struct prometheus_answer answer;
        struct neighbour neighbour;
        neighbour_start(&neighbour);
        neighbour_says(&neighbour, 503, "upstream is gone");
        struct http_request how = {.deadline = SOON};
        assert_int_equal(prometheus_query(client, &how, neighbour.url, "up", 0, &answer, &error), -EREMOTEIO);
        assert_string_equal(error_text(&error), "Prometheus answered 503: no reason given");
        neighbour_says(&neighbour, 200, RESULT("vector", "[]"));
        how.body_limit = 10;
        assert_int_equal(prometheus_query(client, &how, neighbour.url, "up", 0, &answer, &error), -EMSGSIZE);
        neighbour_stop(&neighbour);

        assert_int_equal(prometheus_query(client, &how, neighbour.url, "up", 0, &answer, &error),
                         -ECONNREFUSED);
        assert_true(string_starts(error_text(&error), "Prometheus: "));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_vector_has_any_number_of_series),
                cmocka_unit_test(a_scalar_is_one_without_labels),
                cmocka_unit_test(what_is_no_clear_answer_is_an_error),
                cmocka_unit_test(it_is_asked_by_url_or_as_a_form),
                cmocka_unit_test(a_range_is_a_matrix_or_an_error),
                cmocka_unit_test(who_cannot_be_reached_is_named),
        };
        if (http_client_global_init(NULL) < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
