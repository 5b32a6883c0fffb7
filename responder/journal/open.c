/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the journal, for writing or for reading alone, and closing it. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "responder/journal/internal.h"
#include "runbook/text.h"

static const double commit_bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1};

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

static int open_all(struct journal *journal, struct error *error)
{
        int r = place_take(journal, error);
        mode_t before = umask(0077);
        if (r >= 0)
                r = journal_connect(journal->path, journal->world->vfs, true, &journal->writer, error);
        umask(before);
        if (r >= 0)
                r = health_check(journal, error);
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
        if (r < 0)
                return r;
        place_remember(journal);
        standing_make_room(journal);
        if (journal->world->alone)
                return 0;
        if (pthread_create(&journal->thread, NULL, journal_write_until_closed, journal) != 0)
                return error_set(error, EAGAIN, "cannot start the journal's thread");
        journal->running = true;
        return health_begin(journal, error);
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
        journal->place.file = journal->place.lock_file = -1;
        journal->end = &journal->first;
        pthread_mutex_init(&journal->lock, NULL);
        pthread_mutex_init(&journal->read_lock, NULL);
        changes_init(&journal->changes);
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
        health_end(journal);
        journal_disconnect(&journal->reader);
        journal_disconnect(&journal->writer);
        place_leave(&journal->place);
        error_clear(&journal->why);
        histogram_release(&journal->commit_duration);
        pthread_cond_destroy(&journal->work);
        changes_free(&journal->changes);
        pthread_mutex_destroy(&journal->read_lock);
        pthread_mutex_destroy(&journal->lock);
        free(journal->path);
        free(journal->namesake);
        free(journal);
        return NULL;
}
