/* SPDX-License-Identifier: Apache-2.0 */
/* The journal as engine and API see it: episodes, incidents, entries, guards' questions. */
#include "tests/harness/journal.h"

/* --- Episodes. --- */

static void test_one_episode_until_resolved(void **state)
{
        struct room *room = *state;
        accept_alerts(room, "f1 f2");
        assert_int_equal(unmatched_count(room), 2);
        /* The group is sent again, whole, as often as it likes; also twice in one body. */
        for (int i = 0; i < 5; i++)
                accept_alerts(room, "f1 f2 f1");
        assert_int_equal(unmatched_count(room), 2);

        open_incidents(room, 1);
        assert_int_equal(unmatched_count(room), 1);
        accept_alerts(room, "f1 f2");
        assert_int_equal(unmatched_count(room), 1);
        assert_int_equal(active_count(room), 1);

        /* Resolved, and told so again, and then it fires anew: a new episode. */
        accept_alerts(room, "-f1");
        accept_alerts(room, "-f1 -f3");
        assert_int_equal(unmatched_count(room), 1);
        struct incident incident = only_active(room);
        assert_false(incident.episode_open);
        incident_release(&incident);
        accept_alerts(room, "f1@1767229200");
        assert_int_equal(unmatched_count(room), 2);
        assert_int_equal(sql_number(room, "SELECT count(*) FROM episodes WHERE fingerprint = 'f1'"), 2);

        /* What never was matched before it ended needs no remediation. */
        accept_alerts(room, "-f2");
        assert_int_equal(unmatched_count(room), 1);
}

static void test_both_in_one_body(void **state)
{
        struct room *room = *state;
        accept_alerts(room, "f1 -f1");
        assert_int_equal(unmatched_count(room), 0);
        accept_alerts(room, "f1");
        open_incidents(room, 1);
        accept_alerts(room, "-f1 f1@1767229200");
        assert_int_equal(unmatched_count(room), 1);
        struct incident incident = only_active(room);
        assert_false(incident.episode_open);
        incident_release(&incident);
        assert_int_equal(sql_number(room, "SELECT count(*) FROM episodes WHERE closed_at IS NULL"), 1);
}

/* Another Alertmanager of the pair tells late that an older episode has ended. */
static void test_late_news_do_not_close(void **state)
{
        struct room *room = *state;
        accept_alerts(room, "f1@1767225600");
        accept_alerts(room, "-f1@1767226000");
        accept_alerts(room, "f1@1767227000");
        accept_alerts(room, "-f1@1767226000");
        assert_int_equal(sql_number(room, "SELECT count(*) FROM episodes WHERE closed_at IS NULL"), 1);
        accept_alerts(room, "-f1@1767227001");
        assert_int_equal(sql_number(room, "SELECT count(*) FROM episodes WHERE closed_at IS NULL"), 0);
}

static void test_begin_moves_earlier_only(void **state)
{
        struct room *room = *state;
        accept_alerts(room, "f1@1767225600");
        open_incidents(room, 1);
        accept_alerts(room, "f1@1767225000");
        accept_alerts(room, "f1@1767229999");
        struct incident incident = only_active(room);
        assert_true(incident.alert.starts_at == 1767225000 * NSEC_PER_SEC);
        assert_string_equal(incident.alert.fingerprint, "f1");
        assert_string_equal(alert_label(&incident.alert, "of"), "f1");
        incident_release(&incident);
}

static void test_unmatched_are_oldest_first(void **state)
{
        struct room *room = *state;
        accept_alerts(room, "f3");
        accept_alerts(room, "f1 f2");
        struct episode_list list = {0};
        assert_int_equal(journal_unmatched(room->journal, 2, &list, NULL), 0);
        assert_int_equal(list.count, 2);
        assert_string_equal(list.items[0].alert.fingerprint, "f3");
        assert_string_equal(list.items[1].alert.fingerprint, "f1");
        assert_true(list.items[0].alert.firing && list.items[0].opened_at > 0);
        episode_list_release(&list);
}

