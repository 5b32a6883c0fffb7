/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever is to hear of something hears of it: at once, until it was heard, once, and over restarts. */
#include "tests/harness/engine.h"

#include <errno.h>
#include <string.h>

#include "responder/incident/escalate.h"
#include "runbook/http_client.h"

#define ONE "  - {name: one, match: ['alertname=\"a\"'], steps: [{act.once: {name: one}}]}\n"

static bool owes(struct engine_fixture *fixture _unused_, const struct incident *incident,
                 int argument _unused_)
{
        return *incident->owes;
}

static bool owes_the_end(struct engine_fixture *fixture _unused_, const struct incident *incident,
                         int argument _unused_)
{
        return string_equal(incident->owes, OWES_OVER);
}

static void await_told(struct engine_fixture *fixture, const char *words)
{
        struct deadline deadline = deadline_in(20 * NSEC_PER_SEC);
        while (!person_was_told(fixture, words) && !deadline_passed(deadline))
                poll_pause();
        if (!person_was_told(fixture, words))
                fail_msg("nobody was told \"%s\"; but: %s", words, text_string(&fixture->messages));
}

static size_t count_lines(const char *lines, const char *line)
{
        size_t count = 0, length = strlen(line);
        for (const char *at = lines; *at; at += strcspn(at, "\n") + 1)
                count += strcspn(at, "\n") == length && strncmp(at, line, length) == 0;
        return count;
}

static void assert_told_once(struct engine_fixture *fixture, int n)
{
        _cleanup_free_ char *events = events_of(fixture, n);
        assert_int_equal(count_lines(events, "told"), 1);
}

/* Held for as long as a person likes, or until tomorrow: told at once, whatever happens before it is heard.
 */
static void test_held(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_open(ONE);
        atomic_store(&fixture->deaf, true);
        assert_int_equal(engine_pause(fixture->engine, true, "tester", "a drill", NULL), 0);
        alert_arrives(fixture, "f1", true, "\"service\":\"web\"");
        await_told(fixture, "is held: the responder is paused");
        await_incident(fixture, 1, owes, 0, "owed to somebody");
        fixture_stop(fixture);
        atomic_store(&fixture->deaf, false);
        fixture_start(fixture);
        await_incident(fixture, 1, owes_nothing, 0, "told");
        assert_true(person_was_told(fixture, "\"service\":\"web\""));
        assert_true(person_was_told(fixture, "/-/resume"));

        /* Heard once it is not told again, by the same guard. */
        fixture_stop(fixture);
        fixture_start(fixture);
        assert_int_equal(engine_pause(fixture->engine, false, "tester", NULL, NULL), 0);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_told_once(fixture, 1);
        fixture_close(fixture);
}

/* Who knows of it is not called again, though no receiver has heard; and the timeline says who it is. */
static void test_acknowledged(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_open(
                "  - {name: one, match: ['alertname=\"a\"'], human_window: off, steps: [{act.once: {name: "
                "one}}]}\n");
        struct journal_people people = {.owed = 7};
        atomic_store(&fixture->deaf, true);
        assert_int_equal(engine_pause(fixture->engine, true, "tester", "a drill", NULL), 0);
        alert_arrives(fixture, "f1", true, "");
        await_told(fixture, "is held: the responder is paused");
        await_incident(fixture, 1, owes, 0, "owed to somebody");
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_ACK, fixture->number[1], "ada", "at it", NULL), 0);
        await_incident(fixture, 1, owes_nothing, 0, "heard by ada");
        fixture_stop(fixture);
        fixture_start(fixture);
        assert_int_equal(journal_count_people(fixture->journal, &people, NULL), 0);
        assert_int_equal(people.owed, 0);
        _cleanup_free_ char *events = events_of(fixture, 1);
        assert_int_equal(count_lines(events, "acknowledged"), 1);
        assert_int_equal(count_lines(events, "told"), 0);
        /* Where no window says so it changes nothing else, and may be said of whatever there is. */
        assert_int_equal(engine_pause(fixture->engine, false, "tester", NULL, NULL), 0);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_int_equal(engine_decide(fixture->engine, DECISION_ACK, fixture->number[1], "ada", NULL, NULL),
                         0);
        fixture_close(fixture);
}

