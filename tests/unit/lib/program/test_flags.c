/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines as users of Prometheus type them. */
#include <errno.h>

#include "runbook/flags.h"
#include "tests/harness/unit.h"

static struct {
        const char *file, *address;
        bool check, color;
        nsec interval;
        struct flag_strings places;
} options;

static const struct flag flags[] = {
        {"config.file", FLAG_STRING, &options.file, "checks.yml", "FILE", "the checks"},
        {"web.listen-address", FLAG_STRING, &options.address, NULL, "ADDRESS", "where to listen"},
        {"config.check", FLAG_SWITCH, &options.check, NULL, NULL, "reads the file and says what is wrong"},
        {"color", FLAG_SWITCH, &options.color, "true", NULL, "in colour"},
        {"place", FLAG_STRINGS, &options.places, "here", "PLACE", "where"},
        {"interval", FLAG_DURATION, &options.interval, "15s", "DURATION", "how often"},
        {0},
};

static uint64_t given; /* by the last that was parsed */

/* Parses the words, closed by NULL, behind a program name; answers what was left, one word a line. */
static int parse(const char *const *words, struct text *left, struct error *error)
{
        char *argv[FLAG_STRINGS_MAX + 8] = {(char *)"program"};
        char **arguments = NULL;
        int argc = 1, count = -1;
        for (; words[argc - 1]; argc++)
                argv[argc] = (char *)words[argc - 1];
        int result = flags_parse(flags, argc, argv, &arguments, &count, &given, error);
        for (int i = 0; result == 0 && i < count; i++)
                text_printf(left, "%s\n", arguments[i]);
        return result;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_takes_defaults(void **state)
{
        (void)state;
        _cleanup_text_ struct text left = {0};
        options.address = "before";
        options.check = true;
        assert_int_equal(parse((const char *const[]){NULL}, &left, NULL), 0);
        assert_string_equal(options.file, "checks.yml");
        assert_null(options.address);
        assert_false(options.check);
        assert_true(options.color);
        assert_int_equal(options.interval, 15 * NSEC_PER_SEC);
        assert_string_equal(text_string(&left), "");
}

static void test_takes_every_spelling(void **state)
{
        (void)state;
        _cleanup_text_ struct text left = {0};
        assert_int_equal(parse(WORDS("--config.file=a=b", "--web.listen-address", ":9877", "--config.check",
                                     "--no-color", "--interval", "1m"),
                               &left, NULL),
                         0);
        assert_string_equal(options.file, "a=b");
        assert_string_equal(options.address, ":9877");
        assert_true(options.check);
        assert_false(options.color);
        assert_int_equal(options.interval, 60 * NSEC_PER_SEC);

        assert_int_equal(parse(WORDS("--color=false", "--config.check=true", "-config.file="), &left, NULL),
                         0);
        assert_string_equal(options.file, "");
        assert_false(options.color);
        assert_true(options.check);
        assert_string_equal(text_string(&left), "");
}

/* Exporter fault E2: the last of several was taken, and nobody told. */
static void test_e2_takes_all_of_several(void **state)
{
        (void)state;
        _cleanup_text_ struct text left = {0};
        assert_int_equal(parse(WORDS("--color"), &left, NULL), 0);
        assert_int_equal(options.places.count, 1);
        assert_string_equal(options.places.items[0], "here");
        assert_int_equal(parse(WORDS("--place=a", "--color", "--place", "b"), &left, NULL), 0);
        assert_int_equal(options.places.count, 2);
        assert_string_equal(options.places.items[0], "a");
        assert_string_equal(options.places.items[1], "b");
        assert_null(options.places.items[2]);
        const char *words[FLAG_STRINGS_MAX + 2] = {NULL};
        for (size_t i = 0; i < FLAG_STRINGS_MAX; i++)
                words[i] = "--place=a";
        assert_int_equal(parse(words, &left, NULL), 0);
        words[FLAG_STRINGS_MAX] = "--place=a";
        assert_int_equal(parse(words, &left, NULL), -EINVAL);
}

static void test_hands_back_arguments_in_order(void **state)
{
        (void)state;
        static const struct {
                const char *words[10], *left;
        } cases[] = {
                {{"plan", "--config.file", "f", "a", "--config.check", "b"}, "plan\na\nb\n"},
                {{"--config.check", "plan", "-"}, "plan\n-\n"},
                {{"a", "b", "--interval=1s", "--config.file", "f", "c"}, "a\nb\nc\n"},
                {{"a", "--", "--config.check", "--"}, "a\n--config.check\n--\n"},
                {{"--", "-x"}, "-x\n"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_text_ struct text left = {0};
                assert_int_equal(parse(cases[i].words, &left, NULL), 0);
                assert_string_equal(text_string(&left), cases[i].left);
        }
}

static void test_names_what_is_wrong(void **state)
{
        (void)state;
        static const struct {
                const char *words[4], *sentence;
        } cases[] = {
                {{"--config.fil=x"}, "unknown flag --config.fil; did you mean --config.file?"},
                {{"--web.listen_addres", ":1"},
                 "unknown flag --web.listen_addres; did you mean --web.listen-address?"},
                {{"--frobnicate"}, "unknown flag --frobnicate; --help lists those there are"},
                {{"--no-interval"}, "unknown flag --no-interval; did you mean --interval?"},
                {{"--no-color=true"}, "--no-color takes no value"},
                {{"-x"}, "unknown flag --x; --help lists those there are"},
                {{"--config.file"}, "--config.file takes a value: --config.file=FILE"},
                {{"--color=yes"}, "--color is a switch: write --color or --no-color, without a value"},
                {{"--config.file=a", "--config.file", "a"}, "--config.file is given twice"},
                {{"--config.check", "--no-config.check"}, "--config.check is given twice"},
                {{"--interval=1s", "--color", "-interval=1s"}, "--interval is given twice"},
                {{"--interval=5"}, "--interval: '5' is not a duration such as 30s, 5m, 1h30m or 1d"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_text_ struct text left = {0};
                _cleanup_error_ struct error error = {0};
                assert_int_equal(parse(cases[i].words, &left, &error), -EINVAL);
                assert_string_equal(error_text(&error), cases[i].sentence);
        }
}

static void test_tells_what_was_given(void **state)
{
        (void)state;
        static const struct {
                const char *words[4];
                bool given, on;
        } cases[] = {
                {{NULL}, false, false},
                {{"--config.check"}, true, true},
                {{"--no-config.check"}, true, false},
                {{"--config.check=false"}, true, false},
                {{"--", "--config.check"}, false, false},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_text_ struct text left = {0};
                assert_int_equal(parse(cases[i].words, &left, NULL), 0);
                assert_int_equal(flags_given(flags, given, "config.check"), cases[i].given);
                assert_int_equal(flags_given_on(flags, given, "config.check"), cases[i].on);
                assert_false(flags_given(flags, given, "color"));
                assert_false(flags_given(flags, given, "no such flag"));
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_defaults),          cmocka_unit_test(test_takes_every_spelling),
        cmocka_unit_test(test_e2_takes_all_of_several), cmocka_unit_test(test_hands_back_arguments_in_order),
        cmocka_unit_test(test_names_what_is_wrong),     cmocka_unit_test(test_tells_what_was_given),
};

int main(void)
{
        return cmocka_run_group_tests_name("flags", tests, NULL, NULL);
}
