/* SPDX-License-Identifier: Apache-2.0 */
/* Kind log: every line is counted once, whatever happens to the files and to the exporter. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "exporter/kinds/shared/paths.h"
#include "runbook/file.h"
#include "tests/harness/files.h"
#include "tests/harness/kind.h"

static char directory[64];
static const char *pattern = "*.log";
static struct check_set *set;
static char *page;

static int make_directory(void **state _unused_)
{
        strcpy(directory, "/tmp/runbook-test-log-XXXXXX");
        return mkdtemp(directory) ? 0 : -1;
}

static void remove_file(const char *name)
{
        _cleanup_free_ char *path = text_format("%s/%s", directory, name);
        unlink(path);
}

/* The name of one file of many, which the check's pattern matches; until the next call. */
static const char *numbered(size_t i)
{
        static char name[32];
        snprintf(name, sizeof(name), "n%zu.log", i);
        return name;
}

static int tear_down(void **state _unused_)
{
        pattern = "*.log";
        set = check_set_free(set);
        free(page);
        page = NULL;
        remove_directory(directory);
        return 0;
}

/* Appends; the file is made when there is none. */
static void append_bytes(const char *name, const void *content, size_t length)
{
        _cleanup_free_ char *path = text_format("%s/%s", directory, name);
        FILE *file = fopen(path, "ae");
        assert_non_null(file);
        assert_int_equal(fwrite(content, 1, length, file), length);
        fclose(file);
}

static void append(const char *name, const char *content)
{
        append_bytes(name, content, strlen(content));
}

static void move(const char *from, const char *to)
{
        _cleanup_free_ char *source = text_format("%s/%s", directory, from);
        _cleanup_free_ char *target = text_format("%s/%s", directory, to);
        assert_int_equal(rename(source, target), 0);
}

static void cut(const char *name)
{
        _cleanup_free_ char *path = text_format("%s/%s", directory, name);
        assert_int_equal(truncate(path, 0), 0);
}

/* As cp does it: into the same file when there is one. */
static void copy(const char *from, const char *to)
{
        _cleanup_free_ char *source = text_format("%s/%s", directory, from);
        _cleanup_text_ struct text content = {0};
        assert_int_equal(file_read_whole(source, 1 << 20, &content, NULL), 0);
        write_file(directory, to, text_string(&content), content.length);
}

/* Begins anew, as after a start of the exporter. */
static void open_check(const char *options, bool with_state)
{
        _cleanup_free_ char *yaml =
                text_format("{files: '%s/%s'%s, patterns: [{name: error, pattern: error}, "
                            "{name: any, pattern: '^e|failed$', ignore_case: true}]}",
                            directory, pattern, options);
        check_set_free(set);
        set = load_check_with("log", yaml, with_state ? directory : NULL, NULL);
}

static int run_once(struct error *error)
{
        free(page);
        page = NULL;
        return run_check(set, 10 * NSEC_PER_SEC, &page, error);
}

static void assert_counts(unsigned lines, unsigned error, unsigned any)
{
        _cleanup_error_ struct error reason = {0};
        _cleanup_free_ char *all = text_format("runbook_log_lines_total %u", lines);
        _cleanup_free_ char *first =
                text_format("runbook_log_matched_lines_total{pattern=\"error\"} %u", error);
        _cleanup_free_ char *second = text_format("runbook_log_matched_lines_total{pattern=\"any\"} %u", any);
        if (run_once(&reason) < 0)
                fail_msg("%s", error_text(&reason));
        assert_line(page, all);
        assert_line(page, first);
        assert_line(page, second);
}

static void lines_are_counted_from_the_end_on(void **state _unused_)
{
        append("app.log", "error of yesterday\n");
        open_check("", false);
        assert_counts(0, 0, 0);
        append("app.log", "an error\r\nError\nit FAILED\nfailed not\n");
        assert_counts(4, 1, 2);
        append("b.log", "error in a new file\n"); /* is read from its start */
        assert_counts(5, 2, 3);
        assert_counts(5, 2, 3);
        assert_line(page, "runbook_log_files 2");
        assert_line(page, "runbook_log_behind_bytes 0");
}

static void or_from_the_start(void **state _unused_)
{
        append("app.log", "error of yesterday\n");
        open_check(", from: start", false);
        assert_counts(1, 1, 1);
}

