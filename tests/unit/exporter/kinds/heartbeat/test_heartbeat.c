/* SPDX-License-Identifier: Apache-2.0 */
/* Kind heartbeat: what its mapping may say, when a job is late, and what is told of it. */
#include "tests/harness/kind.h"

#include <errno.h>
#include <string.h>

#include "exporter/kinds/heartbeat/expectation.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static void mistakes_are_told_with_their_place(void **state _unused_)
{
        assert_complaint("heartbeat", "{grace: 1h}", "one of period and cron is needed, and only one");
        assert_complaint("heartbeat", "{grace: 1h, period: 1d, cron: '@daily', timezone: UTC}",
                         "and only one");
        assert_complaint("heartbeat", "{period: 1d}", "grace");
        assert_complaint("heartbeat", "{period: 0s, grace: 1h}", "must be more than zero");
        assert_complaint("heartbeat", "{period: 1d, timezone: UTC, grace: 1h}",
                         ":1:54: a period has no timezone");
        assert_complaint("heartbeat", "{cron: '@daily', grace: 1h}", "a timezone is needed with it");
        assert_complaint("heartbeat", "{cron: '61 2 * * *', timezone: UTC, grace: 1h}",
                         ":1:38: \"61\" is no minute");
        assert_complaint("heartbeat", "{cron: '0 0 31 2 *', timezone: UTC, grace: 1h}",
                         "is on no calendar: it never comes");
        assert_complaint("heartbeat", "{cron: '@daily', timezone: Europe/Berln, grace: 1h}",
                         "did you mean \"Europe/Berlin\"?");
        assert_complaint("heartbeat", "{period: 1d, grace: 1h, token: secret}", "token");
}

static struct ping_record record_of(nsec success_wall, nsec success_steady)
{
        struct ping_record record = {0};
        for (size_t i = 0; i < PING_FACTS; i++)
                record.facts[i] = PING_UNKNOWN;
        record.facts[PING_FIRST] = record.facts[PING_SUCCEEDED] = success_wall;
        record.steady[PING_FIRST] = record.steady[PING_SUCCEEDED] = success_steady;
        return record;
}

static void a_period_is_late_by_the_time_that_passed(void **state _unused_)
{
        const struct schedule_of_job job = {.period = DAY, .grace = HOUR};
        nsec wall = 20000 * DAY, steady = 5 * DAY;
        const struct ping_record record = record_of(wall, steady);
        nsec patience = DAY + HOUR;
        assert_false(expectation_of(&job, &record, wall + patience, steady + patience).late);
        assert_true(expectation_of(&job, &record, wall + patience + 1, steady + patience + 1).late);
        assert_true(expectation_of(&job, &record, wall, steady).by == wall + patience);
        /* The wall clock jumps a year ahead, and back. */
        assert_false(expectation_of(&job, &record, wall + 365 * DAY, steady + HOUR).late);
        assert_true(expectation_of(&job, &record, wall - 365 * DAY, steady + patience + 1).late);
}

static void cron_is_late_by_the_wall_clock(void **state _unused_)
{
        struct schedule_of_job job = {.grace = 30 * MINUTE};
        nsec midnight = 20000 * DAY, due = midnight + 2 * HOUR + 15 * MINUTE;
        assert_int_equal(cron_parse("15 2 * * *", &job.cron, NULL), 0);
        assert_int_equal(zone_load("UTC", &job.zone, NULL), 0);
        struct ping_record record = record_of(due + 5 * MINUTE, 0);
        assert_true(expectation_of(&job, &record, 0, 0).by == due + DAY + job.grace);
        assert_false(expectation_of(&job, &record, due + DAY + job.grace, 0).late);
        assert_true(expectation_of(&job, &record, due + DAY + job.grace + 1, 0).late);
        /* The job's clock is a little ahead of this one: that was the success of today. */
        record = record_of(due - NSEC_PER_SEC, 0);
        assert_true(expectation_of(&job, &record, 0, 0).by == due + DAY + job.grace);
        zone_free(job.zone);
}

static void who_only_started_is_to_succeed_after_it_was_heard_of(void **state _unused_)
{
        const struct schedule_of_job job = {.period = DAY, .grace = HOUR};
        struct ping_record record = record_of(10 * DAY, 10 * DAY);
        record.facts[PING_SUCCEEDED] = PING_UNKNOWN;
        record.facts[PING_LAST] = 12 * DAY;
        assert_true(expectation_of(&job, &record, 0, 12 * DAY).late);
        assert_false(expectation_of(&job, &record, 0, 11 * DAY).late);
}

/* A page of the check after the pings of `say`, with the reason of a failure. */
static int page_after(const char *yaml, const struct ping *said, size_t count, char **ret_page,
                      struct error *error)
{
        _cleanup_(pings_free_p) struct pings *pings = pings_new(NULL, false);
        struct check_set *set = load_check("heartbeat", yaml, NULL);
        assert_int_equal(pings_attach(pings, set, NULL), 0);
        for (size_t i = 0; i < count; i++)
                ping_box_note(set->checks[0].pings, &said[i]);
        int r = run_check(set, NSEC_PER_SEC, ret_page, error);
        check_set_free(set);
        return r;
}

