/* SPDX-License-Identifier: Apache-2.0 */
/* Whose hands are on an incident, or on what its lock stands for. */
#include "responder/journal/internal.h"

void journal_hands_release(struct journal_hands *hands)
{
        free(hands->number);
        free(hands->by);
        *hands = (struct journal_hands){0};
}

/* The row of IN_HANDS that the statement gives first. */
static int read_hands(struct journal *journal, sqlite3_stmt *statement, struct journal_hands *ret,
                      struct error *error)
{
        int r = statement ? journal_step(&journal->reader, statement, error) : -EIO;
        if (r <= 0)
                return r;
        struct journal_hands hands = {
                .number = strdup(journal_column(statement, 0)),
                .by = strdup(journal_column(statement, 1)),
                .taken = sqlite3_column_int(statement, 2) != 0,
                .since = sqlite3_column_int64(statement, 3),
        };
        if (!hands.number || !hands.by) {
                journal_hands_release(&hands);
                return error_oom(error);
        }
        *ret = hands;
        return 1;
}

int journal_find_hands(struct journal *journal, int64_t incident, const char *lock, nsec seen_after,
                       nsec freed, struct journal_hands *ret, struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *own =
                journal_bind(&journal->reader, HANDS_ON, error, "iii", incident, seen_after, freed);
        int r = read_hands(journal, own, ret, error);
        if (r != 0 || !lock || !*lock)
                return r;
        _cleanup_statement_ sqlite3_stmt *others =
                journal_bind(&journal->reader, HANDS_UNDER, error, "tii", lock, seen_after, freed);
        return read_hands(journal, others, ret, error);
}

int journal_own_times(struct journal *journal, const char *kind, nsec after, size_t limit,
                      struct own_time *ret, size_t *ret_count, struct error *error)
{
        READING(journal);
        _cleanup_statement_ sqlite3_stmt *statement =
                journal_bind(&journal->reader, OWN_TIMES, error, "tiii", kind, after,
                             (int64_t)world_wall(journal->world), (int64_t)limit);
        size_t count = 0;
        int r = statement ? 1 : -EIO;
        while (r > 0 && (r = journal_step(&journal->reader, statement, error)) > 0)
                ret[count++] = (struct own_time){sqlite3_column_int64(statement, 0),
                                                 sqlite3_column_int64(statement, 1)};
        *ret_count = count;
        return r < 0 ? r : 0;
}
