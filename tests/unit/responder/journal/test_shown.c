/* SPDX-License-Identifier: Apache-2.0 */
/* What the pages ask the journal for: what goes on, what has ended, what set nothing off, what is looked for.
 */
#include "tests/harness/journal.h"

static size_t count_of(struct journal_fixture *fixture,
                       int (*list_them)(struct journal *, size_t, struct incident_list *, struct error *))
{
        struct incident_list list = {0};
        assert_int_equal(list_them(fixture->journal, 100, &list, NULL), 0);
        size_t count = list.count;
        incident_list_release(&list);
        return count;
}

static int list_open(struct journal *journal, size_t limit, struct incident_list *ret, struct error *error)
{
        return journal_list_open(journal, 0, limit, ret, error);
}

static void assert_counts(struct journal_fixture *fixture, size_t open, size_t ended, size_t left)
{
        assert_int_equal(count_of(fixture, list_open), open);
        assert_int_equal(count_of(fixture, journal_list_ended), ended);
        assert_int_equal(count_of(fixture, journal_list_left), left);
}

static void test_an_incident_is_where_one_looks_for_it(void **state)
{
        struct journal_fixture *fixture = *state;
        assert_counts(fixture, 0, 0, 0);
        accept_alerts(fixture, "f1 f2");
        open_incidents(fixture, 1);
        open_incidents(fixture, 1);
        assert_counts(fixture, 2, 0, 0);
        WRITE(fixture, .state = INCIDENT_RUNNING);
        WRITE(fixture, .state = INCIDENT_FAILED, .event = "step failed");
        assert_counts(fixture, 2, 0, 0);
        WRITE(fixture, .state = INCIDENT_ESCALATED);
        assert_counts(fixture, 1, 1, 1);
        WRITE(fixture, .incident = 2, .state = INCIDENT_CANCELLED);
        assert_counts(fixture, 0, 2, 1);
        accept_alerts(fixture, "-f1");
        assert_counts(fixture, 0, 2, 0);
}

static size_t found(struct journal_fixture *fixture, struct journal_search search)
{
        struct incident_list list = {0};
        search.limit = 10;
        assert_int_equal(journal_search(fixture->journal, &search, &list, NULL), 0);
        size_t count = list.count;
        incident_list_release(&list);
        return count;
}

#define FOUND(...) found(fixture, (struct journal_search){__VA_ARGS__})

static void test_what_is_looked_for_is_found(void **state)
{
        struct journal_fixture *fixture = *state;
        accept_alerts(fixture, "first second");
        open_incidents(fixture, 2);
        open_incidents(fixture, 1);
        assert_int_equal(FOUND(0), 3);
        assert_int_equal(FOUND(.remediation = "notify"), 1);
        assert_int_equal(FOUND(.remediation = "restart", .state = INCIDENT_RECEIVED), 2);
        assert_int_equal(FOUND(.state = INCIDENT_RUNNING), 0);
        assert_int_equal(FOUND(.text = "SECOND"), 1);
        assert_int_equal(FOUND(.text = "-0001"), 1);
        assert_int_equal(FOUND(.text = "%"), 0);
        assert_int_equal(FOUND(.before_id = 3), 2);
        assert_int_equal(FOUND(.since = INT64_MAX - 1), 0);
        assert_int_equal(FOUND(.until = 1), 0);
        WRITE(fixture, .state = INCIDENT_RUNNING);
        _cleanup_json_ cJSON *outcome = cJSON_CreateObject();
        cJSON_AddStringToObject(outcome, "summary", "26 Keys flushed");
        WRITE(fixture, .step = 1, .step_status = STEP_STARTED, .event = "step started", .detail = outcome);
        WRITE(fixture, .step = 1, .step_status = STEP_DONE, .event = "step done", .detail = outcome);
        assert_int_equal(FOUND(.text = "keys FLUSHED"), 1);
}

static void test_who_set_nothing_off_is_told_apart(void **state)
{
        struct journal_fixture *fixture = *state;
        struct episode_list list = {0};
        accept_alerts(fixture, "f1 f2");
        open_incidents(fixture, 1);
        assert_int_equal(journal_unmatched(fixture->journal, 10, &list, NULL), 0);
        assert_int_equal(list.count, 1);
        const int64_t id = list.items[0].id;
        episode_list_release(&list);
        assert_int_equal(journal_pass_over(fixture->journal, &id, 1, NULL), 0);
        assert_int_equal(journal_passed_over(fixture->journal, 0, 10, &list, NULL), 0);
        assert_int_equal(list.count, 1);
        assert_int_equal(list.items[0].id, id);
        assert_true(list.items[0].open);
        episode_list_release(&list);

        /* Also once somebody was told, and when it has ended; not what was last heard of before. */
        accept_alerts(fixture, "-f2");
        assert_int_equal(journal_passed_over(fixture->journal, 0, 10, &list, NULL), 0);
        assert_int_equal(list.count, 1);
        assert_false(list.items[0].open);
        episode_list_release(&list);
        assert_int_equal(journal_passed_over(fixture->journal, INT64_MAX, 10, &list, NULL), 0);
        assert_int_equal(list.count, 0);
        episode_list_release(&list);
}

static void note_run(void *context, const struct journal_run *run)
{
        int64_t *sum = context;
        *sum = *sum * 10 + (string_equal(run->remediation, "restart") ? 1 : 2);
        assert_int_equal(run->state, INCIDENT_RECEIVED);
        assert_true(run->opened_at > 0 && run->ended_at == 0 && run->running_at == 0 && *run->number);
}

static void test_runs_come_newest_first(void **state)
{
        struct journal_fixture *fixture = *state;
        int64_t sum = 0;
        assert_int_equal(journal_runs(fixture->journal, 10, note_run, &sum, NULL), 0);
        assert_int_equal(sum, 0);
        accept_alerts(fixture, "f1 f2");
        open_incidents(fixture, 2);
        open_incidents(fixture, 1);
        assert_int_equal(journal_runs(fixture->journal, 10, note_run, &sum, NULL), 0);
        assert_int_equal(sum, 121);
        sum = 0;
        assert_int_equal(journal_runs(fixture->journal, 1, note_run, &sum, NULL), 0);
        assert_int_equal(sum, 1);
}

static const struct CMUnitTest tests[] = {
        ON_JOURNAL(test_an_incident_is_where_one_looks_for_it),
        ON_JOURNAL(test_what_is_looked_for_is_found),
        ON_JOURNAL(test_who_set_nothing_off_is_told_apart),
        ON_JOURNAL(test_runs_come_newest_first),
};

int main(void)
{
        return cmocka_run_group_tests_name("shown", tests, NULL, NULL);
}