static void test_passed_over(void **state)
{
        struct room *room = *state;
        _cleanup_error_ struct error error = {0};
        accept_alerts(room, "f1 f2 f3");
        assert_int_equal(journal_pass_over(room->journal, (const int64_t[]){1, 3}, 2, NULL), 0);
        assert_int_equal(journal_pass_over(room->journal, NULL, 0, NULL), 0);
        struct episode_list list = {0};
        assert_int_equal(journal_unmatched(room->journal, 10, &list, NULL), 0);
        assert_int_equal(list.count, 1);
        assert_string_equal(list.items[0].alert.fingerprint, "f2");
        episode_list_release(&list);
        /* It is one commit, so it is all of them or none. */
        assert_int_equal(journal_pass_over(room->journal, (const int64_t[]){2, 9}, 2, &error), -ENOENT);
        assert_string_equal(error_text(&error), "there is no such episode");
        assert_int_equal(unmatched_count(room), 1);
}

static void test_silent_episodes(void **state)
{
        struct room *room = *state;
        struct episode_list list = {0};
        accept_alerts(room, "f1 f2 f3");
        accept_alerts(room, "-f3");
        sql(room, "UPDATE episodes SET last_seen_at = 1000 WHERE fingerprint <> 'f2'");
        assert_int_equal(journal_silent(room->journal, 1000, 10, &list, NULL), 0);
        assert_int_equal(list.count, 0);
        assert_int_equal(journal_silent(room->journal, 1001, 10, &list, NULL), 0);
        assert_int_equal(list.count, 1);
        assert_string_equal(list.items[0].alert.fingerprint, "f1");

        /* Alertmanager no longer has it: closed, and the timeline of its incident tells by whom. */
        int64_t episode = open_incidents(room, 1);
        assert_true(episode == list.items[0].id);
        episode_list_release(&list);
        assert_int_equal(journal_close_episode(room->journal, episode, "alertmanager", NULL), 0);
        assert_int_equal(journal_close_episode(room->journal, episode, "alertmanager", NULL), 0);
        _cleanup_json_ cJSON *timeline = NULL;
        assert_int_equal(journal_timeline(room->journal, 1, &timeline, NULL), 0);
        assert_int_equal(cJSON_GetArraySize(timeline), 2);
        const cJSON *row = cJSON_GetArrayItem(timeline, 1);
        assert_string_equal(json_string(row, "event"), "alert resolved");
        assert_string_equal(json_string(row, "actor"), "alertmanager");
        /* It fires again: Alertmanager was wrong, or it is a new one; either way a new episode. */
        accept_alerts(room, "f1");
        assert_int_equal(sql_number(room, "SELECT count(*) FROM episodes WHERE fingerprint = 'f1'"), 2);
}

/* --- Incidents. --- */

static void test_incidents_of_an_episode(void **state)
{
        struct room *room = *state;
        _cleanup_error_ struct error error = {0};
        accept_alerts(room, "f1");
        int64_t episode = open_incidents(room, 1);
        struct incident incident = only_active(room);
        char now[TIME_TEXT_MAX];
        _cleanup_free_ char *number = text_format("INC-%.4s-0001", time_format(clock_wall(), now));
        assert_string_equal(incident.number, number);
        assert_string_equal(incident.remediation, "restart");
        assert_true(incident.episode == episode && incident.episode_open);
        assert_int_equal(incident.state, INCIDENT_RECEIVED);
        assert_string_equal(incident.lock, "");
        assert_true(incident.opened_at > 0 && incident.running_at == 0 && incident.ended_at == 0);
        assert_int_equal(incident.step_count, 2);
        assert_string_equal(incident.steps[1].action, "notify");
        assert_int_equal(incident.steps[1].position, 2);
        assert_int_equal(incident.steps[1].status, STEP_WAITING);
        incident_release(&incident);

        /* The same openings again, with one more, which alone is new. */
        static const char *const steps[] = {"notify"};
        const struct journal_opening openings[] = {
                {"restart", steps, 1}, {"notify", steps, 1}, {"notify", steps, 1}};
        assert_int_equal(journal_open_incidents(room->journal, episode, openings, 3, NULL), 0);
        struct incident_list list = {0};
        assert_int_equal(journal_active(room->journal, &list, NULL), 0);
        assert_int_equal(list.count, 2);
        assert_int_equal(list.items[0].step_count, 2);
        assert_string_equal(list.items[1].remediation, "notify");
        assert_string_equal(list.items[1].number + 9, "0002");
        incident_list_release(&list);

        assert_int_equal(journal_open_incidents(room->journal, 77, openings, 1, &error), -ENOENT);
        assert_string_equal(error_text(&error), "there is no such episode");
        assert_int_equal(active_count(room), 2);
        assert_int_equal(journal_open_incidents(room->journal, episode, NULL, 0, NULL), 0);
}

