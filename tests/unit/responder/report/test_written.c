/* SPDX-License-Identifier: Apache-2.0 */
/* Reports as a person gets them; and what nobody's label may do to one. */
#include "responder/report/written.h"
#include "tests/harness/golden.h"

static const char healed[] =
        "{\"number\":\"INC-2026-0007\",\"remediation\":\"high_latency\",\"state\":\"healed\",\"episode_"
        "open\":false,"
        "\"opened_at\":\"2026-11-27T03:12:05.000Z\",\"running_at\":\"2026-11-27T03:12:06.500Z\","
        "\"ended_at\":\"2026-11-27T03:13:10.000Z\","
        "\"alert\":{\"status\":\"firing\",\"labels\":{\"alertname\":\"high_latency\",\"service\":\"mcp-"
        "server\"},"
        "\"annotations\":{\"summary\":\"p95 is 3.1 "
        "s\",\"runbook_url\":\"https://wiki.example/latency?a=1&b=2\"},"
        "\"startsAt\":\"2026-11-27T03:12:00.000Z\",\"generatorURL\":\"http://prometheus:9090/"
        "graph?g0.expr=up\"},"
        "\"steps\":[{\"position\":1,\"action\":\"docker.restart\",\"status\":\"done\","
        "\"started_at\":\"2026-11-27T03:12:06.600Z\",\"finished_at\":\"2026-11-27T03:12:20.000Z\","
        "\"plan\":{\"summary\":\"restart mcp-server\",\"targets\":1,\"started_at\":\"2026-11-01T00:00:00Z\"},"
        "\"outcome\":{\"summary\":\"1 container(s) restarted\",\"started_at\":\"2026-11-27T03:12:07Z\"}},"
        "{\"position\":2,\"action\":\"docker.logs\",\"status\":\"done\",\"plan\":{\"summary\":\"save the "
        "logs\"},"
        "\"outcome\":{\"summary\":\"logs of 1 container(s) saved and "
        "sealed\",\"files\":[{\"container\":\"mcp\","
        "\"path\":\"var/evidence/INC-2026-0007/step2-mcp.log\",\"sha256\":\"0b4c5bf1\",\"bytes\":146}]}},"
        "{\"position\":3,\"action\":\"docker.set_env\",\"status\":\"undo_failed\",\"plan\":null,"
        "\"outcome\":{\"summary\":\"cannot be put back\"}}],"
        "\"members\":[{\"alert\":{\"labels\":{\"alertname\":\"high_latency\",\"instance\":\"b\"}}}],"
        "\"timeline\":[{\"at\":\"2026-11-27T03:12:05.000Z\",\"actor\":\"alert\",\"event\":\"received\","
        "\"state\":\"received\",\"hash\":\"00\"},"
        "{\"at\":\"2026-11-27T03:12:06.000Z\",\"actor\":\"person:ada\",\"event\":\"approved\","
        "\"state\":\"awaiting_approval\",\"detail\":{\"reason\":\"it is night\"},\"hash\":\"01\"},"
        "{\"at\":\"2026-11-27T03:12:07.000Z\",\"actor\":\"grace (token operator)\",\"event\":\"run by "
        "hand\",\"state\":\"running\",\"detail\":{},\"hash\":\"01\"},"
        "{\"at\":\"2026-11-27T03:12:08.000Z\",\"actor\":\"uid 0 (root)\",\"event\":\"acknowledged\","
        "\"state\":\"running\",\"hash\":\"01\"},"
        "{\"at\":\"2026-11-27T03:12:09.000Z\",\"actor\":\"alertmanager\",\"event\":\"resolved\","
        "\"state\":\"running\",\"hash\":\"01\"},"
        "{\"at\":\"2026-11-27T03:13:10.000Z\",\"actor\":\"engine\",\"event\":\"healed\",\"state\":\"healed\","
        "\"detail\":{\"value\":0.25},\"hash\":\"02\"},"
        "{\"at\":\"2026-11-27T03:13:11.000Z\",\"actor\":\"engine\",\"event\":\"told\",\"state\":\"healed\","
        "\"detail\":{\"what\":\"healed\",\"to\":\"oncall\"},\"hash\":\"beef\"}]}";

/* The same strange string wherever a string stands. */
static const char strange[] =
        "<script>alert(1)</script>\" onload='x' [a](javascript:x) ![i](http://x/i.png) `c` **b** # h\r\n# "
        "Forged\n\n"
        "| a | b |\n---\n- item\n1. one\n> quote\n<https://x> &lt; \\ ~~s~~ $m$ ^f @ada ```\n\x1b[2J";

