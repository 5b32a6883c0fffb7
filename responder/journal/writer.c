/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the journal, and its writer thread: everything that waits goes into one commit. */
#include "responder/journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "responder/journal/internal.h"
#include "runbook/log.h"
#include "runbook/text.h"

enum { WEBHOOKS_WAITING_LIMIT = 4096, JOBS_PER_COMMIT = 512 };

static const double commit_bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1};

static const struct metric_family commits_family = {
        .name = "runbook_journal_commits_total",
        .type = METRIC_COUNTER,
        .help = "Durable commits of the journal.",
};
static const struct metric_family duration_family = {
        .name = "runbook_journal_commit_duration_seconds",
        .type = METRIC_HISTOGRAM,
        .unit = "seconds",
        .help = "How long commits took, with their fsync.",
};
static const struct metric_family entries_family = {
        .name = "runbook_journal_entries_total",
        .type = METRIC_COUNTER,
        .help = "Webhooks and entries that were committed; over commits, it is how many shared one.",
};
static const struct metric_family size_family = {
        .name = "runbook_journal_size_bytes",
        .type = METRIC_GAUGE,
        .unit = "bytes",
        .help = "Size of the journal's file with its write-ahead log.",
};

const struct metric_family *const journal_families[] = {&commits_family, &duration_family, &entries_family,
                                                        &size_family, NULL};

/* --- Crash points, in test builds only. --- */

#ifdef RUNBOOK_CRASH_POINTS
static void crash_point(const char *when, size_t writes)
{
        static size_t committed;
        const char *wanted = getenv("RUNBOOK_CRASH_AT");
        unsigned long number = 0;
        char side[8] = "";
        if (wanted && sscanf(wanted, "%lu:%7[a-z]", &number, side) == 2 && string_equal(side, when) &&
            committed < number && number <= committed + writes)
                kill(getpid(), SIGKILL);
        if (string_equal(when, "after"))
                committed += writes;
}
#else
static inline void crash_point(const char *when _unused_, size_t writes _unused_) {}
#endif

/* --- The writer thread. --- */

/*
 * Runs one job, so that a failing one leaves nothing behind and does not harm its neighbours. Negative when
 * the transaction as a whole cannot go on.
 */
static int run_job(struct journal *journal, struct journal_job *job, bool alone, struct error *error)
{
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
        return journal_execute(writer, "ROLLBACK TO job; RELEASE job", error);
}

static int run_all(struct journal *journal, struct journal_job *jobs, size_t *ret_counted,
                   struct error *error)
{
        struct journal_connection *writer = &journal->writer;
        const int64_t rows = journal->chain.rows;
        int r = journal_run(writer, TRANSACTION_BEGIN, error, "");
        for (struct journal_job *job = jobs; r >= 0 && job; job = job->next) {
                r = run_job(journal, job, !jobs->next, error);
                *ret_counted += job->counts && job->result >= 0;
        }
        if (r >= 0)
                r = journal_remember_steady(journal, error);
        if (r >= 0 && journal->chain.rows != rows)
                r = journal_run(writer, META_SET, error, "ti", TIMELINE_ROWS, journal->chain.rows);
        if (r >= 0) {
                crash_point("before", *ret_counted);
                r = journal_run(writer, TRANSACTION_COMMIT, error, "");
        }
        if (r < 0 && !sqlite3_get_autocommit(writer->database))
                journal_execute(writer, "ROLLBACK", NULL);
        return r;
}