/* Counted from 1 in each year, with more digits when four are not enough. */
static void test_numbers_by_year(void **state)
{
        struct room *room = *state;
        char now[TIME_TEXT_MAX];
        time_format(clock_wall(), now);
        _cleanup_free_ char *statement = text_format(
                "INSERT INTO meta VALUES ('incidents of 1999', 41), ('incidents of %.4s', 9999)", now);
        sql(room, statement);
        accept_alerts(room, "f1");
        open_incidents(room, 1);
        struct incident incident = only_active(room);
        _cleanup_free_ char *number = text_format("INC-%.4s-10000", now);
        assert_string_equal(incident.number, number);
        incident_release(&incident);
        assert_int_equal(sql_number(room, "SELECT value FROM meta WHERE key = 'incidents of 1999'"), 41);
}

static void test_entries_change_what_they_say(void **state)
{
        struct room *room = *state;
        accept_alerts(room, "f1");
        open_incidents(room, 1);
        WRITE(room, .state = INCIDENT_HELD, .guard = "cooldown", .guard_until = 5000000000,
              .lock = "service/x");
        struct incident incident = only_active(room);
        assert_int_equal(incident.state, INCIDENT_HELD);
        assert_string_equal(incident.guard, "cooldown");
        assert_true(incident.guard_until == 5000000000);
        assert_string_equal(incident.lock, "service/x");
        incident_release(&incident);

        /* A guard is only of INCIDENT_HELD; the lock stays. */
        WRITE(room, .expect = INCIDENT_HELD, .state = INCIDENT_AWAITING_APPROVAL);
        WRITE(room, .approve = true, .request_undo = true);
        incident = only_active(room);
        assert_int_equal(incident.state, INCIDENT_AWAITING_APPROVAL);
        assert_string_equal(incident.guard, "");
        assert_true(incident.guard_until == 0 && incident.approved && incident.undo_requested);
        assert_false(incident.cancel_requested);
        assert_string_equal(incident.lock, "service/x");
        incident_release(&incident);

        WRITE(room, .state = INCIDENT_RUNNING, .request_cancel = true);
        incident = only_active(room);
        nsec running_at = incident.running_at;
        assert_true(running_at > 0 && incident.cancel_requested && incident.approved);
        incident_release(&incident);
        WRITE(room, .state = INCIDENT_VERIFYING, .clear_requests = true);
        WRITE(room, .state = INCIDENT_RUNNING);
        incident = only_active(room);
        assert_true(incident.running_at == running_at);
        assert_false(incident.cancel_requested || incident.undo_requested);
        assert_true(incident.updated_at >= running_at && incident.ended_at == 0);
        incident_release(&incident);
}

static cJSON *said(const char *words)
{
        cJSON *json = cJSON_CreateObject();
        json_put(json, "summary", cJSON_CreateString(words));
        return json;
}

