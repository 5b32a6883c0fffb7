/* SPDX-License-Identifier: Apache-2.0 */
/* The reference of a table. */
#include "runbook/config.h"
#include "tests/harness/unit.h"

struct metric {
        char *name;
        int type;
        struct config_strings labels;
};

static const char *const formats[] = {"slack", "json", "log", NULL};
static const char *const types[] = {"gauge", "counter", NULL};

static const struct config_field metric_fields[] = {
        {"name", CONFIG_STRING, offsetof(struct metric, name), .flags = CONFIG_REQUIRED},
        {"type", CONFIG_ENUM, offsetof(struct metric, type), .choices = types, .fallback = "counter"},
        {"labels", CONFIG_STRINGS, offsetof(struct metric, labels), .flags = 0},
        {0},
};

static const struct config_field defaults_fields[] = {
        {"timeout", CONFIG_DURATION, 0, .fallback = "5s", .help = "of one run"},
        {0},
};

static void test_describes_a_table(void **state)
{
        (void)state;
        static const struct config_field table[] = {
                {"address", CONFIG_STRING, .flags = CONFIG_REQUIRED, .help = "a|b"},
                {"format", CONFIG_ENUM, .choices = formats, .fallback = "log", .help = "of messages"},
                {"url", CONFIG_SECRET, .help = "where to"},
                {"text", CONFIG_STRING, .flags = CONFIG_BIND, .fallback = "", .help = "what to say"},
                {"metrics", CONFIG_LIST, .fields = metric_fields, .size = sizeof(struct metric)},
                {"defaults", CONFIG_OBJECT, .fields = defaults_fields},
                {0},
        };
        static const struct config_field none[] = {{0}};
        _cleanup_text_ struct text text = {0};
        config_describe(table, &text);
        assert_string_equal(
                text_string(&text),
                "| key | takes | default | meaning |\n"
                "|---|---|---|---|\n"
                "| `address` | a string | **required** | a\\|b |\n"
                "| `format` | `slack`, `json`, `log` | `log` | of messages |\n"
                "| `url_file` | the path of a file, or `url: ${VARIABLE}` or `${credential:NAME}` |  | where "
                "to |\n"
                "| `text` | a string | `\"\"` | what to say; `${labels.x}` is bound |\n"
                "| `metrics` | a list of mappings |  |  |\n"
                "| `metrics[].name` | a string | **required** |  |\n"
                "| `metrics[].type` | `gauge`, `counter` | `counter` |  |\n"
                "| `metrics[].labels` | a list of strings |  |  |\n"
                "| `defaults` | a mapping |  |  |\n"
                "| `defaults.timeout` | a duration such as 30s, 5m or 1h30m | `5s` | of one run |\n");
        text_clear(&text);
        config_describe(none, &text);
        assert_string_equal(text_string(&text), "No keys: `{}`.\n");
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_describes_a_table),
};

int main(void)
{
        return cmocka_run_group_tests_name("config_words", tests, NULL, NULL);
}