static void a_line_counts_when_it_is_whole(void **state _unused_)
{
        open_check(", from: start", false);
        append("app.log", "an er");
        assert_counts(0, 0, 0);
        assert_line(page, "runbook_log_behind_bytes 5");
        append("app.log", "ror\nnext");
        assert_counts(1, 1, 0);
        append_bytes("app.log", "\0 error\xff\xfe\n", 10);
        assert_counts(2, 2, 0);
        assert_line(page, "runbook_log_behind_bytes 0");
}

static void a_rotated_file_is_read_to_its_end(void **state _unused_)
{
        open_check(", from: start", false);
        append("app.log", "error\n");
        assert_counts(1, 1, 1);
        append("app.log", "error\nerror\n");
        move("app.log", "app.log.1");
        append("app.log", "new error\n");
        assert_counts(4, 4, 3);
        append("app.log.1", "error of a writer that has not reopened it\n");
        assert_counts(5, 5, 4);
        append("app.log.2.gz", "error\n");
        assert_counts(5, 5, 4);
        assert_counts(5, 5, 4);
        assert_line(page, "runbook_log_files 1");
}

static void a_truncated_file_is_read_from_its_start(void **state _unused_)
{
        open_check(", from: start", false);
        append("app.log", "error 1\nerror 2\n");
        assert_counts(2, 2, 2);
        cut("app.log");
        append("app.log", "error 3\n");
        assert_counts(3, 3, 3);
        /* Again longer than what was read of it, so that only its beginning tells. */
        cut("app.log");
        append("app.log", "error 4\nerror 5\nerror 6\n");
        assert_counts(6, 6, 6);
        cut("app.log");
        assert_counts(6, 6, 6);
        append("app.log", "error 7\n");
        assert_counts(7, 7, 7);
}

static void a_long_line_counts_once_by_its_beginning(void **state _unused_)
{
        size_t length = 300000;
        _cleanup_free_ char *line = malloc(length + 1);
        open_check(", from: start, max_line: 100", false);
        memset(line, 'x', length);
        memcpy(line, "error", 5);
        memcpy(line + 200, "failed\n", 7); /* beyond what is looked at */
        line[length] = '\n';
        append_bytes("app.log", line, length + 1);
        assert_counts(2, 1, 1);
        line[206] = 'x';
        append_bytes("app.log", line, length + 1);
        append("app.log", "error after it\n");
        assert_counts(4, 3, 3);
}

static void places_are_kept_over_restarts(void **state _unused_)
{
        open_check(", from: start", true);
        append("app.log", "error 1\nerror 2\nhalf of an er");
        assert_counts(2, 2, 2);
        open_check("", true);
        assert_counts(0, 0, 0);
        append("app.log", "ror\n");
        append("b.log", "error in a file that came meanwhile\n");
        open_check("", true);
        assert_counts(2, 2, 1);
        append("app.log", "error 3\n");
        move("app.log", "app.log.1");
        append("app.log", "error 4\n");
        open_check("", true);
        assert_counts(2, 2, 2);
        cut("app.log");
        append("app.log", "error 5, and longer than it was\n");
        open_check("", true);
        assert_counts(1, 1, 1);
        open_check("", true);
        assert_counts(0, 0, 0);
}

static void places_that_are_not_understood_are_told_and_left(void **state _unused_)
{
        static const char *const contents[] = {"", "nonsense\n", "runbook log places 1\n1 2 3 4 5\n",
                                               "runbook log places 1\n1 2 3 4 5 0\n",
                                               "runbook log places 1\n1 2 3 99999 5 0\n"};
        append("app.log", "error\n");
        for (size_t i = 0; i < N_ELEMENTS(contents); i++) {
                _cleanup_error_ struct error error = {0};
                write_file(directory, "log-a", contents[i], strlen(contents[i]));
                open_check(", from: start", true);
                assert_int_equal(run_once(&error), -EINVAL);
                assert_non_null(strstr(error_text(&error), "remove it to begin anew"));
                assert_line(page, "runbook_log_lines_total 0");
                assert_int_equal(run_once(NULL), -EINVAL);
        }
}

/* As often as it fails before it knows the files; a leak would be seen here. */
static void places_outlive_a_search_that_failed(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        append("app.log", "error 1\n");
        open_check(", from: start", true);
        assert_counts(1, 1, 1);
        append("app.log", "error 2\n");
        for (size_t i = 0; i <= PATHS_MAX; i++)
                append(numbered(i), "");
        open_check("", true);
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(run_once(&error), -E2BIG);
                assert_non_null(strstr(error_text(&error), "files match"));
        }
        for (size_t i = 0; i <= PATHS_MAX; i++)
                remove_file(numbered(i));
        assert_counts(1, 1, 1);
}

