/* SPDX-License-Identifier: Apache-2.0 */
/* The history of checks: over restarts, bounded, and never greener than what was measured. */
#include "tests/harness/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "exporter/history/internal.h"
#include "runbook/file.h"
#include "runbook/mask.h"
#include "tests/harness/files.h"

#define DAY (24 * 3600 * NSEC_PER_SEC)
static const nsec NOON = 1795824000 * NSEC_PER_SEC; /* 2026-11-28, 12:00 where TZ says UTC */

static int make_place(void **state)
{
        char *directory = strdup("/tmp/runbook-test-history-XXXXXX");
        *state = directory;
        return directory && mkdtemp(directory) ? 0 : -1;
}

static int remove_place(void **state)
{
        remove_directory(*state);
        free(*state);
        return 0;
}

static struct history *history_in(const char *directory, struct check_set *set, int expected)
{
        _cleanup_error_ struct error error = {0};
        struct history *history = NULL;
        assert_int_equal(history_new(directory, &history, &error), expected);
        assert_int_equal(expected != 0, error.message != NULL);
        assert_int_equal(history_attach(history, set, NULL), 0);
        return history;
}

static void note(struct check *check, int code, const char *reason, nsec wall)
{
        struct check_result result = {
                .code = code, .reason = (char *)reason, .references = 1, .meaning = ERROR_FAILED};
        const struct check_state state = {.check = check, .result = &result, .success = code >= 0};
        history_note(check->history, &state, wall);
}

static struct history_view view_of(const struct check *check, nsec now)
{
        struct history_view view;
        history_box_view(check->history, now, &view);
        return view;
}

static char *path_in(const char *directory, const char *name)
{
        return text_format("%s/%s", directory, name);
}

static void a_failure_is_known_after_it_passes_and_after_a_restart(void **state)
{
        const char *directory = *state;
        struct check checks[] = {{.name = (char *)"redis", .kind = check_kinds[0]},
                                 {.name = (char *)"disk", .kind = check_kinds[0]}};
        struct check_set set = {.checks = checks, .count = 2};
        struct history *history = history_in(directory, &set, 0);
        note(&checks[0], 0, NULL, NOON - 3 * DAY);
        note(&checks[0], -1, "refused", NOON - 2 * DAY);
        note(&checks[0], -1, "refused\nby\tall", NOON - 2 * DAY + NSEC_PER_SEC);
        note(&checks[0], 0, NULL, NOON - 2 * DAY + 2 * NSEC_PER_SEC);
        note(&checks[0], 0, NULL, NOON);
        assert_int_equal(history_save(history, true, NULL, NULL), 0);
        history_free(history);

        history = history_in(directory, &set, 0);
        struct history_view view = view_of(&checks[0], NOON);
        assert_int_equal(view.days[HISTORY_DAYS - 1], STANDING_PASS);
        assert_int_equal(view.days[HISTORY_DAYS - 2], HISTORY_NOT_MEASURED);
        assert_int_equal(view.days[HISTORY_DAYS - 3], STANDING_FAIL); /* it passed later on that day */
        assert_int_equal(view.days[HISTORY_DAYS - 4], STANDING_PASS);
        assert_int_equal(view.days[0], HISTORY_NOT_MEASURED);
        assert_int_equal(view.trouble, STANDING_FAIL);
        assert_int_equal(view.since, NOON - 2 * DAY);
        assert_int_equal(view.last, NOON - 2 * DAY + NSEC_PER_SEC);
        assert_false(view.goes_on);
        assert_string_equal(view.reason, "refused by all");
        /* Days go by while nobody measures. */
        view = view_of(&checks[0], NOON + 5 * DAY);
        assert_int_equal(view.days[HISTORY_DAYS - 1], HISTORY_NOT_MEASURED);
        assert_int_equal(view.days[HISTORY_DAYS - 6], STANDING_PASS);
        view = view_of(&checks[0], NOON + 200 * DAY);
        for (size_t i = 0; i < HISTORY_DAYS; i++)
                assert_int_equal(view.days[i], HISTORY_NOT_MEASURED);
        assert_int_equal(view.last, NOON - 2 * DAY + NSEC_PER_SEC);
        /* Of a check that never ran nothing is known. */
        view = view_of(&checks[1], NOON);
        assert_int_equal(view.last, 0);
        assert_int_equal(view.days[HISTORY_DAYS - 1], HISTORY_NOT_MEASURED);
        history_free(history);
}

