/* SPDX-License-Identifier: Apache-2.0 */
/* Kind files: its options, and what it counts in directories that are made here. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <zlib.h>

#include "exporter/kinds/files/gzip_read.h"
#include "tests/harness/files.h"
#include "tests/harness/kind.h"

static char directory[64];

static int make_directory(void **state _unused_)
{
        strcpy(directory, "/tmp/runbook-test-files-XXXXXX");
        assert_non_null(mkdtemp(directory));
        return 0;
}

static void make(const char *name, size_t size, time_t modified)
{
        _cleanup_free_ char *path = text_format("%s/%s", directory, name), *zeros = calloc(1, size + 1);
        write_file(directory, name, zeros, size);
        const struct timespec times[2] = {{.tv_sec = modified}, {.tv_sec = modified}};
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void make_below(const char *name)
{
        _cleanup_free_ char *path = text_format("%s/%s", directory, name);
        assert_int_equal(mkdir(path, 0700), 0);
}

static int tear_down(void **state _unused_)
{
        remove_directory(directory);
        return 0;
}

static int run(const char *options, char **ret_page, struct error *error)
{
        _cleanup_free_ char *yaml = text_format("{directories: %s%s}", directory, options);
        struct check_set *set = load_check("files", yaml, NULL);
        int r = run_check(set, NSEC_PER_SEC, ret_page, error);
        check_set_free(set);
        return r;
}

static void assert_told(const char *page, const char *name, const char *number)
{
        _cleanup_free_ char *line =
                text_format("runbook_files_%s{directory=\"%s\"} %s", name, directory, number);
        assert_line(page, line);
}

static void files_are_counted_by_pattern(void **state _unused_)
{
        _cleanup_free_ char *page = NULL, *deep = NULL, *link = text_format("%s/link.log", directory);
        make("a.log", 10, 1000);
        make("b.log", 0, 3000);
        make("c.txt", 100, 5000);
        make_below("below");
        make("below/d.log", 7, 9000);
        assert_int_equal(symlink("/etc/passwd", link), 0);
        assert_int_equal(run(", pattern: '*.log'", &page, NULL), 0);
        assert_told(page, "present", "2");
        assert_told(page, "size_bytes", "10");
        assert_told(page, "empty", "1");
        assert_told(page, "oldest_timestamp_seconds", "1000");
        assert_told(page, "newest_timestamp_seconds", "3000");
        assert_told(page, "newest_size_bytes", "0");
        assert_nowhere(page, "readable");
        assert_nowhere(page, "max_age");

        assert_int_equal(run(", recursive: true", &deep, NULL), 0);
        assert_told(deep, "present", "4");
        assert_told(deep, "size_bytes", "117");
        assert_told(deep, "newest_timestamp_seconds", "9000");
        assert_told(deep, "newest_size_bytes", "7");
}

static void an_empty_directory_is_no_failure_unless_files_are_demanded(void **state _unused_)
{
        _cleanup_free_ char *page = NULL, *again = NULL;
        _cleanup_error_ struct error error = {0};
        assert_int_equal(run("", &page, NULL), 0);
        assert_told(page, "present", "0");
        assert_nowhere(page, "newest");
        assert_int_equal(run(", min_count: 1", &again, &error), -ENOENT);
        assert_non_null(strstr(error_text(&error), "there is no file *"));
}

static void what_is_demanded_fails_and_is_told(void **state _unused_)
{
        static const struct {
                const char *options, *reason;
                int code;
        } cases[] = {
                {", min_count: 3", "there are 2 files, 3 are demanded", -ENOENT},
                {", max_age: 1d", "the newest file is older than 1d", -ESTALE},
                {", min_size: 11", "a.log has 10 bytes, 11 are demanded", -ENODATA},
                {", format: gzip", "a.log: not a gzip file", -EBADMSG},
        };
        make("a.log", 10, 2000);
        make("b.log", 20, 1000);
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_error_ struct error error = {0};
                _cleanup_free_ char *page = NULL;
                assert_int_equal(run(cases[i].options, &page, &error), cases[i].code);
                if (!strstr(error_text(&error), cases[i].reason))
                        fail_msg("%s: %s", cases[i].options, error_text(&error));
                assert_told(page, "present", "2");
        }
        _cleanup_free_ char *page = NULL, *of_ahead = NULL;
        _cleanup_error_ struct error ahead = {0};
        make("b.log", 20, time(NULL) + 90000);
        assert_int_equal(run(", max_age: 1d", &of_ahead, &ahead), -ESTALE);
        assert_non_null(strstr(error_text(&ahead), "the newest file is dated more than 1d ahead"));
        make("b.log", 20, 1000);
        make("c.txt", 0, time(NULL)); /* still being written */
        assert_int_equal(run(", settle: 1h, min_size: 10, min_count: 3, max_age: 1d", &page, NULL), 0);
        assert_told(page, "empty", "1");
        assert_told(page, "max_age_seconds", "86400");
}

