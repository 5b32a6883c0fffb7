/* SPDX-License-Identifier: Apache-2.0 */
/* Alertmanager's webhooks: read whole, or refused with the place that is wrong. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <pthread.h>

#include "responder/alert/alert.h"
#include "runbook/text.h"

/* As Alertmanager 0.34 sends it, with members that are nobody's business here. */
static const char real[] =
        "{\"receiver\":\"run\\\\.book\",\"status\":\"firing\",\"alerts\":["
        "{\"status\":\"firing\",\"labels\":{\"alertname\":\"high_latency\",\"service\":\"mcp-server\"},"
        "\"annotations\":{\"summary\":\"slow: \\\"p95\\\" > 2s \\ud83d\\udd25\"},"
        "\"startsAt\":\"2026-01-31T12:00:00.123456789Z\",\"endsAt\":\"0001-01-01T00:00:00Z\","
        "\"generatorURL\":\"http://prometheus:9090/graph?g0.expr=x\",\"fingerprint\":\"b5d4045c3f466fa9\"},"
        "{\"status\":\"resolved\",\"labels\":{\"alertname\":\"high_latency\",\"service\":\"rest-api\"},"
        "\"annotations\":{},\"startsAt\":\"2026-01-31T13:00:00+01:00\","
        "\"endsAt\":\"2026-01-31T12:05:00Z\",\"generatorURL\":\"\",\"fingerprint\":\"c1\"}],"
        "\"groupLabels\":{\"alertname\":\"high_latency\"},\"commonLabels\":{\"alertname\":\"high_latency\"},"
        "\"commonAnnotations\":{},\"externalURL\":\"http://alertmanager:9093\",\"version\":\"4\","
        "\"groupKey\":\"{}:{alertname=\\\"high_latency\\\"}\",\"truncatedAlerts\":3,"
        "\"notification_reason\":\"new alerts added\",\"routeLabels\":{\"x\":[1,{\"y\":null}]}}\n";

static void test_real(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        struct webhook webhook = {0};
        if (webhook_parse(real, strlen(real), &webhook, &error) < 0)
                fail_msg("%s", error_text(&error));
        assert_string_equal(webhook.receiver, "run\\.book");
        assert_string_equal(webhook.external_url, "http://alertmanager:9093");
        assert_int_equal(webhook.truncated, 3);
        assert_string_equal(json_string(webhook.group_labels, "alertname"), "high_latency");
        assert_int_equal(webhook.count, 2);

        const struct alert *firing = &webhook.alerts[0], *resolved = &webhook.alerts[1];
        assert_string_equal(firing->fingerprint, "b5d4045c3f466fa9");
        assert_true(firing->firing && firing->ends_at == 0);
        assert_true(firing->starts_at == 1769860800 * NSEC_PER_SEC + 123456789);
        assert_string_equal(firing->generator_url, "http://prometheus:9090/graph?g0.expr=x");
        assert_string_equal(alert_label(firing, "service"), "mcp-server");
        assert_null(alert_label(firing, "summary"));
        assert_string_equal(firing->annotations.values[0], "slow: \"p95\" > 2s \xf0\x9f\x94\xa5");
        assert_false(resolved->firing);
        assert_true(resolved->starts_at == 1769860800 * NSEC_PER_SEC);
        assert_true(resolved->ends_at == resolved->starts_at + 300 * NSEC_PER_SEC);
        assert_int_equal(resolved->annotations.count, 0);
        webhook_release(&webhook);
        assert_null(webhook.alerts);
}