static void no_file_is_a_failure_until_there_is_one(void **state _unused_)
{
        _cleanup_error_ struct error error = {0};
        open_check("", false);
        assert_int_equal(run_once(&error), -ENOENT);
        assert_non_null(strstr(error_text(&error), "no file matches"));
        append("app.log", "error\n");
        assert_counts(1, 1, 1);
}

/* How copytruncate names its copies: with a number behind, or with a date before logrotate's `extension`. */
static const char *const copies[] = {"b.log.1", "b-20260101.log", "b.log-20260101", "b.log~"};

/* The fault's own input, and the same over a restart. */
static void d1_a_copy_that_the_pattern_matches_is_not_counted_again(void **state _unused_)
{
        pattern = "b*log*";
        for (size_t i = 0; i < 2 * N_ELEMENTS(copies); i++) {
                const char *name = copies[i % N_ELEMENTS(copies)];
                bool restart = i >= N_ELEMENTS(copies);
                append("b.log", "old error\nold error\n");
                open_check("", restart);
                assert_counts(0, 0, 0);
                append("b.log", "error 3\n");
                assert_counts(1, 1, 1);
                copy("b.log", name);
                cut("b.log");
                if (restart)
                        open_check("", true);
                assert_counts(!restart, !restart, !restart);
                append("b.log", "error 4\n");
                assert_counts(1 + !restart, 1 + !restart, 1 + !restart);
                remove_file(name);
                remove_file("b.log");
                remove_file("log-a");
        }
}

static void d1_what_was_written_before_the_copy_and_after_the_cut_is_counted(void **state _unused_)
{
        pattern = "b*log*";
        append("b.log", "error 1\nerror 2\n");
        open_check(", from: start", false);
        assert_counts(2, 2, 2);
        append("b.log", "error 3\nerr"); /* seen in the copy alone */
        copy("b.log", "b.log.1");
        cut("b.log");
        append("b.log", "error 4, which makes it longer than it was when it was read\n");
        assert_counts(4, 4, 4);
        assert_counts(4, 4, 4);
        /* The next night: the copy of before is renamed, or written over. */
        move("b.log.1", "b.log.2");
        append("b.log", "error 5\n");
        copy("b.log", "b.log.1");
        cut("b.log");
        append("b.log", "error 6\n");
        assert_counts(6, 6, 6);
        copy("b.log.1", "b.log.2");
        append("b.log", "error 7\n");
        copy("b.log", "b.log.1");
        cut("b.log");
        assert_counts(7, 7, 7);
        append("b.log", "error 8\n");
        assert_counts(8, 8, 8);
}

/* A scrape comes between the copy and the truncation, or while the copy is being written. */
static void d1_a_copy_that_is_seen_before_the_cut(void **state _unused_)
{
        pattern = "b*log*";
        append("b.log", "error 1\n");
        open_check(", from: start", false);
        assert_counts(1, 1, 1);
        append("b.log", "error 2\nerror 3\n");
        write_file(directory, "b-2026.log", "error 1\nerr", 11); /* half of it */
        assert_counts(3, 3, 3);
        append("b.log", "error 4\n");
        copy("b.log", "b-2026.log");
        assert_counts(4, 4, 4);
        append("b.log", "error 5\n"); /* lost by copytruncate itself, were it not for this scrape */
        assert_counts(5, 5, 5);
        cut("b.log");
        append("b.log", "error 6\n");
        assert_counts(6, 6, 6);
        assert_counts(6, 6, 6);
        /* Both are new to the check. */
        append("bb.log", "error 7\n");
        copy("bb.log", "bb.log.1");
        assert_counts(7, 7, 7);
}

/* A file that only begins as another one does is none, whatever its name. */
static void d1_a_file_with_the_same_banner_is_no_copy(void **state _unused_)
{
        append("app.log", "an error at the start\n");
        open_check(", from: start", false);
        assert_counts(1, 1, 0);
        append("other.log", "an error at the start\n");
        assert_counts(2, 2, 0);
        append("app-2.log", "an error at the start\n"); /* a second worker's, as it may turn out */
        (void)run_once(NULL);
        append("app-2.log", "error 2\n");
        assert_counts(4, 4, 1);
        append("app.log", "error 3\n");
        assert_counts(5, 5, 2);
}

