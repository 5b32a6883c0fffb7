/* SPDX-License-Identifier: Apache-2.0 */
/* One after the other is called while nobody says that he is at it: each in time, once, until it is heard. */
#include "tests/harness/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runbook/http_client.h"

#define MINUTE (60 * NSEC_PER_SEC)
#define ASK                                                                                                 \
        "  - {name: ask, match: ['alertname=\"a\"'], approval: true, expire: 10h, still_firing: 0, steps: " \
        "[{act.once: "                                                                                      \
        "{name: one}}]}\n"
#define FAIL                                                                                               \
        "  - {name: fail, match: ['alertname=\"a\"'], expire: 10h, steps: [{act.once: {name: one, fails: " \
        "true}}]}\n"
#define CHAIN \
        "escalation: [{to: oncall, contact: 'Ada, 0100'}, {to: lead, after: 15m}, {to: boss, after: 30m}]\n"

/* Whom the engine called, in this order, a word each; those named in `deaf` hear nothing. */
static struct text called;
static char last[2000];
static const char *deaf;

static int notify(void *context _unused_, const char *receiver, const struct message *message,
                  struct deadline deadline _unused_, nsec *ret_asked _unused_, struct error *error)
{
        if (deaf && strstr(deaf, receiver))
                return error_may_pass(error, error_set(error, EIO, "HTTP 500"));
        text_printf(&called, "%s ", receiver);
        snprintf(last, sizeof(last), "%s", message->text);
        return 0;
}

static nsec read_wall(void *context _unused_)
{
        return clock_wall() + hand_ahead;
}

static void start(struct engine_fixture *fixture)
{
        fixture_start_by_hand(fixture);
        fixture->by_hand.notify = notify;
        fixture->by_hand.wall = read_wall;
}

static struct engine_fixture *open_with(const char *remediations)
{
        struct engine_fixture *fixture = fixture_prepare(remediations);
        fixture->set->targets.repeat_interval = 0; /* nobody is asked but for what is tested here */
        text_clear(&called);
        deaf = NULL;
        hand_ahead = 0;
        start(fixture);
        return fixture;
}

static void pass(struct engine_fixture *fixture, nsec time)
{
        hand_ahead += time;
        look_until_idle(fixture);
}

static void assert_called(const char *whom)
{
        assert_string_equal(text_string(&called), whom);
}

static void decide(struct engine_fixture *fixture, enum decision decision)
{
        assert_int_equal(engine_decide(fixture->engine, decision, fixture->number[1], "ada", NULL, NULL), 0);
}

static void test_one_after_the_other(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(FAIL CHAIN);
        alert_arrives(fixture, "f1", true, "");
        pass(fixture, 0);
        assert_called("oncall ");
        pass(fixture, 14 * MINUTE);
        assert_called("oncall ");
        pass(fixture, 2 * MINUTE);
        assert_called("oncall lead ");
        assert_non_null(strstr(last, "nobody has said for 16m"));
        assert_non_null(strstr(last, "that he is at it: oncall (Ada, 0100) was told at "));
        pass(fixture, 0);
        assert_called("oncall lead ");
        /* What was told is known over restarts; so is since when. */
        fixture_stop(fixture);
        start(fixture);
        pass(fixture, 10 * MINUTE);
        assert_called("oncall lead ");
        pass(fixture, 5 * MINUTE);
        assert_called("oncall lead boss ");
        assert_non_null(strstr(last, "lead was told at "));
        pass(fixture, 600 * MINUTE);
        assert_called("oncall lead boss ");
        fixture_close(fixture);
}

