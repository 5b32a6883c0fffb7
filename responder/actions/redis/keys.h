/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walking over the keys of a database, and which of them may go.
 *
 * A cache's keys end by themselves. What is a list or a stream is somebody's queue, and what has no expiry
 * nobody else will write again: these stay unless they are named.
 */
#ifndef RESPONDER_ACTIONS_REDIS_KEYS_H
#define RESPONDER_ACTIONS_REDIS_KEYS_H

#include "runbook/json.h"
#include "runbook/redis.h"

/* What stays unless it is named. */
enum kept { KEPT_LISTS, KEPT_STREAMS, KEPT_PERSISTENT, KEPT_COUNT };
extern const char *const kept_words[]; /* closed by NULL */

struct keys_walk {
        struct redis *redis; /* in the database that is walked over */
        struct deadline deadline;
        const char *pattern; /* Redis' own; NULL: every key */
        int64_t batch;       /* how many keys are looked at, and unlinked, at a time */
        bool may[KEPT_COUNT];
};

struct keys_found {
        int64_t removable; /* or removed */
        int64_t kept[KEPT_COUNT];
        bool complete; /* false: it stopped before the end */
};

/* Whether all that is there may go, so that nobody need look at it. */
bool keys_may_all(const struct keys_walk *walk);

/*
 * Adds what it finds to `found`, until the end, or until `most` keys were looked at (0: no limit) or
 * `patience` is over. keys_remove() unlinks them as they are found.
 */
int keys_count(const struct keys_walk *walk, int64_t most, struct deadline patience, struct keys_found *found,
               struct error *error);
int keys_remove(const struct keys_walk *walk, struct keys_found *found, struct error *error);

int64_t keys_kept(const struct keys_found *found);

/* "lists (1), persistent (6)"; free() it. */
char *keys_put_kept(const struct keys_found *found);

/* {"lists": 1, …}; NULL when out of memory. */
cJSON *keys_kept_json(const struct keys_found *found);

#endif