static void test_least(void **state _unused_)
{
        static const char least[] =
                "{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\",\"fingerprint\":\"f\","
                "\"labels\":{\"a\":\"b\"},\"endsAt\":\"2036-01-01T00:00:00Z\"}]}";
        static const char none[] = "{\"version\":\"4\",\"alerts\":[],\"truncatedAlerts\":-1}";
        struct webhook webhook = {0};
        assert_int_equal(webhook_parse(least, strlen(least), &webhook, NULL), 0);
        assert_int_equal(webhook.count, 1);
        assert_null(webhook.receiver);
        assert_null(webhook.group_labels);
        assert_true(webhook.alerts[0].starts_at == 0);
        assert_true(webhook.alerts[0].ends_at == 0); /* it fires, whatever it says of its end */
        webhook_release(&webhook);
        assert_int_equal(webhook_parse(none, strlen(none), &webhook, NULL), 0);
        assert_true(webhook.count == 0 && webhook.truncated == 0);
        webhook_release(&webhook);
}

/* One alert with these members in a webhook. */
static int parse_alert(const char *members, struct webhook *ret, struct error *error)
{
        _cleanup_free_ char *body =
                text_format("{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\",\"fingerprint\":\"f\","
                            "\"labels\":{\"a\":\"b\"}},{%s}]}",
                            members);
        return webhook_parse(body, strlen(body), ret, error);
}

/* The second of two alerts cannot be read; the first is taken all the same. */
static void assert_unreadable(const char *members, const char *sentence)
{
        struct webhook webhook = {0};
        assert_int_equal(parse_alert(members, &webhook, NULL), 0);
        assert_int_equal(webhook.count, 1);
        assert_int_equal(webhook.unreadable, 1);
        assert_string_equal(webhook.why, sentence);
        webhook_release(&webhook);
}

