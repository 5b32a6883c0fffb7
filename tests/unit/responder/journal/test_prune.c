/* SPDX-License-Identifier: Apache-2.0 */
/* What has ended goes in the end, what has not stays, and the chain holds over what has gone. */
#include "tests/harness/journal.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "responder/journal/internal.h"

/* The n-th alert has an incident of its own, healed, or left as it is; `closes` its episode. */
static void make_incident(struct journal_fixture *fixture, int64_t number, bool ends, bool closes)
{
        _cleanup_free_ char *words = text_format("f%lld", (long long)number);
        _cleanup_free_ char *end = text_format("-f%lld@1767229200", (long long)number);
        accept_alerts(fixture, words);
        open_incidents(fixture, 1);
        WRITE(fixture, .incident = number, .state = INCIDENT_RUNNING);
        if (ends)
                WRITE(fixture, .incident = number, .state = INCIDENT_DONE);
        if (closes)
                accept_alerts(fixture, end);
}

static void prune_all(struct journal_fixture *fixture, const struct journal_retention *retention)
{
        _cleanup_error_ struct error error = {0};
        bool more = true;
        while (more)
                if (journal_prune(fixture->journal, retention, &more, &error) < 0)
                        fail_msg("%s", error_text(&error));
}

static struct journal_retention everything(const struct journal_fixture *fixture)
{
        return (struct journal_retention){.before = journal_steady(fixture->journal) + NSEC_PER_SEC,
                                          .kept = journal_steady(fixture->journal) + NSEC_PER_SEC};
}

static void test_what_is_open_stays(void **state)
{
        struct journal_fixture *fixture = *state;
        for (int64_t i = 1; i <= 200; i++)
                make_incident(fixture, i, i % 20 != 7, i % 20 != 9);
        assert_int_equal(journal_set_paused(fixture->journal, true, "person:ada", "look", NULL), 0);
        accept_alerts(fixture, "u1 u2");
        accept_alerts(fixture, "-u1@1767229200");
        const uint64_t rows = verified_rows(fixture);
        struct journal_retention retention = everything(fixture);
        prune_all(fixture, &retention);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM incidents"), 21); /* and the newest */
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM incidents WHERE ended_at = 0"), 10);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM steps"), 42);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM episodes"), 22);
        assert_true(verified_rows(fixture) < rows / 5);
        bool paused = false;
        assert_int_equal(journal_paused(fixture->journal, &paused, NULL, NULL), 0);
        assert_true(paused);

        /* It goes on from there, over a restart as well, and what ends later goes later. */
        reopen_journal(fixture);
        WRITE(fixture, .incident = 7, .state = INCIDENT_DONE);
        make_incident(fixture, 201, true, true);
        retention = everything(fixture);
        prune_all(fixture, &retention);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM incidents WHERE id = 7"), 0);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM incidents"), 20);
        verified_rows(fixture);
        assert_true(query_number(fixture, "SELECT count(*) FROM timeline WHERE event = 'pruned'") <= 8);
}

/* The oldest alert that nothing is opened for yet, by its cause. */
static void open_of_cause(struct journal_fixture *fixture, const char *cause)
{
        static const char *const steps[] = {"docker.restart"};
        const struct journal_opening opening = {"restart", steps, 1, cause, false, NULL};
        struct episode_list list = {0};
        assert_int_equal(journal_unmatched(fixture->journal, 1, &list, NULL), 0);
        assert_int_equal(list.count, 1);
        assert_int_equal(journal_open_incidents(fixture->journal, list.items[0].id, &opening, 1, NULL), 0);
        episode_list_release(&list);
}

