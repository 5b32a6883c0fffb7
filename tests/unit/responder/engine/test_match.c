/* SPDX-License-Identifier: Apache-2.0 */
/* What an open episode is matched with: the file as it is now, and no dry run stands in its way. */
#include "tests/harness/engine.h"

#include <errno.h>
#include <string.h>

#include "runbook/http_client.h"
#include "tests/harness/files.h"

#define FILE_OF(name, rest) \
        "  - {name: " name ", match: ['alertname=\"a\"'], steps: [{act.once: {" rest "}}]}\n"
#define FINE FILE_OF("one", "name: one")
#define BROKEN FILE_OF("one", "name: one, plan_fails: true")

static bool is_there(struct engine_fixture *fixture, int n)
{
        struct incident incident = {0};
        int r = journal_find(fixture->journal, fixture->number[n], &incident, NULL);
        incident_release(&incident);
        return r >= 0;
}

static void start_again(struct engine_fixture *fixture, bool dry_run)
{
        fixture_stop(fixture);
        fixture->dry_run = dry_run;
        fixture_start_by_hand(fixture);
        look_until_idle(fixture);
}

static void start_with(struct engine_fixture *fixture, const char *remediations)
{
        fixture_change_file(fixture, remediations);
        start_again(fixture, false);
}

static struct engine_fixture *open_with(const char *remediations, bool dry_run)
{
        struct engine_fixture *fixture = fixture_prepare(remediations);
        hand_ahead = 0;
        fixture->dry_run = dry_run;
        fixture_start_by_hand(fixture);
        alert_arrives(fixture, "f1", true, "");
        look_until_idle(fixture);
        return fixture;
}

/* P3: README says "let it run with --dry-run; then without". */
static void test_out_of_a_dry_run(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(FINE, true);
        await_state(fixture, 1, INCIDENT_PLANNED);
        start_again(fixture, true);
        assert_false(is_there(fixture, 2)); /* one plan is enough */
        assert_action_calls("run", "");

        start_again(fixture, false);
        await_state(fixture, 1, INCIDENT_PLANNED);
        await_state(fixture, 2, INCIDENT_DONE);
        assert_action_calls("run", "run:one");
        _cleanup_free_ char *events = events_of(fixture, 1);
        assert_non_null(strstr(events, "its alert is matched again"));

        /* What has run is run once, whatever starts. */
        start_again(fixture, true);
        start_again(fixture, false);
        assert_false(is_there(fixture, 3));
        assert_action_calls("run", "run:one");

        /* The episode is still the one that a resolved alert ends. */
        alert_arrives(fixture, "f1", false, "");
        struct incident incident = {0};
        assert_int_equal(journal_find(fixture->journal, fixture->number[2], &incident, NULL), 0);
        assert_false(incident.episode_open);
        incident_release(&incident);
        uint64_t rows;
        assert_int_equal(journal_verify(fixture->journal, &rows, NULL), 0);
        fixture_close(fixture);
}

static void test_a_remediation_that_was_corrected(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(BROKEN, false);
        await_state(fixture, 1, INCIDENT_ESCALATED);
        start_with(fixture, BROKEN);
        assert_false(is_there(fixture, 2));
        start_with(fixture, FINE);
        await_state(fixture, 2, INCIDENT_DONE);
        start_with(fixture, FILE_OF("one", "name: other"));
        assert_false(is_there(fixture, 3)); /* what has run is no plan that failed */
        fixture_close(fixture);
}

/* As POST …/run makes it: two match, and one is meant. */
static void test_n25_what_a_person_runs_sets_off_that_alone(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_prepare(FINE FILE_OF("two", "name: two"));
        hand_ahead = 0;
        fixture_start_by_hand(fixture);
        alert_arrives(fixture, "f1", true,
                      "\"" ALERT_LABEL_REMEDIATION "\":\"two\",\"" ALERT_LABEL_RUN "\":\"r\"");
        look_until_idle(fixture);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_action_calls("run", "run:two");
        assert_false(is_there(fixture, 2));
        fixture_close(fixture);
}

static void test_a_remediation_that_was_added(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(
                "  - {name: b, match: ['alertname=\"b\"'], steps: [{act.once: {name: b}}]}\n", false);
        assert_false(is_there(fixture, 1));
        /* Its matcher alone is another one. */
        start_with(fixture, "  - {name: b, match: ['alertname=\"a\"'], steps: [{act.once: {name: b}}]}\n");
        await_state(fixture, 1, INCIDENT_DONE);
        /* Now something has run in this firing: another one may be the same under a new name. */
        start_with(fixture,
                   "  - {name: b, match: ['alertname=\"a\"'], steps: [{act.once: {name: b}}]}\n" FINE);
        assert_false(is_there(fixture, 2));
        fixture_close(fixture);
}

