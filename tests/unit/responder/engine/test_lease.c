/* SPDX-License-Identifier: Apache-2.0 */
/* The page that waits: for which alerts, until when, and that whatever goes wrong lets it come. */
#include "tests/harness/engine.h"

#include <errno.h>
#include <string.h>

#include "responder/engine/lease.h"
#include "runbook/http_client.h"

#define SECOND NSEC_PER_SEC
#define MINUTE (60 * NSEC_PER_SEC)
#define TWIN "\"stage\":\"act\""

static void test_how_long(void **state _unused_)
{
        static const struct {
                struct lease_question question;
                nsec lasts;
        } cases[] = {
                {{.state = INCIDENT_RUNNING, .open = true, .page_after = 15 * MINUTE}, 2 * MINUTE},
                {{.state = INCIDENT_VERIFYING, .open = true, .page_after = 15 * MINUTE}, 2 * MINUTE},
                {{.state = INCIDENT_RECEIVED, .starting = true, .open = true, .page_after = 15 * MINUTE},
                 2 * MINUTE},
                {{.state = INCIDENT_HEALED, .open = true, .page_after = 15 * MINUTE}, 2 * MINUTE},
                {{.state = INCIDENT_DONE, .open = true, .page_after = 15 * MINUTE}, 2 * MINUTE},
                /* Whoever waits for something holds nothing back, nor who has ended otherwise. */
                {{.state = INCIDENT_RECEIVED, .open = true, .page_after = 15 * MINUTE}, 0},
                {{.state = INCIDENT_HELD, .open = true, .page_after = 15 * MINUTE}, 0},
                {{.state = INCIDENT_AWAITING_APPROVAL, .open = true, .page_after = 15 * MINUTE}, 0},
                {{.state = INCIDENT_FAILED, .open = true, .page_after = 15 * MINUTE}, 0},
                {{.state = INCIDENT_NOT_HEALED, .open = true, .page_after = 15 * MINUTE}, 0},
                {{.state = INCIDENT_UNVERIFIED, .open = true, .page_after = 15 * MINUTE}, 0},
                {{.state = INCIDENT_ESCALATED, .open = true, .page_after = 15 * MINUTE}, 0},
                {{.state = INCIDENT_EXPIRED, .open = true, .page_after = 15 * MINUTE}, 0},
                {{.state = INCIDENT_DENIED, .open = true, .page_after = 15 * MINUTE}, 0},
                {{.state = INCIDENT_CANCELLED, .open = true, .page_after = 15 * MINUTE}, 0},
                {{.state = INCIDENT_PLANNED, .open = true, .page_after = 15 * MINUTE}, 0},
                {{.state = INCIDENT_RUNNING, .page_after = 15 * MINUTE}, 0},
                {{.state = INCIDENT_RUNNING, .open = true, .paged = true, .page_after = 15 * MINUTE}, 0},
                {{.state = INCIDENT_RUNNING, .open = true, .paused = true, .page_after = 15 * MINUTE}, 0},
                {{.state = INCIDENT_RUNNING, .open = true}, 0},
                /* The bound, however well it goes. */
                {{.state = INCIDENT_RUNNING, .open = true, .now = 14 * MINUTE, .page_after = 15 * MINUTE},
                 MINUTE},
                {{.state = INCIDENT_RUNNING, .open = true, .now = 15 * MINUTE, .page_after = 15 * MINUTE}, 0},
                {{.state = INCIDENT_RUNNING, .open = true, .now = 99 * MINUTE, .page_after = 15 * MINUTE}, 0},
                /* What was healed, and is not resolved within five minutes. */
                {{.state = INCIDENT_HEALED,
                  .open = true,
                  .entered = MINUTE,
                  .now = 5 * MINUTE,
                  .page_after = 15 * MINUTE},
                 MINUTE},
                {{.state = INCIDENT_HEALED,
                  .open = true,
                  .entered = MINUTE,
                  .now = 6 * MINUTE,
                  .page_after = 15 * MINUTE},
                 0},
                {{.state = INCIDENT_HEALED,
                  .open = true,
                  .entered = 14 * MINUTE,
                  .now = 14 * MINUTE,
                  .page_after = 15 * MINUTE},
                 MINUTE},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                struct lease_question question = cases[i].question;
                question.lasts = 2 * MINUTE;
                if (lease_due(&question) != cases[i].lasts)
                        fail_msg("case %zu (%s): %lld s", i, incident_state_name(question.state),
                                 (long long)(lease_due(&question) / SECOND));
        }
}

/* Two Alertmanagers, as they were told last. */
static struct {
        char labels[256];
        nsec until;
        size_t count;
        unsigned posts;
        bool down;
} told[2];

