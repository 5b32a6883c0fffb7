/* SPDX-License-Identifier: Apache-2.0 */
/* The text buffer: appending, numbers, escaping, the sticky error. */

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "runbook/text.h"
#include "runbook/utf8.h"
#include "tests/harness/unit.h"

static void test_appends_in_order(void **state)
{
        (void)state;
        _cleanup_text_ struct text text = {0};
        assert_string_equal(text_string(&text), "");
        text_puts(&text, "one");
        text_putc(&text, ' ');
        text_printf(&text, "%s %d", "two", 3);
        text_append(&text, "", 0);
        text_put_u64(&text, UINT64_MAX);
        assert_string_equal(text_string(&text), "one two 318446744073709551615");
        assert_int_equal(text_error(&text), 0);

        text_clear(&text);
        assert_string_equal(text_string(&text), "");
        text_put_u64(&text, 0);
        assert_string_equal(text_string(&text), "0");
}

static void test_grows_far_beyond_its_first_capacity(void **state)
{
        (void)state;
        _cleanup_text_ struct text text = {0};
        for (int i = 0; i < 100000; i++)
                text_puts(&text, "0123456789");
        assert_int_equal(text.length, 1000000);
        assert_memory_equal(text.data + 999990, "0123456789", 11);
}

static void test_error_sticks(void **state)
{
        (void)state;
        _cleanup_text_ struct text text = {0};
        text_puts(&text, "before");
        assert_false(text_reserve(&text, SIZE_MAX / 2));
        text_puts(&text, "after");
        assert_int_equal(text_error(&text), -ENOMEM);
        assert_string_equal(text.data, "before");
        assert_null(text_take(&text));
        assert_int_equal(text_error(&text), 0);
}

