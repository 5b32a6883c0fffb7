/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the journal, for writing or for reading alone, and closing it. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "responder/journal/crash.h"
#include "responder/journal/internal.h"
#include "responder/journal/seals.h"
#include "runbook/log.h"
#include "runbook/text.h"

static const double commit_bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1};

static int read_chain(struct journal *journal, struct error *error)
{
        int64_t written = 0;
        int r = journal_read_end(&journal->writer, &journal->chain, &written, error);
        /* Where the end was cut off a gap remains, which journal_verify() finds. */
        if (r >= 0 && written > journal->chain.rows)
                journal->chain.rows = written;
        return r;
}

/* The timeline says so, for whoever asks since when what it tells is proven. */
static int tell_anew(struct journal *journal, const char *why, struct error *error)
{
        _cleanup_json_ cJSON *detail = cJSON_CreateObject();
        char *text = json_put(detail, "reason", json_text(why)) < 0 ? NULL : json_print(detail);
        if (!text)
                return error_oom(error);
        const struct timeline_row row = {
                .at = world_wall(journal->world), .event = "sealed as it is", .state = "", .detail = text};
        int r = journal_append(journal, &row, error);
        free(text);
        log_event(LOG_WARN, "What the journal held already is sealed as it is", "reason", why, NULL);
        return r;
}

/* What is found is sealed, or asked whether it is; and steady time begins: in one commit. */
static int begin(struct journal *journal, struct error *error)
{
        _cleanup_free_ char *taken = NULL;
        int r = journal_execute(&journal->writer, "BEGIN IMMEDIATE", error);
        if (r < 0)
                return r;
        r = seals_begin(journal, &journal->key, !journal->checks_beside, &taken, error);
        if (r >= 0 && taken)
                r = tell_anew(journal, taken, error);
        if (r >= 0)
                r = journal_begin_steady(journal, taken, error);
        if (r >= 0)
                r = seals_write_head(journal, error);
        if (r >= 0) {
                crash_point(CRASH_AT_OPENING, "before", 1);
                r = journal_execute(&journal->writer, "COMMIT", error);
                crash_point(CRASH_AT_OPENING, "after", 1);
                return r;
        }
        if (!sqlite3_get_autocommit(journal->writer.database))
                journal_execute(&journal->writer, "ROLLBACK", NULL);
        return r;
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
                r = begin(journal, error);
        if (r >= 0)
                r = journal_connect(journal->path, journal->world->vfs, false, &journal->reader, error);
        if (r >= 0)
                r = seals_attach(&journal->reader, &journal->key, journal->sums, NULL, error);
        if (r >= 0)
                r = histogram_init(&journal->commit_duration, commit_bounds, N_ELEMENTS(commit_bounds));
        if (r < 0)
                return r;
        journal->head = journal_head_of(&journal->chain);
        journal_log_head(&journal->chain);
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
        if (r >= 0 && journal->has_key)
                r = seals_attach(&journal->reader, &journal->key, journal->sums, NULL, error);
        return r < 0 ? r : journal_check_schema(&journal->reader, error);
}

static int open_by(int (*open_parts)(struct journal *journal, struct error *error), const char *path,
                   const struct journal_key *key, const struct world *world, struct journal **ret,
                   struct error *error)
{
        struct journal *journal = calloc(1, sizeof(*journal));
        if (!journal)
                return error_oom(error);
        journal->world = world;
        journal->has_key = key != NULL;
        if (key)
                journal->key = *key;
        journal->place.file = journal->place.lock_file = -1;
        journal->end = &journal->first;
        pthread_mutex_init(&journal->lock, NULL);
        pthread_mutex_init(&journal->read_lock, NULL);
        changes_init(&journal->changes);
        pthread_cond_init(&journal->work, NULL);
        journal->path = strdup(path);
        journal->sums = key ? mac_memory_new() : NULL;
        int r = journal->path && (journal->sums || !key) ? open_parts(journal, error) : error_oom(error);
        if (r < 0) {
                journal_close(journal);
                return error_prefix(error, r, "cannot open the journal %s", path);
        }
        *ret = journal;
        return 0;
}

int journal_open(const char *path, const struct journal_key *key, const struct world *world,
                 struct journal **ret, struct error *error)
{
        assert_that(key, "what is written is sealed");
        return open_by(open_all, path, key, world, ret, error);
}

int journal_open_reading(const char *path, const struct journal_key *key, struct journal **ret,
                         struct error *error)
{
        return open_by(open_reader, path, key, NULL, ret, error);
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
        if (journal->commits > 0)
                journal_log_head(&journal->chain);
        journal_disconnect(&journal->reader);
        journal_disconnect(&journal->writer);
        mac_memory_free(journal->sums);
        place_leave(&journal->place);
        error_clear(&journal->why);
        histogram_release(&journal->commit_duration);
        pthread_cond_destroy(&journal->work);
        changes_free(&journal->changes);
        pthread_mutex_destroy(&journal->read_lock);
        pthread_mutex_destroy(&journal->lock);
        free(journal->path);
        free(journal->namesake);
        explicit_bzero(&journal->key, sizeof(journal->key));
        free(journal);
        return NULL;
}
