/* SPDX-License-Identifier: Apache-2.0 */
/* An alert's life: what has waited is asked for before it begins; what is over, silenced, forgotten or still
 * there is told from each other. */
#include "tests/harness/engine.h"

#include <string.h>

#include "runbook/http_client.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define ONE "  - {name: one, match: ['alertname=\"a\"'], steps: [{act.once: {name: one}}]}\n"

static struct engine_fixture *open_by_hand(const char *remediations)
{
        struct engine_fixture *fixture = fixture_prepare(remediations);
        fixture->set->targets.repeat_interval = 0; /* nobody is asked but for what is tested here */
        hand_ahead = 0;
        fixture_start_by_hand(fixture);
        return fixture;
}

static void pass(struct engine_fixture *fixture, nsec time)
{
        hand_ahead += time;
        look_until_idle(fixture);
}

static void set_paused(struct engine_fixture *fixture, bool paused)
{
        assert_int_equal(engine_pause(fixture->engine, paused, "tester", NULL, NULL), 0);
        look_until_idle(fixture);
}

static void assert_is(struct engine_fixture *fixture, int n, enum incident_state state, const char *guard)
{
        struct incident incident = {0};
        assert_int_equal(journal_find(fixture->journal, fixture->number[n], &incident, NULL), 0);
        if (incident.state != state || !string_equal(incident.guard, guard))
                fail_msg("%s is %s by \"%s\", not %s by \"%s\"", incident.number,
                         incident_state_name(incident.state), incident.guard, incident_state_name(state),
                         guard);
        incident_release(&incident);
}

static void assert_reason(struct engine_fixture *fixture, int n, const char *words)
{
        struct incident incident = {0};
        _cleanup_json_ cJSON *timeline = NULL;
        assert_int_equal(journal_find(fixture->journal, fixture->number[n], &incident, NULL), 0);
        assert_int_equal(journal_timeline(fixture->journal, incident.id, &timeline, NULL), 0);
        _cleanup_free_ char *printed = json_print(timeline);
        if (!strstr(printed, words))
                fail_msg("nothing of \"%s\" in %s", words, printed);
        incident_release(&incident);
}

/* Accepted, and held by the kill switch for so long. */
static struct engine_fixture *open_held(const char *remediations, nsec held)
{
        struct engine_fixture *fixture = open_by_hand(remediations);
        set_paused(fixture, true);
        alert_arrives(fixture, "f1", true, "");
        look_until_idle(fixture);
        pass(fixture, held);
        assert_is(fixture, 1, INCIDENT_HELD, "paused");
        return fixture;
}

static void test_what_is_new_is_not_asked_for(void **state _unused_)
{
        struct engine_fixture *fixture = open_by_hand(ONE);
        atomic_store(&fixture->gone, true);
        alert_arrives(fixture, "f1", true, "");
        look_until_idle(fixture);
        assert_is(fixture, 1, INCIDENT_DONE, "");
        fixture_close(fixture);
}

static void test_what_fires_still_begins(void **state _unused_)
{
        struct engine_fixture *fixture = open_held(ONE, 10 * MINUTE);
        nsec next;
        /* Before Alertmanager has answered it is not shown as paused any more. */
        assert_int_equal(engine_pause(fixture->engine, false, "tester", NULL, NULL), 0);
        look_by_hand(fixture, &next);
        assert_is(fixture, 1, INCIDENT_RECEIVED, "");
        assert_action_calls("plan", "");
        look_until_idle(fixture);
        assert_is(fixture, 1, INCIDENT_DONE, "");
        fixture_close(fixture);
}

/* E4: what an operator does first. */
static void test_silenced_is_held_until_it_is_not(void **state _unused_)
{
        struct engine_fixture *fixture = open_held(ONE, 10 * NSEC_PER_SEC);
        atomic_store(&fixture->silenced, true);
        set_paused(fixture, false);
        assert_is(fixture, 1, INCIDENT_HELD, "silenced");
        unsigned told = atomic_load(&fixture->told); /* of the kill switch */
        assert_reason(fixture, 1, "silence s1 by ada: migration");
        /* Beyond `expire:`, for that is no waiting in vain; and nobody is told. */
        pass(fixture, 20 * MINUTE);
        pass(fixture, 100 * MINUTE);
        assert_is(fixture, 1, INCIDENT_HELD, "silenced");
        assert_int_equal(atomic_load(&fixture->told), told);
        assert_action_calls("run", "");
        assert_true(meters_alerts(fixture->meters, OUTCOME_SILENCED) == 1);

        atomic_store(&fixture->silenced, false);
        pass(fixture, 20 * NSEC_PER_SEC);
        assert_is(fixture, 1, INCIDENT_DONE, "");
        fixture_close(fixture);
}

