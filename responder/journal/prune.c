/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growth ends: incidents that are over, and episodes that are closed, go when they are old or there are too
 * many, a few in each commit. Of the rows of the timeline that go with them the chain keeps where they were
 * and the hash of the last: a gap. A row says what all the gaps are, so that nobody makes one unseen.
 */
#include <errno.h>

#include "responder/journal/internal.h"
#include "runbook/digest.h"
#include "runbook/text.h"

/* In one commit, which a webhook may have to wait for. */
enum { INCIDENTS_AT_ONCE = 16, ROWS_AT_ONCE = 250, EPISODES_AT_ONCE = 500 };

struct pruning {
        const struct journal_retention *retention;
        bool more;
        int64_t incidents, episodes, rows, last_row;
};

struct doomed {
        int64_t id, episode;
};

/* Puts row `id`, which goes, into the gap before it, behind it, or between. */
static int widen_gap(struct journal *journal, int64_t id, const unsigned char *hash, struct error *error)
{
        struct journal_connection *writer = &journal->writer;
        int r = journal_run(writer, GAP_EXTEND, error, "ib", id, hash);
        if (r >= 0 && sqlite3_changes(writer->database) == 0)
                r = journal_run(writer, GAP_OPEN, error, "ib", id, hash);
        if (r >= 0)
                r = journal_run(writer, GAP_JOIN, error, "i", id);
        if (r >= 0 && sqlite3_changes(writer->database) > 0)
                r = journal_run(writer, GAP_JOINED, error, "i", id);
        return r < 0 ? r : journal_run(writer, TIMELINE_DROP, error, "i", id);
}

/* The rows of an incident; or of the daemon itself (0), those before `before` and at most so many. */
static int drop_rows(struct journal *journal, int64_t incident, int64_t before, struct pruning *pruning,
                     struct error *error)
{
        for (;;) {
                int64_t id = 0;
                unsigned char hash[HASH_LENGTH];
                {
                        _cleanup_statement_ sqlite3_stmt *row = journal_bind(
                                &journal->writer, TIMELINE_FIRST_OF, error, "ii", incident, before);
                        int r = row ? journal_step(&journal->writer, row, error) : -EIO;
                        if (r <= 0)
                                return r;
                        if (sqlite3_column_bytes(row, 1) != HASH_LENGTH)
                                return error_set(error, EUCLEAN, "a row of the timeline has no hash");
                        id = sqlite3_column_int64(row, 0);
                        memcpy(hash, sqlite3_column_blob(row, 1), HASH_LENGTH);
                }
                int r = widen_gap(journal, id, hash, error);
                if (r < 0)
                        return r;
                pruning->rows++;
                if (incident != 0 && id > pruning->last_row)
                        pruning->last_row = id;
                if (incident == 0 && pruning->rows >= ROWS_AT_ONCE)
                        return 0;
        }
}

static int drop_incident(struct journal *journal, const struct doomed *doomed, struct pruning *pruning,
                         struct error *error)
{
        struct journal_connection *writer = &journal->writer;
        int r = drop_rows(journal, doomed->id, INT64_MAX, pruning, error);
        if (r >= 0)
                r = journal_run(writer, STEPS_DROP, error, "i", doomed->id);
        if (r >= 0)
                r = journal_run(writer, LETTERS_DROP, error, "i", doomed->id);
        if (r >= 0)
                r = journal_run(writer, MEMBERS_DROP, error, "i", doomed->id);
        if (r >= 0)
                r = journal_run(writer, INCIDENT_DROP, error, "i", doomed->id);
        if (r >= 0)
                r = journal_run(writer, EPISODE_DROP, error, "i", doomed->episode);
        pruning->incidents += r >= 0;
        return r;
}

