/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which incidents were written to: noted by the writer, told after its commit, taken by whoever reads. What
 * was told and then not committed is only read once more than it need be.
 */
#include "responder/journal/internal.h"

/* More than these are not remembered: then all are read again. */
enum { CHANGES_MOST = 4096 };

void changes_init(struct journal_changes *changes)
{
        pthread_mutex_init(&changes->lock, NULL);
        changes->all = true;
}

void changes_free(struct journal_changes *changes)
{
        pthread_mutex_destroy(&changes->lock);
        free(changes->noted.items);
        free(changes->told.items);
}

/* False when it cannot be remembered. */
static bool put(struct journal_ids *ids, int64_t id)
{
        if (ids->count > 0 && ids->items[ids->count - 1] == id)
                return true;
        if (ids->count == CHANGES_MOST)
                return false;
        int64_t *item = list_grow((void **)&ids->items, ids->count, sizeof(*item));
        if (!item)
                return false;
        *item = id;
        ids->count++;
        return true;
}

void changes_note(struct journal_changes *changes, int64_t incident)
{
        if (incident != 0)
                changes->noted_all |= !put(&changes->noted, incident);
}

void changes_tell(struct journal_changes *changes)
{
        pthread_mutex_lock(&changes->lock);
        changes->all |= changes->noted_all;
        for (size_t i = 0; i < changes->noted.count; i++)
                changes->all |= !put(&changes->told, changes->noted.items[i]);
        pthread_mutex_unlock(&changes->lock);
        changes->noted.count = 0;
        changes->noted_all = false;
}

void changes_announce(struct journal_changes *changes)
{
        pthread_mutex_lock(&changes->lock);
        if (changes->listener)
                changes->listener(changes->context);
        pthread_mutex_unlock(&changes->lock);
}

void journal_listen(struct journal *journal, void (*listener)(void *context), void *context)
{
        pthread_mutex_lock(&journal->changes.lock);
        journal->changes.listener = listener;
        journal->changes.context = context;
        pthread_mutex_unlock(&journal->changes.lock);
}

bool changes_take(struct journal_changes *changes, int64_t **ret, size_t *ret_count)
{
        pthread_mutex_lock(&changes->lock);
        bool known = !changes->all;
        *ret = changes->told.items;
        *ret_count = changes->told.count;
        changes->told = (struct journal_ids){0};
        changes->all = false;
        pthread_mutex_unlock(&changes->lock);
        return known;
}
