/* SPDX-License-Identifier: Apache-2.0 */
/* The active incidents: what has changed is read, what has not stays as it is. */
#include "tests/harness/journal.h"

#include <errno.h>

static void read_active(struct journal_fixture *fixture, struct incident_list *list)
{
        _cleanup_error_ struct error error = {0};
        if (journal_active(fixture->journal, list, &error) < 0)
                fail_msg("%s", error_text(&error));
}

/* The list is what one would get that remembers nothing. */
static void assert_as_fresh(struct journal_fixture *fixture, const struct incident_list *list)
{
        struct incident_list fresh = {0};
        uint64_t reading = list->reading;
        read_active(fixture, &fresh);
        assert_int_equal(list->count, fresh.count);
        for (size_t i = 0; i < fresh.count; i++) {
                const struct incident *one = &list->items[i], *other = &fresh.items[i];
                assert_int_equal(one->id, other->id);
                assert_string_equal(one->number, other->number);
                assert_int_equal(one->state, other->state);
                assert_int_equal(one->episode_open, other->episode_open);
                assert_int_equal(one->step_count, other->step_count);
                for (size_t k = 0; k < one->step_count; k++)
                        assert_int_equal(one->steps[k].status, other->steps[k].status);
        }
        assert_true(fresh.reading > reading);
        incident_list_release(&fresh);
}

static void test_unchanged_ones_stay(void **state)
{
        struct journal_fixture *fixture = *state;
        struct incident_list list = {0};
        accept_alerts(fixture, "f1 f2 f3");
        for (int i = 0; i < 3; i++)
                open_incidents(fixture, 1);
        read_active(fixture, &list);
        assert_int_equal(list.count, 3);
        const char *first = list.items[0].number, *second = list.items[1].number,
                   *third = list.items[2].number;

        /* One is written to, and read again; the others are where they were. */
        WRITE(fixture, .incident = 2, .state = INCIDENT_RUNNING);
        read_active(fixture, &list);
        assert_ptr_equal(list.items[0].number, first);
        assert_ptr_not_equal(list.items[1].number, second);
        assert_ptr_equal(list.items[2].number, third);
        assert_int_equal(list.items[1].state, INCIDENT_RUNNING);
        assert_as_fresh(fixture, &list);

        /* Somebody else has read meanwhile, and knows what this list does not: all is read. */
        read_active(fixture, &list);
        assert_ptr_not_equal(list.items[0].number, first);
        assert_as_fresh(fixture, &list);
        incident_list_release(&list);
}

static void test_comes_goes_and_comes_back(void **state)
{
        struct journal_fixture *fixture = *state;
        struct incident_list list = {0};
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        read_active(fixture, &list);
        WRITE(fixture, .state = INCIDENT_RUNNING);
        WRITE(fixture, .step = 1, .event = "step started", .step_status = STEP_STARTED);
        WRITE(fixture, .step = 1, .event = "step done", .step_status = STEP_DONE, .settled = true);
        WRITE(fixture, .state = INCIDENT_VERIFYING);
        WRITE(fixture, .state = INCIDENT_HEALED);

        /* One goes, one comes, in one reading; and the alert of one that came is resolved. */
        read_active(fixture, &list);
        assert_int_equal(list.count, 1);
        accept_alerts(fixture, "-f1");
        accept_alerts(fixture, "f2");
        open_incidents(fixture, 1);
        read_active(fixture, &list);
        assert_int_equal(list.count, 1);
        assert_int_equal(list.items[0].id, 2);
        accept_alerts(fixture, "-f2");
        read_active(fixture, &list);
        assert_false(list.items[0].episode_open);

        /* An older one, asked to undo, is active again, and stands before the younger. */
        WRITE(fixture, .incident = 1, .event = "undo asked for", .request_undo = true);
        read_active(fixture, &list);
        assert_int_equal(list.count, 2);
        assert_int_equal(list.items[0].id, 1);
        assert_true(list.items[0].undo_requested);
        read_active(fixture, &list);
        assert_int_equal(list.count, 2);
        assert_as_fresh(fixture, &list);
        incident_list_release(&list);
}