/* Of an incident that others have joined: it stays while one of its alerts fires, and then all of it goes. */
static void test_members_stay_and_go_with_it(void **state)
{
        struct journal_fixture *fixture = *state;
        for (int i = 1; i <= 3; i++) {
                _cleanup_free_ char *name = text_format("f%d", i);
                accept_alerts(fixture, name);
                open_of_cause(fixture, "c");
        }
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM members"), 2);
        WRITE(fixture, .incident = 1, .state = INCIDENT_RUNNING);
        WRITE(fixture, .incident = 1, .state = INCIDENT_DONE);
        accept_alerts(fixture, "-f1@1767229200");
        accept_alerts(fixture, "-f3@1767229200");
        accept_alerts(fixture, "g1"); /* the newest stays in any case */
        open_of_cause(fixture, "d");
        struct journal_retention retention = everything(fixture);
        prune_all(fixture, &retention);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM incidents WHERE id = 1"), 1);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM members WHERE incident = 1"), 2);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM episodes WHERE id <= 3"), 3);
        verified_rows(fixture);

        accept_alerts(fixture, "-f2@1767229200");
        retention = everything(fixture);
        prune_all(fixture, &retention);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM incidents WHERE id = 1"), 0);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM members"), 0);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM episodes WHERE id <= 3"), 0);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM timeline WHERE incident = 1"), 0);
        verified_rows(fixture);
        reopen_journal(fixture);
        verified_rows(fixture);
}

static void test_by_age_and_size(void **state)
{
        struct journal_fixture *fixture = *state;
        for (int64_t i = 1; i <= 10; i++)
                make_incident(fixture, i, true, true);
        const nsec now = journal_steady(fixture->journal);
        struct journal_retention retention = {.before = now - NSEC_PER_SEC * 1000,
                                              .kept = now + NSEC_PER_SEC};
        prune_all(fixture, &retention);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM incidents"), 10);
        retention.size = 1 << 30;
        prune_all(fixture, &retention);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM incidents"), 10);

        /* Nothing that the guards still count, however large it is. */
        retention = (struct journal_retention){.before = now + NSEC_PER_SEC, .kept = 1, .size = 4096};
        prune_all(fixture, &retention);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM incidents"), 10);
        retention = (struct journal_retention){.before = 1, .kept = now + NSEC_PER_SEC, .size = 4096};
        prune_all(fixture, &retention);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM incidents"), 1);
}

static atomic_bool held;

static size_t queued(struct journal *journal)
{
        size_t count = 0;
        pthread_mutex_lock(&journal->lock);
        for (const struct journal_job *job = journal->first; job; job = job->next)
                count++;
        pthread_mutex_unlock(&journal->lock);
        return count;
}

/* The writer has nothing done until two wait for it: a batch of pruning, and a webhook. From then on it notes
 * what has gone when a webhook's alert is written. */
static int hold(struct journal *journal, void *context _unused_, struct error *error)
{
        int r = journal_execute(
                &journal->writer,
                "CREATE TEMP TABLE found (incidents, episodes);"
                "CREATE TEMP TRIGGER look AFTER INSERT ON main.episodes BEGIN INSERT INTO found "
                "SELECT (SELECT count(*) FROM main.incidents), (SELECT count(*) FROM main.episodes); END",
                error);
        atomic_store(&held, true);
        while (r >= 0 && queued(journal) < 2)
                sched_yield();
        return r;
}

static int read_found(struct journal *journal, void *context, struct error *error)
{
        int64_t *found = context;
        int r = journal_number(&journal->writer, "SELECT incidents FROM found", &found[0], error);
        return r < 0 ? r : journal_number(&journal->writer, "SELECT episodes FROM found", &found[1], error);
}

static void *hold_writer(void *fixture)
{
        return (void *)(intptr_t)journal_perform(((struct journal_fixture *)fixture)->journal, hold, NULL,
                                                 NULL);
}

/* As the engine does it, but without a pause between two batches. */
static void *prune_without_pause(void *context)
{
        struct journal_fixture *fixture = context;
        const struct journal_retention retention = everything(fixture);
        bool more = true;
        int r = 0;
        while (more && r >= 0)
                r = journal_prune(fixture->journal, &retention, &more, NULL);
        return (void *)(intptr_t)r;
}

