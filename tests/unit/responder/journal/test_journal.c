/* SPDX-License-Identifier: Apache-2.0 */
/* The journal as engine and API see it: episodes, incidents, entries, guards' questions. */
#include "tests/harness/journal.h"
#include "tests/harness/world.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static void test_one_episode_until_resolved(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1 f2");
        assert_int_equal(unmatched_count(fixture), 2);
        /* The group is sent again, whole, as often as it likes; also twice in one body. */
        for (int i = 0; i < 5; i++)
                accept_alerts(fixture, "f1 f2 f1");
        assert_int_equal(unmatched_count(fixture), 2);

        open_incidents(fixture, 1);
        assert_int_equal(unmatched_count(fixture), 1);
        accept_alerts(fixture, "f1 f2");
        assert_int_equal(unmatched_count(fixture), 1);
        assert_int_equal(active_count(fixture), 1);

        /* Resolved, and told so again, and then it fires anew: a new episode. */
        accept_alerts(fixture, "-f1");
        accept_alerts(fixture, "-f1 -f3");
        assert_int_equal(unmatched_count(fixture), 1);
        struct incident incident = only_active(fixture);
        assert_false(incident.episode_open);
        incident_release(&incident);
        accept_alerts(fixture, "f1@1767229200");
        assert_int_equal(unmatched_count(fixture), 2);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM episodes WHERE fingerprint = 'f1'"), 2);

        /* What never was matched before it ended needs no remediation. */
        accept_alerts(fixture, "-f2");
        assert_int_equal(unmatched_count(fixture), 1);
}

static char *firing_at(time_t when)
{
        return text_format("f1@%lld", (long long)when);
}

/* Silenced, resolved, and firing again when the silence ends: Alertmanager says no word of the end between.
 */
static void test_e1_a_firing_that_began_after_the_end_is_another_one(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        _cleanup_free_ char *later = firing_at(time(NULL) + 3600), *before = firing_at(time(NULL) - 3600);

        /* While something of it goes on it is the same one, however late it says to have begun. */
        accept_alerts(fixture, later);
        assert_int_equal(unmatched_count(fixture), 0);
        WRITE(fixture, .state = INCIDENT_RUNNING);
        accept_alerts(fixture, later);
        assert_int_equal(unmatched_count(fixture), 0);
        WRITE(fixture, .state = INCIDENT_VERIFYING);
        WRITE(fixture, .state = INCIDENT_HEALED);

        /* It has gone on firing; another Alertmanager knows it as somewhat younger. */
        accept_alerts(fixture, "f1");
        accept_alerts(fixture, before);
        assert_int_equal(unmatched_count(fixture), 0);

        accept_alerts(fixture, later);
        assert_int_equal(unmatched_count(fixture), 1);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM episodes WHERE closed_at IS NULL"), 1);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM timeline WHERE incident = 1"
                                               " AND event = 'alert fires anew' AND actor = 'alert'"),
                         1);
        /* And that one is an open episode like any other: told again it stays the same. */
        accept_alerts(fixture, later);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM episodes"), 2);
        assert_true(verified_rows(fixture) > 0);
}

static void test_both_in_one_body(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1 -f1");
        assert_int_equal(unmatched_count(fixture), 0);
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        accept_alerts(fixture, "-f1 f1@1767229200");
        assert_int_equal(unmatched_count(fixture), 1);
        struct incident incident = only_active(fixture);
        assert_false(incident.episode_open);
        incident_release(&incident);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM episodes WHERE closed_at IS NULL"), 1);
}

/* Another Alertmanager of the pair tells late that an older episode has ended. */
static void test_late_news_do_not_close(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1@1767225600");
        accept_alerts(fixture, "-f1@1767226000");
        accept_alerts(fixture, "f1@1767227000");
        accept_alerts(fixture, "-f1@1767226000");
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM episodes WHERE closed_at IS NULL"), 1);
        accept_alerts(fixture, "-f1@1767227001");
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM episodes WHERE closed_at IS NULL"), 0);
}

static void test_begin_moves_earlier_only(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1@1767225600");
        open_incidents(fixture, 1);
        accept_alerts(fixture, "f1@1767225000");
        accept_alerts(fixture, "f1@1767229999");
        struct incident incident = only_active(fixture);
        assert_true(incident.alert.starts_at == 1767225000 * NSEC_PER_SEC);
        assert_string_equal(incident.alert.fingerprint, "f1");
        assert_string_equal(alert_label(&incident.alert, "of"), "f1");
        incident_release(&incident);
}