static void commit(struct journal *journal, struct journal_job *jobs, size_t count)
{
        const struct journal_chain before = journal->chain;
        _cleanup_error_ struct error error = {0};
        size_t counted = 0;
        nsec began = world_monotonic(journal->world);
        int r = run_all(journal, jobs, &counted, &error);
        nsec took = world_monotonic(journal->world) - began;
        if (r >= 0)
                crash_point("after", counted);
        else
                journal->chain = before;

        pthread_mutex_lock(&journal->lock);
        if (r >= 0) {
                journal->commits++;
                journal->entries += count;
                histogram_observe(&journal->commit_duration, nsec_to_seconds(took));
        }
        for (struct journal_job *job = jobs; job; job = job->next)
                journal->webhooks_waiting -= job->webhook;
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

/* Takes what waits, at most JOBS_PER_COMMIT; NULL when the journal closes and nothing waits any more. */
static struct journal_job *take_jobs(struct journal *journal, size_t *ret_count)
{
        pthread_mutex_lock(&journal->lock);
        while (!journal->first && !journal->stopping)
                pthread_cond_wait(&journal->work, &journal->lock);
        struct journal_job *jobs = journal->first, **end = &journal->first;
        size_t count = 0;
        while (*end && count < JOBS_PER_COMMIT) {
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

static void *write_until_closed(void *context)
{
        struct journal *journal = context;
        size_t count;
        for (struct journal_job *jobs; (jobs = take_jobs(journal, &count));)
                commit(journal, jobs, count);
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
        while (has_jobs(journal)) {
                size_t count;
                struct journal_job *jobs = take_jobs(journal, &count);
                commit(journal, jobs, count);
        }
}

int journal_submit(struct journal *journal, struct journal_job *job)
{
        pthread_mutex_lock(&journal->lock);
        bool full =
                journal->stopping || (job->webhook && journal->webhooks_waiting >= WEBHOOKS_WAITING_LIMIT);
        if (!full) {
                job->next = NULL;
                *journal->end = job;
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

int journal_perform(struct journal *journal, int (*run)(struct journal *, void *, struct error *),
                    void *context, struct error *error)
{
        struct waiter waiter = {
                .run = run,
                .context = context,
                .lock = PTHREAD_MUTEX_INITIALIZER,
                .told = PTHREAD_COND_INITIALIZER,
                .error = error,
        };
        struct journal_job job = {
                .run = run_for_waiter, .done = tell_waiter, .context = &waiter, .counts = true};
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

/* --- Opening and closing. --- */

static int make_directories(const char *path, struct error *error)
{
        _cleanup_free_ char *copy = strdup(path);
        if (!copy)
                return error_oom(error);
        for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdir(copy, 0700) < 0 && errno != EEXIST)
                        return error_set(error, errno, "cannot make the directory %s: %s", copy,
                                         strerror(errno));
                *slash = '/';
        }
        return 0;
}

/* SQLite lets two processes write by turns; two responders that act on the same alerts are what must not be.
 */
static int take_lock(struct journal *journal, struct error *error)
{
        _cleanup_free_ char *path = text_format("%s.lock", journal->path);
        if (!path)
                return error_oom(error);
        journal->lock_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (journal->lock_file < 0)
                return error_set(error, errno, "cannot open %s: %s", path, strerror(errno));
        if (flock(journal->lock_file, LOCK_EX | LOCK_NB) == 0)
                return 0;
        if (errno == EWOULDBLOCK)
                return error_set(error, EBUSY, "another runbook_responder has it open");
        return error_set(error, errno, "cannot lock %s: %s", path, strerror(errno));
}

static int check_health(struct journal_connection *connection, struct error *error)
{
        sqlite3_stmt *statement = NULL;
        int r = 0;
        if (sqlite3_prepare_v2(connection->database, "PRAGMA quick_check(1)", -1, &statement, NULL) !=
                    SQLITE_OK ||
            sqlite3_step(statement) != SQLITE_ROW)
                r = journal_failed(connection, error);
        else if (!string_equal(journal_column(statement, 0), "ok"))
                r = error_set(error, EUCLEAN, "the journal is damaged: %s", journal_column(statement, 0));
        sqlite3_finalize(statement);
        return r;
}

static int read_chain(struct journal *journal, struct error *error)
{
        struct journal_connection *writer = &journal->writer;
        _cleanup_statement_ sqlite3_stmt *last = journal_bind(writer, TIMELINE_LAST, error, "");
        int r = last ? journal_step(writer, last, error) : -EIO;
        if (r < 0)
                return r;
        if (r > 0 && sqlite3_column_bytes(last, 1) == HASH_LENGTH)
                memcpy(journal->chain.hash, sqlite3_column_blob(last, 1), HASH_LENGTH);
        int64_t last_id = r > 0 ? sqlite3_column_int64(last, 0) : 0;

        _cleanup_statement_ sqlite3_stmt *count = journal_bind(writer, META_GET, error, "t", TIMELINE_ROWS);
        r = count ? journal_step(writer, count, error) : -EIO;
        if (r < 0)
                return r;
        /* Where the end was cut off a gap remains, which journal_verify() finds. */
        int64_t written = r > 0 ? sqlite3_column_int64(count, 0) : 0;
        journal->chain.rows = written > last_id ? written : last_id;
        return 0;
}

/* The file's place on the disk, and that nobody else has it: not asked where the bytes lie elsewhere. */
static int take_place(struct journal *journal, struct error *error)
{
        if (journal->world->vfs)
                return 0;
        int r = make_directories(journal->path, error);
        return r < 0 ? r : take_lock(journal, error);
}

static int open_all(struct journal *journal, struct error *error)
{
        int r = take_place(journal, error);
        mode_t before = umask(0077);
        if (r >= 0)
                r = journal_connect(journal->path, journal->world->vfs, true, &journal->writer, error);
        umask(before);
        if (r >= 0)
                r = check_health(&journal->writer, error);
        if (r >= 0)
                r = journal_prepare_schema(&journal->writer, error);
        if (r >= 0)
                r = read_chain(journal, error);
        if (r >= 0)
                r = journal_begin_steady(journal, error);
        if (r >= 0)
                r = journal_connect(journal->path, journal->world->vfs, false, &journal->reader, error);
        if (r >= 0)
                r = histogram_init(&journal->commit_duration, commit_bounds, N_ELEMENTS(commit_bounds));
        if (r < 0 || journal->world->alone)
                return r;
        if (pthread_create(&journal->thread, NULL, write_until_closed, journal) != 0)
                return error_set(error, EAGAIN, "cannot start the journal's thread");
        journal->running = true;
        return 0;
}

static int open_reader(struct journal *journal, struct error *error)
{
        if (access(journal->path, F_OK) < 0)
                return error_set(error, errno, "%s", strerror(errno));
        journal->stopping = true; /* takes no jobs */
        int r = journal_connect(journal->path, NULL, false, &journal->reader, error);
        return r < 0 ? r : journal_check_schema(&journal->reader, error);
}

static int open_by(int (*open_parts)(struct journal *journal, struct error *error), const char *path,
                   const struct world *world, struct journal **ret, struct error *error)
{
        struct journal *journal = calloc(1, sizeof(*journal));
        if (!journal)
                return error_oom(error);
        journal->world = world;
        journal->lock_file = -1;
        journal->end = &journal->first;
        pthread_mutex_init(&journal->lock, NULL);
        pthread_mutex_init(&journal->read_lock, NULL);
        pthread_cond_init(&journal->work, NULL);
        journal->path = strdup(path);
        int r = journal->path ? open_parts(journal, error) : error_oom(error);
        if (r < 0) {
                journal_close(journal);
                return error_prefix(error, r, "cannot open the journal %s", path);
        }
        *ret = journal;
        return 0;
}

int journal_open(const char *path, const struct world *world, struct journal **ret, struct error *error)
{
        return open_by(open_all, path, world, ret, error);
}

int journal_open_reading(const char *path, struct journal **ret, struct error *error)
{
        return open_by(open_reader, path, NULL, ret, error);
}

struct journal *journal_close(struct journal *journal)
{
        if (!journal)
                return NULL;
        pthread_mutex_lock(&journal->lock);
        journal->stopping = true;
        pthread_cond_signal(&journal->work);
        pthread_mutex_unlock(&journal->lock);
        if (journal->running)
                pthread_join(journal->thread, NULL);
        journal_disconnect(&journal->reader);
        journal_disconnect(&journal->writer);
        if (journal->lock_file >= 0)
                close(journal->lock_file);
        histogram_release(&journal->commit_duration);
        pthread_cond_destroy(&journal->work);
        pthread_mutex_destroy(&journal->read_lock);
        pthread_mutex_destroy(&journal->lock);
        free(journal->path);
        free(journal);
        return NULL;
}

static double file_size(const char *path, const char *suffix)
{
        _cleanup_free_ char *name = text_format("%s%s", path, suffix);
        struct stat status;
        return name && stat(name, &status) == 0 ? (double)status.st_size : 0;
}

void journal_metrics(struct journal *journal, struct sample_sink *sink)
{
        pthread_mutex_lock(&journal->lock);
        SAMPLE_BARE(sink, &commits_family, (double)journal->commits);
        SAMPLE_BARE(sink, &entries_family, (double)journal->entries);
        sample_add_histogram(sink, &duration_family, &journal->commit_duration, NULL, 0);
        pthread_mutex_unlock(&journal->lock);
        SAMPLE_BARE(sink, &size_family, file_size(journal->path, "") + file_size(journal->path, "-wal"));
}