static int lease(void *context _unused_, size_t member, const struct page_lease *leases, size_t count,
                 struct deadline deadline _unused_, struct error *error)
{
        assert_true(member < N_ELEMENTS(told));
        told[member].posts++;
        if (told[member].down)
                return error_set(error, ECONNREFUSED, "nobody is there");
        _cleanup_free_ char *labels = cJSON_PrintUnformatted(leases[0].labels);
        snprintf(told[member].labels, sizeof(told[member].labels), "%s", labels);
        told[member].until = leases[0].until;
        told[member].count = count;
        return 0;
}

static struct engine_fixture *open_with(const char *remediations)
{
        struct engine_fixture *fixture = fixture_prepare(remediations);
        struct config_strings *members = &fixture->set->targets.alertmanager_members;
        struct config_strings *names = &fixture->set->targets.twin_labels;
        names->items = calloc(2, sizeof(char *));
        names->items[0] = strdup("alertname");
        names->items[1] = strdup("told_as");
        names->count = 2;
        fixture->set->targets.repeat_interval = 0; /* nobody is asked but for what is tested here */
        members->items = calloc(1, sizeof(char *));
        members->items[0] = strdup("http://two");
        members->count = 1;
        memset(told, 0, sizeof(told));
        hand_ahead = 0;
        fixture_start_by_hand(fixture);
        fixture->by_hand.lease = lease;
        return fixture;
}

static void pass(struct engine_fixture *fixture, nsec time)
{
        hand_ahead += time;
        look_until_idle(fixture);
}

/* What every Alertmanager has lasts from now on for so many seconds. */
static void assert_lasts(int64_t seconds)
{
        for (size_t i = 0; i < N_ELEMENTS(told); i++) {
                int64_t left = (told[i].until - (clock_monotonic() + hand_ahead) + SECOND / 2) / SECOND;
                if (told[i].count == 0 || left > seconds || left < seconds - 15)
                        fail_msg("%zu of them, %lld s at %zu", told[i].count, (long long)left, i);
        }
}

static void assert_over(void)
{
        for (size_t i = 0; i < N_ELEMENTS(told); i++)
                if (told[i].until > clock_monotonic() + hand_ahead)
                        fail_msg("the page is held back at %zu", i);
}

#define VERIFIED                                                                        \
        "  - {name: one, match: ['alertname=\"a\"'], steps: [{act.once: {name: one}}]," \
        " verify: {query: 'up == 1', within: 8m, every: 10s}}\n"

static void test_it_waits_while_the_incident_runs(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(VERIFIED);
        alert_arrives(fixture, "f1", true, TWIN);
        look_until_idle(fixture);
        pass(fixture, 2 * SECOND);
        await_state(fixture, 1, INCIDENT_VERIFYING);
        assert_string_equal(told[0].labels, "{\"alertname\":\"a\",\"stage\":\"acting\"}");
        assert_lasts(120);
        unsigned posts = told[0].posts;
        pass(fixture, 20 * SECOND);
        assert_int_equal(told[0].posts, posts);
        pass(fixture, 12 * SECOND);
        assert_true(told[0].posts > posts);
        assert_lasts(120);
        atomic_store(&fixture->holds, true);
        pass(fixture, 12 * SECOND);
        await_state(fixture, 1, INCIDENT_HEALED);
        pass(fixture, 32 * SECOND);
        assert_lasts(120);
        alert_arrives(fixture, "f1", false, TWIN);
        pass(fixture, 2 * SECOND);
        assert_over();
        fixture_close(fixture);
}

static void test_not_healed_in_time_for_the_page(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(VERIFIED);
        alert_arrives(fixture, "f1", true, TWIN);
        look_until_idle(fixture);
        for (int i = 0; i < 52; i++)
                pass(fixture, 10 * SECOND);
        await_state(fixture, 1, INCIDENT_ESCALATED);
        assert_over();
        fixture_close(fixture);
}

static void test_page_after_is_the_bound(void **state _unused_)
{
        struct engine_fixture *fixture = open_with("  - {name: one, match: ['alertname=\"a\"'], page_after: "
                                                   "3m, steps: [{act.once: {name: one}}],"
                                                   " verify: {query: 'up == 1', within: 1h, every: 10s}}\n");
        atomic_store(&fixture->unreachable, false);
        alert_arrives(fixture, "f1", true, TWIN);
        look_until_idle(fixture);
        pass(fixture, 2 * SECOND);
        assert_lasts(120);
        for (int i = 0; i < 16; i++)
                pass(fixture, 10 * SECOND);
        assert_lasts(18);
        pass(fixture, 20 * SECOND);
        await_state(fixture, 1, INCIDENT_VERIFYING);
        assert_over();
        fixture_close(fixture);
}

static void test_the_kill_switch_lets_it_come(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(VERIFIED);
        alert_arrives(fixture, "f1", true, TWIN);
        look_until_idle(fixture);
        pass(fixture, 2 * SECOND);
        assert_lasts(120);
        assert_int_equal(engine_pause(fixture->engine, true, "tester", NULL, NULL), 0);
        pass(fixture, 2 * SECOND);
        assert_over();
        fixture_close(fixture);
}