static void test_unmatched_are_oldest_first(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f3");
        accept_alerts(fixture, "f1 f2");
        struct episode_list list = {0};
        assert_int_equal(journal_unmatched(fixture->journal, 2, &list, NULL), 0);
        assert_int_equal(list.count, 2);
        assert_string_equal(list.items[0].alert.fingerprint, "f3");
        assert_string_equal(list.items[1].alert.fingerprint, "f1");
        assert_true(list.items[0].alert.firing && list.items[0].opened_at > 0);
        episode_list_release(&list);
}

/* One that comes behind a crowd does not wait for it. */
static void test_unmatched_of_a_crowd(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1 f2 f3 f4 f5 f6 f7 f8 f9");
        struct episode_list list = {0};
        assert_int_equal(journal_unmatched(fixture->journal, 4, &list, NULL), 0);
        assert_int_equal(list.count, 4);
        assert_string_equal(list.items[2].alert.fingerprint, "f3");
        assert_string_equal(list.items[3].alert.fingerprint, "f9");
        episode_list_release(&list);
}

struct many {
        struct journal_fixture *fixture;
        int64_t episodes[4];
        size_t count;
};

static int open_many(void *context, struct error *error)
{
        static const char *const notify[] = {"notify"};
        const struct many *many = context;
        int r = 0;
        for (size_t i = 0; i < many->count && r >= 0; i++) {
                const struct journal_opening opening = {
                        .remediation = "notify", .actions = notify, .action_count = 1};
                r = journal_open_incidents(many->fixture->journal, many->episodes[i], &opening, 1, error);
        }
        return r;
}

/* One commit of all; what fails leaves nothing behind, and what was before it stays. */
static void test_written_together(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_error_ struct error error = {0};
        accept_alerts(fixture, "f1 f2 f3");
        struct many many = {fixture, {1, 2}, 2};
        assert_int_equal(journal_together(fixture->journal, open_many, &many, NULL), 0);
        assert_int_equal(active_count(fixture), 2);
        many = (struct many){fixture, {3, 77}, 2};
        assert_int_equal(journal_together(fixture->journal, open_many, &many, &error), -ENOENT);
        assert_string_equal(error_text(&error), "there is no such episode");
        assert_int_equal(active_count(fixture), 3);
        uint64_t rows = 0;
        assert_int_equal(journal_verify(fixture->journal, &rows, NULL), 0);
        assert_int_equal(rows, 3);
}

static void test_passed_over(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_error_ struct error error = {0};
        accept_alerts(fixture, "f1 f2 f3");
        assert_int_equal(journal_pass_over(fixture->journal, (const int64_t[]){1, 3}, 2, NULL), 0);
        assert_int_equal(journal_pass_over(fixture->journal, NULL, 0, NULL), 0);
        struct episode_list list = {0};
        assert_int_equal(journal_unmatched(fixture->journal, 10, &list, NULL), 0);
        assert_int_equal(list.count, 1);
        assert_string_equal(list.items[0].alert.fingerprint, "f2");
        episode_list_release(&list);
        /* It is one commit, so it is all of them or none. */
        assert_int_equal(journal_pass_over(fixture->journal, (const int64_t[]){2, 9}, 2, &error), -ENOENT);
        assert_string_equal(error_text(&error), "there is no such episode");
        assert_int_equal(unmatched_count(fixture), 1);
}

static void test_silent_episodes(void **state)
{
        struct journal_fixture *fixture = *state;
        struct episode_list list = {0};
        accept_alerts(fixture, "f1 f2 f3");
        accept_alerts(fixture, "-f3");
        run_sql(fixture, "UPDATE episodes SET seen_steady = 1000 WHERE fingerprint <> 'f2'");
        assert_int_equal(journal_silent(fixture->journal, 1000, 10, &list, NULL), 0);
        assert_int_equal(list.count, 0);
        assert_int_equal(journal_silent(fixture->journal, 1001, 10, &list, NULL), 0);
        assert_int_equal(list.count, 1);
        assert_string_equal(list.items[0].alert.fingerprint, "f1");

        /* Alertmanager no longer has it: closed, and the timeline of its incident tells by whom. */
        int64_t episode = open_incidents(fixture, 1);
        assert_true(episode == list.items[0].id);
        episode_list_release(&list);
        assert_int_equal(journal_close_episode(fixture->journal, episode, "alertmanager", NULL), 0);
        assert_int_equal(journal_close_episode(fixture->journal, episode, "alertmanager", NULL), 0);
        _cleanup_json_ cJSON *timeline = NULL;
        assert_int_equal(journal_timeline(fixture->journal, 1, &timeline, NULL), 0);
        assert_int_equal(cJSON_GetArraySize(timeline), 2);
        const cJSON *row = cJSON_GetArrayItem(timeline, 1);
        assert_string_equal(json_string(row, "event"), "alert resolved");
        assert_string_equal(json_string(row, "actor"), "alertmanager");
        /* It fires again: Alertmanager was wrong, or it is a new one; either way a new episode. */
        accept_alerts(fixture, "f1");
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM episodes WHERE fingerprint = 'f1'"), 2);
}

