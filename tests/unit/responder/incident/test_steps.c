/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that accompany the cure do not veto it; what fails for the moment only is tried again, by a clock
 * that is put on to when the engine wants to look. */
#include "tests/harness/engine.h"

#include <string.h>

#include "responder/incident/patience.h"
#include "runbook/http_client.h"

#define ONE(steps) "  - {name: one, match: ['alertname=\"a\"'], steps: [" steps "]}\n"
#define UNDONE(steps) "  - {name: one, match: ['alertname=\"a\"'], on_failure: undo, steps: [" steps "]}\n"

static struct {
        void (*work)(void *argument);
        void *argument;
} given;
static nsec ahead; /* of this machine's monotonic clock */

static int take_work(_unused_ void *context, _unused_ enum world_pool pool, _unused_ const char *whose,
                     void (*work)(void *argument), void *argument)
{
        assert_null(given.work);
        given.work = work;
        given.argument = argument;
        return 0;
}

static nsec read_later(_unused_ void *context)
{
        return clock_monotonic() + ahead;
}

/* An engine without threads, and one incident that has arrived. */
struct slow {
        struct engine_fixture *fixture;
        struct world world;
        nsec began;
};

static void slow_start(struct slow *slow)
{
        struct engine_fixture *fixture = slow->fixture;
        fixture_open_journal(fixture);
        fixture->set->targets.repeat_interval = 0; /* nothing but the incident is looked at */
        slow->world = *place_world(fixture->place);
        slow->world.run = take_work;
        slow->world.monotonic = read_later;
        const struct incident_parts parts = {.world = &slow->world,
                                             .set = fixture->set,
                                             .journal = fixture->journal,
                                             .meters = fixture->meters,
                                             .dry_run = fixture->dry_run};
        assert_int_equal(engine_new(&parts, &fixture->engine, NULL), 0);
}

static void slow_open(struct slow *slow, const char *remediations)
{
        *slow = (struct slow){.fixture = fixture_prepare(remediations)};
        ahead = 0;
        given.work = NULL;
        slow_start(slow);
        slow->began = world_monotonic(&slow->world);
        alert_arrives(slow->fixture, "f1", true, "");
}

/* One look, and what comes of it; else time passes until the next one is due. */
static void slow_look(struct slow *slow)
{
        nsec next = 0;
        assert_int_equal(engine_look(slow->fixture->engine, &next, NULL), 0);
        if (given.work) {
                void (*work)(void *argument) = given.work;
                given.work = NULL;
                work(given.argument);
        } else if (next > world_monotonic(&slow->world)) {
                ahead += next - world_monotonic(&slow->world);
        }
}

static enum incident_state slow_state(struct slow *slow)
{
        struct incident incident = {0};
        assert_int_equal(journal_find(slow->fixture->journal, slow->fixture->number[1], &incident, NULL), 0);
        enum incident_state state = incident.state;
        incident_release(&incident);
        return state;
}

static void slow_run(struct slow *slow, enum incident_state until)
{
        slow_look(slow);
        for (int i = 0; i < 200 && slow_state(slow) != until; i++)
                slow_look(slow);
        if (slow_state(slow) != until)
                fail_msg("it is %s", incident_state_name(slow_state(slow)));
}

static void slow_close(struct slow *slow)
{
        fixture_stop(slow->fixture);
        fixture_close(slow->fixture);
}

/* The timeline, printed. */
static char *story(struct slow *slow)
{
        struct incident incident = {0};
        _cleanup_json_ cJSON *timeline = NULL;
        assert_int_equal(journal_find(slow->fixture->journal, slow->fixture->number[1], &incident, NULL), 0);
        assert_int_equal(journal_timeline(slow->fixture->journal, incident.id, &timeline, NULL), 0);
        incident_release(&incident);
        return json_print(timeline);
}

static size_t count(const char *text, const char *word)
{
        size_t found = 0;
        for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
                found++;
        return found;
}