/* A hundred that one guard holds back are one message, or two. */
static void test_many_are_held(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_prepare(
                "  - {name: one, match: ['alertname=\"a\"'], lock: '${labels.n}', steps: [{act.once: {name: "
                "one}}]}\n");
        fixture->set->targets.repeat_interval = 0;
        fixture_open_journal(fixture);
        for (int i = 0; i < 20; i++) {
                _cleanup_free_ char *fingerprint = text_format("f%d", i),
                                    *labels = text_format("\"n\":\"%d\"", i);
                alert_arrives(fixture, fingerprint, true, labels);
        }
        assert_int_equal(journal_set_paused(fixture->journal, true, "person:ada", "a drill", NULL), 0);
        fixture_close_journal(fixture);
        atomic_store(&fixture->deaf, true);
        fixture_start(fixture);
        await_told(fixture, "paused by ada: a drill");
        await_incident(fixture, 3, owes, 0, "owed to somebody");
        unsigned before = atomic_load(&fixture->told);
        atomic_store(&fixture->deaf, false);
        for (int i = 1; i < 4; i++)
                await_incident(fixture, i, owes_nothing, 0, "told");
        assert_true(person_was_told(fixture, "; and so are 19 more of one"));
        assert_in_range(atomic_load(&fixture->told) - before, 1, 2);
        assert_told_once(fixture, 1);
        _cleanup_free_ char *events = events_of(fixture, 3);
        assert_int_equal(count_lines(events, "told"), 0);
        assert_int_equal(count_lines(events, "told with another"), 1);
        fixture_close(fixture);
}

/* Nobody who is deaf keeps an incident from going on. */
static void test_held_goes_on(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_open(ONE);
        atomic_store(&fixture->deaf, true);
        assert_int_equal(engine_pause(fixture->engine, true, "tester", NULL, NULL), 0);
        alert_arrives(fixture, "f1", true, "");
        await_told(fixture, "is held");
        assert_int_equal(engine_pause(fixture->engine, false, "tester", NULL, NULL), 0);
        await_state(fixture, 1, INCIDENT_DONE);
        await_incident(fixture, 1, owes_nothing, 0, "owed to nobody: it is over");
        fixture_close(fixture);
}

static void test_approval(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_open("  - {name: ask, match: ['alertname=\"a\"'], approval: "
                                                      "true, steps: [{act.once: {name: one}}]}\n");
        atomic_store(&fixture->deaf, true);
        alert_arrives(fixture, "f1", true, "");
        await_told(fixture, "awaits approval: the remediation asks for approval");
        atomic_store(&fixture->deaf, false);
        await_incident(fixture, 1, owes_nothing, 0, "told");
        await_state(fixture, 1, INCIDENT_AWAITING_APPROVAL);
        assert_told_once(fixture, 1);
        assert_true(person_was_told(fixture, "/approve -d"));
        fixture_close(fixture);
}

/* An answer is taken also while nobody could be told. */
static void test_approval_of_who_has_seen_it(void **state _unused_)
{
        struct engine_fixture *fixture =
                fixture_prepare("  - {name: ask, match: ['alertname=\"a\"'], approval: true, steps: "
                                "[{act.once: {name: one}}]}\n");
        atomic_store(&fixture->deaf, true);
        fixture_start(fixture);
        alert_arrives(fixture, "f1", true, "");
        await_told(fixture, "awaits approval");
        int r = -ESTALE;
        while (r == -ESTALE)
                r = engine_decide(fixture->engine, DECISION_APPROVE, fixture->number[1], "ada", NULL, NULL);
        assert_int_equal(r, 0);
        await_state(fixture, 1, INCIDENT_DONE);
        fixture_close(fixture);
}

static void test_ends_that_are_told(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_open(
                "  - {name: loud, match: ['x=\"1\"'], tell: [done], steps: [{act.once: {name: one}}]}\n"
                "  - {name: quiet, match: ['x=\"2\"'], steps: [{act.once: {name: two}}]}\n");
        alert_arrives(fixture, "f1", true, "\"x\":\"2\"");
        await_state(fixture, 1, INCIDENT_DONE);
        atomic_store(&fixture->deaf, true);
        alert_arrives(fixture, "f2", true, "\"x\":\"1\"");
        await_told(fixture, "loud: done");
        fixture_stop(fixture);
        atomic_store(&fixture->deaf, false);
        fixture_start(fixture);
        await_incident(fixture, 2, owes_nothing, 0, "told");
        assert_told_once(fixture, 2);
        _cleanup_free_ char *events = events_of(fixture, 1);
        assert_int_equal(count_lines(events, "told"), 0);
        fixture_close(fixture);
}

#define VERIFIED(name, more)                                                                         \
        "  - {name: " name                                                                           \
        ", match: ['alertname=\"a\"'], steps: [{act.once: {name: one}}], verify: {query: 'x == 1', " \
        "within: 300ms, every: 50ms}" more "}\n"

#define ACTION(name) "\"event_action\":\"" name "\""

/* What was opened somewhere is taken up there when somebody acknowledges it, and closed when the alert has
 * ended: by one key, over restarts. */