static void test_incidents_of_an_episode(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_error_ struct error error = {0};
        accept_alerts(fixture, "f1");
        int64_t episode = open_incidents(fixture, 1);
        struct incident incident = only_active(fixture);
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
        const struct journal_opening openings[] = {{"restart", steps, 1, NULL, false, NULL},
                                                   {"notify", steps, 1, NULL, false, NULL},
                                                   {"notify", steps, 1, NULL, true, NULL}};
        assert_int_equal(journal_open_incidents(fixture->journal, episode, openings, 3, NULL), 0);
        struct incident_list list = {0};
        assert_int_equal(journal_active(fixture->journal, &list, NULL), 0);
        assert_int_equal(list.count, 2);
        assert_int_equal(list.items[0].step_count, 2);
        assert_string_equal(list.items[1].remediation, "notify");
        assert_string_equal(list.items[1].number + 9, "0002");
        incident_list_release(&list);

        assert_int_equal(journal_open_incidents(fixture->journal, 77, openings, 1, &error), -ENOENT);
        assert_string_equal(error_text(&error), "there is no such episode");
        assert_int_equal(active_count(fixture), 2);
        assert_int_equal(journal_open_incidents(fixture->journal, episode, NULL, 0, NULL), 0);
}

/* Counted from 1 in each year, with more digits when four are not enough. */
static void test_numbers_by_year(void **state)
{
        struct journal_fixture *fixture = *state;
        char now[TIME_TEXT_MAX];
        time_format(clock_wall(), now);
        _cleanup_free_ char *statement = text_format(
                "INSERT INTO meta VALUES ('incidents of 1999', 41), ('incidents of %.4s', 9999)", now);
        run_sql(fixture, statement);
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        struct incident incident = only_active(fixture);
        _cleanup_free_ char *number = text_format("INC-%.4s-10000", now);
        assert_string_equal(incident.number, number);
        incident_release(&incident);
        assert_int_equal(query_number(fixture, "SELECT value FROM meta WHERE key = 'incidents of 1999'"), 41);
}

static void test_entries_change_what_they_say(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        WRITE(fixture, .state = INCIDENT_HELD, .guard = "cooldown", .guard_until = 5000000000,
              .lock = "service/x");
        struct incident incident = only_active(fixture);
        assert_int_equal(incident.state, INCIDENT_HELD);
        assert_string_equal(incident.guard, "cooldown");
        assert_true(incident.guard_until == 5000000000);
        assert_string_equal(incident.lock, "service/x");
        incident_release(&incident);

        /* A guard is only of INCIDENT_HELD; the lock stays. */
        WRITE(fixture, .expect = INCIDENT_HELD, .state = INCIDENT_AWAITING_APPROVAL);
        WRITE(fixture, .event = "approved", .approve = true, .request_undo = true);
        incident = only_active(fixture);
        assert_int_equal(incident.state, INCIDENT_AWAITING_APPROVAL);
        assert_string_equal(incident.guard, "");
        assert_true(incident.guard_until == 0 && incident.approved && incident.undo_requested);
        assert_false(incident.cancel_requested);
        assert_string_equal(incident.lock, "service/x");
        incident_release(&incident);

        WRITE(fixture, .state = INCIDENT_RUNNING, .request_cancel = true);
        incident = only_active(fixture);
        nsec running_at = incident.running_at;
        assert_true(running_at > 0 && incident.cancel_requested && incident.approved);
        incident_release(&incident);
        WRITE(fixture, .state = INCIDENT_AWAITING_APPROVAL, .clear_requests = true);
        WRITE(fixture, .state = INCIDENT_RUNNING);
        incident = only_active(fixture);
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
        struct journal_fixture *fixture = *state;
        _cleanup_json_ cJSON *plan = said("plan"), *half = said("half"), *outcome = said("outcome");
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        WRITE(fixture, .state = INCIDENT_RUNNING);
        WRITE(fixture, .step = 1, .step_status = STEP_STARTED, .detail = plan);
        WRITE(fixture, .step = 1, .step_status = STEP_PROGRESS, .detail = half);
        struct incident incident = only_active(fixture);
        const struct step_record *step = &incident.steps[0];
        assert_int_equal(step->status, STEP_STARTED);
        assert_string_equal(json_string(step->plan, "summary"), "plan");
        assert_string_equal(json_string(step->progress, "summary"), "half");
        assert_null(step->outcome);
        assert_true(step->started_at > 0 && step->finished_at == 0 && !step->settled);
        assert_int_equal(incident.steps[1].status, STEP_WAITING);
        incident_release(&incident);

        WRITE(fixture, .step = 1, .step_status = STEP_DONE, .detail = outcome);
        WRITE(fixture, .step = 2, .step_status = STEP_SKIPPED);
        incident = only_active(fixture);
        nsec finished_at = incident.steps[0].finished_at;
        assert_int_equal(incident.steps[0].status, STEP_DONE);
        assert_string_equal(json_string(incident.steps[0].outcome, "summary"), "outcome");
        assert_true(finished_at > 0);
        assert_int_equal(incident.steps[1].status, STEP_SKIPPED);
        incident_release(&incident);

        /* Undoing and settling leave what the step wrote. */
        WRITE(fixture, .step = 1, .step_status = STEP_UNDOING);
        WRITE(fixture, .step = 1, .step_status = STEP_UNDO_FAILED, .detail = half);
        WRITE(fixture, .step = 1, .settled = true);
        incident = only_active(fixture);
        assert_int_equal(incident.steps[0].status, STEP_UNDO_FAILED);
        assert_string_equal(json_string(incident.steps[0].outcome, "summary"), "outcome");
        assert_true(incident.steps[0].finished_at == finished_at && incident.steps[0].settled);
        incident_release(&incident);

        /* Begun anew after a crash: nothing of before is left. */
        WRITE(fixture, .step = 1, .step_status = STEP_STARTED, .detail = outcome);
        incident = only_active(fixture);
        assert_string_equal(json_string(incident.steps[0].plan, "summary"), "outcome");
        assert_null(incident.steps[0].progress);
        assert_null(incident.steps[0].outcome);
        assert_true(incident.steps[0].finished_at == 0);
        incident_release(&incident);
}

