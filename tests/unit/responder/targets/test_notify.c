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
        assert_string_equal(bare, "{\"text\":\"a \\\"b\\\" &lt;!channel&gt; &amp; \\\\ \\n ü\"}");

        _cleanup_json_ cJSON *details =
                cJSON_Parse("{\"reason\":\"p95 < 2 never "
                            "held\",\"tries\":3,\"rows\":[1],\"labels\":{\"a\":1},\"no\":null}");
        struct message message = {.text = "x",
                                  .incident = "INC-2026-0001",
                                  .remediation = "r",
                                  .state = "healed",
                                  .details = details};
        _cleanup_free_ char *full = slack(&message);
        assert_string_equal(full, "{\"text\":\"x\",\"attachments\":[{\"color\":\"good\",\"fields\":["
                                  "{\"title\":\"Incident\",\"value\":\"INC-2026-0001\",\"short\":true},"
                                  "{\"title\":\"Remediation\",\"value\":\"r\",\"short\":true},"
                                  "{\"title\":\"State\",\"value\":\"healed\",\"short\":true},"
                                  "{\"title\":\"reason\",\"value\":\"p95 &lt; 2 never held\",\"short\":true},"
                                  "{\"title\":\"tries\",\"value\":\"3\",\"short\":true}]}]}");
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_slack),
                cmocka_unit_test(test_slack_cuts_long_texts),
                cmocka_unit_test(test_generic_json),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