/* It is over once somebody says that he is at it, whatever that is about. */
static void test_acknowledged(void **state _unused_)
{
        static const enum decision decisions[] = {DECISION_ACK, DECISION_TAKE, DECISION_DENY,
                                                  DECISION_APPROVE};
        for (size_t i = 0; i < N_ELEMENTS(decisions); i++) {
                struct engine_fixture *fixture = open_with(ASK CHAIN);
                alert_arrives(fixture, "f1", true, "");
                pass(fixture, 0);
                pass(fixture, 16 * MINUTE);
                assert_called("oncall lead ");
                decide(fixture, decisions[i]);
                pass(fixture, 60 * MINUTE);
                assert_called("oncall lead ");
                fixture_stop(fixture);
                start(fixture);
                pass(fixture, 60 * MINUTE);
                assert_called("oncall lead ");
                fixture_close(fixture);
        }
        struct engine_fixture *fixture = open_with(FAIL CHAIN);
        alert_arrives(fixture, "f1", true, "");
        pass(fixture, 0);
        decide(fixture, DECISION_ACK);
        pass(fixture, 60 * MINUTE);
        assert_called("oncall ");
        fixture_close(fixture);
}

/* Who gives it back has it no more: from then on it is as long as it was. */
static void test_given_back(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(ASK CHAIN);
        alert_arrives(fixture, "f1", true, "");
        pass(fixture, 0);
        decide(fixture, DECISION_TAKE);
        pass(fixture, 20 * MINUTE);
        decide(fixture, DECISION_GIVE_BACK);
        pass(fixture, MINUTE);
        assert_called("oncall ");
        pass(fixture, 15 * MINUTE);
        assert_called("oncall lead ");
        fixture_close(fixture);
}

/* What fails after it was agreed to is another matter: for that everybody is called anew. */
static void test_answered_and_failed(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(
                "  - {name: ask, match: ['alertname=\"a\"'], approval: true, steps: [{act.once: {name: "
                "one, fails: true}}]}\n" CHAIN);
        alert_arrives(fixture, "f1", true, "");
        pass(fixture, 0);
        pass(fixture, 16 * MINUTE);
        decide(fixture, DECISION_APPROVE);
        pass(fixture, 0);
        await_state(fixture, 1, INCIDENT_ESCALATED);
        assert_called("oncall lead oncall ");
        pass(fixture, 14 * MINUTE);
        assert_called("oncall lead oncall ");
        pass(fixture, 2 * MINUTE);
        assert_called("oncall lead oncall lead ");
        fixture_close(fixture);
}

static void test_its_alert_ends(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(FAIL CHAIN);
        alert_arrives(fixture, "f1", true, "");
        pass(fixture, 0);
        alert_arrives(fixture, "f1", false, "");
        pass(fixture, 60 * MINUTE);
        assert_called("oncall ");
        fixture_close(fixture);
}

/* Whoever cannot be reached keeps nobody else from being called, and is tried until he is. */
static void test_deaf(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(FAIL CHAIN);
        deaf = "oncall lead";
        alert_arrives(fixture, "f1", true, "");
        pass(fixture, 0);
        pass(fixture, 16 * MINUTE);
        assert_called("");
        fixture_stop(fixture);
        start(fixture);
        pass(fixture, 15 * MINUTE);
        assert_called("boss ");
        assert_non_null(strstr(
                last, "oncall (Ada, 0100) could not be reached (HTTP 500), lead could not be reached ("));
        deaf = "oncall";
        pass(fixture, 5 * MINUTE);
        assert_called("boss lead ");
        deaf = NULL;
        pass(fixture, 5 * MINUTE);
        assert_called("boss lead oncall ");
        await_state(fixture, 1, INCIDENT_ESCALATED);
        pass(fixture, 60 * MINUTE);
        assert_called("boss lead oncall ");
        _cleanup_free_ char *events = events_of(fixture, 1);
        assert_non_null(strstr(events, "nobody was reached\n"));
        assert_non_null(strstr(events, "the next one was not reached\n"));
        assert_non_null(strstr(events, "the next one was told\n"));
        fixture_close(fixture);
}