/* Nor is it shown as silenced when it is no more, and eight others of its remediation keep it from its turn.
 */
static void test_silenced_no_more_though_its_turn_has_not_come(void **state _unused_)
{
        struct engine_fixture *fixture =
                open_by_hand("  - {name: one, match: ['alertname=\"a\"'], lock: 'n/${labels.n}',"
                             " steps: [{act.once: {name: '${labels.n}'}}]}\n");
        nsec next;
        set_paused(fixture, true);
        for (int i = 1; i <= WORLD_AT_ONCE + 1; i++) {
                _cleanup_free_ char *name = text_format("f%d", i), *label = text_format("\"n\":\"%d\"", i);
                alert_arrives(fixture, name, true, label);
        }
        look_until_idle(fixture);
        pass(fixture, 10 * NSEC_PER_SEC);
        atomic_store(&fixture->silenced, true);
        set_paused(fixture, false);
        for (int i = 1; i <= WORLD_AT_ONCE + 1; i++)
                assert_is(fixture, i, INCIDENT_HELD, "silenced");
        atomic_store(&fixture->silenced, false);
        hand_ahead += 20 * NSEC_PER_SEC;
        assert_int_equal(look_by_hand(fixture, &next), 1); /* they are asked */
        work_by_hand();
        assert_int_equal(look_by_hand(fixture, &next), WORLD_AT_ONCE);
        assert_is(fixture, WORLD_AT_ONCE + 1, INCIDENT_RECEIVED, "");
        look_until_idle(fixture);
        assert_is(fixture, WORLD_AT_ONCE + 1, INCIDENT_DONE, "");
        fixture_close(fixture);
}

/* From then on it may wait as long as any other. */
static void test_expiry_begins_when_the_silence_is_over(void **state _unused_)
{
        struct engine_fixture *fixture = open_held(ONE, 10 * MINUTE);
        atomic_store(&fixture->silenced, true);
        set_paused(fixture, false);
        pass(fixture, 200 * MINUTE);
        assert_is(fixture, 1, INCIDENT_HELD, "silenced");
        set_paused(fixture, true);
        assert_is(fixture, 1, INCIDENT_HELD, "paused");
        pass(fixture, 59 * MINUTE);
        assert_is(fixture, 1, INCIDENT_HELD, "paused");
        pass(fixture, 2 * MINUTE);
        assert_is(fixture, 1, INCIDENT_EXPIRED, "");
        fixture_close(fixture);
}

/* E3: the alert was over before we were back. */
static void test_stale_is_cancelled(void **state _unused_)
{
        struct engine_fixture *fixture = open_held(ONE, 10 * NSEC_PER_SEC);
        atomic_store(&fixture->gone, true);
        fixture_stop(fixture);
        hand_ahead += 15 * NSEC_PER_SEC;
        fixture_start_by_hand(fixture);
        set_paused(fixture, false);
        assert_is(fixture, 1, INCIDENT_CANCELLED, "");
        assert_action_calls("run", "");
        fixture_close(fixture);
}

/* E6: an empty memory is no verdict, a fresh webhook is evidence, and an old one is none. */
static void test_alertmanager_that_was_started_anew_is_not_believed(void **state _unused_)
{
        struct engine_fixture *fixture = open_held(ONE, 4 * MINUTE);
        atomic_store(&fixture->gone, true);
        atomic_store(&fixture->young, true);
        set_paused(fixture, false);
        assert_is(fixture, 1, INCIDENT_DONE, "");
        fixture_close(fixture);

        fixture = open_held(ONE, 6 * MINUTE);
        atomic_store(&fixture->gone, true);
        atomic_store(&fixture->young, true);
        set_paused(fixture, false);
        assert_is(fixture, 1, INCIDENT_HELD, "unknown");
        assert_reason(fixture, 1, "was started only");
        /* It hears of it again, and sends it again. */
        alert_arrives(fixture, "f1", true, "");
        look_until_idle(fixture);
        assert_is(fixture, 1, INCIDENT_DONE, "");
        fixture_close(fixture);
}