static void who_was_never_heard_of_is_not_late(void **state _unused_)
{
        _cleanup_free_ char *page = NULL;
        _cleanup_error_ struct error error = {0};
        assert_int_equal(page_after("{period: 1d, grace: 1h}", NULL, 0, &page, &error), -ENOENT);
        assert_true(error.not_set_up);
        assert_line(page, "runbook_heartbeat_pinged 0");
        assert_nowhere(page, "runbook_heartbeat_late");
        assert_nowhere(page, "timestamp");
}

static void what_a_job_said_is_told(void **state _unused_)
{
        nsec wall = clock_wall(), steady = clock_monotonic();
        const struct ping said[] = {{PING_START, -1, wall - 90 * NSEC_PER_SEC, steady - 90 * NSEC_PER_SEC},
                                    {PING_SUCCESS, 0, wall, steady}};
        _cleanup_free_ char *page = NULL;
        assert_int_equal(page_after("{period: 1d, grace: 1h}", said, 2, &page, NULL), 0);
        assert_line(page, "runbook_heartbeat_pinged 1");
        assert_line(page, "runbook_heartbeat_late 0");
        assert_line(page, "runbook_heartbeat_failed 0");
        assert_line(page, "runbook_heartbeat_running 0");
        assert_line(page, "runbook_heartbeat_duration_seconds 90");
        assert_line(page, "runbook_heartbeat_exit_code 0");
        assert_line(page, "runbook_heartbeat_pings_total{event=\"start\"} 1");
        assert_line(page, "runbook_heartbeat_pings_total{event=\"fail\"} 0");
        assert_nowhere(page, "last_failure");
}

static void a_failure_fails_until_the_next_success(void **state _unused_)
{
        nsec wall = clock_wall(), steady = clock_monotonic();
        const struct ping said[] = {{PING_FAILURE, 3, wall, steady},
                                    {PING_START, -1, wall, steady},
                                    {PING_SUCCESS, -1, wall, steady}};
        for (size_t count = 1; count <= 2; count++) {
                _cleanup_free_ char *page = NULL;
                _cleanup_error_ struct error error = {0};
                assert_int_equal(page_after("{period: 1d, grace: 1h}", said, count, &page, &error),
                                 -EREMOTEIO);
                assert_int_equal(error.meaning, ERROR_FAILED);
                assert_line(page, "runbook_heartbeat_failed 1");
                assert_line(page, "runbook_heartbeat_exit_code 3");
                assert_line(page, "runbook_heartbeat_late 0");
                assert_non_null(strstr(error_text(&error), "its last run failed with exit code 3, at 2"));
        }
        _cleanup_free_ char *page = NULL;
        assert_int_equal(page_after("{period: 1d, grace: 1h}", said, 3, &page, NULL), 0);
        assert_nowhere(page, "exit_code");
}

static void who_is_late_fails_with_when_it_was_expected(void **state _unused_)
{
        nsec wall = clock_wall(), steady = clock_monotonic();
        const struct ping said = {PING_SUCCESS, -1, wall - 2 * HOUR, steady - 2 * HOUR};
        _cleanup_free_ char *page = NULL;
        _cleanup_error_ struct error error = {0};
        assert_int_equal(page_after("{period: 1h, grace: 1m}", &said, 1, &page, &error), -ETIMEDOUT);
        assert_int_equal(error.meaning, ERROR_FAILED);
        assert_line(page, "runbook_heartbeat_late 1");
        assert_non_null(strstr(error_text(&error), "late: a success was expected by 2"));
}

static void where_no_pings_are_kept_nothing_is_said(void **state _unused_)
{
        struct check_set *set = load_check("heartbeat", "{period: 1h, grace: 1m}", NULL);
        _cleanup_free_ char *page = NULL;
        _cleanup_error_ struct error error = {0};
        assert_int_equal(run_check(set, NSEC_PER_SEC, &page, &error), -ENODATA);
        assert_int_equal(error.meaning, ERROR_NOT_LOOKED);
        assert_nowhere(page, "runbook_heartbeat_pinged 0");
        check_set_free(set);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(mistakes_are_told_with_their_place),
                cmocka_unit_test(a_period_is_late_by_the_time_that_passed),
                cmocka_unit_test(cron_is_late_by_the_wall_clock),
                cmocka_unit_test(who_only_started_is_to_succeed_after_it_was_heard_of),
                cmocka_unit_test(who_was_never_heard_of_is_not_late),
                cmocka_unit_test(what_a_job_said_is_told),
                cmocka_unit_test(a_failure_fails_until_the_next_success),
                cmocka_unit_test(who_is_late_fails_with_when_it_was_expected),
                cmocka_unit_test(where_no_pings_are_kept_nothing_is_said),
        };
        return cmocka_run_group_tests_name("heartbeat", tests, NULL, NULL);
}
