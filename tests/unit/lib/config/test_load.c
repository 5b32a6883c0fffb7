/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that are no YAML, too large, too deep or hostile: one complaint with its place, and no harm. */
#include <errno.h>
#include <stdio.h>

#include "runbook/config.h"
#include "tests/harness/unit.h"

static const struct {
        const char *yaml, *complaint;
} broken[] = {
        {"", "1:1: the document is empty"},
        {"# nothing\n", "1:1: the document is empty"},
        {"a: 1\nb:\n\tc: 2\n",
         "3:1: not valid YAML: tab character may not be used as indentation; indent with spaces"},
        {"a: \"x\nb: 1\n", "1:4: not valid YAML: wrongly indented double-quoted scalar; close the quotes, or "
                           "indent the lines that follow"},
        {"a: 'x\n", "1:5: not valid YAML: single-quoted scalar without closing quote; close the quotes"},
        {"a: [1, 2\nb: 1\n",
         "3:1: not valid YAML: flow sequence without a closing bracket; close the list with ']'"},
        {"x: [\"a\" \"b\"]",
         "1:10: not valid YAML: missing comma in flow sequence; separate items with ',', or close the one "
         "before"},
        {"a: b: c\n", "1:5: not valid YAML: invalid nested block mapping on the same line; put a value that "
                      "holds ': ' in quotes"},
        {"a: @foo\n", "1:4: not valid YAML: plain scalar cannot start with '@'; put the value in quotes"},
        {"a: `foo`\n", "1:4: not valid YAML: plain scalar cannot start with '`'; put the value in quotes"},
        {"a:\n  b: 1\n c: 2\n",
         "3:2: not valid YAML: invalid indentation in mapping; indent keys of one mapping alike"},
        {"a: 1\n- b\n", "2:1: not valid YAML: did not find expected key; write 'key: value', and indent keys "
                        "of one mapping alike"},
        {"a:1\nb: 2\n", "1:1: not valid YAML: invalid multiline plain key; write 'key: value', and indent "
                        "both lines alike"},
        {"a: 1\nfoo\n", "2:1: not valid YAML: invalid value after mapping; write 'key: value', and indent "
                        "keys of one mapping alike"},
        {"- a\nb: 1\n", "2:1: not valid YAML: invalid scalar at the end of block sequence; begin each item "
                        "with '- '"},
        {"- - a\n - b\n",
         "2:2: not valid YAML: wrongly indented sequence item; indent the '-' of one list alike"},
        {"a: - b\n",
         "1:4: not valid YAML: block sequence on the same line as a mapping key; begin the list on "
         "the next line, or write [a, b]"},
        {"a: \"\\q\"\n", "1:5: not valid YAML: invalid escape 'q' in double-quoted string; write a backslash "
                         "as \\\\, or use single quotes"},
        {"a: \"b\"c\n", "1:7: not valid YAML: invalid trailing content after double-quoted scalar; put all "
                        "of the value in one pair of quotes"},
        {"a: *\n", "1:5: not valid YAML: invalid alias detected; put a value that begins with '*' in quotes"},
        {"a: ]\n", "1:4: not valid YAML: flow sequence with invalid extra closing bracket; take it away, or "
                   "put the value in quotes"},
        {"{a: 1}\nb: 2\n", "2:1: not valid YAML: invalid mapping in plain multiline; write 'key: value', and "
                           "indent keys of one mapping alike"},
        {"  - a\n - b\n", "2:2: not valid YAML: missing document start; indent everything at the top alike; "
                          "one file holds one document"},
        {"a: !foo!x 1\n", "1:4: not valid YAML: undefined tag prefix; put a value that begins with '!' in "
                          "quotes"},
        {"%YAML 3.0\n---\na: 1\n", "1:1: not valid YAML from here on"},
        {"a: 1\n---\nb: 2\n", "2:1: a second document begins here; one file holds one document"},
        {"a: *b\n", "1:4: the alias '*b' has no anchor '&b' before it"},
        {"a: *b\nb: &b 1\n", "1:4: the alias '*b' has no anchor '&b' before it"},
        {"a: &a [1, *a]\n", "1:11: the alias '*a' stands inside of what it refers to; write the value out"},
        {"a: !!str 5\n", "1:4: tags ('!…') are not used here; put text that looks like a number in quotes "
                         "instead"},
        {"? [a]\n: b\n", "1:3: a key must be a word, as in 'key: value'"},
        {": b\n", "1:1: a key must be a word, as in 'key: value'"},
        {"a: \"x\\0y\"\n", "1:4: an escape in this value gives a NUL or what is not Unicode text"},
        {"a: b\n\x01", "2:1: the control character 0x01 is not allowed; take it away"},
        {"é: \x7f", "1:4: the control character 0x7f is not allowed; take it away"},
        {"aé: \xff\n", "1:5: the byte 0xff is not UTF-8; save the file as UTF-8"},
        {"a: \xc3(", "1:4: the byte 0xc3 is not UTF-8; save the file as UTF-8"},
        {"a: \xed\xa0\x80", "1:4: the byte 0xed is not UTF-8; save the file as UTF-8"},
        {"\xff\xfe"
         "a",
         "1:1: the byte 0xff is not UTF-8; save the file as UTF-8"},
};

