/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group big_keys of a check of Redis: a bounded walk over all keys, run by run, and the biggest ones
 * seen.
 *
 * Each run goes on where the last one stopped, looks at `sample` keys at most (by SCAN and MEMORY USAGE, in
 * batches so small that other clients hardly notice), and measures again what it holds for the biggest. What
 * it tells is therefore always of now; what it has not come by yet, it does not know.
 */
#ifndef EXPORTER_KINDS_REDIS_BIG_KEYS_H
#define EXPORTER_KINDS_REDIS_BIG_KEYS_H

#include "exporter/kinds/redis/group.h"

struct redis_big_keys_options {
        int64_t sample, top;
};

extern const struct config_field redis_big_keys_fields[];

struct redis_big_keys;

/* -EINVAL after complaints about `node`. */
int redis_big_keys_new(const struct redis_big_keys_options *options, struct config_node *node,
                       struct redis_big_keys **ret, struct error *error);
struct redis_big_keys *redis_big_keys_free(struct redis_big_keys *big);

/*
 * One run, over the databases that `info` names, or over database 0 without it. It takes at most half of the
 * session's time that is left. See group.h for what it returns.
 */
int redis_big_keys_run(struct redis_big_keys *big, const char *info, struct redis_session *session,
                       struct error *error);

#endif