static void test_bad_alerts(void **state _unused_)
{
#define GOOD "\"status\":\"firing\",\"fingerprint\":\"f\",\"labels\":{\"a\":\"b\"}"
        static const struct {
                const char *members, *sentence;
        } cases[] = {
                {"", "alerts[1].status: neither firing nor resolved"},
                {"\"status\":\"pending\"", "alerts[1].status: neither firing nor resolved"},
                {"\"status\":1", "alerts[1].status: neither firing nor resolved"},
                {"\"status\":\"firing\"", "alerts[1].labels: missing"},
                {"\"status\":\"firing\",\"fingerprint\":\"a\\u0000\"",
                 "alerts[1].fingerprint: a NUL character, which no label may hold"},
                {"\"status\":\"firing\",\"fingerprint\":\"f\"", "alerts[1].labels: missing"},
                {"\"status\":\"firing\",\"fingerprint\":\"f\",\"labels\":{}", "alerts[1].labels: missing"},
                {"\"status\":\"firing\",\"fingerprint\":\"f\",\"labels\":[]",
                 "alerts[1].labels: not an object"},
                {"\"status\":\"firing\",\"fingerprint\":\"f\",\"labels\":{\"a\":1}",
                 "alerts[1].labels.a: not a string"},
                {"\"status\":\"firing\",\"fingerprint\":\"f\",\"labels\":{\"a\":null}",
                 "alerts[1].labels.a: not a string"},
                {"\"status\":\"firing\",\"fingerprint\":\"f\",\"labels\":{\"a\":\"b\\u0000c\"}",
                 "alerts[1].labels.a: a NUL character, which no label may hold"},
                {"\"status\":\"firing\",\"fingerprint\":\"f\",\"labels\":{\"\\u0000\":\"a\"}",
                 "alerts[1].labels: in a name: a NUL character, which no label may hold"},
                {GOOD ",\"annotations\":\"x\"", "alerts[1].annotations: not an object"},
                {GOOD ",\"annotations\":{\"s\":true}", "alerts[1].annotations.s: not a string"},
                {GOOD ",\"startsAt\":7", "alerts[1].startsAt: not a string"},
                {GOOD ",\"generatorURL\":\"\\u0000\"",
                 "alerts[1].generatorURL: a NUL character, which no label may hold"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++)
                assert_unreadable(cases[i].members, cases[i].sentence);
        struct webhook webhook = {0};
        assert_int_equal(parse_alert(GOOD ",\"startsAt\":\"yesterday\"", &webhook, NULL), 0);
        assert_true(string_starts(webhook.why, "alerts[1].startsAt: "));
        webhook_release(&webhook);
        assert_int_equal(parse_alert(GOOD ",\"annotations\":null,\"startsAt\":null", &webhook, NULL), 0);
        assert_int_equal(webhook.unreadable, 0);
        webhook_release(&webhook);
}

/* Where none can be read there is nothing to take: it is refused, and `ret` is as it was. */
static void test_no_alert_that_can_be_read(void **state _unused_)
{
        static const char body[] = "{\"version\":\"4\",\"alerts\":[{\"status\":\"firing\"},7]}";
        _cleanup_error_ struct error error = {0};
        struct webhook webhook = {.truncated = 77};
        assert_int_equal(webhook_parse(body, strlen(body), &webhook, &error), -EBADMSG);
        assert_string_equal(error_text(&error), "alerts[0].labels: missing");
        assert_int_equal(webhook.truncated, 77);
}

static void test_bad_bodies(void **state _unused_)
{
        static const struct {
                const char *body, *sentence;
        } cases[] = {
                {"", "not valid JSON at line 1, column 1: it ends before it is whole"},
                {"{\"version\":\"4\",\n\"alerts\":[}", "not valid JSON at line 2, column 11: no value"},
                {"{\"version\":\"4\",\"alerts\":[]} x",
                 "not valid JSON at line 1, column 29: something follows the document"},
                {"{\"version\":\"4\",\"alerts\":[],\"alerts\":[]}",
                 "the member \"alerts\" stands there twice"},
                {"[]", "not a JSON object"},
                {"\"4\"", "not a JSON object"},
                {"{\"alerts\":[]}",
                 "version: missing, but version \"4\" of Alertmanager's webhook is expected"},
                {"{\"version\":\"3\",\"alerts\":[]}",
                 "version: another, but version \"4\" of Alertmanager's webhook is expected"},
                {"{\"version\":4,\"alerts\":[]}",
                 "version: missing, but version \"4\" of Alertmanager's webhook is expected"},
                {"{\"version\":\"4\"}", "alerts: not a list"},
                {"{\"version\":\"4\",\"alerts\":{}}", "alerts: not a list"},
                {"{\"version\":\"4\",\"alerts\":[\"x\"]}", "alerts[0]: not an object"},
                {"{\"version\":\"4\",\"alerts\":[null]}", "alerts[0]: not an object"},
                {"{\"version\":\"4\",\"receiver\":\"\xff\",\"alerts\":[]}",
                 "not valid JSON at line 1, column 28: a byte that is not UTF-8"},
                {"{\"version\":\"4\",\"receiver\":\"a\\u0000b\",\"alerts\":[]}",
                 "receiver: a NUL character, which no label may hold"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                struct webhook webhook = {0};
                assert_int_equal(webhook_parse(cases[i].body, strlen(cases[i].body), &webhook, &error),
                                 -EBADMSG);
                assert_string_equal(error_text(&error), cases[i].sentence);
        }
        /* A NUL byte, and the whole of it cut at every place: never more than what is there is read. */
        struct webhook webhook = {0};
        _cleanup_error_ struct error error = {0};
        assert_int_equal(webhook_parse("{}\0", 3, &webhook, &error), -EBADMSG);
        assert_string_equal(error_text(&error),
                            "not valid JSON at line 1, column 3: something follows the document");
        for (size_t length = 0; length < strlen(real) - 2; length++) {
                _cleanup_free_ char *copy = malloc(length + 1);
                memcpy(copy, real, length);
                assert_int_equal(webhook_parse(copy, length, &webhook, NULL), -EBADMSG);
        }
}

/* "\\u0000" is a backslash before a harmless word. */
static void test_backslashes(void **state _unused_)
{
        struct webhook webhook = {0};
        assert_int_equal(parse_alert(GOOD ",\"annotations\":{\"s\":\"\\\\u0000 \\\\\\\\u0000 \\u00e4\"}",
                                     &webhook, NULL),
                         0);
        assert_string_equal(webhook.alerts[1].annotations.values[0], "\\u0000 \\\\u0000 \xc3\xa4");
        webhook_release(&webhook);
        assert_unreadable(GOOD ",\"annotations\":{\"s\":\"\\\\\\u0000\"}",
                          "alerts[1].annotations.s: a NUL character, which no label may hold");
}

static void test_limits(void **state _unused_)
{
        struct webhook webhook = {0};
        _cleanup_free_ char *long_value = malloc(65536 + 2);
        memset(long_value, 'x', 65537);
        long_value[65537] = '\0';
        _cleanup_free_ char *too_long = text_format(GOOD ",\"annotations\":{\"s\":\"%s\"}", long_value);
        assert_unreadable(too_long, "alerts[1].annotations.s: longer than 65536 bytes");
        long_value[65536] = '\0';
        _cleanup_free_ char *just = text_format(GOOD ",\"annotations\":{\"s\":\"%s\"}", long_value);
        assert_int_equal(parse_alert(just, &webhook, NULL), 0);
        webhook_release(&webhook);

        long_value[129] = '\0';
        _cleanup_free_ char *fingerprint = text_format(
                "\"status\":\"firing\",\"fingerprint\":\"%s\",\"labels\":{\"a\":\"b\"}", long_value);
        assert_unreadable(fingerprint, "alerts[1].fingerprint: longer than 128 bytes");

        _cleanup_text_ struct text many = {0};
        text_puts(&many, "\"status\":\"firing\",\"fingerprint\":\"f\",\"labels\":{");
        for (int i = 0; i < 1025; i++)
                text_printf(&many, "%s\"l%d\":\"\"", i > 0 ? "," : "", i);
        text_putc(&many, '}');
        assert_unreadable(text_string(&many), "alerts[1].labels: 1025 pairs, at most 1024 are taken");

        static const struct {
                const char *number;
                int64_t truncated;
        } counts[] = {{"0", 0}, {"-5", 0}, {"1e300", 1000000000}, {"12", 12}, {"\"7\"", 0}, {"null", 0}};
        for (size_t i = 0; i < N_ELEMENTS(counts); i++) {
                _cleanup_free_ char *body = text_format(
                        "{\"version\":\"4\",\"alerts\":[],\"truncatedAlerts\":%s}", counts[i].number);
                assert_int_equal(webhook_parse(body, strlen(body), &webhook, NULL), 0);
                assert_true(webhook.truncated == counts[i].truncated);
                webhook_release(&webhook);
        }
}

/* A worker's stack is small, and cJSON recurses. */
static void *parse_nested(void *context)
{
        enum { DEPTH = 100000 };
        int *results = context;
        for (int i = 0; i < 2; i++) {
                _cleanup_text_ struct text body = {0};
                _cleanup_error_ struct error error = {0};
                struct webhook webhook = {0};
                size_t depth = i == 0 ? 31 : DEPTH;
                text_puts(&body, "{\"version\":\"4\",\"alerts\":[],\"groupLabels\":{},\"deep\":");
                for (size_t k = 0; k < depth; k++)
                        text_puts(&body, k % 2 ? "[" : "{\"x\":");
                text_puts(&body, "1");
                for (size_t k = depth; k-- > 0;)
                        text_putc(&body, k % 2 ? ']' : '}');
                text_putc(&body, '}');
                results[i] = webhook_parse(text_string(&body), body.length, &webhook, &error);
                if (i == 1 && !strstr(error_text(&error), ": nested too deep"))
                        results[i] = -1;
                webhook_release(&webhook);
        }
        return NULL;
}

static void test_nesting(void **state _unused_)
{
        pthread_attr_t attributes;
        pthread_t thread;
        int results[2] = {77, 77};
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, (size_t)256 * 1024);
        assert_int_equal(pthread_create(&thread, &attributes, parse_nested, results), 0);
        pthread_join(thread, NULL);
        pthread_attr_destroy(&attributes);
        assert_int_equal(results[0], 0);
        assert_int_equal(results[1], -EBADMSG);
}

static void test_into_the_journal_and_back(void **state _unused_)
{
        struct webhook webhook = {0};
        assert_int_equal(webhook_parse(real, strlen(real), &webhook, NULL), 0);
        for (size_t i = 0; i < webhook.count; i++) {
                const struct alert *alert = &webhook.alerts[i];
                struct alert again = {0};
                _cleanup_json_ cJSON *json = alert_to_json(alert);
                assert_int_equal(alert_from_json(json, &again, NULL), 0);
                assert_string_equal(again.fingerprint, alert->fingerprint);
                assert_true(again.firing == alert->firing);
                assert_true(again.starts_at / NSEC_PER_MSEC == alert->starts_at / NSEC_PER_MSEC);
                assert_true(again.ends_at == alert->ends_at);
                assert_string_equal(again.generator_url, alert->generator_url);
                assert_int_equal(again.labels.count, 2);
                assert_string_equal(again.labels.keys[1], "service");
                assert_string_equal(again.labels.values[1], alert->labels.values[1]);
                assert_int_equal(again.annotations.count, alert->annotations.count);
                alert_release(&again);
        }
        webhook_release(&webhook);
        _cleanup_error_ struct error error = {0};
        struct alert alert = {0};
        assert_int_equal(alert_from_json(NULL, &alert, &error), -EBADMSG);
        assert_string_equal(error_text(&error), "not an object");
}

static void test_api(void **state _unused_)
{
        static const char answer[] =
                "[{\"annotations\":{\"summary\":\"s\"},\"endsAt\":\"2036-01-31T12:00:00.000Z\","
                "\"fingerprint\":\"f1\","
                "\"receivers\":[{\"name\":\"runbook\"}],\"startsAt\":\"2026-01-31T12:00:00.000Z\",\"status\":"
                "{\"inhibitedBy\":[],\"silencedBy\":[],\"state\":\"active\"},\"updatedAt\":\"2026-01-31T12:"
                "00:00Z\","
                "\"generatorURL\":\"http://p\",\"labels\":{\"alertname\":\"a\"}}]";
        _cleanup_json_ cJSON *json = NULL, *object = cJSON_CreateObject(), *bad = NULL;
        _cleanup_error_ struct error error = {0};
        struct webhook webhook = {0};
        assert_int_equal(json_parse(answer, strlen(answer), &json, NULL), 0);
        assert_int_equal(webhook_parse_api(json, &webhook, NULL), 0);
        assert_int_equal(webhook.count, 1);
        assert_true(webhook.alerts[0].firing && webhook.alerts[0].ends_at == 0);
        assert_string_equal(alert_label(&webhook.alerts[0], "alertname"), "a");
        webhook_release(&webhook);

        assert_int_equal(webhook_parse_api(object, &webhook, &error), -EBADMSG);
        assert_string_equal(error_text(&error), "not a list of alerts");
        assert_int_equal(json_parse("[{\"fingerprint\":\"b\"}]", 21, &bad, NULL), 0);
        assert_int_equal(webhook_parse_api(bad, &webhook, &error), -EBADMSG);
        assert_string_equal(error_text(&error), "alerts[0].labels: missing");
}

static void test_the_key_is_of_the_labels(void **state _unused_)
{
        static const struct {
                const char *members;
                bool same;
        } cases[] = {
                {GOOD, true},
                {"\"status\":\"resolved\",\"labels\":{\"a\":\"b\"}", true},
                {"\"status\":\"firing\",\"fingerprint\":7,\"labels\":{\"a\":\"b\"}", true},
                {"\"status\":\"firing\",\"fingerprint\":\"f\",\"labels\":{\"a\":\"c\"}", false},
                {"\"status\":\"firing\",\"fingerprint\":\"f\",\"labels\":{\"a\":\"b\",\"c\":\"\"}", false},
                {"\"status\":\"firing\",\"fingerprint\":\"f\",\"labels\":{\"ab\":\"\"}", false},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct webhook webhook = {0};
                char key[DIGEST_TEXT_MAX];
                assert_int_equal(parse_alert(cases[i].members, &webhook, NULL), 0);
                assert_int_equal(webhook.count, 2);
                assert_int_equal(alert_key(&webhook.alerts[1], key, NULL), 0);
                /* printf '1:a 1:b ' | sha256sum */
                assert_int_equal(
                        strcmp(key, "35f725f23798bf35ef9381d4b794cadba8f77b49ddda0efe993947994ed8e893") == 0,
                        cases[i].same);
                webhook_release(&webhook);
        }
}

static void test_the_key_of_labels_alone(void **state _unused_)
{
        static const struct {
                const char *labels;
                int r;
        } cases[] = {
                {"{\"a\":\"b\"}", 0},           {"{}", -EBADMSG}, {"[]", -EBADMSG}, {"{\"a\":7}", -EBADMSG},
                {"{\"a\":\"\xff\"}", -EBADMSG},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_json_ cJSON *labels = cJSON_Parse(cases[i].labels);
                char key[DIGEST_TEXT_MAX] = "untouched";
                assert_int_equal(alert_key_of_labels(labels, key, NULL), cases[i].r);
                assert_int_equal(strcmp(key, "untouched") == 0, cases[i].r < 0);
                if (i == 0)
                        assert_string_equal(
                                key, "35f725f23798bf35ef9381d4b794cadba8f77b49ddda0efe993947994ed8e893");
        }
        char key[DIGEST_TEXT_MAX];
        assert_int_equal(alert_key_of_labels(NULL, key, NULL), -EBADMSG);
}

static void test_bindings(void **state _unused_)
{
        struct webhook webhook = {0};
        struct alert_bindings bindings;
        assert_int_equal(webhook_parse(real, strlen(real), &webhook, NULL), 0);
        alert_bindings_init(&bindings, &webhook.alerts[0], "INC-2026-0001");
        _cleanup_free_ char *bound = NULL;
        assert_int_equal(
                bind_text("${labels.service} ${annotations.summary} ${incident.id} ${alert.fingerprint}",
                          &bindings.bindings, BIND_PLAIN, &bound, NULL),
                0);
        assert_string_equal(bound,
                            "mcp-server slow: \"p95\" > 2s \xf0\x9f\x94\xa5 INC-2026-0001 b5d4045c3f466fa9");
        static const char *const missing[] = {"${labels.none}", "${annotations.service}", "${incident.x}",
                                              "${alert.labels}"};
        for (size_t i = 0; i < N_ELEMENTS(missing); i++) {
                char *none = NULL;
                assert_int_equal(bind_text(missing[i], &bindings.bindings, BIND_PLAIN, &none, NULL), -ENOKEY);
        }
        webhook_release(&webhook);
}

/* As an incident has it that cannot be read. */
static void test_what_was_set_aside_is_an_alert_of_nothing(void **state)
{
        (void)state;
        const struct alert nothing = {0};
        _cleanup_json_ cJSON *json = alert_to_json(&nothing);
        assert_non_null(json);
        assert_null(json_string(json, "fingerprint"));
        assert_int_equal(cJSON_GetArraySize(json_get(json, "labels", NULL)), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_real),
                cmocka_unit_test(test_least),
                cmocka_unit_test(test_bad_alerts),
                cmocka_unit_test(test_no_alert_that_can_be_read),
                cmocka_unit_test(test_bad_bodies),
                cmocka_unit_test(test_backslashes),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_nesting),
                cmocka_unit_test(test_into_the_journal_and_back),
                cmocka_unit_test(test_api),
                cmocka_unit_test(test_the_key_is_of_the_labels),
                cmocka_unit_test(test_the_key_of_labels_alone),
                cmocka_unit_test(test_what_was_set_aside_is_an_alert_of_nothing),
                cmocka_unit_test(test_bindings),
        };
        return cmocka_run_group_tests_name("alert", tests, NULL, NULL);
}