static void test_alertmanager_that_does_not_answer(void **state _unused_)
{
        struct engine_fixture *fixture = open_held(ONE, 4 * MINUTE);
        atomic_store(&fixture->no_alertmanager, true);
        set_paused(fixture, false);
        assert_is(fixture, 1, INCIDENT_DONE, "");
        fixture_close(fixture);

        fixture = open_held(ONE, 6 * MINUTE);
        atomic_store(&fixture->no_alertmanager, true);
        set_paused(fixture, false);
        assert_is(fixture, 1, INCIDENT_HELD, "unknown");
        assert_reason(fixture, 1, "Alertmanager cannot be asked: Alertmanager answered 500");
        pass(fixture, 10 * MINUTE);
        assert_is(fixture, 1, INCIDENT_HELD, "unknown");
        atomic_store(&fixture->no_alertmanager, false);
        pass(fixture, 20 * NSEC_PER_SEC);
        assert_is(fixture, 1, INCIDENT_DONE, "");
        fixture_close(fixture);

        /* That does not wait for ever: a person is called. */
        fixture = open_held(ONE, 6 * MINUTE);
        atomic_store(&fixture->no_alertmanager, true);
        set_paused(fixture, false);
        pass(fixture, 60 * MINUTE);
        assert_is(fixture, 1, INCIDENT_EXPIRED, "");
        assert_true(person_was_told(fixture, "expired"));
        fixture_close(fixture);
}

/* E5: Alertmanager resolves what Prometheus no longer sends. */
static void test_resolved_while_prometheus_is_dead(void **state _unused_)
{
        struct engine_fixture *fixture = open_held(ONE, 10 * NSEC_PER_SEC);
        atomic_store(&fixture->no_firing, true);
        alert_arrives(fixture, "f1", false, "");
        look_until_idle(fixture);
        assert_is(fixture, 1, INCIDENT_HELD, "unknown");
        assert_reason(fixture, 1, "Prometheus, which would know, cannot be asked");
        /* It is back, and says that it fires; then that it does not. */
        atomic_store(&fixture->fires, true);
        atomic_store(&fixture->no_firing, false);
        pass(fixture, 20 * NSEC_PER_SEC);
        assert_is(fixture, 1, INCIDENT_HELD, "unknown");
        set_paused(fixture, false);
        pass(fixture, 20 * NSEC_PER_SEC);
        assert_is(fixture, 1, INCIDENT_HELD, "unknown"); /* an alert that was resolved is not acted upon */
        atomic_store(&fixture->fires, false);
        pass(fixture, 20 * NSEC_PER_SEC);
        assert_is(fixture, 1, INCIDENT_CANCELLED, "");
        assert_action_calls("run", "");
        fixture_close(fixture);

        /* It does not come back: a person hears of it. */
        fixture = open_held(ONE, 10 * NSEC_PER_SEC);
        atomic_store(&fixture->no_firing, true);
        alert_arrives(fixture, "f1", false, "");
        look_until_idle(fixture);
        pass(fixture, 61 * MINUTE);
        assert_is(fixture, 1, INCIDENT_EXPIRED, "");
        assert_true(person_was_told(fixture, fixture->number[1]));
        fixture_close(fixture);
}

/* The same end undoes nothing, either. */
static void test_nothing_is_undone_while_prometheus_is_dead(void **state _unused_)
{
        struct engine_fixture *fixture = open_by_hand(
                "  - {name: u, match: ['alertname=\"a\"'], steps: [{act.undone: {name: one}, undo: "
                "when_resolved}]}\n");
        alert_arrives(fixture, "f1", true, "");
        look_until_idle(fixture);
        assert_is(fixture, 1, INCIDENT_DONE, "");
        atomic_store(&fixture->no_firing, true);
        alert_arrives(fixture, "f1", false, "");
        look_until_idle(fixture);
        pass(fixture, 20 * MINUTE);
        assert_action_calls("undo", "");
        atomic_store(&fixture->no_firing, false);
        pass(fixture, 20 * NSEC_PER_SEC);
        assert_action_calls("undo", "undo:one");
        fixture_close(fixture);
}

/* A reload may name other neighbours: what those of before say is not taken. */
static void test_what_was_asked_before_a_reload(void **state _unused_)
{
        struct engine_fixture *fixture = open_held(ONE, 10 * NSEC_PER_SEC);
        nsec next = 0;
        assert_int_equal(engine_pause(fixture->engine, false, "tester", NULL, NULL), 0);
        assert_int_equal(look_by_hand(fixture, &next), 1); /* they are being asked */
        const struct incident_parts parts = {.world = &fixture->by_hand,
                                             .set = fixture->set,
                                             .journal = fixture->journal,
                                             .meters = fixture->meters};
        engine_adopt(fixture->engine, &parts);
        assert_int_equal(look_by_hand(fixture, &next), 1);
        atomic_store(&fixture->silenced, true);
        work_by_hand();
        atomic_store(&fixture->silenced, false);
        look_until_idle(fixture);
        assert_is(fixture, 1, INCIDENT_DONE, "");
        fixture_close(fixture);
}

