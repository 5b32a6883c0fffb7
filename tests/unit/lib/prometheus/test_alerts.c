/* SPDX-License-Identifier: Apache-2.0 */
/* Alertmanager's alerts: which are asked for, and that a list that cannot be read is never an empty one. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/prometheus/internal.h"
#include "tests/harness/neighbour.h"

#define LIST "[{\"fingerprint\":\"aa\",\"status\":{\"state\":\"suppressed\"}},{\"fingerprint\":\"bb\"}]"

static void a_list_that_cannot_be_read_is_not_empty(void **state _unused_)
{
        static const struct {
                long status;
                const char *body;
                int code;
        } cases[] = {
                {200, "{}", EBADMSG},
                {200, "null", EBADMSG},
                {200, "", EBADMSG},
                {200, "<html>", EBADMSG},
                {200, "[1]", EBADMSG},
                {200, "[{\"fingerprint\":\"aa\"},{}]", EBADMSG},
                {200, "[{\"fingerprint\":\"\"}]", EBADMSG},
                {204, "[]", EREMOTEIO},
                {404, "[]", EREMOTEIO},
                {500, "", EREMOTEIO},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                cJSON *alerts = NULL;
                int r = alertmanager_alerts_parse(cases[i].status, cases[i].body, strlen(cases[i].body),
                                                  &alerts, &error);
                if (r != -cases[i].code || alerts || !strstr(error_text(&error), "Alertmanager"))
                        fail_msg("%s: %d %s", cases[i].body, r, error_text(&error));
        }
}

/* Each of them would take 64 bytes. */
static void a_list_of_nothings_is_refused_before_it_is_made(void **state _unused_)
{
        const size_t size = (size_t)59 << 20;
        _cleanup_free_ char *body = malloc(size);
        _cleanup_json_ cJSON *alerts = NULL;
        _cleanup_(prometheus_answer_release) struct prometheus_answer answer = {0};
        _cleanup_error_ struct error error = {0}, other = {0};
        assert_non_null(body);
        for (size_t i = 0; i < size; i++)
                body[i] = i % 2 ? '0' : ',';
        body[0] = '[';
        body[size - 1] = ']';
        assert_int_equal(alertmanager_alerts_parse(200, body, size, &alerts, &error), -EBADMSG);
        assert_non_null(strstr(error_text(&error), "too many values"));
        assert_int_equal(prometheus_answer_parse(200, body, size, &answer, &other), -EBADMSG);
        assert_non_null(strstr(error_text(&other), "too many values"));
}

static void only_what_is_wanted_is_asked_for(void **state _unused_)
{
        _cleanup_json_ cJSON *labels = cJSON_Parse(
                "{\"alertname\":\"slow \\\"x\\\" & y\",\"d.c\":\"eu\",\"__name__\":\"n\",\"__a b\":\"\","
                "\"a:b\":\"c\\nd\",\"number\":1}");
        const struct {
                struct alertmanager_wanted wanted;
                const char *asked;
        } cases[] = {
                {{0}, "GET /at/api/v2/alerts <silenced=true> <inhibited=true>\n"},
                {{.receiver = "run\\.book", .labels = labels, .only_active = true},
                 "GET /at/api/v2/alerts <silenced=false> <inhibited=false> <receiver=run\\.book> "
                 "<filter=alertname=\"slow \\\"x\\\" & y\"> <filter=\"d.c\"=\"eu\"> <filter=__name__=\"n\"> "
                 "<filter=\"__a b\"=\"\"> <filter=\"a:b\"=\"c\\nd\">\n"},
        };
        struct neighbour neighbour;
        neighbour_start(&neighbour);
        _cleanup_http_client_ struct http_client *client = http_client_new();
        _cleanup_free_ char *base = text_format("%s//", neighbour.url);
        const struct http_request how = {.deadline = deadline_in(10 * NSEC_PER_SEC)};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_json_ cJSON *alerts = NULL;
                neighbour_says(&neighbour, 200, LIST);
                assert_int_equal(alertmanager_alerts(client, &how, base, &cases[i].wanted, &alerts, NULL), 0);
                assert_int_equal(cJSON_GetArraySize(alerts), 2);
                assert_string_equal(text_string(&neighbour.asked), cases[i].asked);
        }

        _cleanup_error_ struct error error = {0};
        cJSON *alerts = NULL;
        neighbour_says(&neighbour, 500, "[]");
        assert_int_equal(alertmanager_alerts(client, &how, base, &cases[0].wanted, &alerts, &error),
                         -EREMOTEIO);
        assert_string_equal(error_text(&error), "Alertmanager answered 500");
        neighbour_stop(&neighbour);
        assert_int_equal(alertmanager_alerts(client, &how, base, &cases[0].wanted, &alerts, &error),
                         -ECONNREFUSED);
        assert_true(string_starts(error_text(&error), "Alertmanager: "));
        assert_null(alerts);
}

