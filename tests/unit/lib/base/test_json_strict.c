/* SPDX-License-Identifier: Apache-2.0 */
/* A stranger's JSON, held to the letter of RFC 8259. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <string.h>

#include "runbook/json.h"
#include "runbook/text.h"

static const struct json_limits some = {.depth = 8, .values = 100};

static int parse(const char *data, size_t length, cJSON **ret, struct error *error)
{
        /* A copy of just that length: who reads beyond it is seen. */
        _cleanup_free_ char *copy = malloc(length ? length : 1);
        memcpy(copy, data, length);
        return json_parse_strict(copy, length, &some, ret, error);
}

static void test_what_json_is(void **state _unused_)
{
        static const char *const documents[] = {
                "0",
                "-0",
                "-1",
                "12",
                "0.5",
                "-0.0",
                "1e5",
                "1E5",
                "1e+5",
                "1e-5",
                "0e1",
                "1.5e10",
                "1e999",
                "true",
                "false",
                "null",
                "\"\"",
                "\"a\"",
                "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
                "\"\\u00e4\"",
                "\"\\ud83d\\ude00\"",
                "\"\xc3\xa4\"",
                "\"\xf0\x9f\x98\x80\"",
                "\"\x7f\"",
                "\"\xe2\x80\xa8\"",
                "\"\\uffff\"",
                "[]",
                "{}",
                " [ ] ",
                "\t{\r\n}\n",
                "[[]]",
                "[1,2]",
                "[ 1 , 2 ]",
                "[{},[]]",
                "{\"\":0}",
                "{\"a\":1,\"b\":2}",
                "{ \"a\" : { \"a\" : [ ] } }",
                "{\"a\":{\"b\":1},\"b\":{\"a\":1}}",
                "[[[[[[[[1]]]]]]]]",
                "[1,[2,{\"a\":[3]},4],5]",
        };
        for (size_t i = 0; i < N_ELEMENTS(documents); i++) {
                _cleanup_error_ struct error error = {0};
                _cleanup_json_ cJSON *json = NULL;
                if (parse(documents[i], strlen(documents[i]), &json, &error) < 0)
                        fail_msg("%s: %s", documents[i], error_text(&error));
        }
}