static void test_refused_entries_write_nothing(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        struct incident incident = only_active(fixture);
        _cleanup_free_ char *sentence = text_format("%s is received, not running", incident.number);
        incident_release(&incident);
        uint64_t rows = verified_rows(fixture);

        REFUSED(fixture, ESTALE, sentence, .expect = INCIDENT_RUNNING, .state = INCIDENT_DONE, .lock = "x",
                .request_cancel = true);
        REFUSED(fixture, ENOENT, "there is no such incident", .incident = 2, .state = INCIDENT_RUNNING);
        REFUSED(fixture, ENOENT, "the incident has no step 3", .state = INCIDENT_RUNNING, .step = 3,
                .step_status = STEP_STARTED);
        REFUSED(fixture, ENOENT, "the incident has no step 3", .step = 3, .settled = true);
        incident = only_active(fixture);
        assert_int_equal(incident.state, INCIDENT_RECEIVED);
        assert_string_equal(incident.lock, "");
        assert_false(incident.cancel_requested);
        incident_release(&incident);
        assert_int_equal(verified_rows(fixture), rows);
        WRITE(fixture, .expect = INCIDENT_RECEIVED, .state = INCIDENT_RUNNING);
        assert_int_equal(verified_rows(fixture), rows + 1);
}

/* How many have not ended, in a state and at all. */
static void assert_open(struct journal_fixture *fixture, enum incident_state state, size_t count, size_t all)
{
        size_t counts[INCIDENT_STATE_COUNT], sum = 0;
        assert_int_equal(journal_count_open(fixture->journal, counts, NULL), 0);
        for (size_t i = 0; i < INCIDENT_STATE_COUNT; i++)
                sum += counts[i];
        assert_int_equal(counts[state], count);
        assert_int_equal(sum, all);
}

