/* SPDX-License-Identifier: Apache-2.0 */
/* The writer thread: everything that waits goes into one commit. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "responder/journal/crash.h"
#include "responder/journal/internal.h"
#include "responder/journal/seals.h"
#include "runbook/text.h"

/* So often the head is told to the log, for who keeps that elsewhere. */
enum { ROWS_PER_WITNESS = 1000 };
enum { WEBHOOKS_WAITING_LIMIT = 4096, JOBS_PER_COMMIT = 512, ALERTS_PER_COMMIT = 2048 };

/* Takes back all of a transaction, if there is one. -ENOMEM: SQLite needs memory even for that, and what is
 * open has to be taken back before anything else. */
static int take_back(struct journal_connection *writer, struct error *error)
{
        int r = sqlite3_get_autocommit(writer->database)
                        ? 0
                        : journal_run(writer, TRANSACTION_ROLLBACK, error, "");
        if (!sqlite3_get_autocommit(writer->database))
                return r < 0 ? r : error_oom(error);
        writer->torn = false;
        return 0;
}

/* Takes back what one of several has written. */
static int take_back_job(struct journal_connection *writer, struct error *error)
{
        int r = journal_run(writer, JOB_UNDO, error, "");
        if (r >= 0)
                r = journal_run(writer, JOB_END, error, "");
        writer->torn |= r < 0;
        return r;
}

/*
 * Runs one job, so that a failing one leaves nothing behind and does not harm its neighbours. Negative when
 * the transaction as a whole cannot go on.
 */
static int run_job(struct journal *journal, struct journal_job *job, bool alone, struct error *error)
{
        assert_that(is_writing(journal), "a job is run by the writer, in a transaction");
        struct journal_connection *writer = &journal->writer;
        const struct journal_chain before = journal->chain;
        int r = alone ? 0 : journal_run(writer, JOB_BEGIN, &job->error, "");
        if (r >= 0)
                r = job->run(journal, job->context, &job->error);
        if (r >= 0 && !alone)
                r = journal_run(writer, JOB_END, &job->error, "");
        if (r >= 0)
                return 0;

        job->result = r;
        journal->chain = before;
        /* When it cannot write, SQLite takes back the whole transaction, with what the neighbours have done.
         */
        if (alone || sqlite3_get_autocommit(writer->database))
                return error_set(error, -r, "%s", error_text(&job->error));
        return take_back_job(writer, error);
}

static int run_all(struct journal *journal, struct journal_job *jobs, size_t *ret_counted,
                   struct error *error)
{
        struct journal_connection *writer = &journal->writer;
        const struct journal_chain before = journal->chain;
        int r = journal_run(writer, TRANSACTION_BEGIN, error, "");
        for (struct journal_job *job = jobs; r >= 0 && job; job = job->next) {
                if (job->result < 0)
                        continue;
                r = run_job(journal, job, !jobs->next, error);
                *ret_counted += job->counts && job->result >= 0;
        }
        if (r >= 0)
                r = journal_remember_steady(journal, error);
        if (r >= 0 && memcmp(&journal->chain, &before, sizeof(before)) != 0)
                r = seals_write_head(journal, error);
        if (r >= 0 && writer->torn)
                r = error_oom(error);
        if (r >= 0) {
                crash_point(CRASH_AT_WRITE, "before", *ret_counted);
                r = journal_run(writer, TRANSACTION_COMMIT, error, "");
        }
        if (r < 0)
                (void)take_back(writer, NULL);
        return r;
}

/* What is left of a full disk is for what was begun: the kill switch, the end of a step, a step that makes
 * room. */
static void refuse_webhooks(struct journal_job *jobs)
{
        for (struct journal_job *job = jobs; job; job = job->next) {
                error_clear(&job->error);
                job->result = job->webhook ? error_set(&job->error, ENOSPC, "the disk is full") : 0;
        }
}

static int run_in_room(struct journal *journal, struct journal_job *jobs, size_t *ret_counted,
                       struct error *error)
{
        const struct journal_chain before = journal->chain;
        if (journal->full && !standing_make_room(journal))
                refuse_webhooks(jobs);
        int r = run_all(journal, jobs, ret_counted, error);
        if (r != -ENOSPC || !standing_use_reserve(journal))
                return r;
        error_clear(error);
        journal->chain = before;
        *ret_counted = 0;
        refuse_webhooks(jobs);
        return run_all(journal, jobs, ret_counted, error);
}

