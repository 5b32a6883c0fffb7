/* SPDX-License-Identifier: Apache-2.0 */
/* What Alertmanager and Prometheus say of all their alerts. */
#include <errno.h>

#include "responder/alert/alert.h"
#include "responder/targets/internal.h"
#include "tests/harness/neighbour.h"
#include "tests/harness/unit.h"

#define SOON deadline_in(10 * NSEC_PER_SEC)

static struct targets *open_targets(struct neighbour *neighbour, struct target_set *set)
{
        struct targets *targets = NULL;
        neighbour_start(neighbour);
        *set = (struct target_set){.prometheus_url = neighbour->url, .alertmanager_url = neighbour->url};
        assert_int_equal(targets_new(set, &targets, NULL), 0);
        return targets;
}

/* Of all alerts the same fingerprint: they are told apart by their labels. */
#define ALERT(name, status) \
        "{\"fingerprint\":\"f\",\"labels\":{\"alertname\":\"" name "\"},\"status\":{" status "}}"

static const struct alert_seen *find(const struct alertmanager_view *view, const char *name)
{
        char key[DIGEST_TEXT_MAX];
        _cleanup_json_ cJSON *labels = cJSON_CreateObject();
        cJSON_AddStringToObject(labels, "alertname", name);
        assert_int_equal(alert_key_of_labels(labels, key, NULL), 0);
        return alertmanager_view_find(view, key);
}

static void test_what_keeps_an_alert_back(void **state _unused_)
{
        static const char alerts[] = "[" ALERT("dd", "\"state\":\"unprocessed\"") "," ALERT(
                "aa",
                "\"state\":\"suppressed\","
                "\"silencedBy\":[\"s1\","
                "\"s2\"],\"inhibitedBy\":["
                "\"x\"]") "," ALERT("bb",
                                    "\"silencedBy\":[],\"inhibitedBy\":["
                                    "\"cc\"]") "," ALERT("cc",
                                                         "\"silencedBy\":[],"
                                                         "\"inhibitedBy\":[],"
                                                         "\"mutedBy\":["
                                                         "\"weekends\"]") "," ALERT("ee",
                                                                                    "\"silencedBy\":["
                                                                                    "\"s9\"]") ",{"
                                                                                               "\"fingerprint"
                                                                                               "\":\"f\","
                                                                                               "\"labels\":{"
                                                                                               "\"alertname\""
                                                                                               ":7}}]";
        static const struct {
                const char *name;
                enum alert_presence presence;
                const char *by;
        } cases[] = {
                {"aa", ALERT_SILENCED, "silence s1 by ada: migration"},
                {"bb", ALERT_INHIBITED, "alert cc"},
                {"cc", ALERT_MUTED, "time interval weekends"},
                {"dd", ALERT_ACTIVE, NULL},
                {"ee", ALERT_SILENCED, "silence s9"},
        };
        struct neighbour neighbour;
        struct target_set set;
        struct targets *targets = open_targets(&neighbour, &set);
        struct alertmanager_view view;
        neighbour.silences =
                "[{\"id\":\"s2\"},{\"id\":\"s1\",\"createdBy\":\"ada\",\"comment\":\"migration\"}]";
        neighbour.uptime = "{\"uptime\":\"2026-01-01T00:00:00.5Z\"}";
        neighbour_says(&neighbour, 200, alerts);
        assert_int_equal(targets_alertmanager(targets, SOON, &view, NULL), 0);
        assert_string_equal(text_string(&neighbour.asked),
                            "GET /at/api/v2/alerts <silenced=true> <inhibited=true>\n"
                            "GET /at/api/v2/status\nGET /at/api/v2/silences\n");
        assert_int_equal(view.count, N_ELEMENTS(cases));
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                const struct alert_seen *seen = find(&view, cases[i].name);
                assert_non_null(seen);
                assert_int_equal(seen->presence, cases[i].presence);
                assert_true(string_equal(seen->by, cases[i].by));
        }
        assert_null(find(&view, "a"));
        assert_true(view.up > 0);
        alertmanager_view_release(&view);

        /* Nobody is silenced: no third request. A clock that is ahead of ours makes nobody younger than new.
         */
        neighbour.uptime = "{\"uptime\":\"2250-01-01T00:00:00Z\"}";
        neighbour_says(&neighbour, 200, "[]");
        assert_int_equal(targets_alertmanager(targets, SOON, &view, NULL), 0);
        assert_null(strstr(text_string(&neighbour.asked), "silences"));
        assert_true(view.count == 0 && view.up == 0);
        assert_null(find(&view, "aa"));
        alertmanager_view_release(&view);
        targets_free(targets);
        neighbour_stop(&neighbour);
}

