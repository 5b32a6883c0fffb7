/* SPDX-License-Identifier: Apache-2.0 */
/* Redis Sentinel: what one says of the masters that it watches, and where one of them is. */
#ifndef EXPORTER_KINDS_REDIS_SENTINEL_H
#define EXPORTER_KINDS_REDIS_SENTINEL_H

#include "exporter/kinds/redis/group.h"

/* A check of the master that the Sentinel at the check's address names. */
struct redis_sentinel_options {
        char *master; /* NULL or "": what the address is of is measured itself */
        char *user;   /* at the Sentinel, whose users are its own */
        struct secret password;
};
extern const struct config_field redis_sentinel_fields[];

/* The group sentinel, from its INFO. See group.h for what it returns. */
int redis_sentinel_run(const char *info, struct redis_session *session, struct error *error);

/* Asks the Sentinel at the address of `redis` for the address of the master, to be freed. -ESRCH when it
 * knows of none. */
int redis_sentinel_find(const struct redis_options *redis, const struct redis_sentinel_options *sentinel,
                        struct deadline deadline, char **ret_address, struct error *error);

#endif
