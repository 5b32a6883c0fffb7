/* SPDX-License-Identifier: Apache-2.0 */
/* What nobody has received is kept, with why, until it is delivered, or moot; and a person may send it again.
 */
#include "tests/harness/engine.h"

#include <errno.h>
#include <string.h>

#include "runbook/http_client.h"

#define WITH_MESSAGE                                                                   \
        "  - {name: one, match: ['alertname=\"a\"'], steps: [{act.once: {name: one}}," \
        " {act.tells: {name: tells, fails: true}, essential: no}]}\n"
#define FAILS "  - {name: one, match: ['alertname=\"a\"'], steps: [{act.once: {name: one, fails: true}}]}\n"

static struct engine_fixture *open_by_hand(const char *remediations)
{
        struct engine_fixture *fixture = fixture_prepare(remediations);
        hand_ahead = 0;
        fixture_start_by_hand(fixture);
        alert_arrives(fixture, "f1", true, "");
        look_until_idle(fixture);
        return fixture;
}

/* All that there are; one at most. */
static size_t find_letter(struct engine_fixture *fixture, struct letter *ret)
{
        struct letter_list list = {0};
        assert_int_equal(journal_letters(fixture->journal, 0, 10, &list, NULL), 0);
        size_t count = list.count;
        assert_in_range(count, 0, 1);
        *ret = count > 0 ? list.items[0] : (struct letter){0};
        free(list.items);
        return count;
}

static void letter_free(struct letter *letter)
{
        free(letter->number);
        free(letter->receiver);
        free(letter->what);
        free(letter->reason);
}

static int resend(struct engine_fixture *fixture)
{
        int r = engine_decide(fixture->engine, DECISION_RESEND, fixture->number[1], "ada", "mended", NULL);
        look_until_idle(fixture);
        return r;
}

/* It is given up when the step fails, shown, sent again when a person says so, however often that fails. */
static void test_a_steps_message(void **state _unused_)
{
        struct engine_fixture *fixture = open_by_hand(WITH_MESSAGE);
        await_state(fixture, 1, INCIDENT_DONE);
        _cleanup_(letter_free) struct letter letter = {0}, again = {0}, none = {0};
        assert_int_equal(find_letter(fixture, &letter), 1);
        assert_int_equal(letter.step, 2);
        assert_true(letter.refused && !letter.asked);
        assert_string_equal(letter.what, "tells");
        assert_non_null(strstr(letter.reason, "as the test wants it"));

        assert_int_equal(resend(fixture), 0);
        assert_int_equal(find_letter(fixture, &again), 1);
        assert_false(again.asked);
        assert_true(again.since == letter.since);
        mend_actions();
        assert_int_equal(resend(fixture), 0);
        assert_int_equal(find_letter(fixture, &none), 0);
        assert_action_calls("run", "run:one run:tells run:tells run:tells");
        await_state(fixture, 1, INCIDENT_DONE);
        _cleanup_free_ char *events = events_of(fixture, 1);
        assert_non_null(strstr(events, "to be sent again\n"));
        assert_non_null(strstr(events, "not told either this time\n"));
        assert_non_null(strstr(events, "told at last\n"));
        /* There is nothing any more that could be sent again. */
        assert_int_equal(resend(fixture), -ESTALE);
        fixture_close(fixture);
}

/* A request that was written is not lost. */
static void test_over_a_restart(void **state _unused_)
{
        struct engine_fixture *fixture = open_by_hand(WITH_MESSAGE);
        mend_actions();
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_RESEND, fixture->number[1], "ada", NULL, NULL), 0);
        fixture_stop(fixture);
        fixture_start_by_hand(fixture);
        look_until_idle(fixture);
        _cleanup_(letter_free) struct letter none = {0};
        assert_int_equal(find_letter(fixture, &none), 0);
        fixture_close(fixture);
}

/* A call never dies: it is kept until it is heard, and a person need not wait for the next try. */
static void test_a_call(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_prepare(FAILS);
        hand_ahead = 0;
        atomic_store(&fixture->deaf, true);
        fixture_start_by_hand(fixture);
        alert_arrives(fixture, "f1", true, "");
        look_until_idle(fixture);
        _cleanup_(letter_free) struct letter letter = {0}, refused = {0}, none = {0};
        assert_int_equal(find_letter(fixture, &letter), 1);
        assert_int_equal(letter.step, 0);
        assert_false(letter.refused);
        assert_string_equal(letter.what, "failed");
        unsigned told = atomic_load(&fixture->told);

        atomic_store(&fixture->deaf, false);
        atomic_store(&fixture->refuses, true);
        assert_int_equal(resend(fixture), 0);
        assert_int_equal(atomic_load(&fixture->told), told + 1);
        assert_int_equal(find_letter(fixture, &refused), 1);
        assert_true(refused.refused && !refused.asked);
        await_state(fixture, 1, INCIDENT_FAILED);

        atomic_store(&fixture->refuses, false);
        assert_int_equal(resend(fixture), 0);
        await_state(fixture, 1, INCIDENT_ESCALATED);
        assert_int_equal(find_letter(fixture, &none), 0);
        /* What is told is why it failed, and not why nobody heard of that. */
        assert_true(person_was_told(fixture, "as the test wants it"));
        fixture_close(fixture);
}

int main(void)
{
        assert_int_equal(http_client_global_init(NULL), 0);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_steps_message),
                cmocka_unit_test(test_over_a_restart),
                cmocka_unit_test(test_a_call),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