static void test_what_json_is_not(void **state _unused_)
{
        static const struct {
                const char *document, *wrong;
        } cases[] = {
                /* numbers */
                {"01", "a number does not begin with 0"},
                {"-01", "a number does not begin with 0"},
                {"00", "a number does not begin with 0"},
                {"1.", "a digit is missing here"},
                {"1.e1", "a digit is missing here"},
                {"1e", "a digit is missing here"},
                {"1e+", "a digit is missing here"},
                {"-", "a digit is missing here"},
                {"-a", "a digit is missing here"},
                {"--1", "a digit is missing here"},
                {"0x10", "something follows the document"},
                {"1_0", "something follows the document"},
                {"+1", "no value"},
                {".5", "no value"},
                {"NaN", "no value"},
                {"Infinity", "no value"},
                {"-Infinity", "a digit is missing here"},
                {"\xef\xbc\x91", "no value"},
                {"1 2", "something follows the document"},
                {"0e", "a digit is missing here"},
                /* words */
                {"tru", "no value"},
                {"True", "no value"},
                {"nul", "no value"},
                {"undefined", "no value"},
                {"truefalse", "something follows the document"},
                {"'a'", "no value"},
                /* strings */
                {"\"", "a string without its end"},
                {"\"a", "a string without its end"},
                {"\"\\", "there is no such escape"},
                {"\"\\\"", "a string without its end"},
                {"\"\\a\"", "there is no such escape"},
                {"\"\\x41\"", "there is no such escape"},
                {"\"\\'\"", "there is no such escape"},
                {"\"\\U0041\"", "there is no such escape"},
                {"\"\\u\"", "\\u takes four hexadecimal digits"},
                {"\"\\u123\"", "\\u takes four hexadecimal digits"},
                {"\"\\u12g4\"", "\\u takes four hexadecimal digits"},
                {"\"\\ud800\"", "the first half of a character without the second"},
                {"\"\\ud800\\u0041\"", "the first half of a character without the second"},
                {"\"\\ud800x\"", "the first half of a character without the second"},
                {"\"\\udc00\"", "the second half of a character without the first"},
                {"\"\\ude00\\ud83d\"", "the second half of a character without the first"},
                {"\"\\u0000\"", "a NUL character, where a string of C ends"},
                {"\"\n\"", "a control character, which is to be escaped"},
                {"\"\t\"", "a control character, which is to be escaped"},
                {"\"\x1f\"", "a control character, which is to be escaped"},
                {"\"\xff\"", "a byte that is not UTF-8"},
                {"\"\xc0\xaf\"", "a byte that is not UTF-8"},
                {"\"\xed\xa0\x80\"", "a byte that is not UTF-8"},
                {"\"\xf4\x90\x80\x80\"", "a byte that is not UTF-8"},
                {"\"\xc3\"", "a byte that is not UTF-8"},
                {"\"\xe2\x82", "a byte that is not UTF-8"},
                /* lists and objects */
                {"[", "it ends before it is whole"},
                {"[1", "it ends before it is whole"},
                {"[1,", "it ends before it is whole"},
                {"[1,]", "no value"},
                {"[,1]", "no value"},
                {"[,]", "no value"},
                {"[1,,2]", "no value"},
                {"[1 2]", "a comma or the end is missing"},
                {"[1:2]", "a comma or the end is missing"},
                {"[1}", "a comma or the end is missing"},
                {"]", "no value"},
                {"[]]", "something follows the document"},
                {"[1]x", "something follows the document"},
                {"[][]", "something follows the document"},
                {"{", "a member's name is missing"},
                {"{\"a\"", "a colon is missing"},
                {"{\"a\":", "it ends before it is whole"},
                {"{\"a\":1", "it ends before it is whole"},
                {"{\"a\":1,", "a member's name is missing"},
                {"{\"a\":1,}", "a member's name is missing"},
                {"{,}", "a member's name is missing"},
                {"{a:1}", "a member's name is missing"},
                {"{1:1}", "a member's name is missing"},
                {"{'a':1}", "a member's name is missing"},
                {"{\"a\" 1}", "a colon is missing"},
                {"{\"a\"::1}", "no value"},
                {"{\"a\",1}", "a colon is missing"},
                {"{\"a\":1]", "a comma or the end is missing"},
                {"{\"a\":1 \"b\":2}", "a comma or the end is missing"},
                {"{[]:1}", "a member's name is missing"},
                {"}", "no value"},
                {"{}}", "something follows the document"},
                {"{\"a\":1}{\"b\":2}", "something follows the document"},
                {"[1]#", "something follows the document"},
                /* no comments, no marks, no other white space */
                {"/**/1", "no value"},
                {"1//", "something follows the document"},
                {"[1/**/]", "a comma or the end is missing"},
                {"\xef\xbb\xbf{}", "no value"},
                {"\xc2\xa0[]", "no value"},
                {"\f[]", "no value"},
                {"[\v]", "no value"},
                {"", "it ends before it is whole"},
                {" ", "it ends before it is whole"},
                {"[[[[[[[[[1]]]]]]]]]", "nested too deep"},
                {"{\"a\":[[[[[[[[1]]]]]]]]}", "nested too deep"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                cJSON *json = NULL;
                if (parse(cases[i].document, strlen(cases[i].document), &json, &error) != -EBADMSG)
                        fail_msg("%s was taken", cases[i].document);
                assert_null(json);
                const char *wrong = strstr(error_text(&error), ": ");
                assert_non_null(wrong);
                if (strcmp(wrong + 2, cases[i].wrong) != 0)
                        fail_msg("%s: %s, expected: %s", cases[i].document, error_text(&error),
                                 cases[i].wrong);
        }
}

static void test_a_byte_of_zero(void **state _unused_)
{
        static const struct {
                const char *document;
                size_t length;
        } cases[] = {{"1\0", 2}, {"\"a\0b\"", 5}, {"\0", 1}, {"[\0]", 3}, {"{}\0", 3}};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                cJSON *json = NULL;
                assert_int_equal(parse(cases[i].document, cases[i].length, &json, NULL), -EBADMSG);
        }
}