static void test_steps(void **state)
{
        struct room *room = *state;
        _cleanup_json_ cJSON *plan = said("plan"), *half = said("half"), *outcome = said("outcome");
        accept_alerts(room, "f1");
        open_incidents(room, 1);
        WRITE(room, .state = INCIDENT_RUNNING);
        WRITE(room, .step = 1, .step_status = STEP_STARTED, .detail = plan);
        WRITE(room, .step = 1, .step_status = STEP_PROGRESS, .detail = half);
        struct incident incident = only_active(room);
        const struct step_record *step = &incident.steps[0];
        assert_int_equal(step->status, STEP_STARTED);
        assert_string_equal(json_string(step->plan, "summary"), "plan");
        assert_string_equal(json_string(step->progress, "summary"), "half");
        assert_null(step->outcome);
        assert_true(step->started_at > 0 && step->finished_at == 0 && !step->settled);
        assert_int_equal(incident.steps[1].status, STEP_WAITING);
        incident_release(&incident);

        WRITE(room, .step = 1, .step_status = STEP_DONE, .detail = outcome);
        WRITE(room, .step = 2, .step_status = STEP_SKIPPED);
        incident = only_active(room);
        nsec finished_at = incident.steps[0].finished_at;
        assert_int_equal(incident.steps[0].status, STEP_DONE);
        assert_string_equal(json_string(incident.steps[0].outcome, "summary"), "outcome");
        assert_true(finished_at > 0);
        assert_int_equal(incident.steps[1].status, STEP_SKIPPED);
        incident_release(&incident);

        /* Undoing and settling leave what the step wrote. */
        WRITE(room, .step = 1, .step_status = STEP_UNDOING);
        WRITE(room, .step = 1, .step_status = STEP_UNDO_FAILED, .detail = half);
        WRITE(room, .step = 1, .settled = true);
        incident = only_active(room);
        assert_int_equal(incident.steps[0].status, STEP_UNDO_FAILED);
        assert_string_equal(json_string(incident.steps[0].outcome, "summary"), "outcome");
        assert_true(incident.steps[0].finished_at == finished_at && incident.steps[0].settled);
        incident_release(&incident);

        /* Begun anew after a crash: nothing of before is left. */
        WRITE(room, .step = 1, .step_status = STEP_STARTED, .detail = outcome);
        incident = only_active(room);
        assert_string_equal(json_string(incident.steps[0].plan, "summary"), "outcome");
        assert_null(incident.steps[0].progress);
        assert_null(incident.steps[0].outcome);
        assert_true(incident.steps[0].finished_at == 0);
        incident_release(&incident);
}

static void test_refused_entries_write_nothing(void **state)
{
        struct room *room = *state;
        accept_alerts(room, "f1");
        open_incidents(room, 1);
        struct incident incident = only_active(room);
        _cleanup_free_ char *sentence = text_format("%s is received, not running", incident.number);
        incident_release(&incident);
        uint64_t rows = verified(room);

        REFUSED(room, ESTALE, sentence, .expect = INCIDENT_RUNNING, .state = INCIDENT_HEALED, .lock = "x",
                .request_cancel = true);
        REFUSED(room, ENOENT, "there is no such incident", .incident = 2, .state = INCIDENT_RUNNING);
        REFUSED(room, ENOENT, "the incident has no step 3", .state = INCIDENT_RUNNING, .step = 3,
                .step_status = STEP_STARTED);
        REFUSED(room, ENOENT, "the incident has no step 3", .step = 3, .settled = true);
        incident = only_active(room);
        assert_int_equal(incident.state, INCIDENT_RECEIVED);
        assert_string_equal(incident.lock, "");
        assert_false(incident.cancel_requested);
        incident_release(&incident);
        assert_int_equal(verified(room), rows);
        WRITE(room, .expect = INCIDENT_RECEIVED, .state = INCIDENT_RUNNING);
        assert_int_equal(verified(room), rows + 1);
}

static void test_who_is_active(void **state)
{
        struct room *room = *state;
        accept_alerts(room, "f1");
        open_incidents(room, 1);
        WRITE(room, .state = INCIDENT_RUNNING);
        WRITE(room, .step = 1, .step_status = STEP_STARTED);
        WRITE(room, .step = 1, .step_status = STEP_DONE);
        WRITE(room, .step = 2, .step_status = STEP_SKIPPED);
        WRITE(room, .state = INCIDENT_HEALED);
        assert_int_equal(active_count(room), 1); /* step 1 keeps something for its undo */
        WRITE(room, .step = 1, .settled = true);
        assert_int_equal(active_count(room), 0);
        WRITE(room, .request_undo = true);
        assert_int_equal(active_count(room), 1);
        WRITE(room, .step = 1, .step_status = STEP_UNDONE, .clear_requests = true);
        assert_int_equal(active_count(room), 0);

        /* Failed: not before somebody was called, or when nobody is to be. */
        accept_alerts(room, "f2");
        open_incidents(room, 1);
        WRITE(room, .incident = 2, .state = INCIDENT_RUNNING);
        WRITE(room, .incident = 2, .state = INCIDENT_FAILED);
        struct incident incident = only_active(room);
        assert_true(incident.id == 2 && incident.ended_at == 0);
        incident_release(&incident);
        WRITE(room, .incident = 2, .ended = true);
        assert_int_equal(active_count(room), 0);
        assert_int_equal(sql_number(room, "SELECT ended_at > 0 FROM incidents WHERE id = 2"), 1);

        /* A failed step that was not settled. */
        accept_alerts(room, "f3");
        open_incidents(room, 1);
        WRITE(room, .incident = 3, .step = 1, .step_status = STEP_STARTED);
        WRITE(room, .incident = 3, .step = 1, .step_status = STEP_FAILED);
        WRITE(room, .incident = 3, .state = INCIDENT_ESCALATED);
        assert_int_equal(active_count(room), 1);
        WRITE(room, .incident = 3, .step = 1, .settled = true);
        assert_int_equal(active_count(room), 0);
}