static void commit_jobs(struct journal *journal, struct journal_job *jobs, size_t count)
{
        const struct journal_chain before = journal->chain;
        _cleanup_error_ struct error error = {0};
        size_t counted = 0;
        nsec began = world_monotonic(journal->world);
        journal->writer.failed = 0;
        int misplaced = standing_check(journal, &error);
        int r = misplaced < 0 ? misplaced : take_back(&journal->writer, &error);
        if (r >= 0)
                r = run_in_room(journal, jobs, &counted, &error);
        nsec took = world_monotonic(journal->world) - began;
        if (r >= 0 && journal->full)
                journal_empty_log(&journal->writer);
        if (r >= 0)
                crash_point(CRASH_AT_WRITE, "after", counted);
        else
                journal->chain = before;
        /* What was committed into files that are no longer the journal's did not happen. */
        bool committed = r >= 0;
        if (committed)
                r = misplaced = place_check(journal, &error);
        if (misplaced >= 0)
                place_note(journal);
        standing_note(journal, committed, misplaced < 0 ? misplaced : journal->writer.failed, &error);
        changes_tell(&journal->changes);
        if (r >= 0)
                changes_announce(&journal->changes);
        if (r >= 0 && journal->chain.rows / ROWS_PER_WITNESS != before.rows / ROWS_PER_WITNESS)
                journal_log_head(&journal->chain);

        pthread_mutex_lock(&journal->lock);
        if (r >= 0) {
                journal->commits++;
                journal->entries += count;
                journal->head = journal_head_of(&journal->chain);
                histogram_observe(&journal->commit_duration, nsec_to_seconds(took));
        }
        for (struct journal_job *job = jobs; job; job = job->next) {
                assert_that(journal->webhooks_waiting >= job->webhook, "whoever waits is counted once");
                journal->webhooks_waiting -= job->webhook;
        }
        pthread_mutex_unlock(&journal->lock);

        /* A job belongs to its owner again as soon as it is done. */
        for (struct journal_job *job = jobs, *next; job; job = next) {
                next = job->next;
                if (r < 0 && job->result >= 0) {
                        job->result = r;
                        error_set(&job->error, -r, "%s", error_text(&error));
                }
                job->done(job->context, job->result, &job->error);
        }
}

/* Takes what waits, at most JOBS_PER_COMMIT, and few of what is large; NULL when the journal closes and
 * nothing waits any more. */
static struct journal_job *take_jobs(struct journal *journal, size_t *ret_count)
{
        pthread_mutex_lock(&journal->lock);
        while (!journal->first && !journal->stopping)
                pthread_cond_wait(&journal->work, &journal->lock);
        struct journal_job *jobs = journal->first, **end = &journal->first;
        size_t count = 0, alerts = 0;
        while (*end && count < JOBS_PER_COMMIT &&
               (count == 0 || alerts + (*end)->alerts <= ALERTS_PER_COMMIT)) {
                alerts += (*end)->alerts;
                end = &(*end)->next;
                count++;
        }
        journal->first = *end;
        if (!journal->first)
                journal->end = &journal->first;
        *end = NULL;
        pthread_mutex_unlock(&journal->lock);
        *ret_count = count;
        return count > 0 ? jobs : NULL;
}

void *journal_write_until_closed(void *context)
{
        struct journal *journal = context;
        size_t count;
        for (struct journal_job *jobs; (jobs = take_jobs(journal, &count));)
                commit_jobs(journal, jobs, count);
        return NULL;
}

static bool has_jobs(struct journal *journal)
{
        pthread_mutex_lock(&journal->lock);
        bool waits = journal->first != NULL;
        pthread_mutex_unlock(&journal->lock);
        return waits;
}

void journal_commit_waiting(struct journal *journal)
{
        assert_that(!journal->running, "who has a writer leaves the commits to it");
        while (has_jobs(journal)) {
                size_t count;
                struct journal_job *jobs = take_jobs(journal, &count);
                commit_jobs(journal, jobs, count);
        }
}

int journal_submit(struct journal *journal, struct journal_job *job)
{
        assert_that(job->run && job->done && job->result == 0, "a job is new, and somebody is told of it");
        pthread_mutex_lock(&journal->lock);
        bool full =
                journal->stopping || (job->webhook && journal->webhooks_waiting >= WEBHOOKS_WAITING_LIMIT);
        if (!full) {
                struct journal_job **at = journal->end;
                if (job->first)
                        for (at = &journal->first; *at && (*at)->first;)
                                at = &(*at)->next;
                job->next = *at;
                *at = job;
                if (!job->next)
                        journal->end = &job->next;
                journal->webhooks_waiting += job->webhook;
                pthread_cond_signal(&journal->work);
        }
        pthread_mutex_unlock(&journal->lock);
        return full ? -EAGAIN : 0;
}