static void test_a_member_twice(void **state _unused_)
{
        static const char *const twice[] = {
                "{\"a\":1,\"a\":1}",       "{\"a\":1,\"b\":2,\"a\":3}",
                "{\"a\":1,\"\\u0061\":2}", "[{\"x\":{\"a\":[],\"a\":{}}}]",
                "{\"\":1,\"\":2}",
        };
        for (size_t i = 0; i < N_ELEMENTS(twice); i++) {
                _cleanup_error_ struct error error = {0};
                cJSON *json = NULL;
                assert_int_equal(parse(twice[i], strlen(twice[i]), &json, &error), -EBADMSG);
                assert_non_null(strstr(error_text(&error), "stands there twice"));
        }
        _cleanup_json_ cJSON *json = NULL;
        assert_int_equal(parse("{\"a\":1,\"A\":2}", 13, &json, NULL), 0);
}

static void test_limits(void **state _unused_)
{
        _cleanup_text_ struct text text = {0};
        _cleanup_error_ struct error error = {0};
        cJSON *json = NULL;
        text_putc(&text, '[');
        for (int i = 0; i < 99; i++)
                text_printf(&text, "%s0", i > 0 ? "," : "");
        text_putc(&text, ']');
        assert_int_equal(parse(text_string(&text), text.length, &json, NULL), 0);
        cJSON_Delete(json);
        json = NULL;
        text.length--;
        text_puts(&text, ",0]");
        assert_int_equal(parse(text_string(&text), text.length, &json, &error), -EBADMSG);
        assert_non_null(strstr(error_text(&error), "too many values"));
        error_clear(&error);
        const struct json_limits deep = {.depth = JSON_DEPTH_MOST + 1, .values = 1};
        assert_int_equal(json_parse_strict("1", 1, &deep, &json, &error), -EINVAL);
}

/* As deep as it may be: the bits of all levels are used, and each is closed by its own sign. */
static void test_the_deepest(void **state _unused_)
{
        const struct json_limits limits = {.depth = JSON_DEPTH_MOST, .values = 1000};
        for (int wrong = 0; wrong < 2; wrong++) {
                _cleanup_text_ struct text text = {0};
                _cleanup_json_ cJSON *json = NULL;
                for (int i = 0; i < JSON_DEPTH_MOST; i++)
                        text_puts(&text, i % 3 ? "[" : "{\"x\":");
                text_puts(&text, "1");
                for (int i = JSON_DEPTH_MOST; i-- > 0;)
                        text_putc(&text, (i % 3 != 0) != (wrong && i == 40) ? ']' : '}');
                assert_int_equal(json_parse_strict(text_string(&text), text.length, &limits, &json, NULL),
                                 wrong ? -EBADMSG : 0);
        }
}

static void test_marked_nuls(void **state _unused_)
{
        const struct json_limits limits = {.depth = 8, .values = 100, .marks_nul = true};
        static const char document[] =
                "{\"a\\u0000\":\"\\u0000b\",\"c\":\"\\\\u0000\",\"d\":\"\\\\\\u0000\"}";
        _cleanup_json_ cJSON *json = NULL;
        assert_int_equal(json_parse_strict(document, strlen(document), &limits, &json, NULL), 0);
        assert_string_equal(json_string(json, "a" JSON_NUL), JSON_NUL "b");
        assert_string_equal(json_string(json, "c"), "\\u0000");
        assert_string_equal(json_string(json, "d"), "\\" JSON_NUL);
}

