/* SPDX-License-Identifier: Apache-2.0 */
/* The key of the journal: made once, found again, and never made where another is meant. */
#include "responder/journal/key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "runbook/file.h"
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

enum { STARTS = 24, ROUNDS = 20 };

/* A start: the journal would be opened in between. Tells which key it has sealed with, once that is settled.
 */
static void start_one(const char *journal, const char *path, int gate, int told)
{
        struct key_file file = {0};
        char byte;
        bool fine = read(gate, &byte, 1) == 0 && key_make(journal, path, &file, NULL) >= 0 &&
                    key_settle(&file, NULL) >= 0 &&
                    write(told, file.key.bytes, sizeof(file.key.bytes)) == (ssize_t)sizeof(file.key.bytes);
        key_release(&file);
        _exit(fine ? 0 : 1);
}

static void race(const char *journal, const char *path, struct journal_key ret[static STARTS])
{
        int gate[2], told[2];
        assert_int_equal(pipe(gate), 0);
        assert_int_equal(pipe(told), 0);
        for (size_t i = 0; i < STARTS; i++) {
                pid_t child = fork();
                assert_true(child >= 0);
                if (child == 0) {
                        close(gate[1]);
                        start_one(journal, path, gate[0], told[1]);
                }
        }
        close(gate[0]);
        close(gate[1]); /* now, all of them */
        for (size_t i = 0; i < STARTS; i++) {
                int status = -1;
                assert_true(wait(&status) > 0);
                assert_int_equal(status, 0);
                assert_int_equal(read(told[0], ret[i].bytes, sizeof(ret[i].bytes)), sizeof(ret[i].bytes));
        }
        close(told[0]);
        close(told[1]);
}

/* Several journals may have one key, and whoever is started twice begins twice before one has the journal. */
static void test_many_starts_at_once_have_one_key(void **state)
{
        const struct journal_fixture *fixture = *state;
        struct journal_key keys[STARTS];
        _cleanup_free_ char *path = text_format("%s/keys/key", fixture->directory);
        _cleanup_free_ char *keys_directory = text_format("%s/keys", fixture->directory);
        for (int round = 0; round < ROUNDS; round++) {
                struct key_file kept = {0};
                race(fixture->path, path, keys);
                assert_int_equal(key_find(fixture->path, path, &kept, NULL), 0);
                for (size_t i = 0; i < STARTS; i++)
                        assert_memory_equal(keys[i].bytes, kept.key.bytes, sizeof(kept.key.bytes));
                key_release(&kept);
                assert_int_equal(unlink(path), 0);
                assert_int_equal(rmdir(keys_directory), 0); /* and nothing lies beside it */
        }
}

/* One that somebody has put there meanwhile is not overwritten, and not taken for the one that seals. */
static void test_another_that_came_meanwhile(void **state)
{
        const struct journal_fixture *fixture = *state;
        static const char other[] = "0123456789abcdef0123456789abcdef\n";
        struct key_file file = {0};
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text found = {0};
        _cleanup_free_ char *path = text_format("%s/journal.key", fixture->directory);
        assert_int_equal(key_make(fixture->path, NULL, &file, NULL), 0);
        write_file(fixture->directory, "journal.key", other, strlen(other));
        assert_int_equal(key_settle(&file, &error), -EEXIST);
        assert_non_null(strstr(error_text(&error), "meanwhile there is another key"));
        assert_int_equal(file_read_whole(path, 100, &found, NULL), 0);
        assert_string_equal(text_string(&found), other);
        key_release(&file);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_is_made_once),
                ON_JOURNAL(test_elsewhere),
                ON_JOURNAL(test_many_starts_at_once_have_one_key),
                ON_JOURNAL(test_another_that_came_meanwhile),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