static void check(const char *remediations, enum incident_state end, const char *runs, const char *tells)
{
        struct slow slow;
        slow_open(&slow, remediations);
        slow_run(&slow, end);
        assert_action_calls("run", runs);
        _cleanup_free_ char *told = story(&slow);
        if (!strstr(told, tells))
                fail_msg("\"%s\" is not told by %s", tells, told);
        slow_close(&slow);
}

static void test_what_accompanies_the_cure_vetoes_nothing(_unused_ void **state)
{
        /* It cannot be planned; it fails; its label is missing; it would touch too much. */
        check(ONE("{act.again: {name: a, plan_fails: true}, essential: no}, {act.once: {name: b}}"),
              INCIDENT_DONE, "run:b", "step 1 (act.again) cannot be planned: there is nothing to do");
        check(ONE("{act.once: {name: a}}, {act.once: {name: b, fails: true}, essential: no}, {act.once: "
                  "{name: "
                  "c}}"),
              INCIDENT_DONE, "run:a run:b run:c",
              "\"passed_over\":\"step 2 (act.once): as the test wants it\"");
        check(ONE("{act.again: {name: '${labels.host}'}, essential: no}, {act.once: {name: b}}"),
              INCIDENT_DONE, "run:b",
              "step 1 (act.again) cannot be planned: 'name': the alert has no label 'host'");
        check(ONE("{act.undone: {name: '${labels.host}'}, on_failure: continue}, {act.once: {name: b}}"),
              INCIDENT_DONE, "run:b", "cannot be planned: 'name': the alert has no label 'host'");
        check(ONE("{act.again: {name: a, targets: 7}, max: 6, essential: no}, {act.once: {name: b}}"),
              INCIDENT_DONE, "run:b", "would touch 7, more than its max of 6");
        /* Nor does it keep the cure waiting. */
        check(ONE("{act.again: {name: a, plan_away: 99}, essential: no}, {act.once: {name: b}}"),
              INCIDENT_DONE, "run:b", "the target is away");
        check(ONE("{act.again: {name: a, away: 99}, essential: no}, {act.once: {name: b}}"), INCIDENT_DONE,
              "run:a run:b", "the target is away");
}

static void test_an_essential_step_stops_itself_and_what_follows(_unused_ void **state)
{
        check(ONE("{act.once: {name: a}}, {act.once: {name: b, plan_fails: true}}, {act.once: {name: c}}"),
              INCIDENT_ESCALATED, "run:a", "step 2 (act.once) cannot be planned: there is nothing to do");
        /* Nothing that matters goes before it: nothing is begun. */
        check(ONE("{act.again: {name: a}, essential: no}, {act.once: {name: b, plan_fails: true}}"),
              INCIDENT_ESCALATED, "", "planning failed");
        /* All or nothing, where what was done would be undone; and a label that is missing is a mistake. */
        check(UNDONE("{act.undone: {name: a}}, {act.once: {name: b, plan_fails: true}}"), INCIDENT_ESCALATED,
              "", "planning failed");
        check(ONE("{act.once: {name: a}}, {act.once: {name: '${labels.host}'}}"), INCIDENT_ESCALATED, "",
              "planning failed");
}

static void test_what_may_pass_is_tried_again(_unused_ void **state)
{
        struct slow slow;
        slow_open(&slow, ONE("{act.again: {name: a, plan_away: 3}}, {act.again: {name: b, away: 3}}"));
        slow_run(&slow, INCIDENT_DONE);
        assert_action_calls("plan", "plan:a plan:b plan:a plan:b plan:a plan:b plan:a plan:b plan:a plan:b");
        assert_action_calls("run", "run:a run:b run:b run:b run:b");
        _cleanup_free_ char *told = story(&slow);
        assert_int_equal(count(told, "\"event\":\"planning waits\""), 1);
        assert_int_equal(count(told, "\"event\":\"step waits\""), 1);
        assert_int_equal(count(told, "\"event\":\"step goes on\""), 0);
        assert_int_equal(count(told, "\"event\":\"step started\""), 2);
        slow_close(&slow);
}

