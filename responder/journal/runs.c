/* SPDX-License-Identifier: Apache-2.0 */
/* What has run before, for the guards that count: the last run of a lock, the nth, and of how many locks. */
#include <errno.h>
#include <string.h>

#include "responder/journal/internal.h"
#include "runbook/assert.h"
#include "runbook/words.h"

int journal_last_run(struct journal *journal, const char *lock, nsec *ret_ended, struct error *error)
{
        return journal_last_run_beside(journal, lock, 0, ret_ended, error);
}

int journal_last_run_beside(struct journal *journal, const char *lock, int64_t incident, nsec *ret_ended,
                            struct error *error)
{
        assert_that(lock, "runs are counted by their lock");
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, LAST_RUN, error, "ti", lock, incident);
        int r = statement ? journal_step(&journal->reader, statement, error) : -EIO;
        if (r < 0)
                return r;
        *ret_ended = sqlite3_column_int64(statement, 0);
        return 0;
}

int journal_nth_run(struct journal *journal, const char *remediation, const char *lock, int64_t nth,
                    nsec after, nsec *ret_began, struct error *error)
{
        assert_that(lock && nth > 0, "runs are counted by their lock, from 1");
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, NTH_RUN, error, "titi", lock, after,
                             remediation ? remediation : "", nth - 1);
        int r = statement ? journal_step(&journal->reader, statement, error) : -EIO;
        if (r < 0)
                return r;
        *ret_began = r > 0 ? sqlite3_column_int64(statement, 0) : 0;
        return 0;
}

int journal_nth_begun(struct journal *journal, const struct journal_runs *runs, int64_t nth, nsec *ret_began,
                      struct error *error)
{
        assert_that(nth > 0, "runs are counted from 1");
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, NTH_BEGUN, error, "iii", runs->after, runs->beside, nth - 1);
        int r = statement ? journal_step(&journal->reader, statement, error) : -EIO;
        if (r < 0)
                return r;
        *ret_began = r > 0 ? sqlite3_column_int64(statement, 0) : 0;
        return 0;
}

/* Storms are few locks: SQLite would make a table to tell them apart, in each look. */
int journal_locks_since(struct journal *journal, nsec after, size_t limit, char **ret, size_t *ret_count,
                        struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, LOCKS_SINCE, error, "i", after);
        size_t count = 0;
        int r = statement ? 1 : -EIO;
        while (r > 0 && count < limit && (r = journal_step(&journal->reader, statement, error)) > 0) {
                const char *lock = journal_column(statement, 0);
                if (count > 0 && words_find((const char *const *)ret, count, lock) >= 0)
                        continue;
                ret[count] = strdup(lock);
                if (!ret[count])
                        r = error_oom(error);
                else
                        count++;
        }
        *ret_count = count;
        return r < 0 ? r : 0;
}
