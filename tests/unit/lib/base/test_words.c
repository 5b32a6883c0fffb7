/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of words: found, listed, and what was probably meant. */

#include <errno.h>

#include "runbook/words.h"
#include "tests/harness/unit.h"

enum { FIRST, HOLE, THIRD };
static const char *const known[] = {[FIRST] = "first", [THIRD] = "third"};

static void test_words_and_numbers_are_the_two_sides_of_an_enum(void **state _unused_)
{
        assert_int_equal(words_find(known, N_ELEMENTS(known), "first"), FIRST);
        assert_int_equal(words_find(known, N_ELEMENTS(known), "third"), THIRD);
        assert_int_equal(words_find(known, THIRD, "third"), -1);
        assert_int_equal(words_find(known, N_ELEMENTS(known), "First"), -1);
        assert_int_equal(words_find(known, N_ELEMENTS(known), "firs"), -1);
        assert_int_equal(words_find(known, N_ELEMENTS(known), ""), -1);
        assert_int_equal(words_find(known, N_ELEMENTS(known), NULL), -1);
        assert_int_equal(words_find(NULL, 0, "first"), -1);
        assert_string_equal(words_name(known, N_ELEMENTS(known), THIRD), "third");
        assert_string_equal(words_name(known, N_ELEMENTS(known), HOLE), "unknown");
        assert_string_equal(words_name(known, N_ELEMENTS(known), 3), "unknown");
        assert_string_equal(words_name(known, N_ELEMENTS(known), SIZE_MAX), "unknown");
}

static void test_a_list_that_a_null_closes_is_counted(void **state _unused_)
{
        static const char *const closed[] = {"a", "b", NULL, "c"};
        assert_int_equal(words_count(closed), 2);
        assert_int_equal(words_count(closed + 2), 0);
}

static void test_a_list_is_put_as_a_person_says_it(void **state _unused_)
{
        static const char *const words[] = {NULL, "a", NULL, "b", "c", NULL};
        static const char *const expected[] = {"", "", "a", "a", "a or b", "a, b or c", "a, b or c"};
        for (size_t i = 0; i < N_ELEMENTS(expected); i++) {
                _cleanup_text_ struct text text = {0};
                words_put(&text, words, i, " or ");
                assert_string_equal(text_string(&text), expected[i]);
        }
}

static void test_finds_the_nearest_word(void **state _unused_)
{
        static const char *const words[] = {NULL, "timeout", "title", "mcp-server", "rest-api", "to"};
        static const struct {
                const char *word, *nearest;
        } cases[] = {
                {"tiemout", "timeout"},
                {"TIMEOUT", "timeout"},
                {"mcp_server", "mcp-server"},
                {"mcpserver", "mcp-server"},
                {"tilte", "title"},
                {"t", "to"},
                {"xyz", NULL},
                {"", NULL},
                {"restapi", "rest-api"},
                {"worker", NULL},
                {"ot", "to"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                const char *nearest = words_nearest(words, N_ELEMENTS(words), cases[i].word);
                if (!string_equal(nearest, cases[i].nearest))
                        fail_msg("'%s' gave '%s'", cases[i].word, nearest ? nearest : "(none)");
        }
        char huge[1000];
        memset(huge, 't', sizeof(huge) - 1);
        huge[sizeof(huge) - 1] = '\0';
        assert_null(words_nearest(words, N_ELEMENTS(words), huge));
        assert_null(words_nearest(words, 0, "timeout"));
        assert_null(words_nearest(words, N_ELEMENTS(words), NULL));
}

static void test_what_is_unknown_is_answered_by_what_is_known(void **state _unused_)
{
        static const char *const words[] = {"checklist", NULL, "dashboard"};
        static const struct {
                const char *word;
                size_t count;
                const char *sentence;
        } cases[] = {
                {"chekclist", 3, "there is no command \"chekclist\"; did you mean \"checklist\"?"},
                {"xyz", 3, "there is no command \"xyz\"; there are: checklist, dashboard"},
                {"xyz", 0, "there is no command \"xyz\""},
                {"", 1, "there is no command \"\"; there are: checklist"},
                {"a\033[2J\n", 0, "there is no command \"a [2J \""},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                assert_int_equal(
                        words_unknown(words, cases[i].count, cases[i].word, "there is no command", &error),
                        -EINVAL);
                assert_string_equal(error_text(&error), cases[i].sentence);
        }
        assert_int_equal(words_unknown(words, 3, "xyz", "nobody asks for a", NULL), -EINVAL);
}

static void test_an_advice_is_not_a_catalogue(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        const char *many[25];
        char huge[1000];
        for (size_t i = 0; i < N_ELEMENTS(many); i++)
                many[i] = "word";
        words_unknown(many, 24, "xyz", "no", &error);
        assert_non_null(strstr(error_text(&error), "; there are: word, word"));
        words_unknown(many, 25, "xyz", "no", &error);
        assert_string_equal(error_text(&error), "no \"xyz\"");
        memset(huge, 'x', sizeof(huge) - 1);
        huge[sizeof(huge) - 1] = '\0';
        words_unknown(many, 25, huge, "no", &error);
        assert_int_equal(strlen(error_text(&error)), strlen("no \"\"…") + 100);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words_and_numbers_are_the_two_sides_of_an_enum),
                cmocka_unit_test(test_a_list_that_a_null_closes_is_counted),
                cmocka_unit_test(test_a_list_is_put_as_a_person_says_it),
                cmocka_unit_test(test_finds_the_nearest_word),
                cmocka_unit_test(test_what_is_unknown_is_answered_by_what_is_known),
                cmocka_unit_test(test_an_advice_is_not_a_catalogue),
        };
        return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