static void make_strange(cJSON *json, bool names)
{
        for (cJSON *item = json ? json->child : NULL; item; item = item->next) {
                bool time = item->string &&
                            (string_ends(item->string, "_at") || string_equal(item->string, "at"));
                if (cJSON_IsString(item) && !time)
                        assert_non_null(cJSON_SetValuestring(item, strange));
                make_strange(item, string_equal(item->string, "labels") ||
                                           string_equal(item->string, "annotations"));
                if (names) {
                        cJSON_free(item->string);
                        item->string = strdup(strange);
                }
        }
}

static char *written(const cJSON *incident, enum report_format format)
{
        struct text text = {0};
        report_write(incident, format, &text);
        assert_int_equal(text_error(&text), 0);
        char *taken = text_take(&text);
        assert_non_null(taken);
        return taken;
}

static void test_golden(void **state _unused_)
{
        _cleanup_json_ cJSON *incident = cJSON_Parse(healed), *hostile = cJSON_Parse(healed);
        make_strange(hostile, false);
        const struct {
                const char *path;
                const cJSON *incident;
                enum report_format format;
        } rows[] = {{"tests/data/golden/reports/healed.md", incident, REPORT_MARKDOWN},
                    {"tests/data/golden/reports/healed.html", incident, REPORT_HTML},
                    {"tests/data/golden/reports/hostile.md", hostile, REPORT_MARKDOWN},
                    {"tests/data/golden/reports/hostile.html", hostile, REPORT_HTML}};
        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                _cleanup_free_ char *text = written(rows[i].incident, rows[i].format);
                check_golden(rows[i].path, text);
        }
}

/* A table's cells, and a word of ours in bold. */
static bool is_ours(const char *line, const char *c)
{
        return (*c == '|' && (c == line || c[-1] == ' ' || c[-1] == '-')) ||
               (*c == '*' && (c[1] == '*' || (c > line && c[-1] == '*')) && string_starts(line, "**"));
}

/* Signs that begin markup stand there only with a backslash before them, but within fences. */
static void test_markdown_is_ours(void **state _unused_)
{
        _cleanup_json_ cJSON *hostile = cJSON_Parse(healed);
        make_strange(hostile, false);
        _cleanup_free_ char *text = written(hostile, REPORT_MARKDOWN);
        bool fenced = false;
        char *rest = text, *line;
        size_t headings = 0;
        while ((line = strsep(&rest, "\n"))) {
                if (string_starts(line, "```"))
                        fenced = !fenced;
                else if (!fenced) {
                        headings += *line == '#';
                        assert_null(strstr(line, "<s"));
                        for (const char *c = line; (c = strpbrk(c, "[]`*|~$")); c++)
                                assert_true(c > line ? c[-1] == '\\' || is_ours(line, c) : is_ours(line, c));
                        assert_null(strstr(line, "@ada"));
                        assert_false(string_starts(line, "# Forged"));
                }
        }
        assert_false(fenced);
        assert_int_equal(headings, 10); /* the title, and nine of ours */
}

static void test_html_is_ours(void **state _unused_)
{
        _cleanup_json_ cJSON *hostile = cJSON_Parse(healed);
        make_strange(hostile, false);
        _cleanup_free_ char *text = written(hostile, REPORT_HTML);
        assert_null(strstr(text, "<script"));
        assert_null(strstr(text, "<img"));
        assert_null(strstr(text, "href=\"javascript"));
        assert_null(strstr(text, "onload='"));
}

/* However much there is, and however little. */
static void test_bounds(void **state _unused_)
{
        _cleanup_json_ cJSON *much = cJSON_Parse(healed), *empty = cJSON_Parse("{}"),
                             *none = cJSON_Parse("[]");
        cJSON *timeline = cJSON_GetObjectItemCaseSensitive(much, "timeline");
        _cleanup_free_ char *endless = calloc(1, 100001);
        memset(endless, '`', 100000);
        for (size_t i = 0; i < 5000; i++) {
                cJSON *event = cJSON_CreateObject();
                cJSON_AddStringToObject(event, "event", "x");
                cJSON_AddItemToArray(timeline, event);
        }
        cJSON *plan = cJSON_GetObjectItemCaseSensitive(
                cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(much, "steps"), 0), "plan");
        cJSON_AddStringToObject(plan, "endless", endless);
        for (enum report_format format = REPORT_MARKDOWN; format <= REPORT_HTML; format++) {
                _cleanup_free_ char *large = written(much, format);
                assert_true(strlen(large) < 256 * 1024);
                _cleanup_free_ char *small = written(empty, format), *other = written(none, format);
                assert_true(strlen(small) > 100 && strlen(other) > 100);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_golden),
                cmocka_unit_test(test_markdown_is_ours),
                cmocka_unit_test(test_html_is_ours),
                cmocka_unit_test(test_bounds),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
