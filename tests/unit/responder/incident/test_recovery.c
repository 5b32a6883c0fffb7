/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine makes of a journal that a crash left behind in the middle of something. */
#include "tests/harness/engine.h"

#include "runbook/http_client.h"

static void write_row(struct engine_fixture *fixture, enum incident_state state, size_t step,
                      enum step_status status)
{
        struct incident incident = {0};
        _cleanup_error_ struct error error = {0};
        assert_int_equal(journal_find(fixture->journal, fixture->number[1], &incident, &error), 0);
        _cleanup_json_ cJSON *detail = cJSON_CreateObject();
        cJSON_AddStringToObject(detail, "summary", status == STEP_DONE ? "ran" : step == 1 ? "one" : "two");
        cJSON_AddNumberToObject(detail, "targets", 1);
        const struct journal_entry entry = {
                .incident = incident.id,
                .actor = "engine",
                .event = state == INCIDENT_VERIFYING ? "verifying"
                         : state == INCIDENT_RUNNING ? "running"
                                                     : "as before the crash",
                .state = state,
                .lock = state == INCIDENT_RUNNING ? "the-lock" : NULL,
                .step = step,
                .step_status = status,
                .detail = step > 0 ? detail : NULL,
        };
        if (journal_write(fixture->journal, &entry, &error) < 0)
                fail_msg("%s", error_text(&error));
        incident_release(&incident);
}

/* An incident of one remediation, whose journal says that its first step is done and its second was started.
 */
static struct engine_fixture *fixture_crashed_in(const char *remediations, const char *first,
                                                 const char *second, const char *third)
{
        struct engine_fixture *fixture = fixture_prepare(remediations);
        fixture_open_journal(fixture); /* as a daemon that died had written it */
        alert_arrives(fixture, "f1", true, "");
        struct episode_list episodes = {0};
        assert_int_equal(journal_unmatched(fixture->journal, 10, &episodes, NULL), 0);
        assert_int_equal(episodes.count, 1);
        const char *const names[] = {first, second, third};
        const struct journal_opening opening = {
                fixture->set->remediations[0].name, names, third ? 3 : 2, NULL, false, NULL};
        assert_int_equal(journal_open_incidents(fixture->journal, episodes.items[0].id, &opening, 1, NULL),
                         0);
        episode_list_release(&episodes);

        write_row(fixture, INCIDENT_RUNNING, 0, STEP_WAITING);
        write_row(fixture, INCIDENT_UNCHANGED, 1, STEP_STARTED);
        write_row(fixture, INCIDENT_UNCHANGED, 1, STEP_DONE);
        write_row(fixture, INCIDENT_UNCHANGED, 2, STEP_STARTED);
        return fixture;
}

static void crash_and_start(struct engine_fixture *fixture)
{
        fixture_close_journal(fixture);
        fixture_start(fixture);
}

static void test_repeatable_runs_again(_unused_ void **state)
{
        struct engine_fixture *fixture =
                fixture_crashed_in("  - {name: r, match: ['alertname=\"a\"'], steps: [{act.undone: "
                                   "{name: one}}, {act.again: {name: two}}]}\n",
                                   "act.undone", "act.again", NULL);
        crash_and_start(fixture);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_action_calls("plan run resume", "run:two"); /* by the plan it had begun with */
        /* A version that kept no definition had begun it. */
        _cleanup_free_ char *events = events_of(fixture, 1);
        assert_non_null(strstr(events, "taken up by the file\nstep goes on\n"));
        fixture_close(fixture);
}

static void test_other_is_interrupted(_unused_ void **state)
{
        /* Whatever on_failure says: a person is called, nothing is undone behind their back. */
        struct engine_fixture *fixture =
                fixture_crashed_in("  - {name: r, match: ['alertname=\"a\"'], on_failure: undo, "
                                   "steps: [{act.undone: {name: one}}, {act.once: {name: two}}]}\n",
                                   "act.undone", "act.once", NULL);
        crash_and_start(fixture);
        await_state(fixture, 1, INCIDENT_ESCALATED);
        assert_action_calls("plan run resume undo", "");
        assert_int_equal(atomic_load(&fixture->told), 1);
        assert_true(person_was_told(fixture, "interrupted"));
        struct incident incident = {0};
        assert_int_equal(journal_find(fixture->journal, fixture->number[1], &incident, NULL), 0);
        assert_int_equal(incident.steps[1].status, STEP_INTERRUPTED);
        incident_release(&incident);
        fixture_close(fixture);
}

#define RESUMED(found)                                                                                       \
        "  - {name: r, match: ['alertname=\"a\"'], steps: [{act.undone: {name: one}}, {act.resumed: {name: " \
        "two, "                                                                                              \
        "found: " found "}}]}\n"

static void test_resume_says_done(_unused_ void **state)
{
        struct engine_fixture *fixture =
                fixture_crashed_in(RESUMED("done"), "act.undone", "act.resumed", NULL);
        crash_and_start(fixture);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_action_calls("plan run resume", "resume:two");
        fixture_close(fixture);
}

