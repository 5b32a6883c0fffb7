/* SPDX-License-Identifier: Apache-2.0 */
/* What init proposes: names and texts from what strangers are called, and places that are none. */
#include "exporter/commands/init/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/harness/unit.h"

static const struct check_row row = {"Topic", "$(name)", "Of $(name)", "http: {url: \"$(url)\"}\n",
                                     NEEDS_ANSWER};

static void what_a_stranger_is_called_stays_a_value(void **state _unused_)
{
        struct proposals found = {0};
        struct search search = {.found = &found};
        _cleanup_text_ struct text text = {0};
        init_propose(&search, &row, VALUES({"name", "Api-1\"\n  exec: {"}, {"url", "x\"}\nfail: $(name)"}),
                     "%s", "it said\n- name: other\r\033[31m");
        init_propose(&search, &row, VALUES({"name", "API-1_\n  EXEC: {"}, {"url", "y"}), "again");
        assert_int_equal(search.result, 0);
        assert_int_equal(found.count, 2);
        assert_string_equal(found.items[0].name, "api_1____exec___");
        assert_string_equal(found.items[1].name, "api_1____exec____2");
        assert_string_equal(found.items[0].body, "title: \"Of Api-1\\\"\\n  exec: {\"\n"
                                                 "http: {url: \"x\\\"}\\nfail: $(name)\"}\n");
        init_put_checks(&found, &text);
        assert_non_null(strstr(text_string(&text), "\n  # it said - name: other  [31m\n  - name: api_1"));
        proposals_release(&found);
}

static void what_was_dropped_is_not_written(void **state _unused_)
{
        struct proposals found = {0};
        struct search search = {.found = &found};
        _cleanup_text_ struct text text = {0};
        init_propose(&search, &row, VALUES({"name", "a"}, {"url", "x"}), "first");
        init_propose(&search, &row, VALUES({"name", "b"}, {"url", "y"}), "second");
        found.items[0].dropped = true;
        init_put_checks(&found, &text);
        assert_null(strstr(text_string(&text), "name: a\n"));
        assert_non_null(strstr(text_string(&text), "  # second\n  - name: b\n    title: \"Of b\"\n"));
        proposals_release(&found);
}

static void a_place_is_one_of_what_is_known(void **state _unused_)
{
        static const char *const wrong[] = {"localhost", "http://user:secret@localhost/"};
        for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
                struct flag_strings places = {.items = {wrong[i]}, .count = 1};
                struct proposals found = {0};
                _cleanup_error_ struct error error = {0};
                assert_int_equal(init_look(&places, &found, &error), -EINVAL);
                assert_null(strstr(error_text(&error), "secret"));
                assert_int_equal(found.count, 0);
        }
}

static void make(const char *directory, const char *name, const char *content)
{
        _cleanup_free_ char *path = text_format("%s/%s", directory, name);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
}

static const char *body_of(const struct proposals *found, const char *name)
{
        for (size_t i = 0; i < found->count; i++)
                if (string_equal(found->items[i].name, name))
                        return found->items[i].body;
        return NULL;
}

static void backups_are_told_by_how_they_begin(void **state _unused_)
{
        char directory[] = "/tmp/runbook-init-XXXXXX";
        struct proposals found = {0};
        struct search search = {.found = &found};
        assert_non_null(mkdtemp(directory));
        make(directory, "mcp_20261127.dump", "PGDMP\1\16");
        make(directory, "mcp_20261126.dump", "PGDMP\1\16");
        make(directory, "versions.txt", "1.0\n");
        make(directory, "service.log", "started\n");
        look_also(&search, PLACE_DIRECTORY, directory, "--look");
        find_directories(&search);
        assert_int_equal(search.result, 0);
        assert_non_null(
                strstr(body_of(&found, "backup_mcp"), "pattern: \"mcp_*.dump\"\n  format: postgres\n"));
        assert_non_null(strstr(body_of(&found, "backup_versions"), "format: any\n  max_age: 24h\n"));
        assert_non_null(strstr(body_of(&found, "log_files"), "pattern: \"*.log\""));
        assert_int_equal(found.count, 3);
        proposals_release(&found);
        free(search.made[0]);
}

static void files_that_are_no_backups_are_not_told_as_such(void **state _unused_)
{
        char directory[] = "/tmp/runbook-init-XXXXXX";
        struct proposals found = {0};
        struct search search = {.found = &found};
        const struct timespec long_ago[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
        assert_non_null(mkdtemp(directory));
        make(directory, "notes.txt", "PG\n");
        look_also(&search, PLACE_DIRECTORY, directory, "--look");
        find_directories(&search);
        assert_int_equal(found.count, 0);
        make(directory, "old.dump", "PGDMP\1\16");
        _cleanup_free_ char *old = text_format("%s/old.dump", directory);
        assert_int_equal(utimensat(AT_FDCWD, old, long_ago, 0), 0);
        unlink("notes.txt");
        find_directories(&search);
        assert_null(body_of(&found, "backup_old"));
        assert_non_null(strstr(text_string(&found.told), "old.dump: the newest is "));
        proposals_release(&found);
        free(search.made[0]);
}

static void a_password_in_an_address_is_left_out(void **state _unused_)
{
        static const char *const given[] = {
                "postgres://app:hunter2@db.internal:5433/shop?sslmode=require",
                "host=db.internal port=5433 dbname=shop user=app password=hunter2"};
        for (size_t i = 0; i < N_ELEMENTS(given); i++) {
                struct proposals found = {0};
                struct search search = {.found = &found};
                look_also(&search, PLACE_POSTGRES, given[i], "DATABASE_URL");
                find_postgres(&search);
                const char *body = body_of(&found, "postgres");
                assert_non_null(body);
                assert_non_null(strstr(body, "host='db.internal' port='5433'"));
                assert_non_null(strstr(body, "password_file: "));
                assert_null(strstr(body, "hunter2"));
                assert_null(strstr(found.items[0].why, "hunter2"));
                assert_int_equal(found.items[0].needs, NEEDS_NOTHING);
                proposals_release(&found);
                free(search.made[0]);
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_in_an_address_is_left_out),
        cmocka_unit_test(what_a_stranger_is_called_stays_a_value),
        cmocka_unit_test(what_was_dropped_is_not_written),
        cmocka_unit_test(a_place_is_one_of_what_is_known),
        cmocka_unit_test(backups_are_told_by_how_they_begin),
        cmocka_unit_test(files_that_are_no_backups_are_not_told_as_such),
};

int main(void)
{
        return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