static bool is_open(struct engine_fixture *fixture, int n)
{
        struct incident incident = {0};
        assert_int_equal(journal_find(fixture->journal, fixture->number[n], &incident, NULL), 0);
        bool open = incident.episode_open;
        incident_release(&incident);
        return open;
}

/* E6: what fell silent is asked for; an empty memory closes nothing, nor does a dead Prometheus. */
static void test_silent_episodes_are_closed_by_a_verdict_alone(void **state _unused_)
{
        struct engine_fixture *fixture =
                open_by_hand("  - {name: one, match: ['alertname=\"a\"'], still_firing: 0, steps: "
                             "[{act.once: {name: one}}]}\n");
        fixture->set->targets.repeat_interval = 60 * MINUTE;
        alert_arrives(fixture, "f1", true, "");
        look_until_idle(fixture);
        assert_is(fixture, 1, INCIDENT_DONE, "");
        atomic_store(&fixture->gone, true);
        atomic_store(&fixture->young, true);
        pass(fixture, 90 * MINUTE);
        assert_true(is_open(fixture, 1));
        atomic_store(&fixture->young, false);
        atomic_store(&fixture->no_firing, true);
        pass(fixture, 20 * MINUTE);
        assert_true(is_open(fixture, 1));
        atomic_store(&fixture->no_firing, false);
        atomic_store(&fixture->no_alertmanager, true);
        pass(fixture, 20 * MINUTE);
        assert_true(is_open(fixture, 1));
        atomic_store(&fixture->no_alertmanager, false);
        pass(fixture, 20 * MINUTE);
        assert_false(is_open(fixture, 1));
        fixture_close(fixture);
}

/* E2: an alert that goes on after it was healed was not healed. */
static void goes_on(const char *remediations, enum incident_state well)
{
        struct engine_fixture *fixture = open_by_hand(remediations);
        atomic_store(&fixture->holds, true);
        alert_arrives(fixture, "f1", true, "");
        look_until_idle(fixture);
        pass(fixture, 14 * MINUTE);
        assert_is(fixture, 1, well, "");
        /* While nobody can tell, or it is silenced, nobody is called; nor does he count who does not hear. */
        atomic_store(&fixture->no_alertmanager, true);
        pass(fixture, 2 * MINUTE);
        atomic_store(&fixture->no_alertmanager, false);
        atomic_store(&fixture->silenced, true);
        pass(fixture, MINUTE);
        assert_int_equal(atomic_load(&fixture->told), 0);
        atomic_store(&fixture->deaf, true);
        atomic_store(&fixture->silenced, false);
        pass(fixture, MINUTE);
        assert_true(atomic_load(&fixture->told) > 0);
        assert_is(fixture, 1, well, "");
        atomic_store(&fixture->deaf, false);
        pass(fixture, 2 * MINUTE);
        assert_is(fixture, 1, INCIDENT_ESCALATED, "");
        assert_true(person_was_told(fixture, "but its alert still fires 2"));
        assert_reason(fixture, 1, "but its alert still fires");
        unsigned told = atomic_load(&fixture->told);
        /* Once. */
        alert_arrives(fixture, "f1", true, "");
        pass(fixture, 60 * MINUTE);
        assert_int_equal(atomic_load(&fixture->told), told);

        /* One that ends in time. As long as the first fires, it would be one more of that cause. */
        alert_arrives(fixture, "f1", false, "");
        look_until_idle(fixture);
        alert_arrives(fixture, "f2", true, "");
        look_until_idle(fixture);
        pass(fixture, 10 * MINUTE);
        alert_arrives(fixture, "f2", false, "");
        pass(fixture, 20 * MINUTE);
        assert_is(fixture, 2, well, "");

        /* And one whose end was never told. */
        alert_arrives(fixture, "f3", true, "");
        look_until_idle(fixture);
        atomic_store(&fixture->gone, true);
        pass(fixture, 20 * MINUTE);
        assert_is(fixture, 3, well, "");
        assert_false(is_open(fixture, 3));
        assert_int_equal(atomic_load(&fixture->told), told);
        fixture_close(fixture);
}