static void d2_truncated_and_regrown_behind_the_same_beginning(void **state _unused_)
{
        static const size_t banners[] = {0, 256, 5000, 40000};
        for (size_t i = 0; i < N_ELEMENTS(banners); i++) {
                _cleanup_text_ struct text banner = {0};
                while (banner.length < banners[i])
                        text_puts(&banner, "= a banner that every start writes =\n");
                unsigned lines = (unsigned)(banner.length / strlen("= a banner that every start writes =\n"));
                append("app.log", text_string(&banner));
                append("app.log", "error of before\n");
                open_check(", from: start", true);
                assert_counts(lines + 1, 1, 1);
                cut("app.log");
                append("app.log", text_string(&banner));
                append("app.log", "error 1 of now\nerror 2\nerror 3\n");
                open_check("", true);
                assert_counts(lines + 3, 3, 3);
                append("app.log", "error 4\n");
                assert_counts(lines + 4, 4, 4);
                remove_file("app.log");
                remove_file("log-a");
        }
}

/* Its writer reopens it late: after scrapes in which nothing came, and after a restart. */
static void kind_5_a_renamed_file_that_is_still_written(void **state _unused_)
{
        append("app.log", "error 1\n");
        open_check(", from: start", true);
        assert_counts(1, 1, 1);
        move("app.log", "yesterday");
        append("app.log", "error 2\n");
        for (int i = 0; i < 3; i++)
                assert_counts(2, 2, 2);
        append("yesterday", "error 3\n");
        assert_counts(3, 3, 3);
        assert_line(page, "runbook_log_files 1");
        open_check("", true);
        assert_counts(0, 0, 0);
        append("yesterday", "error 4\n");
        assert_counts(1, 1, 1);
        move("yesterday", "z.log"); /* it may be matched again */
        append("z.log", "error 5\n");
        assert_counts(2, 2, 2);
        remove_file("z.log");
        append("app.log", "error 6\n");
        assert_counts(3, 3, 3);
        assert_line(page, "runbook_log_files 1");
}

/* Many of them make no check fail: the one that was silent for longest is left. */
static void kind_5_renamed_files_do_not_pile_up(void **state _unused_)
{
        append("app.log", "error\n");
        open_check(", from: start", false);
        for (unsigned i = 1; i < 300; i++) {
                _cleanup_free_ char *name = text_format("old-%u", i);
                assert_counts(i, i, i);
                move("app.log", name);
                append("app.log", "error\n");
        }
        assert_counts(300, 300, 300);
}

/* rsync, and editors, put a longer file in its place. What only has the name of one that is gone is another.
 */
static void kind_5_a_file_put_in_the_place_of_its_beginning(void **state _unused_)
{
        append("app.log", "error 1\n");
        open_check(", from: start", true);
        assert_counts(1, 1, 1);
        for (unsigned i = 2; i < 5; i++) {
                copy("app.log", ".app.log.tmp");
                append(".app.log.tmp", "error again\n");
                move(".app.log.tmp", "app.log");
                assert_counts(i, i, i);
        }
        copy("app.log", ".app.log.tmp"); /* no longer than it was: written anew, as a job does every night */
        move(".app.log.tmp", "app.log");
        assert_counts(8, 8, 8);
        append(".app.log.tmp", "error of another one\n");
        append(".app.log.tmp", "which is longer than what was there before, by far longer than all of it\n");
        move(".app.log.tmp", "app.log");
        assert_counts(10, 9, 9);
}

static void kind_5_a_compressed_copy_beside(void **state _unused_)
{
        static const unsigned char gzip[] = "\x1f\x8b\x08\0\0\0\0\0\0\3error\n";
        pattern = "app.log*";
        append("app.log", "error 1\n");
        open_check(", from: start", true);
        assert_counts(1, 1, 1);
        append_bytes("app.log.1.gz", gzip, sizeof(gzip));
        append_bytes("app.log.2.Z", gzip, sizeof(gzip));
        append_bytes("app.log.3", gzip, sizeof(gzip)); /* whatever it is called */
        assert_counts(1, 1, 1);
        append_bytes("app.log.3", gzip, sizeof(gzip));
        assert_counts(1, 1, 1);
        assert_line(page, "runbook_log_files 1");
        assert_line(page, "runbook_log_behind_bytes 0");
        open_check("", true);
        append_bytes("app.log.3", gzip, sizeof(gzip));
        assert_counts(0, 0, 0);
}