static void since_when_it_is_up_is_told_or_not(void **state _unused_)
{
        static const struct {
                long status;
                const char *body;
                int code;
        } cases[] = {
                {200, "{\"uptime\":\"1970-01-01T00:00:02.5Z\",\"cluster\":{}}", 0},
                {200, "{\"uptime\":\"1970-01-01T01:00:02.500+01:00\"}", 0},
                {200, "{}", EBADMSG},
                {200, "[]", EBADMSG},
                {200, "{\"uptime\":2}", EBADMSG},
                {200, "{\"uptime\":\"\"}", EBADMSG},
                {200, "{\"uptime\":\"24h\"}", EBADMSG},
                {200, "", EBADMSG},
                {503, "{\"uptime\":\"1970-01-01T00:00:02Z\"}", EREMOTEIO},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                nsec up = -1;
                int r = alertmanager_status_parse(cases[i].status, cases[i].body, strlen(cases[i].body), &up,
                                                  &error);
                if (r != -cases[i].code || up != (r == 0 ? 5 * NSEC_PER_SEC / 2 : -1) ||
                    (r < 0 && !strstr(error_text(&error), "Alertmanager")))
                        fail_msg("%s: %d %s", cases[i].body, r, error_text(&error));
        }
}

static nsec time_in(const char *json, const char *member)
{
        nsec wall = -1;
        const char *at = strstr(json, member);
        _cleanup_free_ char *text = strndup(at + strlen(member), strcspn(at + strlen(member), "\""));
        assert_int_equal(time_parse(text, &wall, NULL), 0);
        return wall;
}

/* By its clock, which is asked first: so long, and no longer; and what is over is so at once. */
static void what_is_posted_lasts_by_its_clock(void **state _unused_)
{
        struct neighbour neighbour;
        _cleanup_error_ struct error error = {0};
        neighbour_start(&neighbour);
        _cleanup_http_client_ struct http_client *client = http_client_new();
        _cleanup_json_ cJSON *labels = cJSON_CreateObject();
        cJSON_AddStringToObject(labels, "alertname", "a");
        const struct http_request how = {.deadline = deadline_in(20 * NSEC_PER_SEC)};
        const struct alertmanager_posted alerts[] = {{labels, "it is at it", 120 * NSEC_PER_SEC},
                                                     {labels, NULL, 0}};
        for (size_t i = 0; i < N_ELEMENTS(alerts); i++) {
                neighbour_says(&neighbour, 200, "{}");
                nsec before = clock_wall();
                assert_int_equal(alertmanager_post(client, &how, neighbour.url, &alerts[i], 1, &error), 0);
                nsec after = clock_wall();
                const char *asked = text_string(&neighbour.asked),
                           *post = strstr(asked, "POST /at/api/v2/alerts");
                assert_true(string_starts(asked, "GET /at/api/v2/status\n") && post);
                nsec starts = time_in(post, "\"startsAt\":\""), ends = time_in(post, "\"endsAt\":\"");
                assert_true(ends > before - 2 * NSEC_PER_SEC + alerts[i].lasts &&
                            ends <= after + alerts[i].lasts);
                assert_true(starts < ends);
        }
        neighbour_says(&neighbour, 400, "bad endsAt");
        assert_int_equal(alertmanager_post(client, &how, neighbour.url, alerts, 2, &error), -EREMOTEIO);
        assert_true(string_starts(error_text(&error), "Alertmanager answered 400"));
        neighbour_stop(&neighbour);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(since_when_it_is_up_is_told_or_not),
                cmocka_unit_test(a_list_that_cannot_be_read_is_not_empty),
                cmocka_unit_test(a_list_of_nothings_is_refused_before_it_is_made),
                cmocka_unit_test(only_what_is_wanted_is_asked_for),
                cmocka_unit_test(what_is_posted_lasts_by_its_clock),
        };
        if (http_client_global_init(NULL) < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
