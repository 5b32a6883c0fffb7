/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence: sealed once, listed, and never there by half. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "responder/actions/shared/evidence.h"
#include "runbook/file.h"
#include "tests/harness/unit.h"

#define INCIDENT "INC-2026-0001"

static char *directory;

static char *path_of(const char *name)
{
        char *path = text_format("%s/deep/" INCIDENT "/%s", directory, name);
        assert_non_null(path);
        return path;
}

static char *content(const char *name)
{
        _cleanup_free_ char *path = path_of(name);
        struct text text = {0};
        text_puts(&text, "");
        (void)file_read_whole(path, 1 << 20, &text, NULL);
        return text_take(&text);
}

static void place(const char *name, const char *data)
{
        _cleanup_free_ char *path = path_of(name);
        (void)unlink(path);
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        assert_true(fputs(data, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static unsigned mode_of(const char *name)
{
        _cleanup_free_ char *path = path_of(name);
        struct stat stat;
        assert_int_equal(lstat(path, &stat), 0);
        return stat.st_mode & 07777;
}

static struct evidence_file *begin(const char *name)
{
        _cleanup_free_ char *base = text_format("%s/deep", directory);
        struct evidence_file *file = NULL;
        assert_int_equal(evidence_create(base, INCIDENT, name, &file, NULL), 0);
        return file;
}

static int begin_fails(const char *incident, const char *name)
{
        _cleanup_free_ char *base = text_format("%s/deep", directory);
        _cleanup_error_ struct error error = {0};
        struct evidence_file *file = NULL;
        int r = evidence_create(base, incident, name, &file, &error);
        assert_true(r < 0);
        assert_null(file);
        assert_non_null(error.message);
        return r;
}

static void seal(const char *name, const char *data, char sum[static DIGEST_TEXT_MAX])
{
        struct evidence_file *file = begin(name);
        _cleanup_free_ char *path = NULL, *expected = path_of(name);
        uint64_t size = 0;
        assert_int_equal(evidence_write(file, data, strlen(data), NULL), 0);
        assert_int_equal(evidence_seal(file, sum, &path, &size, NULL), 0);
        assert_string_equal(path, expected);
        assert_int_equal(size, strlen(data));
}

static int find(const char *name, char sum[static DIGEST_TEXT_MAX])
{
        _cleanup_free_ char *base = text_format("%s/deep", directory), *path = NULL;
        uint64_t size = 0;
        return evidence_find(base, INCIDENT, name, sum, &path, &size, NULL);
}

static void test_is_hidden_until_it_is_sealed(void **state)
{
        (void)state;
        struct evidence_file *file = begin("web.log");
        _cleanup_free_ char *path = path_of("web.log");
        assert_int_equal(evidence_write(file, "one\n", 4, NULL), 0);
        assert_int_equal(evidence_write(file, "two\n", 4, NULL), 0);
        assert_int_equal(access(path, F_OK), -1);

        char sum[DIGEST_TEXT_MAX], again[DIGEST_TEXT_MAX];
        _cleanup_free_ char *sealed = NULL;
        uint64_t size = 0;
        assert_int_equal(evidence_seal(file, sum, &sealed, &size, NULL), 0);
        assert_int_equal(size, 8);
        /* printf 'one\ntwo\n' | sha256sum */
        assert_string_equal(sum, "c3f9c8c283a2b1f2f1896f27a01cbe3cddc0c9d93f752e4639035a0f5b36f6e8");
        assert_int_equal(mode_of("web.log"), 0400);
        assert_int_equal(mode_of("SHA256SUMS"), 0400);
        assert_int_equal(mode_of(""), 0700);

        _cleanup_free_ char *text = content("web.log"), *sums = content("SHA256SUMS");
        _cleanup_free_ char *line = text_format("%s  web.log\n", sum);
        assert_string_equal(text, "one\ntwo\n");
        assert_string_equal(sums, line);
        assert_int_equal(find("web.log", again), 0);
        assert_string_equal(again, sum);
}

static void test_is_sealed_once(void **state)
{
        (void)state;
        char sum[DIGEST_TEXT_MAX];
        seal("a.log", "a", sum);
        assert_int_equal(begin_fails(INCIDENT, "a.log"), -EEXIST);
        /* A longer name with the same end or beginning is another file. */
        seal("aa.log", "b", sum);
        seal("a.log2", "c", sum);
        _cleanup_free_ char *sums = content("SHA256SUMS");
        assert_non_null(strstr(sums, "  a.log\n"));
        assert_non_null(strstr(sums, "  aa.log\n"));
        assert_non_null(strstr(sums, "  a.log2\n"));
}

static void test_what_a_crash_left_is_written_again(void **state)
{
        (void)state;
        char sum[DIGEST_TEXT_MAX];
        seal("first.log", "first", sum);
        place(".second.log.partial", "half");
        place("second.log", "renamed, but not listed");
        _cleanup_free_ char *list = text_format("SHA256SUMS.%d.new", (int)getpid());
        place(list, "half a list");
        seal("second.log", "second", sum);
        _cleanup_free_ char *text = content("second.log"), *left = content(".second.log.partial");
        _cleanup_free_ char *half = content(list);
        assert_string_equal(text, "second");
        assert_string_equal(left, "");
        assert_string_equal(half, "");
        assert_int_equal(find("first.log", sum), 0);
        assert_int_equal(find("second.log", sum), 0);
}

static void test_a_change_shows(void **state)
{
        (void)state;
        char sum[DIGEST_TEXT_MAX];
        assert_int_equal(find("x.log", sum), -ENOENT);
        seal("x.log", "true", sum);
        place("x.log", "fals");
        assert_int_equal(find("x.log", sum), -EUCLEAN);
}

static void test_discards(void **state)
{
        (void)state;
        char sum[DIGEST_TEXT_MAX];
        seal("kept.log", "kept", sum);
        assert_null(evidence_discard(begin("gone.log")));
        assert_null(evidence_discard(NULL));
        _cleanup_free_ char *partial = path_of(".gone.log.partial"), *path = path_of("gone.log");
        assert_int_equal(access(partial, F_OK), -1);
        assert_int_equal(access(path, F_OK), -1);
}

static void test_names_stay_inside(void **state)
{
        (void)state;
        static const char *const names[] = {"",        ".",          "..",   "../x", "a/b",
                                            ".hidden", "SHA256SUMS", "a\nb", "a\\b"};
        for (size_t i = 0; i < N_ELEMENTS(names); i++) {
                assert_int_equal(begin_fails(INCIDENT, names[i]), -EINVAL);
                if (strcmp(names[i], "SHA256SUMS") != 0)
                        assert_int_equal(begin_fails(names[i], "x.log"), -EINVAL);
        }
}

static int set_up(void **state)
{
        (void)state;
        char pattern[] = "/tmp/runbook-evidence-XXXXXX";
        if (!mkdtemp(pattern))
                return -1;
        directory = strdup(pattern);
        return directory ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
        (void)stat, (void)type, (void)walk;
        return remove(path);
}

static int tear_down(void **state)
{
        (void)state;
        int r = nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        free(directory);
        return r;
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_is_hidden_until_it_is_sealed, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_is_sealed_once, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_what_a_crash_left_is_written_again, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_a_change_shows, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_discards, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_names_stay_inside, set_up, tear_down),
        };
        return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
