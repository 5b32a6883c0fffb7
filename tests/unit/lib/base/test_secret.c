/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets from files and from the environment; errors that never show them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "runbook/secret.h"
#include "tests/harness/unit.h"

static char path[] = "/tmp/test_secret.XXXXXX";

static int make_file(void **state)
{
        (void)state;
        int fd = mkstemp(path);
        if (fd >= 0)
                close(fd);
        return fd < 0;
}

static int remove_file(void **state)
{
        (void)state;
        return unlink(path);
}

static void put(const void *data, size_t length)
{
        _cleanup_close_ int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, data, length), length);
}

static void test_reads_a_file_anew_each_time(void **state)
{
        (void)state;
        static const struct {
                const char *content, *value;
        } cases[] = {
                {"hunter2", "hunter2"},
                {"hunter3\n", "hunter3"},
                {"a\r\n", "a"},
                {"a\n\n", "a\n"},
                {"", ""},
                {"\n", ""},
                {" a b \n", " a b "},
                {"\n\na", "\n\na"},
        };
        struct secret secret = {.file = path};
        assert_true(secret_is_set(&secret));
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_secret_ struct text text = {0};
                put(cases[i].content, strlen(cases[i].content));
                text_puts(&text, "Bearer ");
                assert_int_equal(secret_read(&secret, &text, NULL), 0);
                _cleanup_free_ char *expected = text_format("Bearer %s", cases[i].value);
                assert_string_equal(text_string(&text), expected);
        }
}

static void test_errors_name_the_file_and_not_the_content(void **state)
{
        (void)state;
        struct secret secret = {.file = path};
        _cleanup_secret_ struct text text = {0};
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *large = calloc(1, 64 * 1024 + 2);
        assert_non_null(large);
        memset(large, 's', 64 * 1024 + 1);

        put(large, 64 * 1024);
        assert_int_equal(secret_read(&secret, &text, &error), 0);
        assert_int_equal(text.length, 64 * 1024);
        text_wipe(&text);

        put(large, 64 * 1024 + 1);
        assert_int_equal(secret_read(&secret, &text, &error), -EFBIG);
        _cleanup_free_ char *too_large = text_format("the secret file %s is larger than 64 KiB", path);
        assert_string_equal(error_text(&error), too_large);

        put("hun\0ter2", 8);
        assert_int_equal(secret_read(&secret, &text, &error), -EINVAL);
        _cleanup_free_ char *nul = text_format("the secret file %s holds a NUL byte", path);
        assert_string_equal(error_text(&error), nul);

        struct secret absent = {.file = (char *)"/nonexistent/secret"};
        assert_int_equal(secret_read(&absent, &text, &error), -ENOENT);
        assert_string_equal(error_text(&error),
                            "cannot open the secret file /nonexistent/secret: No such file or directory");
        struct secret directory = {.file = (char *)"/"};
        assert_int_equal(secret_read(&directory, &text, &error), -EISDIR);
        assert_string_equal(error_text(&error), "cannot read the secret file /: Is a directory");
        assert_int_equal(text.length, 0);
}

static void test_reads_the_environment(void **state)
{
        (void)state;
        struct secret secret = {.variable = (char *)"TEST_SECRET_VARIABLE"};
        _cleanup_secret_ struct text text = {0};
        _cleanup_error_ struct error error = {0};
        assert_int_equal(unsetenv(secret.variable), 0);
        assert_int_equal(secret_read(&secret, &text, &error), -ENOKEY);
        assert_string_equal(error_text(&error), "the environment variable TEST_SECRET_VARIABLE is not set");
        assert_int_equal(setenv(secret.variable, "hunter2\n", 1), 0);
        assert_int_equal(secret_read(&secret, &text, &error), 0);
        assert_string_equal(text_string(&text), "hunter2");
}

static void test_an_unset_secret_is_empty(void **state)
{
        (void)state;
        struct secret secret = {0};
        _cleanup_secret_ struct text text = {0};
        assert_false(secret_is_set(&secret));
        assert_int_equal(secret_read(&secret, &text, NULL), 0);
        assert_string_equal(text_string(&text), "");
        text_wipe(&text);
        text_wipe(&text);
        secret_release(&secret);
}

static void test_what_is_given_is_compared(void **state)
{
        (void)state;
        static const struct {
                const char *content, *given;
                bool same;
        } cases[] = {{"hunter2\n", "hunter2", true},
                     {"hunter2", "hunter", false},
                     {"hunter2", "hunter22", false},
                     {"hunter2", "", false}};
        struct secret secret = {.file = path}, unset = {0};
        bool same = true;
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                put(cases[i].content, strlen(cases[i].content));
                assert_int_equal(secret_equals(&secret, cases[i].given, &same, NULL), 0);
                assert_int_equal(same, cases[i].same);
        }
        put("\n", 1);
        assert_int_equal(secret_equals(&secret, "", &same, NULL), -EINVAL);
        assert_int_equal(secret_equals(&unset, "", &same, NULL), -EINVAL);
}

static void test_one_that_is_there_stays(void **state)
{
        (void)state;
        struct secret secret = {.file = path};
        _cleanup_secret_ struct text made = {0}, again = {0};
        _cleanup_error_ struct error error = {0};
        unlink(path);
        assert_int_equal(secret_make(path, &error), 1);
        assert_int_equal(secret_read(&secret, &made, NULL), 0);
        assert_int_equal(made.length, 64);
        assert_int_equal(secret_make(path, &error), 0);
        assert_null(error.message);
        assert_int_equal(secret_read(&secret, &again, NULL), 0);
        assert_string_equal(text_string(&again), text_string(&made));
        assert_int_equal(secret_make("/nowhere/secret", &error), -ENOENT);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_that_is_there_stays),
        cmocka_unit_test(test_reads_a_file_anew_each_time),
        cmocka_unit_test(test_errors_name_the_file_and_not_the_content),
        cmocka_unit_test(test_reads_the_environment),
        cmocka_unit_test(test_an_unset_secret_is_empty),
        cmocka_unit_test(test_what_is_given_is_compared),
};

int main(void)
{
        return cmocka_run_group_tests_name("secret", tests, make_file, remove_file);
}