static void test_who_is_active(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        WRITE(fixture, .state = INCIDENT_RUNNING);
        WRITE(fixture, .step = 1, .step_status = STEP_STARTED);
        WRITE(fixture, .step = 1, .step_status = STEP_DONE);
        WRITE(fixture, .step = 2, .step_status = STEP_SKIPPED);
        WRITE(fixture, .state = INCIDENT_DONE);
        assert_int_equal(active_count(fixture), 1); /* step 1 keeps something for its undo */
        assert_open(fixture, INCIDENT_DONE, 0, 0);
        WRITE(fixture, .step = 1, .settled = true);
        assert_int_equal(active_count(fixture), 1); /* its alert fires, though it was healed */
        accept_alerts(fixture, "-f1");
        assert_int_equal(active_count(fixture), 0);
        WRITE(fixture, .request_undo = true);
        assert_int_equal(active_count(fixture), 1);
        WRITE(fixture, .step = 1, .step_status = STEP_UNDONE, .clear_requests = true);
        assert_int_equal(active_count(fixture), 0);

        /* Failed: not before somebody was called, or when nobody is to be. */
        accept_alerts(fixture, "f2");
        open_incidents(fixture, 1);
        WRITE(fixture, .incident = 2, .state = INCIDENT_RUNNING);
        WRITE(fixture, .incident = 2, .state = INCIDENT_FAILED);
        struct incident incident = only_active(fixture);
        assert_true(incident.id == 2 && incident.ended_at == 0);
        incident_release(&incident);
        assert_open(fixture, INCIDENT_FAILED, 1, 1);
        WRITE(fixture, .incident = 2, .state = INCIDENT_FAILED, .event = "ended: nobody is to be called");
        assert_int_equal(active_count(fixture), 0);
        assert_int_equal(query_number(fixture, "SELECT ended_at > 0 FROM incidents WHERE id = 2"), 1);

        /* A failed step that was not settled. */
        accept_alerts(fixture, "f3");
        open_incidents(fixture, 2);
        assert_open(fixture, INCIDENT_RECEIVED, 2, 2);
        WRITE(fixture, .incident = 4, .state = INCIDENT_CANCELLED);
        WRITE(fixture, .incident = 3, .step = 1, .step_status = STEP_STARTED);
        WRITE(fixture, .incident = 3, .step = 1, .step_status = STEP_FAILED);
        WRITE(fixture, .incident = 3, .state = INCIDENT_FAILED);
        WRITE(fixture, .incident = 3, .state = INCIDENT_ESCALATED);
        assert_int_equal(active_count(fixture), 1);
        WRITE(fixture, .incident = 3, .step = 1, .settled = true);
        assert_int_equal(active_count(fixture), 0);
}

static void test_pages_and_finding(void **state)
{
        struct journal_fixture *fixture = *state;
        struct incident_list list = {0};
        for (int i = 0; i < 5; i++) {
                _cleanup_free_ char *word = text_format("f%d", i);
                accept_alerts(fixture, word);
                open_incidents(fixture, 1);
        }
        for (int64_t id = 2; id <= 4; id += 2) {
                WRITE(fixture, .incident = id, .state = INCIDENT_RUNNING);
                WRITE(fixture, .incident = id, .state = INCIDENT_DONE);
        }
        assert_int_equal(journal_list(fixture->journal, INCIDENT_UNCHANGED, 0, 2, &list, NULL), 0);
        assert_true(list.count == 2 && list.items[0].id == 5 && list.items[1].id == 4);
        incident_list_release(&list);
        assert_int_equal(journal_list(fixture->journal, INCIDENT_UNCHANGED, 4, 10, &list, NULL), 0);
        assert_true(list.count == 3 && list.items[0].id == 3 && list.items[2].id == 1);
        incident_list_release(&list);
        assert_int_equal(journal_list(fixture->journal, INCIDENT_DONE, 0, 10, &list, NULL), 0);
        assert_true(list.count == 2 && list.items[0].id == 4 && list.items[1].id == 2);
        incident_list_release(&list);
        assert_int_equal(journal_list(fixture->journal, INCIDENT_DONE, 4, 10, &list, NULL), 0);
        assert_true(list.count == 1 && list.items[0].id == 2);
        incident_list_release(&list);
        assert_int_equal(journal_list_open(fixture->journal, 0, 2, &list, NULL), 0);
        assert_true(list.count == 2 && list.items[0].id == 5 && list.items[1].id == 3);
        incident_list_release(&list);
        assert_int_equal(journal_list_open(fixture->journal, 3, 2, &list, NULL), 0);
        assert_true(list.count == 1 && list.items[0].id == 1);
        incident_list_release(&list);

        _cleanup_error_ struct error error = {0};
        struct incident incident = {.id = 77};
        assert_int_equal(journal_find(fixture->journal, "INC-1999-0001", &incident, &error), -ENOENT);
        assert_string_equal(error_text(&error), "there is no incident INC-1999-0001");
        assert_true(incident.id == 77);
}