/* However much is to go, a webhook that comes meanwhile waits for one batch of it: what was asked for first
 * is done first, and a batch is small. */
static void test_a_webhook_waits_for_one_batch(void **state)
{
        struct journal_fixture *fixture = *state;
        for (int64_t i = 1; i <= 100; i++)
                make_incident(fixture, i, true, true);
        pthread_t holder, pruner;
        void *r = NULL;
        atomic_store(&held, false);
        assert_int_equal(pthread_create(&holder, NULL, hold_writer, fixture), 0);
        while (!atomic_load(&held))
                sched_yield();
        assert_int_equal(pthread_create(&pruner, NULL, prune_without_pause, fixture), 0);
        while (queued(fixture->journal) < 1)
                sched_yield();
        accept_alerts(fixture, "w");
        assert_int_equal(pthread_join(pruner, &r), 0);
        assert_null(r);
        assert_int_equal(pthread_join(holder, &r), 0);
        assert_null(r);

        int64_t found[2] = {0};
        assert_int_equal(journal_perform(fixture->journal, read_found, found, NULL), 0);
        assert_int_equal(found[0], 100 - 16);
        assert_int_equal(found[1], 100 - 16 + 1);
        assert_true(query_number(fixture, "SELECT count(*) FROM incidents") <= 1);
        verified_rows(fixture);
}

/* Somebody takes a row out, and makes a gap for it, or moves one. */
static void test_a_gap_that_nobody_pruned(void **state)
{
        struct journal_fixture *fixture = *state;
        static const char *const forgeries[] = {
                "INSERT INTO gaps SELECT id, id, hash FROM timeline WHERE id = 4; DELETE FROM timeline WHERE "
                "id = 4",
                "DELETE FROM gaps",
                "DELETE FROM timeline WHERE id = (SELECT last + 1 FROM gaps);"
                " UPDATE gaps SET last = last + 1",
                "UPDATE gaps SET hash = zeroblob(32)",
        };
        for (size_t i = 0; i < N_ELEMENTS(forgeries); i++) {
                make_incident(fixture, 1, true, i > 0);
                make_incident(fixture, 2, false, false);
                struct journal_retention retention = everything(fixture);
                prune_all(fixture, &retention);
                verified_rows(fixture);
                run_sql(fixture, forgeries[i]);
                uint64_t rows;
                assert_int_equal(journal_verify(fixture->journal, &rows, NULL), -EUCLEAN);
                fixture->journal = journal_close(fixture->journal);
                assert_int_equal(unlink(fixture->path), 0);
                open_journal(fixture);
        }
}

/* Room that was given back by what went is given back to the disk. */
static void test_the_file_shrinks(void **state)
{
        struct journal_fixture *fixture = *state;
        forge_journal(
                fixture,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
                " INSERT INTO episodes (fingerprint, opened_at, last_seen_at, starts_at, closed_at, alert)"
                " SELECT 'e' || i, 1, 1, 1, 1, hex(randomblob(500)) FROM n");
        int64_t pages = query_number(fixture, "PRAGMA page_count");
        struct journal_retention retention = everything(fixture);
        for (int i = 0; i < 8; i++)
                prune_all(fixture, &retention);
        assert_int_equal(query_number(fixture, "SELECT count(*) FROM episodes"), 1);
        assert_true(query_number(fixture, "PRAGMA page_count") < pages);
        verified_rows(fixture);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                ON_JOURNAL(test_what_is_open_stays),       ON_JOURNAL(test_members_stay_and_go_with_it),
                ON_JOURNAL(test_by_age_and_size),          ON_JOURNAL(test_a_webhook_waits_for_one_batch),
                ON_JOURNAL(test_a_gap_that_nobody_pruned), ON_JOURNAL(test_the_file_shrinks),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
