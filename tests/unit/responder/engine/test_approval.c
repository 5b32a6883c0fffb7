/* SPDX-License-Identifier: Apache-2.0 */
/* A yes is of one plan, by so many people, in time: whatever else is asked anew, denied, or never run. */
#include "tests/harness/engine.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "runbook/http_client.h"

#define ASK(approval, steps)                                                                   \
        "  - {name: ask, match: ['alertname=\"a\"'], lock: '${labels.n}', approval: " approval \
        ", steps: [" steps "]}\n"
#define ONE "{act.once: {name: one}}"

static struct engine_fixture *ask(const char *remediations)
{
        struct engine_fixture *fixture = fixture_open(remediations);
        alert_arrives(fixture, "f1", true, "\"n\":\"1\"");
        await_state(fixture, 1, INCIDENT_AWAITING_APPROVAL);
        return fixture;
}

static void await_told(struct engine_fixture *fixture, const char *words)
{
        struct deadline deadline = deadline_in(20 * NSEC_PER_SEC);
        while (!person_was_told(fixture, words) && !deadline_passed(deadline))
                poll_pause();
        if (!person_was_told(fixture, words))
                fail_msg("nobody was told \"%s\"; but: %s", words, text_string(&fixture->messages));
}

static int approve(struct engine_fixture *fixture, const char *actor, const char *plan)
{
        return engine_approve(fixture->engine, fixture->number[1], actor, NULL, plan, NULL);
}

static size_t count_events(struct engine_fixture *fixture, int n, const char *event)
{
        _cleanup_free_ char *events = events_of(fixture, n);
        size_t count = 0, length = strlen(event);
        for (const char *at = events; *at; at += strcspn(at, "\n") + 1)
                count += strcspn(at, "\n") == length && strncmp(at, event, length) == 0;
        return count;
}

static bool asked_again(struct engine_fixture *fixture, const struct incident *incident, int times)
{
        return incident->state == INCIDENT_AWAITING_APPROVAL && !incident->approved &&
               count_events(fixture, 1, "awaiting approval") == (size_t)times;
}

static char *plan_asked(struct engine_fixture *fixture)
{
        struct incident incident = {0};
        _cleanup_json_ cJSON *asked = NULL;
        assert_int_equal(journal_find(fixture->journal, fixture->number[1], &incident, NULL), 0);
        assert_int_equal(json_parse(incident.asked, strlen(incident.asked), &asked, NULL), 0);
        incident_release(&incident);
        char *plan = strdup(json_string(asked, "plan"));
        assert_non_null(plan);
        return plan;
}

/* Whoever shows what the first has shown is no second one, by whatever name; also over a restart. */
static void test_two_people_are_two(void **state _unused_)
{
        struct engine_fixture *fixture = ask(ASK("{people: 2}", ONE));
        assert_int_equal(approve(fixture, "ada (token operator)", NULL), 0);
        assert_int_equal(approve(fixture, "ada (token operator)", NULL), -EALREADY);
        assert_int_equal(approve(fixture, "bob (token operator)", NULL), -EALREADY);
        fixture_stop(fixture);
        fixture_start(fixture);
        assert_int_equal(approve(fixture, "cy (token operator)", NULL), -EALREADY);
        await_state(fixture, 1, INCIDENT_AWAITING_APPROVAL);
        assert_action_calls("run", "");
        assert_int_equal(approve(fixture, "uid 1000 (bob)", NULL), 0);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_int_equal(count_events(fixture, 1, "agreed"), 1);
        assert_int_equal(count_events(fixture, 1, "approved"), 1);
        fixture_close(fixture);
}

