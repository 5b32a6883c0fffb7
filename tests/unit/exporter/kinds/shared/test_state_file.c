/* SPDX-License-Identifier: Apache-2.0 */
/* State files: what is saved is on the disk before it takes the place of what was there. */
#include "exporter/kinds/shared/state_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/harness/files.h"
#include "tests/harness/kind.h"

#define TITLE "title 1"

static char directory[64], path[80];
static int sync_error;
static off_t synced; /* the size of the file that was synced last */

/* Of libc, for all of this program. */
int fdatasync(int fd)
{
        struct stat status;

        if (sync_error) {
                errno = sync_error;
                return -1;
        }
        assert_int_equal(fstat(fd, &status), 0);
        synced = status.st_size;
        return (int)syscall(SYS_fdatasync, fd);
}

static int start(void **state _unused_)
{
        strcpy(directory, "/tmp/runbook-test-state-XXXXXX");
        assert_non_null(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/log-a", directory);
        sync_error = 0;
        synced = -1;
        return 0;
}

static int stop(void **state _unused_)
{
        _cleanup_free_ char *next = text_format("%s.new", path);

        unlink(next);
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

/* Else a crash of the machine may leave an empty file, which XFS does and nobody understands. */
static void what_is_saved_is_on_the_disk_first(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};

        assert_int_equal(save("a\nb\n", NULL), 0);
        assert_int_equal(synced, strlen(TITLE "\na\nb\n"));
        assert_saved("a\nb\n");
        sync_error = EIO;
        assert_int_equal(save("c\n", &error), -EIO);
        assert_non_null(strstr(error_text(&error), "log-a.new: Input/output error"));
        assert_saved("a\nb\n");
}

static void none_is_not_yet_and_another_is_refused(void **state _unused_)
{
        static const char *const others[] = {"", "title", TITLE, "title 10\n", "\ntitle 1\n"};
        _cleanup_text_ struct text lines = {0};

        assert_int_equal(state_file_load(path, TITLE, &lines, NULL), 0);
        for (size_t i = 0; i < N_ELEMENTS(others); i++) {
                write_file(directory, "log-a", others[i], strlen(others[i]));
                assert_int_equal(state_file_load(path, TITLE, &lines, NULL), -EINVAL);
        }
        assert_int_equal(lines.length, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_is_saved_is_on_the_disk_first, start, stop),
                cmocka_unit_test_setup_teardown(none_is_not_yet_and_another_is_refused, start, stop),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