static void test_pages_and_finding(void **state)
{
        struct room *room = *state;
        struct incident_list list = {0};
        for (int i = 0; i < 5; i++) {
                _cleanup_free_ char *word = text_format("f%d", i);
                accept_alerts(room, word);
                open_incidents(room, 1);
        }
        WRITE(room, .incident = 2, .state = INCIDENT_HEALED);
        WRITE(room, .incident = 4, .state = INCIDENT_HEALED);
        assert_int_equal(journal_list(room->journal, INCIDENT_UNCHANGED, 0, 2, &list, NULL), 0);
        assert_true(list.count == 2 && list.items[0].id == 5 && list.items[1].id == 4);
        incident_list_release(&list);
        assert_int_equal(journal_list(room->journal, INCIDENT_UNCHANGED, 4, 10, &list, NULL), 0);
        assert_true(list.count == 3 && list.items[0].id == 3 && list.items[2].id == 1);
        incident_list_release(&list);
        assert_int_equal(journal_list(room->journal, INCIDENT_HEALED, 0, 10, &list, NULL), 0);
        assert_true(list.count == 2 && list.items[0].id == 4 && list.items[1].id == 2);
        incident_list_release(&list);
        assert_int_equal(journal_list(room->journal, INCIDENT_HEALED, 4, 10, &list, NULL), 0);
        assert_true(list.count == 1 && list.items[0].id == 2);
        incident_list_release(&list);

        _cleanup_error_ struct error error = {0};
        struct incident incident = {.id = 77};
        assert_int_equal(journal_find(room->journal, "INC-1999-0001", &incident, &error), -ENOENT);
        assert_string_equal(error_text(&error), "there is no incident INC-1999-0001");
        assert_true(incident.id == 77);
}

static void test_timeline(void **state)
{
        struct room *room = *state;
        _cleanup_json_ cJSON *detail = said("\"quoted\"\nand \xf0\x9f\x94\xa5");
        accept_alerts(room, "f1");
        open_incidents(room, 1);
        WRITE(room, .state = INCIDENT_RUNNING, .event = "running");
        WRITE(room, .step = 1, .step_status = STEP_STARTED, .event = "step started", .detail = detail);
        WRITE(room, .actor = "alice", .event = "approved", .approve = true);
        _cleanup_json_ cJSON *timeline = NULL;
        assert_int_equal(journal_timeline(room->journal, 1, &timeline, NULL), 0);
        assert_int_equal(cJSON_GetArraySize(timeline), 4);
        const cJSON *row = cJSON_GetArrayItem(timeline, 2);
        assert_string_equal(json_string(row, "event"), "step started");
        assert_string_equal(json_string(row, "actor"), "engine");
        assert_string_equal(json_string(row, "state"), "running");
        assert_true(json_number(row, "step", 0) == 1);
        assert_string_equal(json_string(json_get(row, "detail", NULL), "summary"),
                            "\"quoted\"\nand \xf0\x9f\x94\xa5");
        assert_int_equal(strlen(json_string(row, "hash")), 64);
        assert_int_equal(strlen(json_string(row, "at")), 24);
        row = cJSON_GetArrayItem(timeline, 3);
        assert_string_equal(json_string(row, "actor"), "alice");
        assert_null(json_get(row, "step", NULL));
        assert_null(json_get(row, "detail", NULL));
}

/* --- For the guards. --- */