static void test_complains_about_what_is_no_yaml(void **state)
{
        (void)state;
        bool fine = true;
        for (size_t i = 0; i < N_ELEMENTS(broken); i++) {
                _cleanup_config_ struct config *config = NULL;
                _cleanup_free_ char *expected = text_format("f.yml:%s", broken[i].complaint);
                assert_int_equal(config_parse("f.yml", broken[i].yaml, &config, NULL), 0);
                assert_null(config_root(config));
                if (strcmp(config_complaints_text(config), expected) == 0 && config_complaints(config) == 1)
                        continue;
                print_error("for:\n%s\nit said:\n%s\nand not:\n%s\n", broken[i].yaml,
                            config_complaints_text(config), expected);
                fine = false;
        }
        assert_true(fine);
}

static void test_takes_what_is_yaml(void **state)
{
        (void)state;
        static const char *const fine[] = {
                "a: 1",
                "a: 1\r\nb: 2\r\n",
                "---\na: 1\n...\n",
                "# c\n\n%YAML 1.2\n---\na: b\n",
                "{a: [b, {c: d}]}",
                "\xef\xbb\xbf# c\na: 1\n",
                "a: 'x: y # z'\n",
                "a: |\n  x\n\n  y\nb: >-\n  z\n",
                "a: \"\\u00e9\\n\"\n",
                "a: &x 1\nb: &x 2\nc: *x\n",
                "? a\n: b\n",
                "a:\tb\n",
        };
        for (size_t i = 0; i < N_ELEMENTS(fine); i++) {
                _cleanup_config_ struct config *config = NULL;
                assert_int_equal(config_parse("f.yml", fine[i], &config, NULL), 0);
                assert_string_equal(config_complaints_text(config), "");
                assert_true(config_is_mapping(config_root(config)));
        }
}

