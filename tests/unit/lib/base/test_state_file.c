/* SPDX-License-Identifier: Apache-2.0 */
/* State files: lines under a title, each in a file of its own. */
#include "runbook/state_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/harness/files.h"
#include "tests/harness/kind.h"

#define TITLE "title 1"

static char directory[64], path[80];

static int start(void **state _unused_)
{
        strcpy(directory, "/tmp/runbook-test-state-XXXXXX");
        assert_non_null(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/log-a", directory);
        return 0;
}

static int stop(void **state _unused_)
{
        unlink(path);
        return rmdir(directory);
}

static int save(const char *lines, struct error *error)
{
        _cleanup_text_ struct text text = {0};
        text_puts(&text, lines);
        return state_file_save(path, TITLE, &text, error);
}

static void assert_saved(const char *lines)
{
        _cleanup_text_ struct text text = {0};
        assert_int_equal(state_file_load(path, TITLE, &text, NULL), 1);
        assert_string_equal(text_string(&text), lines);
}

static void what_was_saved_is_loaded(void **state _unused_)
{
        struct stat status;
        const struct state_file_counts before = state_file_counts();
        assert_int_equal(save("a\nb\n", NULL), 0);
        assert_saved("a\nb\n");
        assert_int_equal(save("c\n", NULL), 0);
        assert_saved("c\n");
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
        const struct state_file_counts now = state_file_counts();
        assert_true(now.written_at > before.written_at);
        assert_int_equal(now.unwritten - before.unwritten, 0);
        assert_int_equal(now.unread - before.unread, 0);
}

static void a_failure_names_the_file(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        const struct state_file_counts before = state_file_counts();
        strcpy(path, "/nowhere/log-a");
        assert_int_equal(save("a\n", &error), -ENOENT);
        assert_string_equal(error_text(&error), "cannot write /nowhere/log-a: No such file or directory");
        const struct state_file_counts now = state_file_counts();
        assert_int_equal(now.unwritten - before.unwritten, 1);
        assert_int_equal(now.written_at, before.written_at);
}

static void none_is_not_yet_and_another_is_refused(void **state _unused_)
{
        static const char *const others[] = {"", "title", TITLE, "title 10\n", "\ntitle 1\n"};
        _cleanup_text_ struct text lines = {0};
        const struct state_file_counts before = state_file_counts();
        assert_int_equal(state_file_load(path, TITLE, &lines, NULL), 0);
        for (size_t i = 0; i < N_ELEMENTS(others); i++) {
                write_file(directory, "log-a", others[i], strlen(others[i]));
                assert_int_equal(state_file_load(path, TITLE, &lines, NULL), -EINVAL);
        }
        assert_int_equal(lines.length, 0);
        /* Once each; that there is none yet is no failure. */
        assert_int_equal(state_file_counts().unread - before.unread, N_ELEMENTS(others));
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkdir(path, 0700), 0);
        assert_int_equal(state_file_load(path, TITLE, &lines, NULL), -EINVAL);
        assert_int_equal(state_file_counts().unread - before.unread, N_ELEMENTS(others) + 1);
        assert_int_equal(rmdir(path), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_was_saved_is_loaded, start, stop),
                cmocka_unit_test_setup_teardown(a_failure_names_the_file, start, stop),
                cmocka_unit_test_setup_teardown(none_is_not_yet_and_another_is_refused, start, stop),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