static void test_stale_and_brief(void **state)
{
        struct journal_fixture *fixture = *state;
        struct incident_list list = {0};
        accept_alerts(fixture, "f1");
        open_incidents(fixture, 1);
        read_active(fixture, &list);

        /* Nothing was written, but its owner has changed it. */
        list.items[0].state = INCIDENT_RUNNING;
        list.items[0].stale = true;
        read_active(fixture, &list);
        assert_int_equal(list.items[0].state, INCIDENT_RECEIVED);
        assert_int_equal(list.items[0].step_count, 2);

        list.items[0].brief = list.items[0].stale = true;
        read_active(fixture, &list);
        assert_int_equal(list.items[0].step_count, 0);
        assert_int_equal(list.items[0].alert.labels.count, 0);
        assert_string_equal(list.items[0].remediation, "restart");
        WRITE(fixture, .state = INCIDENT_RUNNING);
        read_active(fixture, &list);
        assert_true(list.items[0].brief);
        assert_int_equal(list.items[0].state, INCIDENT_RUNNING);

        list.items[0].brief = false;
        list.items[0].stale = true;
        read_active(fixture, &list);
        assert_int_equal(list.items[0].step_count, 2);
        assert_true(list.items[0].alert.labels.count > 0);
        assert_false(list.items[0].stale);
        incident_list_release(&list);
}

/* More than are remembered: then everything is read, and nothing is missed. */
static void test_more_changes_than_are_remembered(void **state)
{
        struct journal_fixture *fixture = *state;
        struct incident_list list = {0};
        accept_alerts(fixture, "f1 f2 f3");
        open_incidents(fixture, 1);
        open_incidents(fixture, 1);
        open_incidents(fixture, 1);
        read_active(fixture, &list);
        list.items[2].weighed = true; /* until it is read again, though nothing was written to it */
        for (int i = 0; i < 3000; i++) {
                WRITE(fixture, .incident = 1, .event = "remark");
                WRITE(fixture, .incident = 2, .event = "remark");
        }
        WRITE(fixture, .incident = 2, .state = INCIDENT_RUNNING);
        read_active(fixture, &list);
        assert_false(list.items[2].weighed);
        assert_as_fresh(fixture, &list);
        incident_list_release(&list);
}

static void test_a_failure_leaves_nothing(void **state)
{
        struct journal_fixture *fixture = *state;
        struct incident_list list = {0};
        accept_alerts(fixture, "f1 f2");
        open_incidents(fixture, 1);
        open_incidents(fixture, 1);
        run_sql(fixture, "ALTER TABLE steps RENAME TO gone");
        _cleanup_error_ struct error error = {0};
        assert_int_equal(journal_active(fixture->journal, &list, &error), -EIO);
        error_clear(&error);

        run_sql(fixture, "ALTER TABLE gone RENAME TO steps");
        read_active(fixture, &list);
        assert_int_equal(list.count, 2);
        run_sql(fixture, "ALTER TABLE steps RENAME TO gone");
        list.items[1].stale = true;
        assert_int_equal(journal_active(fixture->journal, &list, &error), -EIO);
        assert_int_equal(list.count, 0);
        assert_null(list.items);

        run_sql(fixture, "ALTER TABLE gone RENAME TO steps");
        read_active(fixture, &list);
        assert_int_equal(list.count, 2);
        incident_list_release(&list);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_unchanged_ones_stay),      ON_JOURNAL(test_comes_goes_and_comes_back),
                ON_JOURNAL(test_stale_and_brief),          ON_JOURNAL(test_more_changes_than_are_remembered),
                ON_JOURNAL(test_a_failure_leaves_nothing),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