/* Somebody who waits for a commit. */
struct waiter {
        int (*run)(struct journal *journal, void *context, struct error *error);
        void *context;
        pthread_mutex_t lock;
        pthread_cond_t told;
        bool done;
        int result;
        struct error *error;
};

static int run_for_waiter(struct journal *journal, void *context, struct error *error)
{
        struct waiter *waiter = context;
        return waiter->run(journal, waiter->context, error);
}

static void tell_waiter(void *context, int result, struct error *error)
{
        struct waiter *waiter = context;
        pthread_mutex_lock(&waiter->lock);
        waiter->result = result;
        error_move(waiter->error, error);
        waiter->done = true;
        pthread_cond_signal(&waiter->told);
        pthread_mutex_unlock(&waiter->lock);
}

static int perform(struct journal *journal, int (*run)(struct journal *, void *, struct error *),
                   void *context, bool first, struct error *error)
{
        assert_that(!journal->running || !pthread_equal(journal->thread, pthread_self()),
                    "the writer never waits for itself");
        struct waiter waiter = {
                .run = run,
                .context = context,
                .lock = PTHREAD_MUTEX_INITIALIZER,
                .told = PTHREAD_COND_INITIALIZER,
                .error = error,
        };
        struct journal_job job = {
                .run = run_for_waiter,
                .done = tell_waiter,
                .context = &waiter,
                .counts = true,
                .first = first,
        };
        if (journal_submit(journal, &job) < 0)
                return error_set(error, EAGAIN, "the journal is closed");
        if (journal->world->alone)
                journal_commit_waiting(journal);
        pthread_mutex_lock(&waiter.lock);
        while (!waiter.done)
                pthread_cond_wait(&waiter.told, &waiter.lock);
        pthread_mutex_unlock(&waiter.lock);
        pthread_cond_destroy(&waiter.told);
        pthread_mutex_destroy(&waiter.lock);
        return waiter.result;
}

/* One of several that are written together: what fails leaves nothing behind, and the others stay. */
static int perform_within(struct journal *journal, int (*run)(struct journal *, void *, struct error *),
                          void *context, struct error *error)
{
        const struct journal_chain before = journal->chain;
        struct journal_connection *writer = &journal->writer;
        int r = journal_run(writer, JOB_BEGIN, error, "");
        if (r >= 0)
                r = run(journal, context, error);
        if (r >= 0)
                return journal_run(writer, JOB_END, error, "");
        journal->chain = before;
        /* When SQLite has taken back everything, what the others have done is gone as well. */
        if (sqlite3_get_autocommit(writer->database))
                writer->torn = true;
        else
                (void)take_back_job(writer, NULL);
        return r;
}

int journal_perform(struct journal *journal, int (*run)(struct journal *, void *, struct error *),
                    void *context, struct error *error)
{
        return atomic_load(&journal->together) && is_writing(journal)
                       ? perform_within(journal, run, context, error)
                       : perform(journal, run, context, false, error);
}

int journal_perform_first(struct journal *journal, int (*run)(struct journal *, void *, struct error *),
                          void *context, struct error *error)
{
        return perform(journal, run, context, true, error);
}

struct together {
        int (*write)(void *context, struct error *error);
        void *context;
        int result; /* of the write: what it has done before it failed is committed all the same */
        struct error *error;
};

static int write_together(struct journal *journal, void *context, struct error *error)
{
        struct together *together = context;
        atomic_store(&journal->together, true);
        together->result = together->write(together->context, together->error);
        atomic_store(&journal->together, false);
        /* When it cannot write, SQLite has taken back the whole transaction. */
        return sqlite3_get_autocommit(journal->writer.database)
                       ? error_set(error, EIO, "the journal could not be written")
                       : 0;
}

int journal_together(struct journal *journal, int (*write)(void *context, struct error *error), void *context,
                     struct error *error)
{
        struct together together = {.write = write, .context = context, .error = error};
        _cleanup_error_ struct error why = {0};
        int r = perform(journal, write_together, &together, false, &why);
        if (together.result < 0)
                return together.result;
        if (r < 0)
                error_move(error, &why);
        return r;
}