static void test_healed_and_still_firing(void **state _unused_)
{
        goes_on("  - {name: one, match: ['alertname=\"a\"'], steps: [{act.once: {name: one}}], verify: "
                "{query: "
                "'up == 1', within: 5m, every: 1s}}\n",
                INCIDENT_HEALED);
}

/* Where nobody looks whether it has helped, its alert is all that says so. */
static void test_done_and_still_firing(void **state _unused_)
{
        goes_on(ONE, INCIDENT_DONE);
}

/* Where there is no Alertmanager to be asked, who sends it again says that it fires; or Prometheus does. */
static void test_still_firing_as_others_say(void **state _unused_)
{
        struct engine_fixture *fixture = open_by_hand("  - {name: one, match: ['alertname=\"a\"'], lock: "
                                                      "'${labels.n}', steps: [{act.once: {name: one}}]}\n");
        free(fixture->set->targets.alertmanager_url);
        fixture->set->targets.alertmanager_url = NULL;
        alert_arrives(fixture, "f1", true, "\"n\":\"1\"");
        alert_arrives(fixture, "f2", true, "\"n\":\"2\"");
        look_until_idle(fixture);
        pass(fixture, 10 * MINUTE);
        alert_arrives(fixture, "f1", true, "\"n\":\"1\"");
        pass(fixture, 10 * MINUTE);
        assert_is(fixture, 1, INCIDENT_DONE, "");
        alert_arrives(fixture, "f1", true, "\"n\":\"1\"");
        look_until_idle(fixture);
        assert_is(fixture, 1, INCIDENT_ESCALATED, "");
        assert_is(fixture, 2, INCIDENT_DONE, "");
        atomic_store(&fixture->fires, true);
        pass(fixture, 20 * NSEC_PER_SEC);
        assert_is(fixture, 2, INCIDENT_ESCALATED, "");
        fixture_close(fixture);
}

/* What was begun keeps its word, whatever the file says by then: another time, or nothing of it any more. */
static void test_it_still_fires_by_what_it_was_begun_with(void **state _unused_)
{
        static const struct {
                const char *begun;
                nsec then; /* -1: the file has no such remediation any more */
                bool called;
        } cases[] = {
                {"5m", 120 * MINUTE, true}, {"5m", 0, true},  {"2h", 5 * MINUTE, false},
                {"0", 5 * MINUTE, false},   {"0", -1, false}, {"5m", -1, true},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_free_ char *one =
                        text_format("  - {name: one, match: ['alertname=\"a\"'], still_firing: %s, "
                                    "steps: [{act.once: {name: one}}]}\n",
                                    cases[i].begun);
                struct engine_fixture *fixture = open_by_hand(one);
                alert_arrives(fixture, "f1", true, "");
                look_until_idle(fixture);
                assert_is(fixture, 1, INCIDENT_DONE, "");
                struct remediation *remediation = &fixture->set->remediations[0];
                remediation->still_firing = cases[i].then;
                if (cases[i].then < 0)
                        remediation->name[0] = 'x';
                pass(fixture, 10 * MINUTE);
                pass(fixture, NSEC_PER_SEC);
                assert_is(fixture, 1, cases[i].called ? INCIDENT_ESCALATED : INCIDENT_DONE, "");
                fixture_close(fixture);
        }
}

int main(void)
{
        assert_int_equal(http_client_global_init(NULL), 0);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_new_is_not_asked_for),
                cmocka_unit_test(test_what_fires_still_begins),
                cmocka_unit_test(test_silenced_is_held_until_it_is_not),
                cmocka_unit_test(test_silenced_no_more_though_its_turn_has_not_come),
                cmocka_unit_test(test_expiry_begins_when_the_silence_is_over),
                cmocka_unit_test(test_stale_is_cancelled),
                cmocka_unit_test(test_alertmanager_that_was_started_anew_is_not_believed),
                cmocka_unit_test(test_alertmanager_that_does_not_answer),
                cmocka_unit_test(test_resolved_while_prometheus_is_dead),
                cmocka_unit_test(test_nothing_is_undone_while_prometheus_is_dead),
                cmocka_unit_test(test_what_was_asked_before_a_reload),
                cmocka_unit_test(test_silent_episodes_are_closed_by_a_verdict_alone),
                cmocka_unit_test(test_healed_and_still_firing),
                cmocka_unit_test(test_done_and_still_firing),
                cmocka_unit_test(test_still_firing_as_others_say),
                cmocka_unit_test(test_it_still_fires_by_what_it_was_begun_with),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