static void test_refuses_a_billion_laughs(void **state)
{
        (void)state;
        _cleanup_config_ struct config *config = NULL;
        _cleanup_text_ struct text yaml = {0};
        text_puts(&yaml, "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
        for (int i = 1; i < 10; i++) {
                text_printf(&yaml, "a%d: &a%d [", i, i);
                for (int k = 0; k < 10; k++)
                        text_printf(&yaml, "%s*a%d", k > 0 ? ", " : "", i - 1);
                text_puts(&yaml, "]\n");
        }
        assert_int_equal(config_parse("f.yml", text_string(&yaml), &config, NULL), 0);
        assert_null(config_root(config));
        assert_string_equal(
                config_complaints_text(config),
                "f.yml:6:20: more than 250000 values, each alias counted as what it stands for; use "
                "fewer");
}

static void test_refuses_what_is_too_deep_or_too_much(void **state)
{
        (void)state;
        static const struct {
                const char *unit, *complaint;
                int times;
        } cases[] = {
                {"[", "f.yml:1:65: nested more than 64 deep; use fewer levels", 100000},
                {"{a: ", "f.yml:1:257: nested more than 64 deep; use fewer levels", 1000},
                {"- ", "f.yml:1:129: nested more than 64 deep; use fewer levels", 1000},
                {"- a\n", "f.yml:250000:3: more than 250000 values; use fewer", 300000},
                {"- &a a\n", "f.yml:1001:6: more than 1000 anchors; use fewer", 2000},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_config_ struct config *config = NULL;
                _cleanup_text_ struct text yaml = {0};
                for (int k = 0; k < cases[i].times; k++)
                        text_puts(&yaml, cases[i].unit);
                assert_int_equal(config_parse("f.yml", text_string(&yaml), &config, NULL), 0);
                assert_null(config_root(config));
                assert_string_equal(config_complaints_text(config), cases[i].complaint);
        }
}

/* Each anchor is nested in the next: no place in the file is deep, and yet the tree would be. */
static void test_refuses_depth_by_aliases(void **state)
{
        (void)state;
        _cleanup_config_ struct config *config = NULL;
        _cleanup_text_ struct text yaml = {0};
        text_puts(&yaml, "- &a0 []\n");
        for (int i = 1; i < 100; i++)
                text_printf(&yaml, "- &a%d [*a%d]\n", i, i - 1);
        assert_int_equal(config_parse("f.yml", text_string(&yaml), &config, NULL), 0);
        assert_null(config_root(config));
        assert_string_equal(config_complaints_text(config),
                            "f.yml:64:9: nested more than 64 deep; use fewer levels");
}

static void test_bounds_the_complaints(void **state)
{
        (void)state;
        static const struct config_field none[] = {{0}};
        _cleanup_config_ struct config *config = NULL;
        _cleanup_text_ struct text yaml = {0};
        for (int i = 0; i < 1000; i++)
                text_printf(&yaml, "key%d: x\n", i);
        assert_int_equal(config_parse("f.yml", text_string(&yaml), &config, NULL), 0);
        assert_false(config_read(config_root(config), none, &yaml));
        assert_int_equal(config_complaints(config), 1000);
        const char *text = config_complaints_text(config);
        assert_true(string_starts(text, "f.yml:1:1: unknown key 'key0'; none is known here\n"));
        const char *end = strrchr(text, '\n');
        assert_non_null(end);
        assert_string_equal(end, "\nf.yml: and 900 more");
}

static void test_cuts_what_it_shows(void **state)
{
        (void)state;
        static const struct config_field table[] = {{"n", CONFIG_INT, .offset = 0}, {0}};
        _cleanup_config_ struct config *config = NULL;
        _cleanup_text_ struct text yaml = {0};
        int64_t n;
        text_puts(&yaml, "n: a");
        for (int i = 0; i < 1000; i++)
                text_puts(&yaml, "é");
        assert_int_equal(config_parse("f.yml", text_string(&yaml), &config, NULL), 0);
        assert_false(config_read(config_root(config), table, &n));
        assert_string_equal(config_complaints_text(config),
                            "f.yml:1:4: 'n' takes a whole number such as 10, not "
                            "'aééééééééééééééééééééééééééééé…'");
}

static void test_loads_files(void **state)
{
        (void)state;
        char path[] = "/tmp/test_config_yaml.XXXXXX";
        _cleanup_config_ struct config *config = NULL;
        _cleanup_error_ struct error error = {0};
        int fd = mkstemp(path);
        assert_true(fd >= 0);

        assert_int_equal(write(fd, "a: b\0c\n", 7), 7);
        assert_int_equal(config_load(path, &config, &error), 0);
        _cleanup_free_ char *expected =
                text_format("%s:1:5: the control character 0x00 is not allowed; take it away", path);
        assert_string_equal(config_complaints_text(config), expected);
        config = config_free(config);

        assert_int_equal(ftruncate(fd, 16 * 1024 * 1024 + 1), 0);
        assert_int_equal(config_load(path, &config, &error), -EFBIG);
        assert_null(config);
        _cleanup_free_ char *large = text_format("%s is larger than 16 MiB", path);
        assert_string_equal(error_text(&error), large);

        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, "a: {b: c}\n", 10, 0), 10);
        assert_int_equal(config_load(path, &config, &error), 0);
        assert_string_equal(config_complaints_text(config), "");
        assert_string_equal(config_scalar(config_member(config_member(config_root(config), "a"), "b")), "c");
        config = config_free(config);
        close(fd);
        unlink(path);

        assert_int_equal(config_load(path, &config, &error), -ENOENT);
        _cleanup_free_ char *absent = text_format("cannot open %s: No such file or directory", path);
        assert_string_equal(error_text(&error), absent);
        assert_int_equal(config_load("/", &config, &error), -EINVAL);
        assert_string_equal(error_text(&error), "/ is not a regular file");
        assert_null(config);
}

/* The biggest file that is taken must not take long, whatever it holds; a quadratic search would never end.
 */
static void test_is_not_quadratic(void **state)
{
        (void)state;
        _cleanup_config_ struct config *config = NULL;
        _cleanup_text_ struct text yaml = {0};
        for (int i = 0; i < 100000; i++)
                text_printf(&yaml, "k%d: x\n", i);
        text_puts(&yaml, "k7: y\n");
        assert_int_equal(config_parse("f.yml", text_string(&yaml), &config, NULL), 0);
        assert_string_equal(config_complaints_text(config),
                            "f.yml:100001:1: the key 'k7' stands here again, after line 8; keep one of them");
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complains_about_what_is_no_yaml),
        cmocka_unit_test(test_takes_what_is_yaml),
        cmocka_unit_test(test_refuses_a_billion_laughs),
        cmocka_unit_test(test_refuses_what_is_too_deep_or_too_much),
        cmocka_unit_test(test_refuses_depth_by_aliases),
        cmocka_unit_test(test_bounds_the_complaints),
        cmocka_unit_test(test_cuts_what_it_shows),
        cmocka_unit_test(test_loads_files),
        cmocka_unit_test(test_is_not_quadratic),
};

int main(void)
{
        return cmocka_run_group_tests_name("config_yaml", tests, NULL, NULL);
}