static void test_timeline(void **state)
{
        struct journal_fixture *fixture = *state;
        _cleanup_json_ cJSON *detail = said("\"quoted\"\nand \xf0\x9f\x94\xa5");
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        WRITE(fixture, .state = INCIDENT_RUNNING, .event = "running");
        WRITE(fixture, .step = 1, .step_status = STEP_STARTED, .event = "step started", .detail = detail);
        WRITE(fixture, .actor = "alice", .event = "approved", .approve = true);
        _cleanup_json_ cJSON *timeline = NULL;
        assert_int_equal(journal_timeline(fixture->journal, 1, &timeline, NULL), 0);
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

/* Opens "restart" for the oldest unmatched episode, by its cause; how many incidents there are then. */
static int64_t open_of_cause(struct journal_fixture *fixture, const char *cause)
{
        static const char *const steps[] = {"docker.restart"};
        const struct journal_opening opening = {"restart", steps, 1, cause, false, NULL};
        struct episode_list list = {0};
        assert_int_equal(journal_unmatched(fixture->journal, 1, &list, NULL), 0);
        assert_int_equal(list.count, 1);
        assert_int_equal(journal_open_incidents(fixture->journal, list.items[0].id, &opening, 1, NULL), 0);
        episode_list_release(&list);
        assert_int_equal(unmatched_count(fixture), 0);
        return query_number(fixture, "SELECT count(*) FROM incidents");
}

static bool fires(struct journal_fixture *fixture)
{
        struct incident incident = {0};
        _cleanup_free_ char *number = NULL;
        struct incident_list list = {0};
        assert_int_equal(journal_list(fixture->journal, INCIDENT_UNCHANGED, 2, 1, &list, NULL), 0);
        number = strdup(list.items[0].number);
        incident_list_release(&list);
        assert_int_equal(journal_find(fixture->journal, number, &incident, NULL), 0);
        bool open = incident.episode_open;
        incident_release(&incident);
        return open;
}

static int64_t events(struct journal_fixture *fixture, const char *event)
{
        _cleanup_free_ char *query =
                text_format("SELECT count(*) FROM timeline WHERE incident = 1 AND event = '%s'", event);
        return query_number(fixture, query);
}

/* A second alert of one cause joins the incident of the first, which is over when both are. */
static void test_one_cause_is_one_incident(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1");
        assert_int_equal(open_of_cause(fixture, "c"), 1);
        accept_alerts(fixture, "f2");
        assert_int_equal(open_of_cause(fixture, "c"), 1);
        accept_alerts(fixture, "f3");
        assert_int_equal(open_of_cause(fixture, "d"), 2);
        accept_alerts(fixture, "f4");
        assert_int_equal(open_of_cause(fixture, NULL), 3);
        accept_alerts(fixture, "f5");
        assert_int_equal(open_of_cause(fixture, NULL), 4); /* none is no cause */
        assert_int_equal(events(fixture, "alert joined"), 1);

        _cleanup_json_ cJSON *members = NULL;
        assert_int_equal(journal_members(fixture->journal, 1, 10, &members, NULL), 0);
        assert_int_equal(cJSON_GetArraySize(members), 1);
        assert_string_equal(
                json_string(json_get(cJSON_GetArrayItem(members, 0), "alert", NULL), "fingerprint"), "f2");

        accept_alerts(fixture, "-f1");
        assert_int_equal(events(fixture, "one of its alerts is over"), 1);
        assert_true(fires(fixture));
        accept_alerts(fixture, "f6");
        assert_int_equal(open_of_cause(fixture, "c"), 4); /* one that fires is enough */
        accept_alerts(fixture, "-f2 -f6");
        assert_int_equal(events(fixture, "alert resolved"), 1);
        assert_false(fires(fixture));
        accept_alerts(fixture, "f2");
        assert_int_equal(open_of_cause(fixture, "c"), 5); /* none fires: that one is about to end */
        assert_true(verified_rows(fixture) > 0);
}

/* Whose turn it is stays it: a person's, while what they were called for fires; not of what was healed. */
static void test_a_sibling_waits_for_the_person(void **state)
{
        struct journal_fixture *fixture = *state;
        static const struct {
                enum incident_state state;
                int64_t incidents;
        } cases[] = {{INCIDENT_ESCALATED, 1}, {INCIDENT_EXPIRED, 1}, {INCIDENT_CANCELLED, 1},
                     {INCIDENT_DENIED, 1},    {INCIDENT_HEALED, 2},  {INCIDENT_PLANNED, 2}};
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                forge_journal(fixture, "DELETE FROM steps; DELETE FROM members; DELETE FROM incidents; "
                                       "DELETE FROM episodes");
                accept_alerts(fixture, "f1");
                assert_int_equal(open_of_cause(fixture, "c"), 1);
                _cleanup_free_ char *sql =
                        text_format("UPDATE incidents SET state = '%s', ended_at = 1, running_at = 1",
                                    incident_state_name(cases[i].state));
                run_sql(fixture, sql);
                accept_alerts(fixture, "f2");
                assert_int_equal(open_of_cause(fixture, "c"), cases[i].incidents);
                accept_alerts(fixture, "-f1 -f2");
                accept_alerts(fixture, "f1");
                assert_int_equal(open_of_cause(fixture, "c"), cases[i].incidents + 1);
        }
}

/* An alert that joined, and fires anew after all was over without its end being told, is a new episode. */
static void test_who_joined_may_fire_anew(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1");
        open_of_cause(fixture, "c");
        accept_alerts(fixture, "f2");
        assert_int_equal(open_of_cause(fixture, "c"), 1);
        _cleanup_free_ char *later =
                text_format("f2@%lld", (long long)(world_wall(&clocks_only) / NSEC_PER_SEC + 60));
        accept_alerts(fixture, later);
        assert_int_equal(unmatched_count(fixture), 0); /* it has not ended */
        WRITE(fixture, .state = INCIDENT_RUNNING);
        WRITE(fixture, .state = INCIDENT_DONE);
        accept_alerts(fixture, later);
        assert_int_equal(open_of_cause(fixture, "c"), 2);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM episodes WHERE closed_at IS NULL"), 2);
}