static void what_is_no_clock_is_not_noted_and_an_earlier_one_forgets_what_is_to_come(void **state _unused_)
{
        struct check check = {.name = (char *)"redis", .kind = check_kinds[0]};
        struct check_set set = {.checks = &check, .count = 1};
        struct history *history = history_in(NULL, &set, 0);
        note(&check, -1, "refused", 3600 * NSEC_PER_SEC); /* 1970: nobody has set it yet */
        assert_int_equal(view_of(&check, NOON).last, 0);
        note(&check, 0, NULL, NOON);
        note(&check, 0, NULL, NOON + 3 * DAY);
        note(&check, -1, "refused", NOON + DAY);
        struct history_view view = view_of(&check, NOON + DAY);
        assert_int_equal(view.days[HISTORY_DAYS - 1], STANDING_FAIL);
        assert_int_equal(view.days[HISTORY_DAYS - 2], STANDING_PASS);
        assert_int_equal(view_of(&check, NOON + 3 * DAY).days[HISTORY_DAYS - 1], HISTORY_NOT_MEASURED);
        history_free(history);
}

static void secrets_are_not_written(void **state)
{
        const char *directory = *state;
        struct check check = {.name = (char *)"redis", .kind = check_kinds[0]};
        struct check_set set = {.checks = &check, .count = 1};
        _cleanup_free_ char *path = path_in(directory, "history");
        _cleanup_text_ struct text content = {0};
        mask_learn("correct-horse-battery", strlen("correct-horse-battery"));
        struct history *history = history_in(directory, &set, 0);
        note(&check, -1, "wrong password correct-horse-battery", NOON);
        assert_int_equal(history_save(history, true, NULL, NULL), 0);
        assert_int_equal(file_read_whole(path, HISTORY_FILE_MAX, &content, NULL), 0);
        assert_non_null(strstr(content.data, "wrong password ..."));
        assert_null(strstr(content.data, "horse"));
        history_free(history);
}

/* Whatever is done to the file: nothing of it is believed, it is kept aside, and the next one is whole. */
static void a_broken_file_is_set_aside(void **state)
{
        const char *directory = *state;
        struct check check = {.name = (char *)"redis", .kind = check_kinds[0]};
        struct check_set set = {.checks = &check, .count = 1};
        _cleanup_free_ char *path = path_in(directory, "history"),
                            *aside = path_in(directory, "history.broken");
        struct history *history = history_in(directory, &set, 0);
        note(&check, -1, "refused", clock_wall());
        assert_int_equal(history_save(history, true, NULL, NULL), 0);
        history_free(history);
        _cleanup_text_ struct text whole = {0};
        assert_int_equal(file_read_whole(path, HISTORY_FILE_MAX, &whole, NULL), 0);
        for (size_t i = 0; i < whole.length; i++) {
                _cleanup_text_ struct text changed = {0};
                struct stat found;
                text_append(&changed, whole.data, whole.length);
                changed.data[i] ^= 1;
                /* Changed, and cut off. */
                for (int cut = 0; cut < 2; cut++) {
                        assert_int_equal(file_replace(path, cut ? whole.data : changed.data,
                                                      cut ? i : changed.length, 0600, NULL),
                                         0);
                        history = history_in(directory, &set, 1);
                        assert_int_equal(view_of(&check, clock_wall()).last, 0);
                        assert_int_equal(stat(aside, &found), 0);
                        assert_int_equal(access(path, F_OK), -1);
                        history_free(history);
                }
        }
        /* A directory in its place, too. */
        assert_int_equal(mkdir(path, 0700), 0);
        assert_int_equal(unlink(aside), 0);
        history = history_in(directory, &set, 1);
        note(&check, -1, "refused", clock_wall());
        assert_int_equal(history_save(history, true, NULL, NULL), 0);
        history_free(history);
        history_free(history_in(directory, &set, 0));
        assert_int_equal(rmdir(aside), 0);
}

/* What is no UTF-8 is longer when it is put: it is known again all the same. */
static void what_is_read_can_be_read_again_when_it_is_written(void **state _unused_)
{
        _cleanup_text_ struct text line = {0}, again = {0};
        struct history_record record;
        const char *name;
        text_puts(&line, "redis 20785 90p f+ 1 2 ");
        for (size_t i = 0; i < 100; i++)
                text_putc(&line, '\xed');
        assert_true(history_record_parse(line.data, &name, &record));
        history_record_put(&again, name, &record);
        again.data[again.length - 1] = '\0';
        assert_true(history_record_parse(again.data, &name, &record));
        assert_int_equal(record.view.last, 2);
}

static void no_line_that_is_none_is_taken(void **state _unused_)
{
        static const char *const lines[] = {
                "",
                "redis",
                "redis 20785",
                "redis 20785 89p",
                "redis 20785 91p",
                "redis 20785 90x",
                "redis 20785 0p90p",
                "redis 20785 -1p91p",
                "redis -5 90p",
                "redis x 90p",
                "redis 20785 90p p 1 2 reason",
                "redis 20785 90p f 1 2",
                "redis 20785 90p f- 1 2 reason",
                "redis 20785 90p f 1 0 reason",
                "redis 20785 18446744073709551615p",
        };
        for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
                char line[128];
                struct history_record record;
                const char *name;
                snprintf(line, sizeof(line), "%s", lines[i]);
                if (history_record_parse(line, &name, &record))
                        fail_msg("taken: %s", lines[i]);
        }
        char line[] = "redis 20785 77p12.1f f+ 1 2 the reason";
        struct history_record record;
        const char *name;
        _cleanup_text_ struct text again = {0};
        assert_true(history_record_parse(line, &name, &record));
        history_record_put(&again, name, &record);
        assert_string_equal(again.data, "redis 20785 77p12.1f f+ 1 2 the reason\n");
}

