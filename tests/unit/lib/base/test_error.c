/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: the sentence, the reason of an errno behind it, the context before it. */

#include <errno.h>

#include "runbook/error.h"
#include "runbook/text.h"
#include "tests/harness/unit.h"

static void test_errors_gather_context(void **state _unused_)
{
        _cleanup_error_ struct error error = {0}, other = {0};
        assert_string_equal(error_text(&error), "unknown error");
        assert_int_equal(error_set(&error, ENOENT, "no file %s", "x"), -ENOENT);
        assert_int_equal(error_prefix(&error, -ENOENT, "check %s", "disk"), -ENOENT);
        assert_string_equal(error_text(&error), "check disk: no file x");
        error_move(&other, &error);
        assert_null(error.message);
        assert_string_equal(error_text(&other), "check disk: no file x");
        assert_int_equal(error_set(NULL, EIO, "nobody asks"), -EIO);
}

static void test_the_reason_of_an_errno_ends_the_sentence(void **state _unused_)
{
        static const struct {
                int code;
                const char *sentence;
        } cases[] = {
                {ENOENT, "cannot open /x: No such file or directory"},
                {EACCES, "cannot open /x: Permission denied"},
                {ETIMEDOUT, "cannot open /x: Connection timed out"},
                {98765, "cannot open /x: error 98765"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                assert_int_equal(error_set_errno(&error, cases[i].code, "cannot open %s", "/x"),
                                 -cases[i].code);
                assert_string_equal(error_text(&error), cases[i].sentence);
        }
        assert_int_equal(error_set_errno(NULL, EIO, "nobody asks"), -EIO);
}

/* The code is handed over before anything is formatted, and errno is whatever that left. */
static void test_errno_itself_can_be_the_code(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        errno = EBADF;
        assert_int_equal(error_set_errno(&error, errno, "cannot read %*d", 4096, 7), -EBADF);
        assert_true(string_ends(error_text(&error), " 7: Bad file descriptor"));
}

static void test_a_sentence_may_become_part_of_the_next(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        error_set_errno(&error, EPIPE, "one");
        assert_int_equal(error_set(&error, EIO, "two, after %s", error_text(&error)), -EIO);
        assert_string_equal(error_text(&error), "two, after one: Broken pipe");
        assert_int_equal(error_prefix(&error, -EIO, "all: %s", error_text(&error)), -EIO);
        assert_string_equal(error_text(&error),
                            "all: two, after one: Broken pipe: two, after one: Broken pipe");
}

static void test_success_has_no_context(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        assert_int_equal(error_prefix(&error, 3, "nothing happened"), 3);
        assert_null(error.message);
}

static void the_meaning_goes_with_the_sentence(void **state _unused_)
{
        _cleanup_error_ struct error error = {0}, other = {0};
        assert_int_equal(error_not_looked(&error, error_set(&error, EACCES, "one")), -EACCES);
        error_not_set_up(&error, -EACCES);
        assert_int_equal(error_prefix(&error, -EACCES, "all"), -EACCES);
        error_move(&other, &error);
        assert_int_equal(other.meaning, ERROR_NOT_LOOKED);
        assert_true(other.not_set_up);
        error_set(&other, EIO, "another");
        assert_int_equal(other.meaning, ERROR_UNSAID);
        assert_false(other.not_set_up);
        assert_int_equal(error_failed(&other, 0), 0); /* no failure means nothing */
        assert_int_equal(other.meaning, ERROR_UNSAID);
        error_oom(&other);
        assert_int_equal(other.meaning, ERROR_NOT_LOOKED);
        error_set_errno(&other, EMFILE, "socket");
        assert_int_equal(other.meaning, ERROR_NOT_LOOKED);
        assert_int_equal(error_not_looked(NULL, -EIO), -EIO);

        error_may_pass(&other, error_set(&other, ECONNREFUSED, "not there"));
        error_prefix(&other, -ECONNREFUSED, "database");
        error_move(&error, &other);
        assert_true(error.may_pass && !other.message);
        error_set(&error, EACCES, "refused");
        assert_false(error.may_pass);
        assert_int_equal(error_may_pass(&error, 0), 0);
        assert_false(error.may_pass);
}

/* The sentence of the worse of two failures; of equals that of the first. */
static void assert_kept(int (*mark)(struct error *error, int result), int (*mark_other)(struct error *, int),
                        const char *expected)
{
        _cleanup_error_ struct error error = {0}, other = {0};
        int r = mark(&error, error_set(&error, EIO, "first"));
        int r_other = mark_other(&other, error_set(&other, EPIPE, "second"));
        assert_int_equal(error_keep_worse(&error, r, &other, r_other), *expected == 'f' ? -EIO : -EPIPE);
        assert_string_equal(error_text(&error), expected);
}

static int leave_unsaid(struct error *error _unused_, int result)
{
        return result;
}

static void of_two_failures_the_worse_is_kept(void **state _unused_)
{
        _cleanup_error_ struct error error = {0}, other = {0};
        assert_kept(error_failed, error_failed, "first");
        assert_kept(error_not_looked, error_failed, "second");
        assert_kept(error_failed, error_not_looked, "first");
        assert_kept(leave_unsaid, error_failed, "second");
        assert_kept(leave_unsaid, error_not_looked, "first");
        assert_kept(error_not_set_up, error_not_looked, "second");
        assert_kept(leave_unsaid, error_not_set_up, "first");
        assert_int_equal(error_keep_worse(&error, 0, &other, 0), 0);
        assert_int_equal(error_keep_worse(&error, 0, &other, error_set(&other, EIO, "x")), -EIO);
        assert_int_equal(error_keep_worse(&error, -EIO, &other, 0), -EIO);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_errors_gather_context),
                cmocka_unit_test(test_the_reason_of_an_errno_ends_the_sentence),
                cmocka_unit_test(test_errno_itself_can_be_the_code),
                cmocka_unit_test(test_a_sentence_may_become_part_of_the_next),
                cmocka_unit_test(test_success_has_no_context),
                cmocka_unit_test(the_meaning_goes_with_the_sentence),
                cmocka_unit_test(of_two_failures_the_worse_is_kept),
        };
        return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
