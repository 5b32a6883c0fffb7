/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is: the urgent first, then the oldest, each remediation for itself. */
#include "tests/harness/engine.h"

#include <stdio.h>

#include "responder/engine/internal.h"
#include "runbook/http_client.h"

/* Work that was given to the world and is done when the test says so. */
static struct {
        void (*work)(void *argument);
        struct engine_slot *slot;
} given[64];
static size_t given_count;

static int take_work(_unused_ void *context, _unused_ enum world_pool pool, _unused_ const char *whose,
                     void (*work)(void *argument), void *argument)
{
        assert_true(given_count < N_ELEMENTS(given));
        given[given_count].work = work;
        given[given_count++].slot = argument;
        return 0;
}

static void do_work(void)
{
        for (size_t i = 0; i < given_count; i++)
                given[i].work(given[i].slot);
        given_count = 0;
}

static const char *given_name(size_t i)
{
        assert_true(i < given_count);
        return alert_label(&given[i].slot->run.incident.alert, "n");
}

static struct engine_fixture *prepare(const char *remediations, struct world *world,
                                      struct incident_parts *parts)
{
        struct engine_fixture *fixture = fixture_prepare(remediations);
        fixture_open_journal(fixture);
        fixture->set->targets.repeat_interval = 0; /* nothing but incidents is looked at */
        *world = *place_world(fixture->place);
        world->run = take_work;
        *parts = (struct incident_parts){
                .world = world, .set = fixture->set, .journal = fixture->journal, .meters = fixture->meters};
        assert_int_equal(engine_new(parts, &fixture->engine, NULL), 0);
        given_count = 0;
        return fixture;
}

static void arrive(struct engine_fixture *fixture, const char *name, const char *more)
{
        _cleanup_free_ char *labels = text_format("\"n\":\"%s\"%s", name, more);
        alert_arrives(fixture, name, true, labels);
}

static void look(struct engine_fixture *fixture)
{
        nsec next = 0;
        assert_int_equal(engine_look(fixture->engine, &next, NULL), 0);
}

/* Alerts that no look has come to yet. */
static size_t unmatched(struct engine_fixture *fixture)
{
        struct episode_list list = {0};
        assert_int_equal(journal_unmatched(fixture->journal, 4000, &list, NULL), 0);
        size_t count = list.count;
        episode_list_release(&list);
        return count;
}

static void finish(struct engine_fixture *fixture)
{
        fixture_stop(fixture);
        fixture_close(fixture);
}

static void test_urgent_first_and_each_remediation_for_itself(_unused_ void **state)
{
        struct world world;
        struct incident_parts parts;
        struct engine_fixture *fixture = prepare(
                "  - {name: crowd, match: ['alertname=\"a\"', 'of!=\"other\"'], lock: 'n/${labels.n}', "
                "steps: [{act.once: {name: '${labels.n}'}}]}\n"
                "  - {name: other, match: ['of=\"other\"'], steps: [{act.once: {name: '${labels.n}'}}]}\n",
                &world, &parts);
        char name[32];
        for (int i = 0; i < 20; i++) {
                snprintf(name, sizeof(name), "info%d", i);
                arrive(fixture, name, ",\"severity\":\"info\"");
        }
        for (int i = 0; i < 6; i++) {
                snprintf(name, sizeof(name), "plain%d", i);
                arrive(fixture, name, "");
        }
        arrive(fixture, "warning", ",\"severity\":\"warning\"");
        arrive(fixture, "critical", ",\"severity\":\"critical\"");
        arrive(fixture, "unrelated", ",\"of\":\"other\"");

        look(fixture);
        assert_int_equal(given_count, WORLD_AT_ONCE + 1);
        assert_string_equal(given_name(0), "critical");
        assert_string_equal(given_name(1), "warning");
        assert_string_equal(given_name(2), "plain0");
        assert_string_equal(given_name(7), "plain5");
        assert_string_equal(given_name(8), "unrelated");
        look(fixture);
        assert_int_equal(given_count, WORLD_AT_ONCE + 1); /* and nothing more before one has come back */
        do_work();
        look(fixture); /* what was done is let go of, and the next ones begin */
        assert_string_equal(given_name(WORLD_AT_ONCE + 1), "info0");
        while (given_count > 0) {
                do_work();
                look(fixture);
        }
        assert_true(action_called("run:info19"));
        finish(fixture);
}

/* What comes behind a crowd of whatever size begins with the next look, and a look opens so many incidents at
 * most: so it waits for two decisions of the engine's, and for none of the crowd's. */
static void test_an_unrelated_one_behind_a_crowd_begins_with_the_next_look(_unused_ void **state)
{
        struct world world;
        struct incident_parts parts;
        struct engine_fixture *fixture = prepare(
                "  - {name: crowd, match: ['alertname=\"a\"', 'of!=\"other\"'], lock: 'n/${labels.n}', "
                "steps: [{act.once: {name: '${labels.n}'}}]}\n"
                "  - {name: other, match: ['of=\"other\"'], steps: [{act.once: {name: '${labels.n}'}}]}\n",
                &world, &parts);
        char name[32];
        for (int i = 0; i < 700; i++) {
                snprintf(name, sizeof(name), "crowd%d", i);
                arrive(fixture, name, ",\"severity\":\"critical\"");
        }
        look(fixture);
        assert_int_equal(given_count, WORLD_AT_ONCE);
        assert_int_equal(unmatched(fixture), 700 - 256);
        arrive(fixture, "unrelated", ",\"of\":\"other\",\"severity\":\"info\"");
        look(fixture);
        assert_int_equal(given_count, WORLD_AT_ONCE + 1);
        assert_string_equal(given_name(WORLD_AT_ONCE), "unrelated");
        assert_int_equal(unmatched(fixture), 700 - 256 - 255);
        finish(fixture);
}

