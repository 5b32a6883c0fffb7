/* SPDX-License-Identifier: Apache-2.0 */
/* What a rehearsal makes of a history: by the engine's own rules, on a clock that costs nothing. */
#include "tests/harness/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "responder/rehearsal/rehearsal.h"
#include "runbook/text.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define BEGIN (1767225600 * NSEC_PER_SEC) /* 2026-01-01 */

static const char before[] = "receivers: [{name: oncall, format: log}]\n"
                             "escalate_to: oncall\n"
                             "prometheus_url: http://nowhere.invalid\n"
                             "alertmanager_url: http://nowhere.invalid\n"
                             "remediations:\n";
static const char slow[] = "  - name: slow\n"
                           "    match: ['alertname=\"slow\"']\n"
                           "    cooldown: 15m\n"
                           "    limit: 2 per 1d\n"
                           "    lock: service/${labels.service}\n"
                           "    steps: [{docker.restart: {service: \"${labels.service}\"}}]\n"
                           "    verify: {query: 'slow{service=\"${labels.service}\"} < 1', within: 5m}\n";

static struct remediation_set *load(const char *remediations)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *text =
                text_format("docker: {host: unix:///nowhere, project: p}\n%s%s", before, remediations);
        char path[] = "/tmp/runbook-rehearsal-XXXXXX";
        struct remediation_set *set = NULL;
        int fd = mkstemp(path);
        assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
        close(fd);
        if (remediation_set_load(path, &set, &error) < 0)
                fail_msg("%s", error_text(&error));
        unlink(path);
        return set;
}

static void put(struct history *history, nsec at, bool firing, nsec began, const char *name,
                const char *service)
{
        _cleanup_free_ char *text =
                text_format("{\"labels\":{\"alertname\":\"%s\",\"service\":\"%s\"}}", name, service);
        _cleanup_json_ cJSON *json = NULL;
        struct alert alert = {0};
        assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
        assert_int_equal(alert_from_labels(json, BEGIN + began, &alert, NULL), 0);
        alert.firing = firing;
        alert.ends_at = firing ? 0 : BEGIN + at;
        assert_int_equal(history_add(history, BEGIN + at, &alert, NULL), 0);
}

/* An alert from one moment to another. */
static void fires(struct history *history, nsec from, nsec to, const char *name, const char *service)
{
        put(history, from, true, from, name, service);
        put(history, to, false, from, name, service);
}

static cJSON *rehearse(const char *remediations, struct history *history, nsec until)
{
        _cleanup_error_ struct error error = {0};
        struct remediation_set *set = load(remediations);
        struct rehearsal *rehearsal = NULL;
        cJSON *outcomes = NULL;
        assert_int_equal(history_sort(history, NULL), 0);
        if (rehearsal_new(set, BEGIN, &rehearsal, &error) < 0 ||
            rehearsal_play(rehearsal, history, BEGIN + until, &error) < 0 ||
            rehearsal_outcomes(rehearsal, &outcomes, &error) < 0)
                fail_msg("%s", error_text(&error));
        rehearsal_free(rehearsal);
        remediation_set_free(set);
        history_release(history);
        return outcomes;
}

static const char *state(const cJSON *outcomes, int n)
{
        return json_string(cJSON_GetArrayItem(outcomes, n), "state");
}

static const char *guard(const cJSON *outcomes, int n)
{
        return json_string(cJSON_GetArrayItem(json_get(cJSON_GetArrayItem(outcomes, n), "held", NULL), 0),
                           "guard");
}

static bool acted(const cJSON *outcomes, int n)
{
        return json_string(cJSON_GetArrayItem(outcomes, n), "acted_at") != NULL;
}