/* Cut at any place it is no document, but for numbers, which may end anywhere. */
static void test_cut_anywhere(void **state _unused_)
{
        static const char document[] =
                "{\"a\":[1,2.5e3,\"\\ud83d\\ude00\xe2\x82\xac\"],\"b\":{\"c\":null,\"d\":true}}";
        for (size_t length = 0; length < strlen(document); length++) {
                cJSON *json = NULL;
                assert_int_equal(parse(document, length, &json, NULL), -EBADMSG);
        }
}

/* Each byte at each place of what is read eight bytes at once, before its end and after. */
static void test_each_byte_anywhere(void **state _unused_)
{
        for (size_t place = 0; place < 19; place++)
                for (int byte = 0; byte < 256; byte++) {
                        char document[] = "\"abcdefghijklmnopqrs\"";
                        _cleanup_json_ cJSON *json = NULL;
                        const bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
                        /* A quote ends it early, and a backslash makes an escape of what follows. */
                        const bool escape =
                                byte == '\\' && strchr("\"\\/bfnrt", document[place + 2]) && place < 18;
                        document[place + 1] = (char)byte;
                        assert_int_equal(
                                parse(document, strlen(document) + (byte == 0 ? 20 - place : 0), &json, NULL),
                                plain || escape ? 0 : -EBADMSG);
                }
}

static void assert_kept(const char *document, const char *const paths[], const char *expected)
{
        _cleanup_json_ cJSON *kept = NULL;
        const size_t length = strlen(document);
        _cleanup_free_ char *copy = malloc(length);
        memcpy(copy, document, length);
        assert_int_equal(json_parse_members(copy, length, &some, paths, &kept, NULL), 0);
        _cleanup_free_ char *printed = json_print(kept);
        assert_string_equal(printed, expected);
}

static void test_wanted_members(void **state _unused_)
{
        static const char *const paths[] = {"a", "b.c", "b.d.e", "long", NULL};
        assert_kept("{}", paths, "{}");
        assert_kept("{\"a\":1}", paths, "{\"a\":1}");
        assert_kept("{\"z\":1}", paths, "{}");
        assert_kept(" { \"z\" : [1,{\"a\":2}] , \"a\" : { \"z\" : \"}\" } , \"y\" : \"\\\"{\" } ", paths,
                    "{\"a\":{\"z\":\"}\"}}");
        assert_kept("{\"b\":{\"x\":0,\"c\":[],\"d\":{\"f\":1,\"e\":\"\\\\\"},\"y\":{}},\"c\":2}", paths,
                    "{\"b\":{\"c\":[],\"d\":{\"e\":\"\\\\\"}}}");
        /* What is no object where one was meant stays for whoever reads it. */
        assert_kept("{\"b\":[{\"c\":1}],\"lon\":1,\"longer\":2,\"\":3}", paths, "{\"b\":[{\"c\":1}]}");
        assert_kept("[{\"z\":1}]", paths, "[{\"z\":1}]");
        assert_kept("\"a\"", paths, "\"a\"");
}

/* What is not wanted is no less JSON for it; and no wanted name stands there twice. */
static void test_unwanted_members(void **state _unused_)
{
        static const char *const paths[] = {"a", NULL};
        static const char *const refused[] = {
                "{\"z\":01}",        "{\"z\":\"\\x\"}",     "{\"z\":[1,]}",       "{\"z\":1}}",
                "{\"a\":1,\"a\":2}", "{\"z\":\"\\u0000\"}", "[[[[[[[[[0]]]]]]]]]"};
        for (size_t i = 0; i < N_ELEMENTS(refused); i++) {
                cJSON *json = NULL;
                assert_int_equal(
                        json_parse_members(refused[i], strlen(refused[i]), &some, paths, &json, NULL),
                        -EBADMSG);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_json_is),
                cmocka_unit_test(test_what_json_is_not),
                cmocka_unit_test(test_a_byte_of_zero),
                cmocka_unit_test(test_a_member_twice),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_the_deepest),
                cmocka_unit_test(test_marked_nuls),
                cmocka_unit_test(test_cut_anywhere),
                cmocka_unit_test(test_each_byte_anywhere),
                cmocka_unit_test(test_wanted_members),
                cmocka_unit_test(test_unwanted_members),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
