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

/* Whose evidence it is in these tests, and its bounds. */
static char base[64];
static const struct evidence_place usual = {.directory = base,
                                            .incident = INCIDENT,
                                            .opened_at = 7,
                                            .per_incident = 1000,
                                            .total = 100000,
                                            .keep_free = 0};

static struct evidence_file *begin(const char *name)
{
        struct evidence_file *file = NULL;
        assert_int_equal(evidence_create(&usual, name, &file, NULL), 0);
        return file;
}

static int begin_fails(const char *incident, const char *name)
{
        _cleanup_error_ struct error error = {0};
        struct evidence_file *file = NULL;
        struct evidence_place place = usual;
        place.incident = incident;
        int r = evidence_create(&place, name, &file, &error);
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
        _cleanup_free_ char *path = NULL;
        uint64_t size = 0;
        return evidence_find(&usual, name, sum, &path, &size, NULL);
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

/* Saves under a place of one's own; where it lies, or NULL with the errno. */
static char *save(const struct evidence_place *place, const char *name, const char *data, int *ret)
{
        struct evidence_file *file = NULL;
        _cleanup_error_ struct error error = {0};
        char sum[DIGEST_TEXT_MAX], *path = NULL;
        uint64_t size = 0;
        *ret = evidence_create(place, name, &file, &error);
        if (*ret >= 0)
                *ret = evidence_write(file, data, strlen(data), &error);
        if (*ret >= 0)
                *ret = evidence_seal(file, sum, &path, &size, &error);
        else
                evidence_discard(file);
        assert_true((*ret < 0) == (error.message != NULL));
        return path;
}

static ino_t inode_of(const char *path)
{
        struct stat stat;
        assert_int_equal(lstat(path, &stat), 0);
        return stat.st_ino;
}

/* Another journal begins to count anew: its first incident of the year is not ours, whatever it is called. */
static void test_belongs_to_one_journal(void **state)
{
        (void)state;
        int r = 0;
        char sum[DIGEST_TEXT_MAX];
        struct evidence_place other = usual;
        other.opened_at = 8;
        seal("web.log", "ours", sum);
        _cleanup_free_ char *found = NULL, *theirs = save(&other, "web.log", "theirs", &r);
        uint64_t size = 0;
        assert_non_null(theirs);
        assert_non_null(strstr(theirs, "/" INCIDENT ".8/web.log"));
        _cleanup_free_ char *text = content("web.log");
        assert_string_equal(text, "ours");
        assert_int_equal(evidence_find(&other, "web.log", sum, &found, &size, NULL), 0);
        assert_string_equal(found, theirs);

        /* Nor is what a version before has left, which does not say whose it is. */
        struct evidence_place next = usual;
        next.incident = "INC-2026-0002";
        _cleanup_free_ char *old = text_format("%s/INC-2026-0002/", base),
                            *log = text_format("%sweb.log", old);
        assert_int_equal(file_make_directories(log, NULL), 0);
        assert_int_equal(file_replace(log, "old", 3, 0400, NULL), 0);
        free(found);
        found = save(&next, "web.log", "new", &r);
        assert_non_null(found);
        assert_non_null(strstr(found, "/INC-2026-0002.7/web.log"));
}

static void test_bounds(void **state)
{
        (void)state;
        int r = 0;
        struct evidence_place place = usual;
        place.per_incident = 10;
        _cleanup_free_ char *one = save(&place, "a.log", "1234567", &r);
        assert_non_null(one);
        struct evidence_file *file = NULL;
        assert_int_equal(evidence_create(&place, "b.log", &file, NULL), 0);
        assert_int_equal(evidence_room(file), 3);
        assert_int_equal(evidence_write(file, "1234", 4, NULL), -EDQUOT);
        assert_int_equal(evidence_write(file, "123", 3, NULL), 0);
        assert_int_equal(evidence_room(file), 0);
        evidence_discard(file);

        assert_null(save(&place, "c.log", "1234", &r));
        assert_int_equal(r, -EDQUOT);
        place.incident = "INC-2026-0002"; /* has bounds of its own; but of all of them there is one */
        place.total = 10;
        assert_null(save(&place, "c.log", "1234", &r));
        assert_int_equal(r, -EDQUOT);
        place.total = 7;
        assert_null(save(&place, "c.log", "", &r));
        assert_int_equal(r, -EDQUOT);
        place.total = 1000;
        place.keep_free = INT64_MAX;
        assert_null(save(&place, "c.log", "", &r));
        assert_int_equal(r, -ENOSPC);
}

/* Forty keys leak at once, and the logs are the same. */
static void test_the_same_is_kept_once(void **state)
{
        (void)state;
        int r = 0;
        char number[32];
        struct evidence_place place = usual;
        place.total = 25;
        _cleanup_free_ char *first = save(&place, "web.log", "0123456789", &r);
        assert_non_null(first);
        for (int i = 2; i < 42; i++) {
                snprintf(number, sizeof(number), "INC-2026-%04d", i);
                place.incident = number;
                _cleanup_free_ char *next = save(&place, "web.log", "0123456789", &r);
                assert_non_null(next);
                assert_int_equal(inode_of(next), inode_of(first));
        }
        char sum[DIGEST_TEXT_MAX];
        _cleanup_free_ char *found = NULL;
        uint64_t size = 0;
        assert_int_equal(evidence_find(&place, "web.log", sum, &found, &size, NULL), 0);
        assert_int_equal(size, 10);
}

/* What is no longer what was sealed stands in for nothing. */
static void test_a_changed_one_is_not_taken_for_the_same(void **state)
{
        (void)state;
        int r = 0;
        char sum[DIGEST_TEXT_MAX];
        seal("web.log", "true", sum);
        place("web.log", "fals");
        struct evidence_place other = usual;
        other.incident = "INC-2026-0002";
        _cleanup_free_ char *path = save(&other, "web.log", "true", &r), *found = NULL;
        uint64_t size = 0;
        assert_non_null(path);
        assert_int_equal(evidence_find(&other, "web.log", sum, &found, &size, NULL), 0);
}

static int set_up(void **state)
{
        (void)state;
        char pattern[] = "/tmp/runbook-evidence-XXXXXX";
        if (!mkdtemp(pattern))
                return -1;
        directory = strdup(pattern);
        snprintf(base, sizeof(base), "%s/deep", pattern);
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
                cmocka_unit_test_setup_teardown(test_belongs_to_one_journal, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_bounds, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_the_same_is_kept_once, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_a_changed_one_is_not_taken_for_the_same, set_up,
                                                tear_down),
        };
        return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}
