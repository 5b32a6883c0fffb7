/* SPDX-License-Identifier: Apache-2.0 */
/* What jobs say is kept over restarts, or told to be broken; never half of it. */
#include "tests/harness/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "exporter/pings/pings.h"
#include "runbook/file.h"
#include "runbook/state_file.h"

static char directory[] = "/tmp/runbook-test-pings-XXXXXX";
static char path[64];

/* The box of the check `backup`, of one store or of the next. */
static struct ping_box *open_box(bool reader, struct pings **ret)
{
        static struct check check;
        static const struct check_kind *heartbeat;
        for (size_t i = 0; check_kinds[i]; i++)
                if (strcmp(check_kinds[i]->name, "heartbeat") == 0)
                        heartbeat = check_kinds[i];
        check = (struct check){.name = (char *)"backup", .kind = heartbeat};
        struct check_set set = {.checks = &check, .count = 1};
        if (!*ret)
                *ret = pings_new(directory, reader);
        assert_int_equal(pings_attach(*ret, &set, NULL), 0);
        return check.pings;
}

static void say(struct ping_box *box, enum ping_event event, int exit_code, nsec wall, nsec steady)
{
        const struct ping ping = {event, exit_code, wall, steady};
        ping_box_note(box, &ping);
}

static struct ping_record look(struct ping_box *box)
{
        struct ping_record record;
        _cleanup_error_ struct error error = {0};
        if (ping_box_read(box, &record, &error) < 0)
                fail_msg("%s", error_text(&error));
        return record;
}

static int set_up(void **state _unused_)
{
        unlink(path);
        return 0;
}

static void nothing_is_known_of_who_was_never_heard_of(void **state _unused_)
{
        _cleanup_(pings_free_p) struct pings *pings = NULL;
        const struct ping_record record = look(open_box(false, &pings));
        assert_int_equal(record.facts[PING_FIRST], PING_UNKNOWN);
        assert_int_equal(record.facts[PING_SUCCEEDED], PING_UNKNOWN);
        assert_int_equal(record.facts[PING_EXIT_CODE], PING_UNKNOWN);
        assert_int_equal(record.facts[PING_SUCCESSES], 0);
}

static void a_run_has_a_duration_and_an_end(void **state _unused_)
{
        _cleanup_(pings_free_p) struct pings *pings = NULL;
        struct ping_box *box = open_box(false, &pings);
        say(box, PING_START, -1, 1000, 50);
        assert_int_equal(look(box).facts[PING_RUNNING], 1);
        say(box, PING_FAILURE, 3, 900, 80); /* the wall clock was set back meanwhile */
        struct ping_record record = look(box);
        assert_int_equal(record.facts[PING_DURATION], 30);
        assert_int_equal(record.facts[PING_EXIT_CODE], 3);
        assert_int_equal(record.facts[PING_RUNNING], 0);
        assert_int_equal(record.facts[PING_ENDED_BADLY], 1);
        assert_int_equal(record.facts[PING_SUCCEEDED], PING_UNKNOWN);
        say(box, PING_SUCCESS, -1, 2000, 100);
        record = look(box);
        assert_int_equal(record.facts[PING_DURATION], PING_UNKNOWN); /* no start was told */
        assert_int_equal(record.facts[PING_EXIT_CODE], PING_UNKNOWN);
        assert_int_equal(record.facts[PING_ENDED_BADLY], 0);
        assert_int_equal(record.facts[PING_FIRST], 1000);
        assert_int_equal(record.facts[PING_LAST], 2000);
        assert_int_equal(record.facts[PING_FAILED], 900);
        assert_int_equal(record.facts[PING_FAILURES], 1);
}

static void all_is_known_again_after_a_restart(void **state _unused_)
{
        struct pings *pings = NULL;
        struct ping_box *box = open_box(false, &pings);
        nsec hour = 3600 * NSEC_PER_SEC, wall = clock_wall(), steady = clock_monotonic();
        say(box, PING_START, -1, wall - 2 * hour, steady - 2 * hour);
        say(box, PING_SUCCESS, 0, wall - hour, steady - hour);
        assert_int_equal(ping_box_saved(box), 0);
        assert_int_equal(ping_box_save(box, NULL, NULL), 0);
        assert_int_equal(ping_box_saved(box), 2);
        const struct ping_record before = look(box);
        pings = pings_free(pings);

        const struct ping_record record = look(open_box(false, &pings));
        assert_memory_equal(before.facts, record.facts, sizeof(record.facts));
        nsec apart = record.steady[PING_SUCCEEDED] - before.steady[PING_SUCCEEDED];
        assert_true(apart > -60 * NSEC_PER_SEC && apart < 60 * NSEC_PER_SEC);
        pings_free(pings);
}

static void what_is_to_come_by_a_clock_set_back_was_now(void **state _unused_)
{
        struct pings *pings = NULL;
        struct ping_box *box = open_box(false, &pings);
        nsec before = clock_monotonic();
        say(box, PING_SUCCESS, 0, clock_wall() + 86400 * NSEC_PER_SEC, before);
        assert_int_equal(ping_box_save(box, NULL, NULL), 0);
        pings = pings_free(pings);
        const struct ping_record record = look(open_box(false, &pings));
        assert_true(record.steady[PING_SUCCEEDED] >= before &&
                    record.steady[PING_SUCCEEDED] <= clock_monotonic());
        pings_free(pings);
}