static void a_directory_that_is_not_there_fails(void **state _unused_)
{
        _cleanup_free_ char *page = NULL;
        _cleanup_error_ struct error error = {0};
        struct check_set *set = load_check("files", "{directories: /nowhere}", NULL);
        assert_int_equal(run_check(set, NSEC_PER_SEC, &page, &error), -ENOENT);
        assert_string_equal(error_text(&error), "/nowhere: No such file or directory");
        assert_string_equal(page, "");
        check_set_free(set);
}

static void remove_below(const char *name)
{
        _cleanup_free_ char *path = text_format("%s/%s", directory, name);
        assert_int_equal(rmdir(path), 0);
}

/* However few entries each of them has. */
static void each_directory(void (*act)(const char *name), bool outer_first)
{
        enum { OUTER = 20, INNER = 15 };
        for (int i = 0; i < OUTER; i++) {
                _cleanup_free_ char *outer = text_format("d%d", i);
                if (outer_first)
                        act(outer);
                for (int k = 0; k < INNER; k++) {
                        _cleanup_free_ char *inner = text_format("d%d/%d", i, k);
                        act(inner);
                }
                if (!outer_first)
                        act(outer);
        }
}

static void many_small_directories_end_with_the_time(void **state _unused_)
{
        _cleanup_free_ char *yaml = text_format("{directories: %s, recursive: true}", directory),
                            *page = NULL;
        struct check_set *set = load_check("files", yaml, NULL);
        _cleanup_error_ struct error error = {0};
        each_directory(make_below, true);
        int r = run_check(set, 0, &page, &error);
        each_directory(remove_below, false);
        assert_int_equal(r, -ETIMEDOUT);
        assert_non_null(strstr(error_text(&error), "too many files for the time"));
        check_set_free(set);
}

static void mistakes_are_named(void **state _unused_)
{
        assert_complaint("files", "{directories: logs}", "\"logs\" is not an absolute path");
        assert_complaint("files", "{directories: /a, pattern: 'b/*'}", "without \"/\"");
        assert_complaint("files", "{directories: /a, min_count: -1}", "must not be negative");
        assert_complaint("files", "{directories: /a, format: zip}", "gzip");
        assert_complaint("files", "{directories: /a, pg_restore: pg_restore}", "is not an absolute path");
}

/* A file in memory of that many zeros in gzip, without its last `cut` bytes. */
static int make_gzip(size_t zeros, size_t cut)
{
        int fd = memfd_create("gzip", MFD_CLOEXEC);
        _cleanup_free_ char *content = calloc(1, zeros);
        gzFile file = gzdopen(dup(fd), "wb1");
        assert_true(fd >= 0 && content && file);
        assert_int_equal(gzwrite(file, content, (unsigned)zeros), zeros);
        assert_int_equal(gzclose(file), Z_OK);
        assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) - (off_t)cut), 0);
        return fd;
}

static void gzip_is_read_to_its_end_or_as_far_as_time_lets(void **state _unused_)
{
        static const size_t size = (size_t)2 << 20;
        _cleanup_close_ int whole = make_gzip(size, 0), cut = make_gzip(size, 1);
        struct gzip_content content = {0};
        assert_int_equal(gzip_read(whole, DEADLINE_NEVER, &content), 0);
        assert_true(content.whole && content.zeros == size && content.length == GZIP_HEAD);
        assert_int_equal(gzip_read(cut, DEADLINE_NEVER, &content), -EBADMSG);
        assert_int_equal(gzip_read(cut, deadline_in(0), &content), 0);
        assert_true(!content.whole && content.zeros < size && content.length == GZIP_HEAD);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(files_are_counted_by_pattern, make_directory, tear_down),
                cmocka_unit_test_setup_teardown(an_empty_directory_is_no_failure_unless_files_are_demanded,
                                                make_directory, tear_down),
                cmocka_unit_test_setup_teardown(what_is_demanded_fails_and_is_told, make_directory,
                                                tear_down),
                cmocka_unit_test_setup_teardown(many_small_directories_end_with_the_time, make_directory,
                                                tear_down),
                cmocka_unit_test(a_directory_that_is_not_there_fails),
                cmocka_unit_test(gzip_is_read_to_its_end_or_as_far_as_time_lets),
                cmocka_unit_test(mistakes_are_named),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