/* The time between two looks is what a try would take here: none. */
static void test_it_is_given_up_in_time(_unused_ void **state)
{
        static const struct {
                const char *remediations;
                nsec within;
        } cases[] = {
                {ONE("{act.again: {name: a, plan_away: 99}, timeout: 5m}"), PATIENCE_TO_PLAN},
                {ONE("{act.again: {name: a, plan_away: 99}, timeout: 20s}"), 20 * NSEC_PER_SEC},
                {ONE("{act.again: {name: a, away: 99}, timeout: 3m}"), 180 * NSEC_PER_SEC},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct slow slow;
                slow_open(&slow, cases[i].remediations);
                slow_run(&slow, INCIDENT_ESCALATED);
                nsec took = world_monotonic(&slow.world) - slow.began;
                assert_true(took >= cases[i].within / 2 && took <= cases[i].within + 5 * NSEC_PER_SEC);
                assert_true(person_was_told(slow.fixture, "the target is away"));
                slow_close(&slow);
        }
}

static void test_only_what_may_pass_is_tried_again(_unused_ void **state)
{
        check(ONE("{act.again: {name: a, fails: true}}"), INCIDENT_ESCALATED, "run:a",
              "as the test wants it");
        /* What it has done nobody could tell. */
        check(ONE("{act.once: {name: a, away: 1}}"), INCIDENT_ESCALATED, "run:a", "the target is away");
        /* Who can tell is asked, as after a crash: it had its effect, or none, or that is not known. */
        check(ONE("{act.resumed: {name: a, away: 1, found: done}}"), INCIDENT_DONE, "run:a", "step was done");
        check(ONE("{act.resumed: {name: a, away: 1, found: again}}"), INCIDENT_DONE, "run:a run:a",
              "step done");
        check(ONE("{act.resumed: {name: a, away: 1, found: unknown}}"), INCIDENT_ESCALATED, "run:a",
              "step interrupted");
        check(ONE("{act.resumed: {name: a, away: 1, resume_away: 2, found: done}}"), INCIDENT_DONE, "run:a",
              "step was done");
}

/* After a boot of the machine those that would tell are only starting, too. */
static void test_after_a_restart_whoever_can_tell_is_waited_for(_unused_ void **state)
{
        struct slow slow;
        slow_open(&slow, ONE("{act.resumed: {name: a, away: 1, resume_away: 2, found: again}}"));
        while (!action_called("run:a"))
                slow_look(&slow);
        fixture_stop(slow.fixture);
        slow_start(&slow);
        slow_run(&slow, INCIDENT_DONE);
        assert_action_calls("run resume", "run:a resume:a resume:a resume:a run:a");
        slow_close(&slow);
}

/* The kill switch holds between two tries, and the time that it took is not counted. */
static void test_a_pause_holds_between_two_tries(_unused_ void **state)
{
        struct slow slow;
        slow_open(&slow, ONE("{act.again: {name: a, away: 2}, timeout: 10s}"));
        while (!action_called("run:a"))
                slow_look(&slow);
        assert_int_equal(engine_pause(slow.fixture->engine, true, "tester", NULL, NULL), 0);
        ahead += 60 * NSEC_PER_SEC;
        for (int i = 0; i < 5; i++)
                slow_look(&slow);
        assert_action_calls("run", "run:a");
        assert_int_equal(engine_pause(slow.fixture->engine, false, "tester", NULL, NULL), 0);
        slow_run(&slow, INCIDENT_DONE);
        assert_action_calls("run", "run:a run:a run:a");
        slow_close(&slow);
}

static void pause_for_a_while(struct slow *slow, nsec how_long)
{
        nsec next = 0;
        assert_int_equal(engine_pause(slow->fixture->engine, true, "tester", NULL, NULL), 0);
        ahead += how_long;
        assert_int_equal(engine_look(slow->fixture->engine, &next, NULL), 0);
        assert_null(given.work);
        assert_int_equal(engine_pause(slow->fixture->engine, false, "tester", NULL, NULL), 0);
}