/* Who looks no more renews nothing: there is no other thread that would. */
static void test_nobody_else_renews(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(VERIFIED);
        alert_arrives(fixture, "f1", true, TWIN);
        look_until_idle(fixture);
        pass(fixture, 2 * SECOND);
        unsigned posts = told[0].posts;
        hand_ahead += 3 * MINUTE;
        work_by_hand();
        assert_int_equal(told[0].posts, posts);
        assert_over();
        fixture_close(fixture);
}

/* One of two remediations has failed: the alert is a person's, whatever the other does. */
static void test_one_of_two_fails(void **state _unused_)
{
        struct engine_fixture *fixture =
                open_with(VERIFIED "  - {name: two, match: ['alertname=\"a\"'], lock: two, steps: "
                                   "[{act.once: {name: two, fails: true}}]}\n");
        alert_arrives(fixture, "f1", true, TWIN);
        look_until_idle(fixture);
        for (int i = 0; i < 7; i++)
                pass(fixture, 10 * SECOND);
        await_state(fixture, 1, INCIDENT_VERIFYING);
        await_state(fixture, 2, INCIDENT_ESCALATED);
        assert_over();
        fixture_close(fixture);
}

/* Alertmanager alone is told again what it has not heard. */
static void test_one_that_is_down_is_told_later(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(VERIFIED);
        told[1].down = true;
        alert_arrives(fixture, "f1", true, TWIN);
        look_until_idle(fixture);
        pass(fixture, 2 * SECOND);
        assert_int_equal(told[0].count, 1);
        assert_int_equal(told[1].count, 0);
        told[1].down = false;
        pass(fixture, 7 * SECOND);
        assert_lasts(120);
        fixture_close(fixture);
}

/* An alert that joins is held back as well, and ends by itself. */
static void test_one_more_of_the_same_cause(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(VERIFIED);
        alert_arrives(fixture, "f1", true, TWIN);
        look_until_idle(fixture);
        pass(fixture, 2 * SECOND);
        assert_int_equal(told[0].count, 1);
        alert_arrives(fixture, "f2", true, TWIN);
        look_until_idle(fixture);
        pass(fixture, 2 * SECOND);
        assert_int_equal(told[0].count, 2);
        fixture_close(fixture);
}

/* Without twins nothing is as it was not before; and a label that the inhibition does not compare would hold
 * back others' pages. */
static void test_whose_page_never_waits(void **state _unused_)
{
        static const char *const labels[] = {"", "\"stage\":\"production\"", TWIN ",\"shoe_size\":\"44\""};
        for (size_t i = 0; i < N_ELEMENTS(labels); i++) {
                struct engine_fixture *fixture = open_with(VERIFIED);
                alert_arrives(fixture, "f1", true, labels[i]);
                look_until_idle(fixture);
                pass(fixture, 2 * SECOND);
                pass(fixture, 40 * SECOND);
                await_state(fixture, 1, INCIDENT_VERIFYING);
                assert_int_equal(told[0].posts, 0);
                fixture_close(fixture);
        }
}

/* A twin that is for others sets nothing off, and nobody is told that nothing answers to it. */
static void test_the_other_twins(void **state _unused_)
{
        static const char *const others[] = {"\"stage\":\"page\"", "\"stage\":\"acting\""};
        for (size_t i = 0; i < N_ELEMENTS(others); i++) {
                struct engine_fixture *fixture = open_with(VERIFIED);
                struct incident incident = {0};
                free(fixture->set->unmatched_to);
                fixture->set->unmatched_to = strdup("oncall");
                alert_arrives(fixture, "f1", true, others[i]);
                look_until_idle(fixture);
                assert_int_equal(journal_find(fixture->journal, fixture->number[1], &incident, NULL),
                                 -ENOENT);
                assert_int_equal(atomic_load(&fixture->told), 0);
                fixture_close(fixture);
        }
        /* Where a matcher asks about it, it is the file's own word. */
        struct engine_fixture *fixture = open_with("  - {name: one, match: ['alertname=\"a\"', "
                                                   "'stage=\"page\"'], steps: [{act.once: {name: one}}]}\n");
        alert_arrives(fixture, "f1", true, "\"stage\":\"page\"");
        look_until_idle(fixture);
        await_state(fixture, 1, INCIDENT_DONE);
        fixture_close(fixture);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_how_long),
                cmocka_unit_test(test_it_waits_while_the_incident_runs),
                cmocka_unit_test(test_not_healed_in_time_for_the_page),
                cmocka_unit_test(test_page_after_is_the_bound),
                cmocka_unit_test(test_the_kill_switch_lets_it_come),
                cmocka_unit_test(test_nobody_else_renews),
                cmocka_unit_test(test_one_of_two_fails),
                cmocka_unit_test(test_one_that_is_down_is_told_later),
                cmocka_unit_test(test_one_more_of_the_same_cause),
                cmocka_unit_test(test_whose_page_never_waits),
                cmocka_unit_test(test_the_other_twins),
        };
        http_client_global_init(NULL);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