static void test_what_was_given_up_is_over_with_its_alert(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_open(VERIFIED("one", ", escalate_to: pager"));
        struct journal_people people = {.owed = 7};
        alert_arrives(fixture, "f1", true, "");
        await_state(fixture, 1, INCIDENT_ESCALATED);
        assert_true(person_was_told(fixture, ACTION("trigger")));
        assert_false(person_was_told(fixture, ACTION("acknowledge")));
        assert_int_equal(journal_count_people(fixture->journal, &people, NULL), 0);
        assert_int_equal(people.owed, 0); /* nothing yet */
        atomic_store(&fixture->deaf, true);
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_ACK, fixture->number[1], "ada", "at it", NULL), 0);
        await_told(fixture, ACTION("acknowledge"));
        fixture_stop(fixture);
        atomic_store(&fixture->deaf, false);
        fixture_start(fixture);
        await_incident(fixture, 1, owes_the_end, 0, "acknowledged");
        assert_false(person_was_told(fixture, ACTION("resolve")));
        fixture_stop(fixture);
        fixture_start(fixture);
        alert_arrives(fixture, "f1", false, "");
        await_told(fixture, ACTION("resolve"));
        await_incident(fixture, 1, owes_nothing, 0, "over");
        assert_true(person_was_told(fixture, fixture->number[1]));
        fixture_close(fixture);
}

/* Whether or not `tell:` names the end; but nobody else hears of one that it does not name. */
static void test_who_keeps_it_open_hears_of_every_end(void **state _unused_)
{
        static const char *const receivers[] = {"pager", "oncall"};
        for (size_t i = 0; i < N_ELEMENTS(receivers); i++) {
                _cleanup_free_ char *ask = text_format(
                        "  - {name: one, match: ['alertname=\"a\"'], approval: true, escalate_to: "
                        "%s, steps: [{act.once: {name: one}}]}\n",
                        receivers[i]);
                struct engine_fixture *fixture = fixture_open(ask);
                alert_arrives(fixture, "f1", true, "");
                await_told(fixture, "awaits approval");
                await_incident(fixture, 1, owes_nothing, 0, "told");
                await_state(fixture, 1, INCIDENT_AWAITING_APPROVAL);
                int r = -ESTALE;
                while (r == -ESTALE)
                        r = engine_decide(fixture->engine, DECISION_DENY, fixture->number[1], "ada", NULL,
                                          NULL);
                assert_int_equal(r, 0);
                await_state(fixture, 1, INCIDENT_DENIED);
                await_incident(fixture, 1, owes_nothing, 0, "told");
                assert_int_equal(person_was_told(fixture, ACTION("resolve")), i == 0);
                assert_false(person_was_told(fixture, "one: denied"));
                fixture_close(fixture);
        }
}

/* Who hears of what has begun, and what, is what it was begun with, be the file another one by then. */
static void begun_with(const char *began, const char *now, bool heals, const char *told, const char *not_told)
{
        struct engine_fixture *fixture = fixture_open(began);
        atomic_store(&fixture->unreachable, true);
        alert_arrives(fixture, "f1", true, "\"service\":\"web\"");
        await_state(fixture, 1, INCIDENT_VERIFYING);
        fixture_change_file(fixture, now);
        atomic_store(&fixture->holds, heals);
        atomic_store(&fixture->unreachable, false);
        await_state(fixture, 1, heals ? INCIDENT_HEALED : INCIDENT_ESCALATED);
        await_incident(fixture, 1, owes_nothing, 0, "told");
        if (*told)
                assert_true(person_was_told(fixture, told));
        if (*not_told)
                assert_false(person_was_told(fixture, not_told));
        fixture_close(fixture);
}

static void test_what_it_was_begun_with_is_told(void **state _unused_)
{
        begun_with(VERIFIED("one", ", tell: [healed]"), VERIFIED("one", ""), true, "one: healed", "");
        begun_with(VERIFIED("one", ", tell: [healed]"), VERIFIED("other", ""), true, "one: healed", "");
        begun_with(VERIFIED("one", ""), VERIFIED("one", ", tell: [healed]"), true, "", "one: healed");
        begun_with(VERIFIED("one", ", at_stake: '${labels.service} is slow'"),
                   VERIFIED("one", ", at_stake: 'all is well'"), false, "web is slow", "all is well");
        begun_with(VERIFIED("one", ", at_stake: '${labels.service} is slow'"), VERIFIED("other", ""), false,
                   "web is slow", "");
        begun_with(VERIFIED("one", ""), VERIFIED("one", ", at_stake: 'all is well'"), false,
                   "one: ", "all is well");
        /* What lacks a label is not said, and keeps nothing from being done. */
        begun_with(VERIFIED("one", ", at_stake: '${labels.nobody} is slow'"), VERIFIED("one", ""), false,
                   "one: ", "is slow");
        begun_with(VERIFIED("one", ""), VERIFIED("one", ", escalate_to: nobody"), false, "one: ", "");
}

