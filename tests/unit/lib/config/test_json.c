/* SPDX-License-Identifier: Apache-2.0 */
/* What a table has read, written as JSON and read back: exactly what it was. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <string.h>

#include "runbook/config.h"

struct item {
        char *name;
        int64_t count;
};

struct sample {
        char *text, *absent;
        bool yes;
        int64_t whole, huge, size;
        double number;
        nsec duration, odd;
        int word;
        struct secret secret;
        struct config_strings strings;
        struct config_map map;
        struct item inner;
        struct config_list list;
};

static const char *const words[] = {"one", "two", NULL};
static const struct config_field item_fields[] = {
        {"name", CONFIG_STRING, offsetof(struct item, name), .flags = CONFIG_REQUIRED},
        {"count", CONFIG_INT, offsetof(struct item, count), .fallback = "7"},
        {0},
};
static const struct config_field fields[] = {
        {"text", CONFIG_STRING, offsetof(struct sample, text), .flags = CONFIG_BIND | CONFIG_NOT_EMPTY},
        {"absent", CONFIG_STRING, offsetof(struct sample, absent), .flags = 0},
        {"yes", CONFIG_BOOL, offsetof(struct sample, yes), .flags = 0},
        {"whole", CONFIG_INT, offsetof(struct sample, whole), .fallback = "5"},
        {"huge", CONFIG_INT, offsetof(struct sample, huge), .flags = 0},
        {"size", CONFIG_SIZE, offsetof(struct sample, size), .flags = 0},
        {"number", CONFIG_NUMBER, offsetof(struct sample, number), .flags = 0},
        {"duration", CONFIG_DURATION, offsetof(struct sample, duration), .flags = 0},
        {"odd", CONFIG_DURATION, offsetof(struct sample, odd), .flags = 0},
        {"word", CONFIG_ENUM, offsetof(struct sample, word), .choices = words},
        {"secret", CONFIG_SECRET, offsetof(struct sample, secret), .flags = 0},
        {"strings", CONFIG_STRINGS, offsetof(struct sample, strings), .flags = 0},
        {"map", CONFIG_MAP, offsetof(struct sample, map), .flags = 0},
        {"inner", CONFIG_OBJECT, offsetof(struct sample, inner), .fields = item_fields},
        {"list", CONFIG_LIST, offsetof(struct sample, list), .fields = item_fields,
         .size = sizeof(struct item)},
        {0},
};

static const char yaml[] =
        "text: 'a ${labels.x} \"b\"'\nyes: true\nwhole: -3\nhuge: 9223372036854775807\nsize: 1GiB\n"
        "number: 0.1\nduration: 1h30m\nodd: 1d1h1m1s1ms\nword: two\nsecret_file: /run/secret\nstrings: [a, "
        "'']\n"
        "map: {B: '2', A: '1'}\ninner: {name: i}\nlist: [{name: x, count: 1}, {name: y}]\n";

static char *written(const struct sample *sample)
{
        _cleanup_json_ cJSON *json = config_to_json(fields, sample);
        char *text = json ? json_print(json) : NULL;
        assert_non_null(text);
        return text;
}

static void test_round(void **state)
{
        (void)state;
        _cleanup_config_ struct config *config = NULL;
        struct sample sample, again = {0};
        _cleanup_error_ struct error error = {0};
        assert_int_equal(config_parse("test", yaml, &config, &error), 0);
        if (!config_read(config_root(config), fields, &sample))
                fail_msg("%s", config_complaints_text(config));
        _cleanup_free_ char *text = written(&sample);
        assert_string_equal(
                text, "{\"text\":\"a ${labels.x} \\\"b\\\"\",\"absent\":null,\"yes\":true,\"whole\":-3,"
                      "\"huge\":\"9223372036854775807\",\"size\":1073741824,\"number\":0.1,"
                      "\"duration\":\"1h30m\",\"odd\":\"90061001ms\",\"word\":\"two\","
                      "\"secret\":{\"file\":\"/run/secret\",\"variable\":null},\"strings\":[\"a\",\"\"],"
                      "\"map\":{\"B\":\"2\",\"A\":\"1\"},\"inner\":{\"name\":\"i\",\"count\":7},"
                      "\"list\":[{\"name\":\"x\",\"count\":1},{\"name\":\"y\",\"count\":7}]}");

        _cleanup_json_ cJSON *json = cJSON_Parse(text);
        if (config_from_json(fields, json, &again, &error) < 0)
                fail_msg("%s", error_text(&error));
        _cleanup_free_ char *twice = written(&again);
        assert_string_equal(twice, text);
        assert_true(again.huge == INT64_MAX && again.odd == sample.odd && again.word == 1);
        assert_string_equal(again.secret.file, "/run/secret");
        assert_string_equal(again.map.keys[0], "B");

        /* A copy without bindings is one as it stands. */
        struct sample copy;
        assert_int_equal(config_bind(fields, &sample, NULL, &copy, NULL), 0);
        assert_string_equal(copy.text, "a ${labels.x} \"b\"");
        config_release(fields, &copy);
        config_release(fields, &again);
        config_release(fields, &sample);
}

/* What a version of before did not know takes its default; what was bound may be what a file may not hold. */
static void test_less_than_all(void **state)
{
        (void)state;
        struct sample sample = {0};
        _cleanup_json_ cJSON *json = cJSON_Parse("{\"text\":\"\"}");
        assert_int_equal(config_from_json(fields, json, &sample, NULL), 0);
        assert_int_equal(sample.whole, 5);
        assert_string_equal(sample.text, "");
        config_release(fields, &sample);
}

static void test_what_is_refused(void **state)
{
        (void)state;
        static const struct {
                const char *json, *sentence;
        } cases[] = {
                {"[]", "it is no object"},
                {"{\"text\":1}", "'text' is not a string"},
                {"{\"text\":\"a\",\"yes\":\"true\"}", "'yes' is not true or false"},
                {"{\"whole\":[]}", "'whole' is not a whole number"},
                {"{\"huge\":\"x\"}", "takes a whole number"},
                {"{\"number\":\"1\"}", "'number' is not a number"},
                {"{\"duration\":5}", "'duration' is not a duration"},
                {"{\"duration\":\"x\"}", "takes a duration"},
                {"{\"word\":\"three\"}", "takes one or two, not 'three'"},
                {"{\"strings\":[\"a\",1]}", "'strings' is not a list of strings"},
                {"{\"strings\":\"a\"}", "'strings' is not a list of strings"},
                {"{\"map\":{\"a\":\"b\",\"c\":1}}", "'map' is not a mapping"},
                {"{\"map\":[]}", "'map' is not a mapping"},
                {"{\"inner\":1}", "it is no object"},
                {"{\"list\":{}}", "'list' is not a list"},
                {"{\"list\":[{\"name\":\"a\"},{\"name\":1}]}", "'name' is not a string"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                struct sample sample = {0};
                _cleanup_json_ cJSON *json = cJSON_Parse(cases[i].json);
                assert_non_null(json);
                assert_true(config_from_json(fields, json, &sample, &error) < 0);
                if (!strstr(error_text(&error), cases[i].sentence))
                        fail_msg("%s: %s", cases[i].json, error_text(&error));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round),
                cmocka_unit_test(test_less_than_all),
                cmocka_unit_test(test_what_is_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