static void test_runs(void **state)
{
        struct room *room = *state;
        nsec ended = 77, earliest = 77;
        int64_t count = 77;
        assert_int_equal(journal_last_run(room->journal, "restart", "l", &ended, NULL), 0);
        assert_true(ended == 0);
        assert_int_equal(journal_runs_since(room->journal, "restart", 0, &count, &earliest, NULL), 0);
        assert_true(count == 0 && earliest == 0);
        for (int i = 0; i < 3; i++) {
                _cleanup_free_ char *word = text_format("f%d", i);
                accept_alerts(room, word);
                open_incidents(room, 1);
        }
        WRITE(room, .incident = 1, .state = INCIDENT_RUNNING, .lock = "l");
        WRITE(room, .incident = 1, .state = INCIDENT_HEALED);
        WRITE(room, .incident = 2, .state = INCIDENT_RUNNING, .lock = "other");
        WRITE(room, .incident = 3, .state = INCIDENT_PLANNED, .lock = "l"); /* a dry run */
        sql(room, "UPDATE incidents SET running_at = id * 1000, ended_at = CASE id WHEN 2 THEN 0 ELSE id * "
                  "1000 + 1 END"
                  " WHERE id < 3");

        assert_int_equal(journal_last_run(room->journal, "restart", "l", &ended, NULL), 0);
        assert_true(ended == 1001);
        assert_int_equal(journal_last_run(room->journal, "restart", "other", &ended, NULL), 0);
        assert_true(ended == 0); /* begun, not ended */
        assert_int_equal(journal_last_run(room->journal, "notify", "l", &ended, NULL), 0);
        assert_true(ended == 0);
        assert_int_equal(journal_runs_since(room->journal, "restart", 1000, &count, &earliest, NULL), 0);
        assert_true(count == 2 && earliest == 1000);
        assert_int_equal(journal_runs_since(room->journal, "restart", 1001, &count, &earliest, NULL), 0);
        assert_true(count == 1 && earliest == 2000);
        assert_int_equal(journal_runs_since(room->journal, "notify", 0, &count, &earliest, NULL), 0);
        assert_true(count == 0);
}

static void test_paused_over_reopening(void **state)
{
        struct room *room = *state;
        bool paused = true;
        nsec since = 77, again = 0;
        assert_int_equal(journal_paused(room->journal, &paused, &since, NULL), 0);
        assert_true(!paused && since == 0);
        assert_int_equal(journal_set_paused(room->journal, true, "alice", "a \"move\"", NULL), 0);
        assert_int_equal(journal_paused(room->journal, &paused, &since, NULL), 0);
        assert_true(paused && since > 0);
        reopen(room);
        assert_int_equal(journal_set_paused(room->journal, true, "bob", NULL, NULL), 0);
        assert_int_equal(journal_paused(room->journal, &paused, &again, NULL), 0);
        assert_true(paused && again == since); /* since the first time */
        assert_int_equal(journal_set_paused(room->journal, false, "alice", "", NULL), 0);
        reopen(room);
        assert_int_equal(journal_paused(room->journal, &paused, NULL, NULL), 0);
        assert_false(paused);

        _cleanup_json_ cJSON *timeline = NULL;
        assert_int_equal(journal_timeline(room->journal, 0, &timeline, NULL), 0);
        assert_int_equal(cJSON_GetArraySize(timeline), 3);
        const cJSON *row = cJSON_GetArrayItem(timeline, 0);
        assert_string_equal(json_string(row, "event"), "paused");
        assert_string_equal(json_string(json_get(row, "detail", NULL), "reason"), "a \"move\"");
        assert_string_equal(json_string(cJSON_GetArrayItem(timeline, 2), "event"), "resumed");
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, room_new, room_free)

int main(void)
{
        const struct CMUnitTest tests[] = {
                IN_ROOM(test_one_episode_until_resolved),
                IN_ROOM(test_both_in_one_body),
                IN_ROOM(test_late_news_do_not_close),
                IN_ROOM(test_begin_moves_earlier_only),
                IN_ROOM(test_unmatched_are_oldest_first),
                IN_ROOM(test_silent_episodes),
                IN_ROOM(test_passed_over),
                IN_ROOM(test_incidents_of_an_episode),
                IN_ROOM(test_numbers_by_year),
                IN_ROOM(test_entries_change_what_they_say),
                IN_ROOM(test_steps),
                IN_ROOM(test_refused_entries_write_nothing),
                IN_ROOM(test_who_is_active),
                IN_ROOM(test_pages_and_finding),
                IN_ROOM(test_timeline),
                IN_ROOM(test_runs),
                IN_ROOM(test_paused_over_reopening),
        };
        return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
