/* SPDX-License-Identifier: Apache-2.0 */
/* Who may go where: the journal takes every way of the table and no other, whoever asks (D4 of the survey).
 */
#include "tests/harness/journal.h"

#include <errno.h>

#include "responder/journal/transition.h"

/* Brings incident 1 into a state behind the journal's back. */
static void put_state(const struct journal_fixture *fixture, enum incident_state state)
{
        _cleanup_free_ char *statement = text_format(
                "UPDATE incidents SET state = '%s', ended_at = 0 WHERE id = 1", incident_state_name(state));
        run_sql(fixture, statement);
}

static bool is_in_table(enum incident_state from, enum incident_state to)
{
        for (const struct transition *one = transitions; one->event; one++)
                if (one->from == from && one->to == to)
                        return true;
        return false;
}

/* Every pair of states: by each event of the table, and by one that it has not. */
static void test_all_pairs_of_states(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        for (int from = INCIDENT_RECEIVED; from < INCIDENT_STATE_COUNT; from++) {
                for (int to = INCIDENT_RECEIVED; to < INCIDENT_STATE_COUNT; to++) {
                        const enum incident_state a = (enum incident_state)from, b = (enum incident_state)to;
                        put_state(fixture, a);
                        assert_int_equal(
                                write_entry(fixture, (struct journal_entry){.state = b, .event = "e"}, NULL),
                                -EPROTO);
                        for (const struct transition *one = transitions; one->event; one++) {
                                const struct journal_entry entry = {.state = b, .event = one->event};
                                const struct transition *way = transition_find(a, b, one->event);
                                put_state(fixture, a);
                                int r = write_entry(fixture, entry, NULL);
                                if (r != (way ? 0 : -EPROTO))
                                        fail_msg("%s to %s by %s: %d", incident_state_name(a),
                                                 incident_state_name(b), one->event, r);
                                assert_true(!way || is_in_table(a, b));
                                _cleanup_free_ char *query =
                                        text_format("SELECT state = '%s' AND (ended_at > 0) = %d FROM "
                                                    "incidents WHERE id = 1",
                                                    incident_state_name(way ? b : a), way && way->ends);
                                assert_int_equal(query_number(fixture, query), 1);
                        }
                }
        }
}

/* Final is what nothing leads out of, and every other state can be left. What was healed, or done, has ended,
 * too, but may turn out not to be. */
static void test_ends_are_ends(void **state _unused_)
{
        for (int from = INCIDENT_RECEIVED; from < INCIDENT_STATE_COUNT; from++) {
                bool leads_on = false;
                for (const struct transition *one = transitions; one->event; one++)
                        leads_on |= (int)one->from == from;
                assert_true(leads_on == (from <= INCIDENT_DONE));
        }
        for (const struct transition *one = transitions; one->event; one++)
                assert_true(
                        incident_went_well(one->from)
                                ? !one->ends
                                : one->ends == (one->to >= INCIDENT_HEALED || one->from == one->to) ||
                                          (one->from == one->to && (one->to == INCIDENT_HELD ||
                                                                    one->to == INCIDENT_AWAITING_APPROVAL)));
}

/* The smallest input of D4: what is healed ran, was planned and was received again. */
static void test_the_healed_stay_healed(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        WRITE(fixture, .state = INCIDENT_RUNNING);
        WRITE(fixture, .state = INCIDENT_VERIFYING);
        WRITE(fixture, .state = INCIDENT_HEALED);
        uint64_t rows = verified_rows(fixture);
        REFUSED(fixture, EPROTO, "an incident that is healed cannot become running by \"running\"",
                .state = INCIDENT_RUNNING, .event = "running");
        REFUSED(fixture, EPROTO, "an incident that is healed cannot become planned by \"planned\"",
                .state = INCIDENT_PLANNED, .event = "planned");
        REFUSED(fixture, EPROTO, "an incident that is healed cannot become received by \"received\"",
                .state = INCIDENT_RECEIVED, .event = "received");
        assert_int_equal(verified_rows(fixture), rows);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_all_pairs_of_states),
                cmocka_unit_test(test_ends_are_ends),
                ON_JOURNAL(test_the_healed_stay_healed),
        };
        return cmocka_run_group_tests_name("transitions", tests, NULL, NULL);
}
