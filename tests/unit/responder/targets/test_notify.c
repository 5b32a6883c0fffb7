/* SPDX-License-Identifier: Apache-2.0 */
/* What is said to receivers, in each format. */
#include "responder/targets/internal.h"
#include "tests/harness/unit.h"

static char *slack(const struct message *message)
{
        _cleanup_json_ cJSON *json = message_to_slack(message);
        assert_non_null(json);
        char *text = json_print(json);
        assert_non_null(text);
        return text;
}

static void test_slack(void **state _unused_)
{
        _cleanup_free_ char *bare = slack(&(struct message){.text = "a \"b\" <!channel> & \\ \n ü"});
        assert_string_equal(bare,
                            "{\"text\":\"a \\\"b\\\" &lt;!channel&gt; &amp; \\\\ \\n ü\",\"mrkdwn\":false}");

        const struct message_part parts[] = {{"Still so", "p95 < 2 never held\nthe alert fires"},
                                             {"Next", "undo: curl -X POST http://x -d '{\"by\": \"y\"}'"}};
        _cleanup_json_ cJSON *details = cJSON_Parse("{\"reason\":\"for programs\"}");
        struct message message = {.text = "x",
                                  .incident = "INC-2026-0001",
                                  .remediation = "r",
                                  .state = "healed",
                                  .link = "http://x/1",
                                  .parts = parts,
                                  .part_count = N_ELEMENTS(parts),
                                  .details = details};
        _cleanup_free_ char *full = slack(&message);
        assert_string_equal(
                full,
                "{\"text\":\"x\",\"mrkdwn\":false,\"attachments\":[{\"color\":\"good\",\"fields\":["
                "{\"title\":\"Incident\",\"value\":\"INC-2026-0001\",\"short\":true},"
                "{\"title\":\"Remediation\",\"value\":\"r\",\"short\":true},"
                "{\"title\":\"State\",\"value\":\"healed\",\"short\":true},"
                "{\"title\":\"Still so\",\"value\":\"p95 &lt; 2 never held\\nthe alert "
                "fires\",\"short\":true},"
                "{\"title\":\"Next\",\"value\":\"undo: curl -X POST http://x -d '{\\\"by\\\": \\\"y\\\"}'\","
                "\"short\":false}],\"title\":\"Open it\",\"title_link\":\"http://x/1\"}]}");
        _cleanup_free_ char *line = message_to_line(&message);
        assert_string_equal(
                line, "x; Still so: p95 < 2 never held, the alert fires; Next: undo: curl -X POST http://x "
                      "-d '{\"by\": \"y\"}'");
}

/* Slack refuses what is too long; a cut must leave UTF-8 whole. */
static void test_slack_cuts_long_texts(void **state _unused_)
{
        for (size_t shift = 0; shift < 3; shift++) {
                _cleanup_text_ struct text long_text = {0};
                for (size_t i = 0; i < shift; i++)
                        text_putc(&long_text, 'x');
                for (size_t i = 0; i < 2000; i++)
                        text_puts(&long_text, "€");
                _cleanup_json_ cJSON *json =
                        message_to_slack(&(struct message){.text = text_string(&long_text)});
                const char *text = json_string(json, "text");
                assert_true(strlen(text) >= 2900 && strlen(text) <= 3010);
                assert_string_equal(text + strlen(text) - 3, "…");
                const char *c = text + shift;
                while (strncmp(c, "€", 3) == 0)
                        c += 3;
                assert_string_equal(c, "…");
        }
}

static void test_generic_json(void **state _unused_)
{
        _cleanup_json_ cJSON *details = cJSON_Parse("{\"steps\":[{\"step\":1}]}");
        struct message message = {.text = "<a & \"b\">", .incident = "INC-2026-0001", .details = details};
        _cleanup_json_ cJSON *json = message_to_json(&message, 0);
        _cleanup_free_ char *text = json_print(json);
        assert_string_equal(text,
                            "{\"version\":1,\"at\":\"1970-01-01T00:00:00.000Z\",\"text\":\"<a & \\\"b\\\">\","
                            "\"incident\":\"INC-2026-0001\",\"remediation\":null,\"state\":null,"
                            "\"details\":{\"steps\":[{\"step\":1}]}}");
}

static void test_retry_after(void **state _unused_)
{
        static const struct {
                const char *value;
                int64_t seconds;
        } rows[] = {{"3", 3},
                    {"86400", 86400},
                    {"86401", 0},
                    {"0", 0},
                    {"-1", 0},
                    {"", 0},
                    {"3s", 0},
                    {"99999999999999999999", 0},
                    {"Fri, 31 Dec 1999 23:59:59 GMT", 0}};
        for (size_t i = 0; i < N_ELEMENTS(rows); i++)
                assert_int_equal(retry_after_parse(rows[i].value), rows[i].seconds * NSEC_PER_SEC);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_slack),
                cmocka_unit_test(test_slack_cuts_long_texts),
                cmocka_unit_test(test_generic_json),
                cmocka_unit_test(test_retry_after),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