/* Goes on where the last batch left off, so that what stays is not asked about in each of them. */
static int drop_incidents(struct journal *journal, nsec before, struct pruning *pruning, struct error *error)
{
        struct doomed doomed[INCIDENTS_AT_ONCE];
        size_t count = 0, seen = 0;
        int r;
        {
                _cleanup_statement_ sqlite3_stmt *row =
                        journal_bind(&journal->writer, INCIDENTS_OVER, error, "iii", journal->pruned_incident,
                                     before, (int64_t)INCIDENTS_AT_ONCE);
                r = row ? 0 : -EIO;
                while (r >= 0 && (r = journal_step(&journal->writer, row, error)) > 0) {
                        if (sqlite3_column_int(row, 3) != 0)
                                break; /* and younger ones behind it */
                        journal->pruned_incident = sqlite3_column_int64(row, 0);
                        seen++;
                        if (sqlite3_column_int(row, 2) != 0)
                                doomed[count++] = (struct doomed){journal->pruned_incident,
                                                                  sqlite3_column_int64(row, 1)};
                }
        }
        r = r < 0 ? r : 0;
        for (size_t i = 0; i < count && r >= 0; i++)
                r = drop_incident(journal, &doomed[i], pruning, error);
        if (seen < INCIDENTS_AT_ONCE)
                journal->pruned_incident = 0;
        pruning->more |= seen == INCIDENTS_AT_ONCE;
        return r;
}

/* Those that nothing was begun for. */
static int drop_episodes(struct journal *journal, nsec before, struct pruning *pruning, struct error *error)
{
        int64_t ids[EPISODES_AT_ONCE];
        size_t count = 0, seen = 0;
        int r;
        {
                _cleanup_statement_ sqlite3_stmt *row =
                        journal_bind(&journal->writer, EPISODES_OVER, error, "iii", journal->pruned_episode,
                                     before, (int64_t)EPISODES_AT_ONCE);
                r = row ? 0 : -EIO;
                while (r >= 0 && (r = journal_step(&journal->writer, row, error)) > 0) {
                        journal->pruned_episode = sqlite3_column_int64(row, 0);
                        seen++;
                        if (sqlite3_column_int(row, 1) != 0)
                                ids[count++] = journal->pruned_episode;
                }
        }
        for (size_t i = 0; i < count && r >= 0; i++) {
                r = journal_run(&journal->writer, EPISODE_DROP, error, "i", ids[i]);
                pruning->episodes += r >= 0;
        }
        if (seen < EPISODES_AT_ONCE)
                journal->pruned_episode = 0;
        pruning->more |= seen == EPISODES_AT_ONCE;
        return r;
}

static int is_too_large(struct journal *journal, const struct journal_retention *retention, bool *ret,
                        struct error *error)
{
        int64_t size = 0;
        int r = journal_number(&journal->writer,
                               "SELECT (page_count - freelist_count) * page_size"
                               " FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
                               &size, error);
        *ret = r >= 0 && retention->size > 0 && size > retention->size;
        return r;
}

static int append_row(struct journal *journal, const struct pruning *pruning, struct error *error)
{
        char gaps[DIGEST_TEXT_MAX];
        int r = gaps_digest(&journal->writer, gaps, error);
        if (r < 0)
                return r;
        _cleanup_free_ char *detail =
                text_format("{\"incidents\":%lld,\"rows\":%lld,\"gaps\":\"%s\"}",
                            (long long)pruning->incidents, (long long)pruning->rows, gaps);
        if (!detail)
                return error_oom(error);
        const struct timeline_row row = {
                .at = world_wall(journal->world), .event = PRUNED, .state = "", .detail = detail};
        return journal_append(journal, &row, error);
}

static int prune(struct journal *journal, void *context, struct error *error)
{
        struct pruning *pruning = context;
        const struct journal_retention *retention = pruning->retention;
        bool large = false;
        *pruning = (struct pruning){.retention = retention};
        int r = is_too_large(journal, retention, &large, error);
        nsec before = large || retention->before > retention->kept ? retention->kept : retention->before;
        if (r >= 0)
                r = drop_incidents(journal, before, pruning, error);
        if (r >= 0)
                r = drop_episodes(journal, before, pruning, error);
        if (r >= 0 && pruning->rows > 0)
                r = drop_rows(journal, 0, pruning->last_row, pruning, error);
        if (r >= 0 && pruning->rows > 0)
                r = append_row(journal, pruning, error);
        /* What is not to be had from the file system now is used for what comes. */
        if (r >= 0 && pruning->incidents + pruning->episodes > 0)
                r = journal_execute(&journal->writer, "PRAGMA incremental_vacuum(256)", error);
        return r;
}

int journal_prune(struct journal *journal, const struct journal_retention *retention, bool *ret_more,
                  struct error *error)
{
        struct pruning pruning = {.retention = retention};
        int r = journal_perform(journal, prune, &pruning, error);
        if (r >= 0)
                *ret_more = pruning.more;
        return r;
}
