/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: made once, of the right mode, and each for its own role. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "responder/web/tokens.h"
#include "runbook/file.h"
#include "runbook/text.h"

struct place {
        char directory[64];
        char *tokens;
};

static int make_place(void **state)
{
        struct place *place = calloc(1, sizeof(*place));
        strcpy(place->directory, "/tmp/runbook-tokens-XXXXXX");
        assert_non_null(mkdtemp(place->directory));
        place->tokens = text_format("%s/deep/tokens", place->directory);
        unsetenv("CREDENTIALS_DIRECTORY");
        *state = place;
        return 0;
}

static int remove_place(void **state)
{
        struct place *place = *state;
        _cleanup_free_ char *command = text_format("rm -rf %s", place->directory);
        assert_int_equal(system(command), 0);
        free(place->tokens);
        free(place);
        return 0;
}

static char *read_token(const struct place *place, const char *name)
{
        _cleanup_free_ char *path = text_format("%s/%s", place->tokens, name);
        struct text text = {0};
        assert_int_equal(file_read_whole(path, 1000, &text, NULL), 0);
        return text_take(&text);
}

static void put_token(const struct place *place, const char *name, const char *content)
{
        _cleanup_free_ char *path = text_format("%s/%s", place->tokens, name);
        assert_int_equal(file_replace(path, content, strlen(content), 0600, NULL), 0);
}

static void test_two_are_made_and_kept(void **state)
{
        const struct place *place = *state;
        struct tokens *tokens = NULL;
        struct stat status;
        assert_int_equal(tokens_open(place->tokens, &tokens, NULL), 0);
        tokens_free(tokens);
        _cleanup_free_ char *alerts = read_token(place, "alerts"), *decider = read_token(place, "operator");
        assert_int_equal(strlen(alerts), 65);
        assert_string_not_equal(alerts, decider);
        assert_int_equal(stat(place->tokens, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0700);
        assert_int_equal(tokens_open(place->tokens, &tokens, NULL), 0);
        tokens_free(tokens);
        _cleanup_free_ char *again = read_token(place, "alerts");
        assert_string_equal(again, alerts);
}

static void test_each_is_for_its_role(void **state)
{
        const struct place *place = *state;
        struct tokens *tokens = NULL;
        enum web_role role = ROLE_COUNT;
        assert_int_equal(tokens_open(place->tokens, &tokens, NULL), 0);
        tokens_free(tokens);
        put_token(place, "reader", "a-reader-of-sixteen");
        put_token(place, "operator", "an-operators-token");
        assert_int_equal(tokens_open(place->tokens, &tokens, NULL), 0);
        assert_int_equal(tokens_find(tokens, "a-reader-of-sixteen", &role), 1);
        assert_int_equal(role, ROLE_READER);
        assert_int_equal(tokens_find(tokens, "an-operators-token", &role), 1);
        assert_int_equal(role, ROLE_OPERATOR);
        static const char *const wrong[] = {"", "a-reader-of-sixtee", "a-reader-of-sixteen ",
                                            "A-reader-of-sixteen"};
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++)
                assert_int_equal(tokens_find(tokens, wrong[i], &role), 0);
        put_token(place, "operator", "another-one-and-longer\n"); /* changed by its file alone */
        assert_int_equal(tokens_find(tokens, "an-operators-token", &role), 0);
        assert_int_equal(tokens_find(tokens, "another-one-and-longer", &role), 1);
        put_token(place, "operator", ""); /* an empty one is nobody's */
        assert_int_equal(tokens_find(tokens, "", &role), 0);
        /* What cannot be read is no word about who shows something else. */
        _cleanup_free_ char *operator= text_format("%s/operator", place->tokens);
        assert_int_equal(unlink(operator), 0);
        assert_int_equal(tokens_find(tokens, "another-one-and-longer", &role), 0);
        assert_int_equal(mkdir(operator, 0700), 0);
        assert_true(tokens_find(tokens, "another-one-and-longer", &role) < 0);
        assert_int_equal(tokens_find(tokens, "a-reader-of-sixteen", &role), 1);
        tokens_free(tokens);
}

static void test_what_would_be_guessed_is_refused(void **state)
{
        const struct place *place = *state;
        _cleanup_error_ struct error error = {0};
        struct tokens *tokens = NULL;
        assert_int_equal(tokens_open(place->tokens, &tokens, NULL), 0);
        tokens_free(tokens);
        put_token(place, "admin", "secret");
        assert_int_equal(tokens_open(place->tokens, &tokens, &error), -EINVAL);
        assert_non_null(strstr(error_text(&error), "admin has fewer than 16 bytes"));
        assert_null(strstr(error_text(&error), "secret"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_two_are_made_and_kept, make_place, remove_place),
                cmocka_unit_test_setup_teardown(test_each_is_for_its_role, make_place, remove_place),
                cmocka_unit_test_setup_teardown(test_what_would_be_guessed_is_refused, make_place,
                                                remove_place),
        };
        return cmocka_run_group_tests_name("tokens", tests, NULL, NULL);
}