static void the_file_has_its_bound_and_what_is_gone_goes_first(void **state)
{
        enum { CHECKS = 900 };
        const char *directory = *state;
        struct check *checks = calloc(CHECKS, sizeof(*checks));
        struct check_set set = {.checks = checks, .count = CHECKS},
                         few = {.checks = checks + CHECKS - 1, .count = 1};
        char reason[400];
        _cleanup_error_ struct error error = {0};
        _cleanup_free_ char *path = path_in(directory, "history");
        struct stat found;
        bool news;
        memset(reason, 'x', sizeof(reason) - 1);
        reason[sizeof(reason) - 1] = '\0';
        for (size_t i = 0; i < CHECKS; i++) {
                checks[i].name = text_format("check_%zu", i);
                checks[i].kind = check_kinds[0];
        }
        struct history *history = history_in(directory, &set, 0);
        for (size_t i = 0; i < CHECKS; i++)
                note(&checks[i], -1, reason, clock_wall());
        assert_int_equal(history_save(history, true, &news, &error), -E2BIG);
        assert_true(news);
        assert_int_equal(stat(path, &found), 0);
        assert_true(found.st_size <= HISTORY_FILE_MAX && found.st_size > HISTORY_FILE_MAX / 2);
        /* What was not written is said once; checks that there are no longer make room for the one that is.
         */
        note(&checks[0], -1, "another", clock_wall());
        assert_int_equal(history_save(history, true, &news, NULL), -E2BIG);
        assert_false(news);
        assert_int_equal(history_attach(history, &few, NULL), 0);
        note(&checks[CHECKS - 1], 0, NULL, clock_wall());
        assert_int_equal(history_save(history, true, &news, NULL), 0);
        assert_true(news);
        history_free(history);
        history = history_in(directory, &few, 0);
        assert_int_equal(view_of(&checks[CHECKS - 1], clock_wall()).trouble, STANDING_FAIL);
        history_free(history);
        for (size_t i = 0; i < CHECKS; i++)
                free(checks[i].name);
        free(checks);
}

/* What is no worse than before is not worth a write each time; what is, is. */
static void a_new_failure_is_written_at_once(void **state)
{
        const char *directory = *state;
        struct check check = {.name = (char *)"redis", .kind = check_kinds[0]};
        struct check_set set = {.checks = &check, .count = 1};
        _cleanup_free_ char *path = path_in(directory, "history");
        struct history *history = history_in(directory, &set, 0);
        note(&check, 0, NULL, clock_wall());
        assert_int_equal(history_box_save(check.history, NULL, NULL), 0);
        assert_int_equal(unlink(path), 0);
        note(&check, 0, NULL, clock_wall());
        assert_int_equal(history_box_save(check.history, NULL, NULL), 0);
        assert_int_equal(access(path, F_OK), -1);
        note(&check, -1, "refused", clock_wall());
        assert_int_equal(history_box_save(check.history, NULL, NULL), 0);
        assert_int_equal(access(path, F_OK), 0);
        assert_int_equal(unlink(path), 0);
        note(&check, -1, "refused", clock_wall());
        assert_int_equal(history_box_save(check.history, NULL, NULL), 0);
        assert_int_equal(access(path, F_OK), -1);
        note(&check, -1, "timed out", clock_wall());
        assert_int_equal(history_box_save(check.history, NULL, NULL), 0);
        assert_int_equal(access(path, F_OK), 0);
        history_free(history);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_failure_is_known_after_it_passes_and_after_a_restart,
                                                make_place, remove_place),
                cmocka_unit_test(what_is_no_clock_is_not_noted_and_an_earlier_one_forgets_what_is_to_come),
                cmocka_unit_test_setup_teardown(secrets_are_not_written, make_place, remove_place),
                cmocka_unit_test_setup_teardown(a_broken_file_is_set_aside, make_place, remove_place),
                cmocka_unit_test(what_is_read_can_be_read_again_when_it_is_written),
                cmocka_unit_test(no_line_that_is_none_is_taken),
                cmocka_unit_test_setup_teardown(the_file_has_its_bound_and_what_is_gone_goes_first,
                                                make_place, remove_place),
                cmocka_unit_test_setup_teardown(a_new_failure_is_written_at_once, make_place, remove_place),
        };
        setenv("TZ", "UTC", 1);
        return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