static void test_no_answer_is_no_empty_list(void **state _unused_)
{
        static const struct {
                unsigned status;
                const char *alerts, *uptime;
                int code;
        } cases[] = {
                {200, "[]", "{}", EBADMSG},
                {200, "[]", "{\"uptime\":\"long\"}", EBADMSG},
                {200, "[]", "[", EBADMSG},
                {200, "[{}]", "{\"uptime\":\"2026-01-01T00:00:00Z\"}", EBADMSG},
                {200, "[{\"fingerprint\":\"f\"}]", "{\"uptime\":\"2026-01-01T00:00:00Z\"}", EBADMSG},
                {200, "[{\"fingerprint\":\"f\",\"labels\":[]}]", "{\"uptime\":\"2026-01-01T00:00:00Z\"}",
                 EBADMSG},
                {503, "[]", "{\"uptime\":\"2026-01-01T00:00:00Z\"}", EREMOTEIO},
        };
        struct neighbour neighbour;
        struct target_set set;
        struct targets *targets = open_targets(&neighbour, &set);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                struct alertmanager_view view = {.up = 77};
                neighbour.uptime = cases[i].uptime;
                neighbour_says(&neighbour, cases[i].status, cases[i].alerts);
                assert_int_equal(targets_alertmanager(targets, SOON, &view, &error), -cases[i].code);
                assert_true(view.up == 77);
        }
        /* What is told of a silence is no more than an ornament. */
        struct alertmanager_view view;
        neighbour.uptime = "{\"uptime\":\"2026-01-01T00:00:00Z\"}";
        neighbour.silences = "no";
        neighbour_says(&neighbour, 200, "[" ALERT("aa", "\"silencedBy\":[\"s1\"]") "]");
        assert_int_equal(targets_alertmanager(targets, SOON, &view, NULL), 0);
        assert_string_equal(find(&view, "aa")->by, "silence s1");
        alertmanager_view_release(&view);
        targets_free(targets);
        neighbour_stop(&neighbour);
}

#define VECTOR(items) "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" items "]}}"

static void test_what_prometheus_says_fires(void **state _unused_)
{
        struct neighbour neighbour;
        struct target_set set;
        struct targets *targets = open_targets(&neighbour, &set);
        cJSON *firing = NULL;
        neighbour_says(&neighbour, 200,
                       VECTOR("{\"metric\":{\"alertname\":\"a\",\"n\":\"1\"},\"value\":[1,\"1\"]},"
                              "{\"metric\":{\"alertname\":\"b\"},\"value\":[1,\"1\"]}"));
        assert_int_equal(targets_firing(targets, SOON, &firing, NULL), 0);
        assert_non_null(strstr(text_string(&neighbour.asked), "ALERTS"));
        assert_int_equal(cJSON_GetArraySize(firing), 2);
        assert_string_equal(json_string(cJSON_GetArrayItem(firing, 0), "n"), "1");
        cJSON_Delete(firing);
        /* A part of the list is none: what is missing may fire. */
        neighbour_says(&neighbour, 200,
                       "{\"status\":\"success\",\"warnings\":[\"remote read failed\"],"
                       "\"data\":{\"resultType\":\"vector\",\"result\":[]}}");
        assert_int_equal(targets_firing(targets, SOON, &firing, NULL), -ENODATA);
        neighbour_says(&neighbour, 502, "");
        assert_int_equal(targets_firing(targets, SOON, &firing, NULL), -EREMOTEIO);
        targets_free(targets);
        neighbour_stop(&neighbour);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_keeps_an_alert_back),
                cmocka_unit_test(test_no_answer_is_no_empty_list),
                cmocka_unit_test(test_what_prometheus_says_fires),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