static void test_who_is_who(void **state _unused_)
{
        static const struct {
                const char *actor, *identity;
        } cases[] = {
                {"ada (token operator)", "token operator"},
                {"bob (token operator)", "token operator"},
                {"a (token admin) (token operator)", "token operator"},
                {"ada (not proved)", "who has shown nothing"},
                {"bob (not proved)", "who has shown nothing"},
                {"ada (password)", "ada"},
                {"certificate ada", "ada"},
                {"uid 1000 (ada)", "ada"},
                {"uid 1000", "uid 1000"},
                {"person:ada", "ada"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *identity = actor_identity(cases[i].actor);
                assert_string_equal(identity, cases[i].identity);
        }
}

/* Between the question and the yes the world has moved: nothing runs, it is asked anew, and the difference
 * told; and an answer to what was asked before is none. */
static void test_a_yes_is_of_one_plan(void **state _unused_)
{
        struct engine_fixture *fixture = ask(ASK("true", ONE));
        _cleanup_free_ char *before = plan_asked(fixture);
        move_world();
        assert_int_equal(approve(fixture, "ada", before), 0);
        await_incident(fixture, 1, asked_again, 2, "asked about anew");
        assert_action_calls("run", "");
        await_told(fixture, "the plan is another than the one that was agreed to: step 1 (act.once)");
        assert_true(person_was_told(fixture, "world nothing → "));
        assert_int_equal(approve(fixture, "ada", before), -ESTALE);
        _cleanup_free_ char *now = plan_asked(fixture);
        assert_string_not_equal(before, now);
        now[12] = '\0';
        assert_true(person_was_told(fixture, now));
        assert_int_equal(approve(fixture, "ada", now), 0);
        await_state(fixture, 1, INCIDENT_DONE);
        fixture_close(fixture);
}

/* What was agreed to by one of two is not agreed to any more. */
static void test_a_yes_of_one_does_not_outlive_the_plan(void **state _unused_)
{
        struct engine_fixture *fixture = ask(ASK("{people: 2}", ONE));
        assert_int_equal(approve(fixture, "ada", NULL), 0);
        move_world();
        assert_int_equal(approve(fixture, "bob", NULL), 0);
        await_incident(fixture, 1, asked_again, 2, "asked about anew");
        assert_int_equal(approve(fixture, "bob", NULL), 0);
        await_state(fixture, 1, INCIDENT_AWAITING_APPROVAL);
        assert_int_equal(approve(fixture, "ada", NULL), 0);
        await_state(fixture, 1, INCIDENT_DONE);
        fixture_close(fixture);
}

/* Also midway: a later step is planned anew before it begins. */
static void test_a_later_step_is_of_the_plan(void **state _unused_)
{
        struct engine_fixture *fixture =
                ask(ASK("true", "{act.once: {name: one, waits: true}}, {act.once: {name: two}}"));
        assert_int_equal(approve(fixture, "ada", NULL), 0);
        await_action_call("run:one");
        move_world();
        open_gate();
        await_incident(fixture, 1, asked_again, 2, "asked about anew");
        assert_action_calls("run", "run:one");
        assert_int_equal(approve(fixture, "ada", NULL), 0);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_action_calls("run", "run:one run:two");
        fixture_close(fixture);
}

/* Nobody answers. */
static void test_deadlines(void **state _unused_)
{
        static const struct {
                const char *remediations;
                enum incident_state end;
                const char *told;
        } cases[] = {
                {ASK("{deadline: 300ms, on_timeout: run}", ONE), INCIDENT_DONE, NULL},
                {ASK("{deadline: 300ms, on_timeout: deny}", ONE), INCIDENT_DENIED, NULL},
                {ASK("{deadline: 300ms}", ONE), INCIDENT_EXPIRED, "nobody approved it within 300ms"},
                /* What something else asks about as well does not run for want of an answer. */
                {ASK("{deadline: 300ms, on_timeout: run}", "{act.once: {name: one, targets: 3}, max: 2}"),
                 INCIDENT_EXPIRED, "nobody approved it within 300ms"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct engine_fixture *fixture = fixture_open(cases[i].remediations);
                alert_arrives(fixture, "f1", true, "\"n\":\"1\"");
                await_state(fixture, 1, cases[i].end);
                assert_action_calls("run", cases[i].end == INCIDENT_DONE ? "run:one" : "");
                if (cases[i].told)
                        await_told(fixture, cases[i].told);
                fixture_close(fixture);
        }
}

/* What a step may touch at most is asked about though a deadline has answered `approval:`, when it has grown
 * beyond that meanwhile: before the run, and before the step. */
static void test_a_deadline_lets_nothing_grow(void **state _unused_)
{
        static const char *const grows_at[] = {"2", "3"};
        for (size_t i = 0; i < N_ELEMENTS(grows_at); i++) {
                _cleanup_free_ char *remediations = text_format(
                        ASK("{deadline: 300ms, on_timeout: run}",
                            "{act.once: {name: one, targets: 2, grown: 7, grows_at: %s}, max: 3}"),
                        grows_at[i]);
                struct engine_fixture *fixture = fixture_open(remediations);
                alert_arrives(fixture, "f1", true, "\"n\":\"1\"");
                /* What is asked about a step is not answered by `deadline:`, but expires with the incident.
                 */
                if (i == 0)
                        await_state(fixture, 1, INCIDENT_EXPIRED);
                else
                        await_incident(fixture, 1, asked_again, 2, "asked about anew");
                assert_int_equal(count_events(fixture, 1, "awaiting approval"), 2);
                assert_action_calls("run", "");
                fixture_close(fixture);
        }
}

/* Whoever is asked knows how many have to agree. */
static void test_what_is_told(void **state _unused_)
{
        struct engine_fixture *fixture = ask(ASK("{deadline: 50m, on_timeout: deny, people: 2}", ONE));
        await_told(fixture, "two people have to agree: nobody has so far");
        fixture_close(fixture);
}

/* Only when it is so. */
static void test_conditions(void **state _unused_)
{
        struct engine_fixture *fixture =
                fixture_open("  - {name: ask, match: ['alertname=\"a\"'], lock: x, approval: {when: "
                             "{more_than: 2, after: 1 per "
                             "1h}}, steps: [{act.once: {name: one, targets: 2}}]}\n"
                             "  - {name: many, match: ['b=\"1\"'], approval: {when: {more_than: 2}}, steps: "
                             "[{act.once: {name: "
                             "two, targets: 2}}, {act.once: {name: three, targets: 1}}]}\n");
        alert_arrives(fixture, "f1", true, "");
        await_state(fixture, 1, INCIDENT_DONE);
        alert_arrives(fixture, "f1", false, "");
        alert_arrives(fixture, "f2", true, "");
        await_state(fixture, 2, INCIDENT_AWAITING_APPROVAL);
        await_told(fixture, "it has run 1 times within 1h");
        fixture_close(fixture);

        fixture = fixture_open(
                "  - {name: many, match: ['alertname=\"a\"'], approval: {when: {more_than: 2}}, steps: "
                "[{act.once: {name: two, targets: 2}}, {act.once: {name: three, targets: 1}}]}\n");
        alert_arrives(fixture, "f1", true, "");
        await_state(fixture, 1, INCIDENT_AWAITING_APPROVAL);
        fixture_close(fixture);
}

static void test_outside_of_the_hours(void **state _unused_)
{
        static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        time_t now = (time_t)(clock_wall() / NSEC_PER_SEC);
        struct tm parts;
        gmtime_r(&now, &parts);
        for (int there = 0; there < 2; there++) {
                struct engine_fixture *fixture = fixture_prepare(
                        "  - {name: ask, match: ['alertname=\"a\"'], approval: true, steps: [" ONE "]}\n");
                const char *hours = there ? "Sun-Sat" : days[(parts.tm_wday + 3) % 7];
                assert_int_equal(hours_make(&hours, 1, "UTC", &fixture->set->hours, NULL, NULL), 0);
                fixture->set->remediations[0].approval.conditions = true;
                fixture->set->remediations[0].approval.outside_hours = true;
                fixture_start(fixture);
                alert_arrives(fixture, "f1", true, "");
                await_state(fixture, 1, there ? INCIDENT_DONE : INCIDENT_AWAITING_APPROVAL);
                fixture_close(fixture);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_two_people_are_two),
                cmocka_unit_test(test_who_is_who),
                cmocka_unit_test(test_a_yes_is_of_one_plan),
                cmocka_unit_test(test_a_yes_of_one_does_not_outlive_the_plan),
                cmocka_unit_test(test_a_later_step_is_of_the_plan),
                cmocka_unit_test(test_deadlines),
                cmocka_unit_test(test_a_deadline_lets_nothing_grow),
                cmocka_unit_test(test_what_is_told),
                cmocka_unit_test(test_conditions),
                cmocka_unit_test(test_outside_of_the_hours),
        };
        assert_int_equal(http_client_global_init(NULL), 0);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