static void test_resume_says_again(_unused_ void **state)
{
        struct engine_fixture *fixture =
                fixture_crashed_in(RESUMED("again"), "act.undone", "act.resumed", NULL);
        crash_and_start(fixture);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_action_calls("plan run resume", "resume:two run:two");
        fixture_close(fixture);
}

static void test_resume_cannot_tell(_unused_ void **state)
{
        struct engine_fixture *fixture =
                fixture_crashed_in(RESUMED("unknown"), "act.undone", "act.resumed", NULL);
        crash_and_start(fixture);
        await_state(fixture, 1, INCIDENT_ESCALATED);
        assert_action_calls("plan run resume", "resume:two");
        assert_true(person_was_told(fixture, "nobody can tell"));
        fixture_close(fixture);
}

static void test_resolved_meanwhile(_unused_ void **state)
{
        /* What was begun is finished, for half done is worse than either end; the rest is skipped. */
        struct engine_fixture *fixture = fixture_crashed_in(
                "  - {name: r, match: ['alertname=\"a\"'], steps: [{act.undone: {name: one}}, "
                "{act.resumed: {name: two, found: again}}, {act.once: {name: three}}]}\n",
                "act.undone", "act.resumed", "act.once");
        alert_arrives(fixture, "f1", false, "");
        crash_and_start(fixture);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_action_calls("run resume", "resume:two run:two");
        struct incident incident = {0};
        assert_int_equal(journal_find(fixture->journal, fixture->number[1], &incident, NULL), 0);
        assert_int_equal(incident.steps[1].status, STEP_DONE);
        assert_int_equal(incident.steps[2].status, STEP_SKIPPED);
        incident_release(&incident);
        fixture_close(fixture);
}

static void test_verification_goes_on(_unused_ void **state)
{
        struct engine_fixture *fixture = fixture_crashed_in(
                "  - {name: r, match: ['alertname=\"a\"'], steps: [{act.undone: {name: one}}, {act.once: "
                "{name: two}}], verify: {query: up == 1, within: 300ms, every: 20ms}}\n",
                "act.undone", "act.once", NULL);
        write_row(fixture, INCIDENT_UNCHANGED, 2, STEP_DONE);
        write_row(fixture, INCIDENT_VERIFYING, 0, STEP_WAITING);
        crash_and_start(fixture);
        await_state(fixture, 1, INCIDENT_ESCALATED);
        assert_action_calls("run", "");
        assert_true(atomic_load(&fixture->asked) >= 1);
        fixture_close(fixture);
}

static void test_undo_goes_on(_unused_ void **state)
{
        struct engine_fixture *fixture =
                fixture_crashed_in("  - {name: r, match: ['alertname=\"a\"'], on_failure: undo, steps: "
                                   "[{act.undone: {name: one}}, {act.undone: {name: two, fails: true}}]}\n",
                                   "act.undone", "act.undone", NULL);
        struct incident incident = {0};
        assert_int_equal(journal_find(fixture->journal, fixture->number[1], &incident, NULL), 0);
        _cleanup_json_ cJSON *detail = cJSON_Parse("{\"failed\":true,\"reason\":\"r\",\"summary\":\"s\"}");
        const struct journal_entry failed = {.incident = incident.id,
                                             .actor = "engine",
                                             .event = "step failed",
                                             .state = INCIDENT_FAILED,
                                             .step = 2,
                                             .step_status = STEP_FAILED,
                                             .detail = detail};
        assert_int_equal(journal_write(fixture->journal, &failed, NULL), 0);
        incident_release(&incident);
        write_row(fixture, INCIDENT_UNCHANGED, 2, STEP_UNDOING);
        crash_and_start(fixture);
        await_state(fixture, 1, INCIDENT_ESCALATED);
        assert_action_calls("run undo", "undo:two undo:one");
        fixture_close(fixture);
}

static void test_file_has_changed(_unused_ void **state)
{
        struct engine_fixture *fixture =
                fixture_crashed_in("  - {name: r, match: ['alertname=\"a\"'], steps: [{act.undone: "
                                   "{name: one}}, {act.again: {name: two}}]}\n",
                                   "act.undone", "act.once", NULL);
        crash_and_start(fixture);
        await_state(fixture, 1, INCIDENT_ESCALATED);
        assert_action_calls("plan run resume undo settle", "");
        assert_true(person_was_told(fixture, "no longer has this remediation"));
        /* The first step's effect is still in force. */
        await_incident(fixture, 1, is_settled, 0, "settled");
        assert_int_equal(atomic_load(&fixture->told), 2);
        assert_true(
                person_was_told(fixture, "step 1 (act.undone): remediations.yml has no r with these steps"));
        fixture_close(fixture);
}

