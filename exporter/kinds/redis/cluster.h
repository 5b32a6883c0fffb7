/* SPDX-License-Identifier: Apache-2.0 */
/* Redis Cluster: what one node says of it, and to which of its nodes a key leads. */
#ifndef EXPORTER_KINDS_REDIS_CLUSTER_H
#define EXPORTER_KINDS_REDIS_CLUSTER_H

#include "exporter/kinds/redis/group.h"

/* The group cluster, from CLUSTER INFO and CLUSTER NODES. See group.h for what it returns. */
int redis_cluster_run(struct redis_session *session, struct error *error);

/* The "host:port" of "Redis: MOVED 3999 127.0.0.1:6381", to be freed; NULL when it is another refusal. */
char *redis_moved_to(const struct error *refusal);

/* What CLUSTER SLOTS answered, to look nodes up in. As redis_take() when it was refused. */
int redis_cluster_slots(struct redis_session *session, redisReply **ret, struct error *error);

/*
 * The address of the node to which MOVED leads, to be freed: a node of the cluster as its slots have it, and
 * nothing else, whatever a server says. NULL when it is none. A node without a host is where we are.
 */
char *redis_cluster_address(const redisReply *slots, const char *node, const struct redis_options *options);

#endif