/* However much of its time is left when somebody pauses, and whatever is being tried: it is there afterwards.
 * Five tries that fail take 30 s. */
static void test_a_pause_takes_no_time_from_a_try(_unused_ void **state)
{
        static const struct {
                const char *remediations, *first;
        } cases[] = {
                {ONE("{act.again: {name: a, plan_away: 5}, timeout: 40s}"), "plan:a"},
                {ONE("{act.again: {name: x}}, {act.again: {name: a, plan_away: 6}, timeout: 40s}"), "run:x"},
                {ONE("{act.again: {name: a, away: 5}, timeout: 40s}"), "run:a"},
                {ONE("{act.resumed: {name: a, away: 1, resume_away: 4, found: done}, timeout: 40s}"),
                 "run:a"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct slow slow;
                slow_open(&slow, cases[i].remediations);
                while (!action_called(cases[i].first))
                        slow_look(&slow);
                for (int pauses = 0; pauses < 3; pauses++) {
                        pause_for_a_while(&slow, 18 * NSEC_PER_SEC);
                        slow_look(&slow);
                        slow_look(&slow);
                }
                slow_run(&slow, INCIDENT_DONE);
                slow_close(&slow);
        }
}

/* What has not begun need not begin any more. */
static void test_resolved_while_it_waits_to_be_planned(_unused_ void **state)
{
        struct slow slow;
        slow_open(&slow, ONE("{act.again: {name: a, plan_away: 99}}"));
        while (!action_called("plan:a"))
                slow_look(&slow);
        alert_arrives(slow.fixture, "f1", false, "");
        slow_run(&slow, INCIDENT_CANCELLED);
        assert_action_calls("run", "");
        slow_close(&slow);
}

static int (*plan_as_ever)(void *context, const struct action *action, struct step_run *run, cJSON **ret_plan,
                           struct error *error);
static int plans_until_old;

/* With this plan the decision is a minute old by the journal's clock. */
static int plan_slowly(void *context, const struct action *action, struct step_run *run, cJSON **ret_plan,
                       struct error *error)
{
        ahead = --plans_until_old == 0 ? -60 * NSEC_PER_SEC : 0;
        return plan_as_ever(context, action, run, ret_plan, error);
}

/* A full disk keeps a commit for as long as it likes: what was decided before is asked anew, be it to begin
 * at all or a step. */
static void test_what_was_decided_long_ago_is_asked_anew(_unused_ void **state)
{
        for (int old = 1; old <= 2; old++) {
                struct slow slow;
                slow_open(&slow, ONE("{act.once: {name: a}}"));
                plan_as_ever = slow.world.plan_step;
                slow.world.plan_step = plan_slowly;
                plans_until_old = old;
                while (plans_until_old > 0)
                        slow_look(&slow);
                assert_action_calls("run", "");
                assert_int_equal(slow_state(&slow), old == 1 ? INCIDENT_RECEIVED : INCIDENT_RUNNING);
                slow_run(&slow, INCIDENT_DONE);
                assert_action_calls("run", "run:a");
                slow_close(&slow);
        }
}

int main(void)
{
        assert_int_equal(http_client_global_init(NULL), 0);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_accompanies_the_cure_vetoes_nothing),
                cmocka_unit_test(test_an_essential_step_stops_itself_and_what_follows),
                cmocka_unit_test(test_what_may_pass_is_tried_again),
                cmocka_unit_test(test_it_is_given_up_in_time),
                cmocka_unit_test(test_only_what_may_pass_is_tried_again),
                cmocka_unit_test(test_after_a_restart_whoever_can_tell_is_waited_for),
                cmocka_unit_test(test_a_pause_holds_between_two_tries),
                cmocka_unit_test(test_a_pause_takes_no_time_from_a_try),
                cmocka_unit_test(test_resolved_while_it_waits_to_be_planned),
                cmocka_unit_test(test_what_was_decided_long_ago_is_asked_anew),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
