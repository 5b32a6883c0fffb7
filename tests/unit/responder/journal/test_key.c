/* SPDX-License-Identifier: Apache-2.0 */
/* The key of the journal: made once, found again, and never made where another is meant. */
#include "responder/journal/key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/harness/files.h"
#include "tests/harness/journal.h"

static void test_is_made_once(void **state)
{
        const struct journal_fixture *fixture = *state;
        struct key_file file = {0}, again = {0};
        struct stat status;
        _cleanup_free_ char *path = text_format("%s/journal.key", fixture->directory);
        assert_int_equal(key_find(fixture->path, NULL, &file, NULL), 0);
        assert_null(file.path);
        assert_int_equal(key_make(fixture->path, NULL, &file, NULL), 0);
        assert_true(file.key.made);
        assert_int_equal(access(path, F_OK), -1);
        /* Who died before it was settled has the same one, still new. */
        assert_int_equal(key_make(fixture->path, NULL, &again, NULL), 0);
        assert_true(again.key.made);
        assert_memory_equal(again.key.bytes, file.key.bytes, sizeof(file.key.bytes));
        assert_int_equal(key_settle(&again, NULL), 0);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
        key_release(&again);
        assert_int_equal(key_make(fixture->path, NULL, &again, NULL), 0);
        assert_false(again.key.made);
        assert_null(again.beside);
        assert_memory_equal(again.key.bytes, file.key.bytes, sizeof(file.key.bytes));
        key_release(&again);
        key_release(&file);
}

static void test_elsewhere(void **state)
{
        const struct journal_fixture *fixture = *state;
        struct key_file file = {0}, passed = {0};
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *path = text_format("%s/keys/key", fixture->directory);
        _cleanup_free_ char *credential = text_format("%s/journal.key", fixture->directory);
        assert_int_equal(key_find(fixture->path, path, &file, &error), -ENOENT);
        assert_non_null(strstr(error_text(&error), path));
        assert_int_equal(key_make(fixture->path, path, &file, NULL), 0);
        assert_int_equal(key_settle(&file, NULL), 0);
        assert_string_equal(file.path, path);

        /* What systemd hands over goes before, but for a file that was named. */
        write_file(fixture->directory, "journal.key", "0123456789abcdef0123456789abcdef\n", 33);
        setenv("CREDENTIALS_DIRECTORY", fixture->directory, true);
        assert_int_equal(key_make("/nowhere/journal.db", NULL, &passed, NULL), 0);
        assert_string_equal(passed.path, credential);
        assert_false(passed.key.made);
        key_release(&passed);
        assert_int_equal(key_make(fixture->path, path, &passed, NULL), 0);
        assert_memory_equal(passed.key.bytes, file.key.bytes, sizeof(file.key.bytes));
        key_release(&passed);
        write_file(fixture->directory, "journal.key", "short\n", 6);
        assert_int_equal(key_make(fixture->path, NULL, &passed, &error), -EINVAL);
        unsetenv("CREDENTIALS_DIRECTORY");
        key_release(&file);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_is_made_once),
                ON_JOURNAL(test_elsewhere),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