/* What holds one holds all of its lock, and is asked for once; a look writes down no more than so many. */
static void test_a_crowd_that_is_held(_unused_ void **state)
{
        struct world world;
        struct incident_parts parts;
        struct engine_fixture *fixture = prepare(
                "  - {name: crowd, match: ['alertname=\"a\"', 'of!=\"other\"'], lock: one, cooldown: 1h, "
                "steps: [{act.once: {name: '${labels.n}'}}]}\n"
                "  - {name: other, match: ['of=\"other\"'], steps: [{act.once: {name: '${labels.n}'}}]}\n",
                &world, &parts);
        char name[32];
        size_t counts[INCIDENT_STATE_COUNT];
        for (int i = 0; i < 100; i++) {
                snprintf(name, sizeof(name), "n%d", i);
                arrive(fixture, name, "");
        }
        arrive(fixture, "unrelated", ",\"of\":\"other\"");
        look(fixture);
        assert_int_equal(given_count, 2);
        assert_string_equal(given_name(0), "n0");
        assert_string_equal(given_name(1), "unrelated");
        assert_int_equal(journal_count_open(fixture->journal, counts, NULL), 0);
        assert_int_equal(counts[INCIDENT_HELD], 64);
        look(fixture);
        assert_int_equal(journal_count_open(fixture->journal, counts, NULL), 0);
        assert_int_equal(counts[INCIDENT_HELD], 99);
        while (given_count > 0) {
                do_work();
                look(fixture);
        }
        assert_action_calls("run", "run:n0 run:unrelated");
        finish(fixture);
}

/* What nothing holds any more is not shown as held, though its turn is still to come. */
static void test_a_crowd_that_is_let_go(_unused_ void **state)
{
        struct world world;
        struct incident_parts parts;
        struct engine_fixture *fixture =
                prepare("  - {name: crowd, match: ['alertname=\"a\"'], lock: 'n/${labels.n}', "
                        "steps: [{act.once: {name: '${labels.n}'}}]}\n",
                        &world, &parts);
        char name[32];
        size_t counts[INCIDENT_STATE_COUNT];
        assert_int_equal(engine_pause(fixture->engine, true, "tester", NULL, NULL), 0);
        for (int i = 0; i < WORLD_AT_ONCE + 70; i++) {
                snprintf(name, sizeof(name), "n%d", i);
                arrive(fixture, name, "");
        }
        for (int i = 0; i < 3; i++)
                look(fixture);
        do_work(); /* a person hears of them */
        assert_int_equal(journal_count_open(fixture->journal, counts, NULL), 0);
        assert_int_equal(counts[INCIDENT_HELD], WORLD_AT_ONCE + 70);
        assert_int_equal(engine_pause(fixture->engine, false, "tester", NULL, NULL), 0);
        look(fixture);
        assert_int_equal(given_count, WORLD_AT_ONCE);
        assert_int_equal(journal_count_open(fixture->journal, counts, NULL), 0);
        assert_int_equal(counts[INCIDENT_RECEIVED], 64);
        look(fixture);
        /* Those that were given to a worker say so themselves, once it begins. */
        assert_int_equal(journal_count_open(fixture->journal, counts, NULL), 0);
        assert_int_equal(counts[INCIDENT_RECEIVED], 70);
        assert_int_equal(counts[INCIDENT_HELD], WORLD_AT_ONCE);
        while (given_count > 0) {
                do_work();
                look(fixture);
        }
        assert_int_equal(journal_count_open(fixture->journal, counts, NULL), 0);
        assert_int_equal(counts[INCIDENT_HELD] + counts[INCIDENT_RECEIVED], 0);
        finish(fixture);
}

/* Nor while its plans cannot be made for the moment. */
static void test_planned_again_is_not_held(_unused_ void **state)
{
        struct world world;
        struct incident_parts parts;
        struct engine_fixture *fixture = prepare(
                "  - {name: one, match: ['alertname=\"a\"'], steps: [{act.once: {name: a, plan_away: 1}}]}\n",
                &world, &parts);
        assert_int_equal(engine_pause(fixture->engine, true, "tester", NULL, NULL), 0);
        arrive(fixture, "f1", "");
        look(fixture);
        do_work();
        assert_int_equal(engine_pause(fixture->engine, false, "tester", NULL, NULL), 0);
        look(fixture);
        do_work();
        struct incident incident = {0};
        assert_int_equal(journal_find(fixture->journal, fixture->number[1], &incident, NULL), 0);
        assert_int_equal(incident.state, INCIDENT_RECEIVED);
        assert_string_equal(incident.guard, "");
        incident_release(&incident);
        _cleanup_free_ char *events = events_of(fixture, 1);
        assert_non_null(strstr(events, "released\nplanning waits\n"));
        finish(fixture);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_an_unrelated_one_behind_a_crowd_begins_with_the_next_look),
                cmocka_unit_test(test_urgent_first_and_each_remediation_for_itself),
                cmocka_unit_test(test_a_crowd_that_is_held),
                cmocka_unit_test(test_a_crowd_that_is_let_go),
                cmocka_unit_test(test_planned_again_is_not_held),
        };
        if (http_client_global_init(NULL) < 0)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