static void a_reload_keeps_what_was_said(void **state _unused_)
{
        _cleanup_(pings_free_p) struct pings *pings = NULL;
        struct ping_box *box = open_box(false, &pings);
        say(box, PING_SUCCESS, -1, 1000, 1000);
        assert_ptr_equal(open_box(false, &pings), box);
        assert_int_equal(look(box).facts[PING_SUCCESSES], 1);
}

static void assert_broken(void)
{
        _cleanup_(pings_free_p) struct pings *pings = NULL;
        struct ping_box *box = open_box(false, &pings);
        struct ping_record record;
        _cleanup_error_ struct error error = {0};
        assert_int_equal(ping_box_read(box, &record, &error), -EINVAL);
        assert_non_null(strstr(error_text(&error), "does not hold"));
}

/* Cut anywhere, or with another digit anywhere: what it says is not believed. */
static void a_broken_file_is_told_and_not_believed(void **state _unused_)
{
        struct pings *pings = NULL;
        struct ping_box *box = open_box(false, &pings);
        _cleanup_text_ struct text good = {0};
        say(box, PING_SUCCESS, 0, clock_wall(), clock_monotonic());
        assert_int_equal(ping_box_save(box, NULL, NULL), 0);
        pings = pings_free(pings);
        assert_int_equal(file_read_whole(path, 4096, &good, NULL), 0);
        for (size_t i = 0; i < good.length; i++) {
                _cleanup_free_ char *other = strdup(good.data);
                assert_int_equal(file_replace(path, good.data, i, 0600, NULL), 0);
                assert_broken();
                other[i] = other[i] == '7' ? '8' : '7';
                assert_int_equal(file_replace(path, other, good.length, 0600, NULL), 0);
                assert_broken();
        }
        assert_int_equal(file_replace(path, good.data, good.length, 0600, NULL), 0);
        look(open_box(false, &pings));
        pings_free(pings);
}

static void the_next_ping_takes_the_place_of_a_broken_file(void **state _unused_)
{
        struct pings *pings = NULL;
        assert_int_equal(file_replace(path, "rubbish", 7, 0600, NULL), 0);
        assert_broken();
        struct ping_box *box = open_box(false, &pings);
        say(box, PING_SUCCESS, 0, 1000, 1000);
        assert_int_equal(ping_box_save(box, NULL, NULL), 0);
        pings = pings_free(pings);
        assert_int_equal(look(open_box(false, &pings)).facts[PING_SUCCEEDED], 1000);
        pings_free(pings);
}

/* However many a file says that there were. */
static void what_cannot_be_counted_further_stays(void **state _unused_)
{
        _cleanup_(pings_free_p) struct pings *pings = NULL;
        _cleanup_text_ struct text lines = {0};
        text_puts(&lines,
                  "first 1\nlast 1\nstarted 1\nsucceeded 1\nfailed -1\nduration -1\nexit_code -1\nrunning 0\n"
                  "ended_badly 0\nstarts 0\nsuccesses 9223372036854775807\nfailures 0\n");
        state_file_put_sum(&lines);
        assert_int_equal(state_file_save(path, "runbook pings 1", &lines, NULL), 0);
        struct ping_box *box = open_box(false, &pings);
        say(box, PING_SUCCESS, 0, 1000, 1000);
        assert_int_equal(look(box).facts[PING_SUCCESSES], INT64_MAX);
}

static void a_reader_writes_nothing(void **state _unused_)
{
        _cleanup_(pings_free_p) struct pings *pings = NULL;
        struct ping_box *box = open_box(true, &pings);
        say(box, PING_SUCCESS, 0, 1000, 1000);
        assert_int_equal(ping_box_save(box, NULL, NULL), 0);
        assert_int_equal(access(path, F_OK), -1);
}

static void what_cannot_be_written_is_written_later(void **state _unused_)
{
        _cleanup_(pings_free_p) struct pings *pings = NULL;
        struct ping_box *box = open_box(false, &pings);
        say(box, PING_SUCCESS, 0, 1000, 1000);
        assert_int_equal(mkdir(path, 0700), 0);
        assert_true(ping_box_save(box, NULL, NULL) < 0);
        assert_int_equal(ping_box_saved(box), 0);
        assert_int_equal(rmdir(path), 0);
        assert_int_equal(ping_box_save(box, NULL, NULL), 0);
        assert_int_equal(ping_box_saved(box), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(nothing_is_known_of_who_was_never_heard_of, set_up),
                cmocka_unit_test_setup(a_run_has_a_duration_and_an_end, set_up),
                cmocka_unit_test_setup(all_is_known_again_after_a_restart, set_up),
                cmocka_unit_test_setup(what_is_to_come_by_a_clock_set_back_was_now, set_up),
                cmocka_unit_test_setup(a_reload_keeps_what_was_said, set_up),
                cmocka_unit_test_setup(a_broken_file_is_told_and_not_believed, set_up),
                cmocka_unit_test_setup(the_next_ping_takes_the_place_of_a_broken_file, set_up),
                cmocka_unit_test_setup(what_cannot_be_counted_further_stays, set_up),
                cmocka_unit_test_setup(a_reader_writes_nothing, set_up),
                cmocka_unit_test_setup(what_cannot_be_written_is_written_later, set_up),
        };
        assert_non_null(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/heartbeat-backup", directory);
        int failed = cmocka_run_group_tests_name("pings", tests, NULL, NULL);
        unlink(path);
        rmdir(directory);
        return failed;
}
