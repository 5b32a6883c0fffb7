/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether SQLite's file is whole, and no row missing or too many: asked before anything is done while it is
 * small, and beside everything else when to read all of it takes longer than anybody waits for a start.
 */
#include <errno.h>

#include "responder/journal/internal.h"
#include "responder/journal/seals.h"
#include "runbook/text.h"

#define SMALL ((int64_t)16 << 20)
enum { INSTRUCTIONS_BETWEEN = 100000 }; /* of SQLite's, between two looks whether the journal closes */

static int ask(struct journal_connection *connection, struct error *error)
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

static int is_closing(void *context)
{
        struct journal *journal = context;
        pthread_mutex_lock(&journal->lock);
        bool stopping = journal->stopping;
        pthread_mutex_unlock(&journal->lock);
        return stopping;
}

static int ask_seals(struct journal *journal, struct journal_connection *own, struct error *error)
{
        struct journal_chain end;
        int64_t written;
        int r = seals_attach(own, &journal->key, NULL, NULL, error);
        if (r >= 0)
                r = journal_execute(own, "BEGIN", error);
        if (r >= 0)
                r = journal_read_end(own, &end, &written, error);
        return r < 0 ? r : seals_check_sum(own, &end, error);
}

static void *ask_beside(void *context)
{
        struct journal *journal = context;
        struct journal_connection own = {0};
        _cleanup_error_ struct error error = {0};
        int r = journal_connect(journal->path, NULL, false, &own, &error);
        if (r >= 0) {
                sqlite3_progress_handler(own.database, INSTRUCTIONS_BETWEEN, is_closing, journal);
                r = ask(&own, &error);
        }
        if (r >= 0)
                r = ask_seals(journal, &own, &error);
        journal_disconnect(&own);
        if (r == -EUCLEAN) {
                pthread_mutex_lock(&journal->lock);
                journal->failing = r;
                error_move(&journal->why, &error);
                pthread_mutex_unlock(&journal->lock);
        }
        return NULL;
}

int health_check(struct journal *journal, struct error *error)
{
        int64_t size = 0;
        int r = journal_number(&journal->writer,
                               "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
                               &size, error);
        if (r < 0)
                return r;
        journal->checks_beside = size > SMALL && !journal->world->alone && !journal->world->vfs;
        return journal->checks_beside ? 0 : ask(&journal->writer, error);
}

int health_begin(struct journal *journal, struct error *error)
{
        if (!journal->checks_beside)
                return 0;
        journal->checks_beside = pthread_create(&journal->checker, NULL, ask_beside, journal) == 0;
        return journal->checks_beside ? 0 : error_set(error, EAGAIN, "cannot start the journal's check");
}

void health_end(struct journal *journal)
{
        if (journal->checks_beside)
                pthread_join(journal->checker, NULL);
}
