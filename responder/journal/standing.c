/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the journal can be written: how the last transaction went, and whether its files are in place. */
#include <errno.h>

#include "responder/journal/internal.h"

static void set_full(struct journal *journal, bool full)
{
        pthread_mutex_lock(&journal->lock);
        journal->full = full;
        pthread_mutex_unlock(&journal->lock);
}

bool standing_use_reserve(struct journal *journal)
{
        if (!journal_is_files(journal))
                return false;
        reserve_give_up(journal);
        journal_empty_log(&journal->writer);
        set_full(journal, true);
        return true;
}

bool standing_make_room(struct journal *journal)
{
        set_full(journal, reserve_take(journal) < 0);
        return !journal->full;
}

/* What is damaged does not mend itself, though it may look better. */
int standing_check(struct journal *journal, struct error *error)
{
        pthread_mutex_lock(&journal->lock);
        int r = journal->failing;
        if (r == -EUCLEAN)
                error_set(error, EUCLEAN, "%s", error_text(&journal->why));
        pthread_mutex_unlock(&journal->lock);
        return r == -EUCLEAN ? r : place_check_whole(journal, error);
}

void standing_note(struct journal *journal, bool committed, int failed, const struct error *error)
{
        if (committed && journal->full)
                standing_make_room(journal);
        pthread_mutex_lock(&journal->lock);
        if (journal->failing != -EUCLEAN && (committed || failed < 0)) {
                /* A job's own failure in a transaction that was committed is its own, but not damage. */
                journal->failing = !committed || failed == -EUCLEAN ? failed : 0;
                error_clear(&journal->why);
                if (journal->failing < 0)
                        error_set(&journal->why, -failed, "%s", error_text(error));
        }
        pthread_mutex_unlock(&journal->lock);
}

enum journal_standing journal_standing(struct journal *journal, int *ret_code, struct error *ret_why)
{
        int r = place_check(journal, ret_why);
        pthread_mutex_lock(&journal->lock);
        bool full = journal->full;
        if (r >= 0 && journal->failing < 0)
                r = error_set(ret_why, -journal->failing, "%s", error_text(&journal->why));
        pthread_mutex_unlock(&journal->lock);
        if (r >= 0 && !full)
                return JOURNAL_FINE;
        if (ret_code)
                *ret_code = r < 0 ? -r : ENOSPC;
        if (r < 0)
                return JOURNAL_UNUSABLE;
        error_set(
                ret_why, ENOSPC,
                "the disk of the journal is full: no alert is accepted, and what has begun goes on out of a "
                "reserve");
        return JOURNAL_FULL;
}

bool journal_is_files(const struct journal *journal)
{
        return journal->place.file >= 0;
}