/* As a reload does it. Nobody is owed a word any more of an alert that has found its remediation. */
static void test_a_remediation_that_a_reload_has_added(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(
                "  - {name: b, match: ['alertname=\"b\"'], steps: [{act.once: {name: b}}]}\n", false);
        struct journal_people people = {0};
        assert_int_equal(journal_count_people(fixture->journal, &people, NULL), 0);
        assert_int_equal(people.unmatched, 1);

        _cleanup_free_ char *path = text_format("%s/remediations.yml", fixture->directory);
        const char *file = "escalate_to: nobody\nremediations:\n" FINE;
        struct remediation_set *before = fixture->set;
        write_file(fixture->directory, "remediations.yml", file, strlen(file));
        assert_int_equal(remediation_set_load(path, &fixture->set, NULL), 0);
        const struct incident_parts parts = {.world = &fixture->by_hand,
                                             .set = fixture->set,
                                             .journal = fixture->journal,
                                             .meters = fixture->meters};
        engine_adopt(fixture->engine, &parts);
        look_until_idle(fixture);
        await_state(fixture, 1, INCIDENT_DONE);
        assert_int_equal(journal_count_people(fixture->journal, &people, NULL), 0);
        assert_int_equal(people.unmatched, 0);
        fixture_close(fixture);
        remediation_set_free(before);
}

static unsigned editions_ended;

static void end_edition(struct edition *edition _unused_)
{
        editions_ended++;
}

/* What a worker was given, and never began when the daemon ended, is not held by it for ever. */
static void test_an_edition_that_was_lent_to_nobody_ends(void **state _unused_)
{
        struct engine_fixture *fixture = fixture_prepare(FINE);
        hand_ahead = 0;
        fixture_start_by_hand(fixture);
        struct edition edition = {.holders = 1, .machine = &fixture->by_hand, .end = end_edition};
        const struct incident_parts parts = {.world = &fixture->by_hand,
                                             .set = fixture->set,
                                             .edition = &edition,
                                             .journal = fixture->journal,
                                             .meters = fixture->meters};
        engine_adopt(fixture->engine, &parts);
        alert_arrives(fixture, "f1", true, "");
        nsec next = 0;
        const size_t given = look_by_hand(fixture, &next);
        assert_true(given > 0);
        assert_int_equal(edition.holders, 1 + given);
        editions_ended = 0;
        fixture_stop(fixture);
        assert_int_equal(editions_ended, 1);
        fixture_close(fixture);
}

/* Nor is it told as one that has none, whose remediation was removed. */
static void test_a_remediation_that_was_removed(void **state _unused_)
{
        struct engine_fixture *fixture = open_with(FINE, false);
        await_state(fixture, 1, INCIDENT_DONE);
        start_with(fixture, "  - {name: b, match: ['alertname=\"b\"'], steps: [{act.once: {name: b}}]}\n");
        struct journal_people people = {0};
        assert_int_equal(journal_count_people(fixture->journal, &people, NULL), 0);
        assert_int_equal(people.unmatched, 0);
        fixture_close(fixture);
}

/* A person has decided; that holds for this firing. */
static void test_what_was_denied_stays_denied(void **state _unused_)
{
        struct engine_fixture *fixture = open_with("  - {name: one, match: ['alertname=\"a\"'], approval: "
                                                   "true, steps: [{act.once: {name: one}}]}\n",
                                                   false);
        await_state(fixture, 1, INCIDENT_AWAITING_APPROVAL);
        assert_int_equal(
                engine_decide(fixture->engine, DECISION_DENY, fixture->number[1], "tester", NULL, NULL), 0);
        start_with(fixture, FINE);
        assert_false(is_there(fixture, 2));
        fixture_close(fixture);
}

int main(void)
{
        assert_int_equal(http_client_global_init(NULL), 0);
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_out_of_a_dry_run),
                cmocka_unit_test(test_a_remediation_that_was_corrected),
                cmocka_unit_test(test_n25_what_a_person_runs_sets_off_that_alone),
                cmocka_unit_test(test_a_remediation_that_was_added),
                cmocka_unit_test(test_a_remediation_that_a_reload_has_added),
                cmocka_unit_test(test_a_remediation_that_was_removed),
                cmocka_unit_test(test_an_edition_that_was_lent_to_nobody_ends),
                cmocka_unit_test(test_what_was_denied_stays_denied),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
