/* SPDX-License-Identifier: Apache-2.0 */
/* The group keys of a check of Redis: how long and how big the keys are that an operator has chosen. */
#ifndef EXPORTER_KINDS_REDIS_KEYS_H
#define EXPORTER_KINDS_REDIS_KEYS_H

#include "exporter/kinds/redis/group.h"

#define REDIS_KEYS_MAX 100

struct redis_key {
        char *key;
        int64_t database;
};

extern const struct config_field redis_key_fields[];

/* Complains about the items of `node`, which they were read from. */
void redis_keys_check(const struct redis_key *keys, size_t count, struct config_node *node);

/*
 * Two round trips for each database, however many keys; and for each node of a cluster that keys lead to,
 * which is reached by `options`. See group.h for what it returns.
 */
int redis_keys_run(const struct redis_key *keys, size_t count, const struct redis_options *options,
                   struct redis_session *session, struct error *error);

#endif