#define SEVERE                                                                                            \
        "escalation: {chains: {P1: [{to: lead}, {to: boss, after: 5m}], P4: [{to: pager}]}, else: [{to: " \
        "oncall}, {to: lead, after: 1h}]}\n"

static void test_severity(void **state _unused_)
{
        static const struct {
                const char *labels, *called;
        } cases[] = {
                {"\"severity\":\"P1\"", "lead boss "},
                {"\"severity\":\"P4\"", "pager "},
                {"\"severity\":\"P2\"", "oncall "},
                {"", "oncall "},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct engine_fixture *fixture = open_with(FAIL SEVERE);
                alert_arrives(fixture, "f1", true, cases[i].labels);
                pass(fixture, 0);
                pass(fixture, 6 * MINUTE);
                assert_called(cases[i].called);
                fixture_close(fixture);
        }
        /* An `escalate_to` of its own is a chain of one. */
        struct engine_fixture *fixture =
                open_with("  - {name: fail, match: ['alertname=\"a\"'], escalate_to: boss, "
                          "steps: [{act.once: {name: one, fails: true}}]}\n" SEVERE);
        alert_arrives(fixture, "f1", true, "\"severity\":\"P1\"");
        pass(fixture, 0);
        pass(fixture, 600 * MINUTE);
        assert_called("boss ");
        fixture_close(fixture);
}

/* Outside the hours a level waits for them; those after it do not wait for that one. */
static void test_hours(void **state _unused_)
{
        char now[TIME_TEXT_MAX];
        time_format(clock_wall(), now);
        int hour = atoi(now + 11);
        _cleanup_free_ char *file =
                text_format(FAIL "time_zone: UTC\nhours: ['%02d:00-%02d:00']\nescalation: [{to: oncall}, "
                                 "{to: lead, after: 15m, "
                                 "in_hours: true}, {to: boss, after: 30m}]\n",
                            (hour + 3) % 24, (hour + 5) % 24);
        struct engine_fixture *fixture = open_with(file);
        alert_arrives(fixture, "f1", true, "");
        pass(fixture, 0);
        pass(fixture, 31 * MINUTE);
        assert_called("oncall boss ");
        pass(fixture, 180 * MINUTE);
        assert_called("oncall boss lead ");
        fixture_close(fixture);
}

/* What a chain has opened somewhere is taken up and closed there, though the first one keeps nothing open. */
static void test_who_keeps_it_open_hears_of_its_end(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(
                FAIL "escalation: [{to: oncall}, {to: pager, after: 15m}, {to: boss, after: 30m}]\n");
        alert_arrives(fixture, "f1", true, "");
        pass(fixture, 0);
        pass(fixture, 16 * MINUTE);
        assert_called("oncall pager ");
        deaf = "pager";
        decide(fixture, DECISION_ACK);
        pass(fixture, MINUTE);
        assert_called("oncall pager ");
        deaf = NULL;
        fixture_stop(fixture);
        start(fixture);
        pass(fixture, MINUTE);
        assert_called("oncall pager pager ");
        assert_non_null(strstr(last, "is taken up"));
        alert_arrives(fixture, "f1", false, "");
        pass(fixture, MINUTE);
        assert_called("oncall pager pager pager ");
        assert_non_null(strstr(last, "is over"));
        pass(fixture, 600 * MINUTE);
        assert_called("oncall pager pager pager ");
        fixture_close(fixture);
}

int main(void)
{
        assert_int_equal(http_client_global_init(NULL), 0);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_after_the_other),
                cmocka_unit_test(test_acknowledged),
                cmocka_unit_test(test_given_back),
                cmocka_unit_test(test_its_alert_ends),
                cmocka_unit_test(test_deaf),
                cmocka_unit_test(test_answered_and_failed),
                cmocka_unit_test(test_severity),
                cmocka_unit_test(test_hours),
                cmocka_unit_test(test_who_keeps_it_open_hears_of_its_end),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