static nsec nth_run(struct journal_fixture *fixture, const char *remediation, const char *lock, int64_t nth,
                    nsec after)
{
        nsec began = 77;
        assert_int_equal(journal_nth_run(fixture->journal, remediation, lock, nth, after, &began, NULL), 0);
        return began;
}

static nsec last_run(struct journal_fixture *fixture, const char *lock)
{
        nsec ended = 77;
        assert_int_equal(journal_last_run(fixture->journal, lock, &ended, NULL), 0);
        return ended;
}

static void test_runs(void **state)
{
        struct journal_fixture *fixture = *state;
        assert_true(last_run(fixture, "l") == 0);
        assert_true(nth_run(fixture, "restart", "l", 1, 0) == 0);
        for (int i = 0; i < 5; i++) {
                _cleanup_free_ char *word = text_format("f%d", i);
                accept_alerts(fixture, word);
                open_incidents(fixture, 1);
        }
        WRITE(fixture, .incident = 1, .state = INCIDENT_RUNNING, .lock = "l");
        WRITE(fixture, .incident = 1, .state = INCIDENT_DONE);
        WRITE(fixture, .incident = 2, .state = INCIDENT_RUNNING, .lock = "other");
        WRITE(fixture, .incident = 3, .state = INCIDENT_PLANNED, .lock = "l"); /* a dry run */
        WRITE(fixture, .incident = 4, .state = INCIDENT_RUNNING, .lock = "l");
        WRITE(fixture, .incident = 4, .state = INCIDENT_DONE);
        WRITE(fixture, .incident = 5, .state = INCIDENT_RUNNING, .lock = "l");
        WRITE(fixture, .incident = 5, .state = INCIDENT_DONE);
        run_sql(fixture, "UPDATE incidents SET running_steady = id * 1000, ended_steady = CASE id WHEN 2 "
                         "THEN 0 ELSE id * 1000 + 1 END WHERE id <> 3;"
                         "UPDATE incidents SET remediation = 'another' WHERE id = 5");

        /* The lock is what counts, whatever remediation it was. */
        assert_true(last_run(fixture, "l") == 5001);
        assert_true(last_run(fixture, "other") == 0); /* begun, not ended */
        assert_true(last_run(fixture, "restart") == 0);

        /* Of one remediation, or of any; only those that began after a time. */
        assert_true(nth_run(fixture, "restart", "l", 1, 0) == 4000);
        assert_true(nth_run(fixture, "restart", "l", 2, 999) == 1000);
        assert_true(nth_run(fixture, "restart", "l", 2, 1000) == 0);
        assert_true(nth_run(fixture, "restart", "l", 3, 0) == 0);
        assert_true(nth_run(fixture, "restart", "other", 1, 0) == 2000);
        assert_true(nth_run(fixture, "notify", "l", 1, 0) == 0);
        assert_true(nth_run(fixture, NULL, "l", 1, 0) == 5000);
        assert_true(nth_run(fixture, NULL, "l", 3, 0) == 1000);
        assert_true(nth_run(fixture, NULL, "l", 4, 0) == 0);
}

/* Nobody could be told of its failure yet, so it has not ended; but it acts no more. */
static void test_last_run_of_who_has_failed(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        nsec ended = 0;
        WRITE(fixture, .state = INCIDENT_RUNNING, .lock = "l");
        assert_int_equal(journal_last_run(fixture->journal, "l", &ended, NULL), 0);
        assert_true(ended == 0);
        WRITE(fixture, .state = INCIDENT_FAILED);
        run_sql(fixture, "UPDATE incidents SET entered_steady = 1000");
        assert_int_equal(journal_last_run(fixture->journal, "l", &ended, NULL), 0);
        assert_true(ended == 1000);
        assert_int_equal(journal_last_run(fixture->journal, "other", &ended, NULL), 0);
        assert_true(ended == 0);
        WRITE(fixture, .state = INCIDENT_ESCALATED);
        run_sql(fixture, "UPDATE incidents SET ended_steady = 2000");
        assert_int_equal(journal_last_run(fixture->journal, "l", &ended, NULL), 0);
        assert_true(ended == 2000);
}