/* Six numbers for each file, without the sum of what was read last. */
static void places_of_the_version_before_are_read(void **state _unused_)
{
        struct stat status;
        _cleanup_free_ char *path = text_format("%s/app.log", directory);
        append("app.log", "error 1\n");
        assert_int_equal(stat(path, &status), 0);
        _cleanup_free_ char *places = text_format(
                "runbook log places 1\n%llu %llu 8 8 %lu 0\n", (unsigned long long)status.st_dev,
                (unsigned long long)status.st_ino, crc32(0, (const unsigned char *)"error 1\n", 8));
        write_file(directory, "log-a", places, strlen(places));
        append("app.log", "error 2\n");
        open_check("", true);
        assert_counts(1, 1, 1);
        open_check("", true);
        cut("app.log");
        append("app.log", "error 1\nerror 3\nerror 4\n");
        assert_counts(3, 3, 3);
}

static void mistakes_are_named(void **state _unused_)
{
        assert_complaint("log", "{files: a.log, patterns: [{name: a, pattern: b}]}",
                         "\"a.log\" is not an absolute path");
        assert_complaint("log", "{files: /a, patterns: []}", "patterns");
        assert_complaint("log", "{files: /a, patterns: [{name: a, pattern: '('}]}", "(");
        assert_complaint("log", "{files: /a, patterns: [{name: a, pattern: b}, {name: a, pattern: c}]}",
                         "there is a pattern \"a\" already");
        assert_complaint("log", "{files: /a, patterns: [{name: a, pattern: 'Error', ignore_case: true}]}",
                         "written in lower case");
        assert_complaint("log", "{files: /a, max_line: 2MiB, patterns: [{name: a, pattern: b}]}",
                         "from 64 to 1MiB");
#define PATTERNS "patterns: [{name: a, pattern: b}]}"
        assert_complaint("log", "{" PATTERNS, "one of files, journal and docker is needed");
        assert_complaint("log", "{files: /a, journal: {units: a.service}, " PATTERNS, "and only one");
        assert_complaint("log", "{files: /a, docker: {project: a, services: b}, " PATTERNS, "and only one");
        assert_complaint("log", "{journal: {}, " PATTERNS, "units");
        assert_complaint("log", "{journal: {units: ssh}, " PATTERNS, "\"ssh\" is not the name of a unit");
        assert_complaint("log", "{journal: {units: [a.service, a.service]}, " PATTERNS, "is there twice");
        assert_complaint("log", "{journal: {units: a.service, directory: var}, " PATTERNS,
                         "\"var\" is not an absolute path");
        assert_complaint("log", "{journal: {units: a.service, priority: bad}, " PATTERNS, "emerg");
        assert_complaint("log", "{docker: {project: a}, " PATTERNS, "services");
        assert_complaint("log", "{docker: {services: a}, " PATTERNS, "project");
        assert_complaint("log", "{docker: {project: a, services: [b, b]}, " PATTERNS, "is there twice");
        assert_complaint("log", "{docker: {project: a, services: b, host: 'ftp://a'}, " PATTERNS,
                         "\"ftp://a\" is not a Docker host");
        check_set_free(load_check(
                "log", "{files: /a, patterns: [{name: a, pattern: '\\S\\Derror', ignore_case: true}]}",
                NULL));
}

#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                IN_DIRECTORY(lines_are_counted_from_the_end_on),
                IN_DIRECTORY(or_from_the_start),
                IN_DIRECTORY(a_line_counts_when_it_is_whole),
                IN_DIRECTORY(a_rotated_file_is_read_to_its_end),
                IN_DIRECTORY(a_truncated_file_is_read_from_its_start),
                IN_DIRECTORY(a_long_line_counts_once_by_its_beginning),
                IN_DIRECTORY(places_are_kept_over_restarts),
                IN_DIRECTORY(places_that_are_not_understood_are_told_and_left),
                IN_DIRECTORY(places_outlive_a_search_that_failed),
                IN_DIRECTORY(no_file_is_a_failure_until_there_is_one),
                IN_DIRECTORY(d1_a_copy_that_the_pattern_matches_is_not_counted_again),
                IN_DIRECTORY(d1_what_was_written_before_the_copy_and_after_the_cut_is_counted),
                IN_DIRECTORY(d1_a_copy_that_is_seen_before_the_cut),
                IN_DIRECTORY(d1_a_file_with_the_same_banner_is_no_copy),
                IN_DIRECTORY(d2_truncated_and_regrown_behind_the_same_beginning),
                IN_DIRECTORY(kind_5_a_renamed_file_that_is_still_written),
                IN_DIRECTORY(kind_5_renamed_files_do_not_pile_up),
                IN_DIRECTORY(kind_5_a_file_put_in_the_place_of_its_beginning),
                IN_DIRECTORY(kind_5_a_compressed_copy_beside),
                IN_DIRECTORY(places_of_the_version_before_are_read),
                cmocka_unit_test(mistakes_are_named),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