static void acts_and_takes_the_end_of_the_alert_for_healing(_unused_ void **fixture)
{
        struct history history = {0};
        fires(&history, MINUTE, 3 * MINUTE, "slow", "web");
        fires(&history, 2 * HOUR, 3 * HOUR, "slow", "web");
        _cleanup_json_ cJSON *outcomes = rehearse(slow, &history, 6 * HOUR);
        assert_int_equal(cJSON_GetArraySize(outcomes), 2);
        assert_string_equal(state(outcomes, 0), "healed");
        assert_string_equal(state(outcomes, 1), "escalated");
        const cJSON *first = cJSON_GetArrayItem(outcomes, 0);
        const cJSON *step = cJSON_GetArrayItem(json_get(first, "steps", NULL), 0);
        assert_string_equal(json_string(step, "action"), "docker.restart");
        assert_string_equal(json_string(json_get(step, "arguments", NULL), "service"), "web");
        assert_string_equal(json_string(first, "lock"), "service/web");
        const cJSON *called = json_get(cJSON_GetArrayItem(outcomes, 1), "called", NULL);
        assert_true(cJSON_GetArraySize(called) > 0);
        assert_string_equal(json_string(cJSON_GetArrayItem(called, 0), "receiver"), "oncall");
}

static void says_which_guard_holds(_unused_ void **fixture)
{
        struct history history = {0};
        fires(&history, MINUTE, 2 * MINUTE, "slow", "web");
        fires(&history, 10 * MINUTE, 30 * MINUTE, "slow", "web"); /* its cooldown passes meanwhile */
        fires(&history, 2 * HOUR, 2 * HOUR + 10 * MINUTE, "slow", "web");
        fires(&history, 2 * HOUR, 2 * HOUR + 10 * MINUTE, "slow", "db");
        _cleanup_json_ cJSON *outcomes = rehearse(slow, &history, 6 * HOUR);
        assert_int_equal(cJSON_GetArraySize(outcomes), 4);
        assert_null(guard(outcomes, 0));
        assert_string_equal(guard(outcomes, 1), "cooldown");
        assert_true(acted(outcomes, 1));
        assert_string_equal(guard(outcomes, 2), "limit");
        assert_false(acted(outcomes, 2));
        assert_string_equal(state(outcomes, 2), "cancelled");
        assert_null(guard(outcomes, 3));
}

static void nobody_answers_what_a_person_is_asked(_unused_ void **fixture)
{
        struct history history = {0};
        fires(&history, MINUTE, 5 * HOUR, "slow", "web");
        _cleanup_free_ char *asks = text_format("%s    approval: true\n", slow);
        _cleanup_json_ cJSON *outcomes = rehearse(asks, &history, 6 * HOUR);
        const cJSON *only = cJSON_GetArrayItem(outcomes, 0);
        assert_string_equal(state(outcomes, 0), "expired");
        assert_int_equal(cJSON_GetArraySize(json_get(only, "asked", NULL)), 1);
        assert_int_equal(cJSON_GetArraySize(json_get(only, "steps", NULL)), 1);
        assert_false(acted(outcomes, 0));
}

static void the_same_history_comes_to_the_same(_unused_ void **fixture)
{
        _cleanup_free_ char *texts[2] = {NULL};
        for (size_t i = 0; i < 2; i++) {
                struct history history = {0};
                for (int k = 0; k < 40; k++)
                        fires(&history, k * 7 * MINUTE, k * 7 * MINUTE + (k % 9) * MINUTE + 1, "slow",
                              k % 3 ? "web" : "db");
                _cleanup_json_ cJSON *outcomes = rehearse(slow, &history, 24 * HOUR);
                texts[i] = json_print(outcomes);
        }
        assert_string_equal(texts[0], texts[1]);
        free(texts[1]);
}