static void test_doubles_are_shortest_and_read_back(void **state)
{
        (void)state;
        static const struct {
                double value;
                const char *expected;
        } cases[] = {
                {0, "0"},
                {-0.0, "-0"},
                {1, "1"},
                {-17, "-17"},
                {0.1, "0.1"},
                {1.0 / 3, "0.3333333333333333"},
                {1700000000.123, "1700000000.123"},
                {9007199254740992.0, "9007199254740992"},
                {1e300, "1e+300"},
                {5e-324, "5e-324"},
                {NAN, "NaN"},
                {INFINITY, "+Inf"},
                {-INFINITY, "-Inf"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_text_ struct text text = {0};
                text_put_double(&text, cases[i].value);
                assert_string_equal(text_string(&text), cases[i].expected);
                if (!isnan(cases[i].value))
                        assert_true(strtod(text_string(&text), NULL) == cases[i].value);
        }
}

static void test_json_strings(void **state)
{
        (void)state;
        static const struct {
                const char *string, *expected;
        } cases[] = {
                {NULL, "null"},
                {"", "\"\""},
                {"a\"b\\c", "\"a\\\"b\\\\c\""},
                {"tab\there\nline\rend", "\"tab\\there\\nline\\rend\""},
                {"\x01\x7f", "\"\\u0001\\u007f\""},
                {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\xa5", "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\xa5\""},
                {"bad\xff", "\"bad\xef\xbf\xbd\""},
                {"overlong\xc0\xaf", "\"overlong\xef\xbf\xbd\xef\xbf\xbd\""},
                {"surrogate\xed\xa0\x80", "\"surrogate\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
                {"cut\xe2\x82", "\"cut\xef\xbf\xbd\xef\xbf\xbd\""},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_text_ struct text text = {0};
                text_put_json(&text, cases[i].string);
                assert_string_equal(text_string(&text), cases[i].expected);
        }
}

/* What a terminal would do something with, from whoever: set its title, clear it, go back to the line's
 * start, turn what follows around. */
static void test_nothing_reaches_a_terminal(void **state _unused_)
{
        static const struct {
                const char *said, *line, *lines, *json;
        } cases[] = {
                {"a\033]0;title\007b", "a ]0;title b", "a ]0;title b", "\"a\\u001b]0;title\\u0007b\""},
                {"\033[2J\rb", " [2J b", " [2J b", "\"\\u001b[2J\\rb\""},
                {"a\nb\tc\bd", "a b c d", "a\nb\tc d", "\"a\\nb\\tc\\u0008d\""},
                {"\x7f\xc2\x9b"
                 "31m",
                 "  31m", "  31m", "\"\\u007f\\u009b31m\""},
                {"\xc2\xa0\xc3\xa9 \xe2\x86\x92 \xf0\x9f\x98\x80",
                 "\xc2\xa0\xc3\xa9 \xe2\x86\x92 \xf0\x9f\x98\x80",
                 "\xc2\xa0\xc3\xa9 \xe2\x86\x92 \xf0\x9f\x98\x80",
                 "\"\xc2\xa0\xc3\xa9 \xe2\x86\x92 \xf0\x9f\x98\x80\""},
                {"\xff\x1b", UTF8_REPLACEMENT " ", UTF8_REPLACEMENT " ", "\"" UTF8_REPLACEMENT "\\u001b\""},
        };
        static const uint16_t marks[] = {0x061c, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b,
                                         0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_text_ struct text line = {0}, lines = {0}, json = {0};
                text_put_line(&line, cases[i].said, SIZE_MAX);
                text_put_lines(&lines, cases[i].said);
                text_put_json(&json, cases[i].said);
                assert_string_equal(text_string(&line), cases[i].line);
                assert_string_equal(text_string(&lines), cases[i].lines);
                assert_string_equal(text_string(&json), cases[i].json);
        }
        for (size_t i = 0; i < N_ELEMENTS(marks); i++) {
                const char said[] = {
                        (char)(marks[i] < 0x800 ? 0xc0 | marks[i] >> 6 : 0xe0 | marks[i] >> 12),
                        (char)(marks[i] < 0x800 ? 0x80 | (marks[i] & 0x3f) : 0x80 | (marks[i] >> 6 & 0x3f)),
                        (char)(marks[i] < 0x800 ? 0 : 0x80 | (marks[i] & 0x3f)), '\0'};
                _cleanup_text_ struct text line = {0}, json = {0};
                char escaped[16];
                snprintf(escaped, sizeof(escaped), "\"\\u%04x\"", marks[i]);
                text_put_line(&line, said, SIZE_MAX);
                text_put_json(&json, said);
                assert_string_equal(text_string(&line), " ");
                assert_string_equal(text_string(&json), escaped);
        }
}

static void test_percent_encoded(void **state)
{
        (void)state;
        _cleanup_text_ struct text text = {0};
        text_put_escaped(&text, "aZ09-._~ +&=/?%\"\xC3\xA4\n");
        assert_string_equal(text_string(&text), "aZ09-._~%20%2B%26%3D%2F%3F%25%22%C3%A4%0A");
        text_clear(&text);
        text_put_escaped(&text, "");
        assert_string_equal(text_string(&text), "");
}

static void test_take_hands_over(void **state)
{
        (void)state;
        struct text text = {0};
        _cleanup_free_ char *empty = text_take(&text);
        assert_string_equal(empty, "");
        text_puts(&text, "mine");
        _cleanup_free_ char *mine = text_take(&text);
        assert_string_equal(mine, "mine");
        assert_null(text.data);
        _cleanup_free_ char *formatted = text_format("%d-%s", 7, "x");
        assert_string_equal(formatted, "7-x");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_appends_in_order),
                cmocka_unit_test(test_grows_far_beyond_its_first_capacity),
                cmocka_unit_test(test_error_sticks),
                cmocka_unit_test(test_doubles_are_shortest_and_read_back),
                cmocka_unit_test(test_json_strings),
                cmocka_unit_test(test_nothing_reaches_a_terminal),
                cmocka_unit_test(test_percent_encoded),
                cmocka_unit_test(test_take_hands_over),
        };
        return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