static void test_expired_names_the_guard(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_open(
                "  - {name: one, match: ['alertname=\"a\"'], expire: 300ms, steps: [{act.once: {name: "
                "one}}]}\n");
        assert_int_equal(engine_pause(fixture->engine, true, "tester", NULL, NULL), 0);
        alert_arrives(fixture, "f1", true, "");
        await_state(fixture, 1, INCIDENT_EXPIRED);
        assert_true(person_was_told(fixture, "expired: it was held for 300ms, by `paused`\""));
        fixture_close(fixture);
}

/* Alerts that nothing answers to: all that there are in one message, until it was heard, and once. */
static void test_unmatched(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_prepare(
                "  - {name: other, match: ['alertname=\"b\"'], steps: [{act.once: {name: b}}]}\n");
        fixture->set->unmatched_to = strdup("oncall");
        fixture->set->targets.repeat_interval = 0; /* Alertmanager is not asked for them */
        fixture_open_journal(fixture);
        fixture->engine = NULL;
        for (int i = 0; i < 12; i++) {
                _cleanup_free_ char *fingerprint = text_format("f%d", i),
                                    *labels = text_format("\"service\":\"s%d\"", i);
                alert_arrives(fixture, fingerprint, true, labels);
        }
        fixture_close_journal(fixture);
        atomic_store(&fixture->deaf, true);
        fixture_start(fixture);
        await_told(fixture, "12 alerts that no remediation is for");
        fixture_stop(fixture);
        atomic_store(&fixture->deaf, false);
        fixture_start(fixture);
        struct journal_people people = {.unmatched = 0};
        struct deadline deadline = deadline_in(20 * NSEC_PER_SEC);
        struct episode_list list = {.count = 1};
        while (list.count > 0 && !deadline_passed(deadline)) {
                list = (struct episode_list){0};
                assert_int_equal(journal_unanswered(fixture->journal, 1, &list, NULL), 0);
                size_t count = list.count;
                episode_list_release(&list);
                list.count = count;
                poll_pause();
        }
        assert_int_equal(list.count, 0);
        assert_int_equal(journal_count_people(fixture->journal, &people, NULL), 0);
        assert_int_equal(people.unmatched, 12);
        assert_int_equal(people.owed, 0);
        fixture_close(fixture);
}

/* Where nobody asked for it, an alert without a remediation is counted and kept, and nobody is told. */
static void test_unmatched_is_kept(void **state _unused_)
{
        struct engine_fixture *fixture =
                fixture_open("  - {name: mine, match: ['x=\"1\"'], steps: [{act.once: {name: a}}]}\n");
        alert_arrives(fixture, "f1", true, "");
        alert_arrives(fixture, "f2", true, "\"x\":\"1\"");
        await_state(fixture, 1, INCIDENT_DONE);
        struct journal_people people = {0};
        assert_int_equal(journal_count_people(fixture->journal, &people, NULL), 0);
        assert_int_equal(people.unmatched, 1);
        assert_int_equal(atomic_load(&fixture->told), 0);
        fixture_close(fixture);
}

/* With no journal to rely on, somebody is called by what still works. */
static void test_without_a_journal(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_open(ONE);
        const struct incident_parts parts = {
                .world = place_world(fixture->place), .set = fixture->set, .meters = fixture->meters};
        _cleanup_error_ struct error error = {0};
        assert_int_equal(call_without_journal(&parts, &(struct message){.text = "the journal's disk is full"},
                                              NULL, &error),
                         0);
        assert_true(person_was_told(fixture, "the journal's disk is full"));
        atomic_store(&fixture->deaf, true);
        assert_int_equal(call_without_journal(&parts, &(struct message){.text = "still"}, NULL, &error),
                         -EREMOTEIO);
        free(fixture->set->escalate_to);
        fixture->set->escalate_to = strdup("nobody");
        assert_int_equal(
                call_without_journal(&parts, &(struct message){.text = "nobody hears this"}, NULL, NULL), 0);
        fixture_close(fixture);
}

int main(void)
{
        assert_int_equal(http_client_global_init(NULL), 0);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_held),
                cmocka_unit_test(test_acknowledged),
                cmocka_unit_test(test_many_are_held),
                cmocka_unit_test(test_held_goes_on),
                cmocka_unit_test(test_approval),
                cmocka_unit_test(test_approval_of_who_has_seen_it),
                cmocka_unit_test(test_ends_that_are_told),
                cmocka_unit_test(test_what_was_given_up_is_over_with_its_alert),
                cmocka_unit_test(test_who_keeps_it_open_hears_of_every_end),
                cmocka_unit_test(test_what_it_was_begun_with_is_told),
                cmocka_unit_test(test_expired_names_the_guard),
                cmocka_unit_test(test_unmatched),
                cmocka_unit_test(test_unmatched_is_kept),
                cmocka_unit_test(test_without_a_journal),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