static void reads_webhooks_and_names_the_line_that_is_none(_unused_ void **fixture)
{
        _cleanup_error_ struct error error = {0};
        struct history history = {0};
        const char *good = "{\"at\":\"2026-01-01T00:01:00Z\",\"webhook\":{\"version\":\"4\",\"groupKey\":"
                           "\"g\",\"status\":\"firing\","
                           "\"receiver\":\"r\",\"groupLabels\":{},\"commonLabels\":{},\"commonAnnotations\":{"
                           "},\"externalURL\":\"\","
                           "\"truncatedAlerts\":0,\"alerts\":[{\"status\":\"firing\",\"labels\":{"
                           "\"alertname\":\"a\"},\"annotations\":{},"
                           "\"startsAt\":\"2026-01-01T00:00:00Z\",\"endsAt\":\"0001-01-01T00:00:00Z\","
                           "\"generatorURL\":\"\","
                           "\"fingerprint\":\"f\"}]}}";
        _cleanup_free_ char *two = text_format("%s\n\n%s\n", good, good);
        assert_int_equal(history_read_webhooks(&history, "h", two, &error), 0);
        assert_int_equal(history.count, 2);
        assert_true(history.items[0].at == BEGIN + MINUTE);
        const char *const bad[] = {"{", "{\"at\":\"yesterday\",\"webhook\":{}}",
                                   "{\"at\":\"2026-01-01T00:01:00Z\"}",
                                   "{\"at\":\"2026-01-01T00:01:00Z\",\"webhook\":{}}"};
        for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
                _cleanup_free_ char *text = text_format("%s\n%s\n", good, bad[i]);
                _cleanup_error_ struct error why = {0};
                assert_true(history_read_webhooks(&history, "h", text, &why) < 0);
                assert_true(string_starts(error_text(&why), "h:2: "));
        }
        history_release(&history);
}

/* 0, 30 s, 60 s, a hole of 30 s, 120 s: one alert; then, 10 minutes later, another. */
static void makes_begins_and_ends_of_samples(_unused_ void **fixture)
{
        _cleanup_error_ struct error error = {0};
        struct history history = {0};
        struct history_ranges *ranges = history_ranges_new(30 * NSEC_PER_SEC);
        const char *const chunks[] = {
                "[{\"metric\":{\"__name__\":\"ALERTS\",\"alertstate\":\"firing\",\"alertname\":\"a\"},"
                "\"values\":[[1767225600,\"1\"],[1767225630,\"1\"],[1767225660,\"1\"]]}]",
                "[{\"metric\":{\"__name__\":\"ALERTS\",\"alertstate\":\"firing\",\"alertname\":\"a\"},"
                "\"values\":[[1767225720,\"1\"],[1767226320,\"1\"]]}]",
        };
        for (size_t i = 0; i < N_ELEMENTS(chunks); i++) {
                _cleanup_json_ cJSON *matrix = NULL;
                assert_int_equal(json_parse(chunks[i], strlen(chunks[i]), &matrix, NULL), 0);
                assert_int_equal(history_read_range(&history, ranges, matrix, &error), 0);
        }
        /* What was seen at the end of what was asked for fires still. */
        assert_int_equal(history_end_ranges(&history, ranges, BEGIN + 721 * NSEC_PER_SEC, &error), 0);
        assert_int_equal(history.count, 3);
        assert_int_equal(history_end_ranges(&history, ranges, BEGIN + HOUR, &error), 0);
        history_ranges_free(ranges);
        const nsec seconds[] = {0, 150, 720, 750};
        assert_int_equal(history.count, N_ELEMENTS(seconds));
        for (size_t i = 0; i < N_ELEMENTS(seconds); i++) {
                assert_true(history.items[i].at == BEGIN + seconds[i] * NSEC_PER_SEC);
                assert_int_equal(history.items[i].alert.firing, i % 2 == 0);
                assert_null(alert_label(&history.items[i].alert, "alertstate"));
        }
        history_release(&history);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(acts_and_takes_the_end_of_the_alert_for_healing),
                cmocka_unit_test(says_which_guard_holds),
                cmocka_unit_test(nobody_answers_what_a_person_is_asked),
                cmocka_unit_test(the_same_history_comes_to_the_same),
                cmocka_unit_test(reads_webhooks_and_names_the_line_that_is_none),
                cmocka_unit_test(makes_begins_and_ends_of_samples),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