static char *status_of(struct engine_fixture *fixture)
{
        struct incident incident = {0};
        struct text text = {0};
        assert_int_equal(journal_find(fixture->journal, fixture->number[1], &incident, NULL), 0);
        for (size_t i = 0; i < incident.step_count; i++)
                text_printf(&text, "%s ", step_status_name(incident.steps[i].status));
        incident_release(&incident);
        return text_take(&text);
}

#define UNDONE(name, arguments)                                                             \
        "  - {name: " name ", match: ['alertname=\"a\"'], steps: [{act.undone: {" arguments \
        "}, undo: when_resolved}]}\n"

/* C1, A3: what is undone is what was done, whatever has become of the file. */
static void test_c1_undone_by_the_journal(_unused_ void **state)
{
        static const char *const later[] = {
                UNDONE("r", "name: two"), UNDONE("s", "name: two"),
                "  - {name: r, match: ['alertname=\"a\"'], steps: [{act.once: {name: two}}]}\n"};
        for (size_t i = 0; i < N_ELEMENTS(later); i++) {
                struct engine_fixture *fixture = fixture_open(UNDONE("r", "name: one"));
                alert_arrives(fixture, "f1", true, "");
                await_state(fixture, 1, INCIDENT_DONE);
                fixture_change_file(fixture, later[i]);
                alert_arrives(fixture, "f1", false, "");
                await_incident(fixture, 1, first_step_is, STEP_UNDONE, "undone");
                assert_action_calls("run undo", "undo:one");
                fixture_close(fixture);
        }
}

#define TWO(first, second)                                                                         \
        "  - {name: r, match: ['alertname=\"a\"'], on_failure: stop, steps: [{act.undone: {name: " \
        "one, " first "}}, {act.once: {" second "}}]}\n"

/* C1: what has not begun is not run by another file either, whatever on_failure says, and a person is told
 * why. */
static void test_c1_the_rest_is_not_run_by_another_file(_unused_ void **state)
{
        static const struct {
                const char *later, *told;
        } cases[] = {
                {TWO("waits: true", "name: three"), "step 2 name two → three"},
                {TWO("waits: false", "name: two"), "step 1 waits true → false"},
                {"  - {name: s, match: ['alertname=\"a\"'], steps: [{act.once: {name: two}}]}\n",
                 "there is no remediation"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct engine_fixture *fixture = fixture_open(TWO("waits: true", "name: two"));
                alert_arrives(fixture, "f1", true, "");
                await_action_call("run:one");
                engine_hold_still(fixture->engine);
                open_gate();
                fixture_change_file(fixture, cases[i].later);
                await_state(fixture, 1, INCIDENT_ESCALATED);
                _cleanup_free_ char *status = status_of(fixture);
                assert_string_equal(status, "done interrupted ");
                assert_action_calls("plan run undo", "");
                assert_true(person_was_told(fixture, cases[i].told));
                fixture_close(fixture);
        }
}

/* An approval is of what was shown: with other arguments it is asked for anew. */
static void test_an_approval_is_of_what_was_shown(_unused_ void **state)
{
#define ASKS(arguments) \
        "  - {name: r, match: ['alertname=\"a\"'], approval: true, steps: [{act.once: {" arguments "}}]}\n"
        struct engine_fixture *fixture = fixture_open(ASKS("name: one"));
        alert_arrives(fixture, "f1", true, "");
        await_state(fixture, 1, INCIDENT_AWAITING_APPROVAL);
        await_incident(fixture, 1, owes_nothing, 0, "told");
        fixture_change_file(fixture, ASKS("name: two"));
        unsigned told = atomic_load(&fixture->told);
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_APPROVE, fixture->number[1], "ada", NULL, NULL), 0);
        struct deadline deadline = deadline_in(20 * NSEC_PER_SEC);
        while (atomic_load(&fixture->told) == told && !deadline_passed(deadline))
                poll_pause();
        assert_true(person_was_told(fixture, "step 1 name one → two"));
        await_state(fixture, 1, INCIDENT_AWAITING_APPROVAL);
        assert_action_calls("run", "");
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_APPROVE, fixture->number[1], "ada", NULL, NULL), 0);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_action_calls("run", "run:two");
        fixture_close(fixture);
}

int main(void)
{
        assert_int_equal(http_client_global_init(NULL), 0);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_repeatable_runs_again),
                cmocka_unit_test(test_other_is_interrupted),
                cmocka_unit_test(test_resume_says_done),
                cmocka_unit_test(test_resume_says_again),
                cmocka_unit_test(test_resume_cannot_tell),
                cmocka_unit_test(test_resolved_meanwhile),
                cmocka_unit_test(test_verification_goes_on),
                cmocka_unit_test(test_undo_goes_on),
                cmocka_unit_test(test_file_has_changed),
                cmocka_unit_test(test_c1_undone_by_the_journal),
                cmocka_unit_test(test_c1_the_rest_is_not_run_by_another_file),
                cmocka_unit_test(test_an_approval_is_of_what_was_shown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