/* It acts no more until somebody agrees. */
static void test_last_run_of_who_asks_midway(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        nsec ended = 77;
        WRITE(fixture, .state = INCIDENT_AWAITING_APPROVAL, .lock = "l");
        assert_int_equal(journal_last_run(fixture->journal, "l", &ended, NULL), 0);
        assert_true(ended == 0); /* it has not run */
        WRITE(fixture, .state = INCIDENT_RUNNING);
        WRITE(fixture, .state = INCIDENT_AWAITING_APPROVAL);
        run_sql(fixture, "UPDATE incidents SET entered_steady = 1000");
        assert_int_equal(journal_last_run(fixture->journal, "l", &ended, NULL), 0);
        assert_true(ended == 1000);
}

/* Between a look at the kill switch and the commit it may be set: the commit is what counts. */
static void test_nothing_begins_once_paused(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        WRITE(fixture, .state = INCIDENT_RUNNING);
        assert_int_equal(journal_set_paused(fixture->journal, true, "alice", NULL, NULL), 0);
        uint64_t rows = verified_rows(fixture);
        REFUSED(fixture, ECANCELED, "the responder is paused", .event = "step started", .step = 1,
                .step_status = STEP_STARTED, .unless_paused = true);
        assert_int_equal(verified_rows(fixture), rows);
        struct incident incident = only_active(fixture);
        assert_int_equal(incident.steps[0].status, STEP_WAITING);
        incident_release(&incident);
        WRITE(fixture, .event = "step started", .step = 1, .step_status = STEP_STARTED);
        assert_int_equal(journal_set_paused(fixture->journal, false, "alice", NULL, NULL), 0);
        WRITE(fixture, .event = "step goes on", .step = 1, .unless_paused = true);
}

static void test_paused_over_reopening(void **state)
{
        struct journal_fixture *fixture = *state;
        bool paused = true;
        nsec since = 77, again = 0;
        assert_int_equal(journal_paused(fixture->journal, &paused, &since, NULL), 0);
        assert_true(!paused && since == 0);
        assert_int_equal(journal_set_paused(fixture->journal, true, "alice", "a \"move\"", NULL), 0);
        assert_int_equal(journal_paused(fixture->journal, &paused, &since, NULL), 0);
        assert_true(paused && since > 0);
        reopen_journal(fixture);
        assert_int_equal(journal_set_paused(fixture->journal, true, "bob", NULL, NULL), 0);
        assert_int_equal(journal_paused(fixture->journal, &paused, &again, NULL), 0);
        assert_true(paused && again == since); /* since the first time */
        assert_int_equal(journal_set_paused(fixture->journal, false, "alice", "", NULL), 0);
        reopen_journal(fixture);
        assert_int_equal(journal_paused(fixture->journal, &paused, NULL, NULL), 0);
        assert_false(paused);

        _cleanup_json_ cJSON *timeline = NULL;
        assert_int_equal(journal_timeline(fixture->journal, 0, &timeline, NULL), 0);
        assert_int_equal(cJSON_GetArraySize(timeline), 3);
        const cJSON *row = cJSON_GetArrayItem(timeline, 0);
        assert_string_equal(json_string(row, "event"), "paused");
        assert_string_equal(json_string(json_get(row, "detail", NULL), "reason"), "a \"move\"");
        assert_string_equal(json_string(cJSON_GetArrayItem(timeline, 2), "event"), "resumed");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_one_episode_until_resolved),
                ON_JOURNAL(test_e1_a_firing_that_began_after_the_end_is_another_one),
                ON_JOURNAL(test_both_in_one_body),
                ON_JOURNAL(test_late_news_do_not_close),
                ON_JOURNAL(test_begin_moves_earlier_only),
                ON_JOURNAL(test_unmatched_are_oldest_first),
                ON_JOURNAL(test_silent_episodes),
                ON_JOURNAL(test_unmatched_of_a_crowd),
                ON_JOURNAL(test_written_together),
                ON_JOURNAL(test_passed_over),
                ON_JOURNAL(test_incidents_of_an_episode),
                ON_JOURNAL(test_numbers_by_year),
                ON_JOURNAL(test_entries_change_what_they_say),
                ON_JOURNAL(test_steps),
                ON_JOURNAL(test_refused_entries_write_nothing),
                ON_JOURNAL(test_who_is_active),
                ON_JOURNAL(test_pages_and_finding),
                ON_JOURNAL(test_timeline),
                ON_JOURNAL(test_runs),
                ON_JOURNAL(test_one_cause_is_one_incident),
                ON_JOURNAL(test_a_sibling_waits_for_the_person),
                ON_JOURNAL(test_who_joined_may_fire_anew),
                ON_JOURNAL(test_last_run_of_who_has_failed),
                ON_JOURNAL(test_last_run_of_who_asks_midway),
                ON_JOURNAL(test_nothing_begins_once_paused),
                ON_JOURNAL(test_paused_over_reopening),
        };
        return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
