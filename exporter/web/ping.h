/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /ping/NAME: a job says of itself that it succeeded; behind it /start, /fail, or its exit code.
 *
 * It is the only door of the exporter by which something is written. So it is for those who have a user or a
 * certificate of the web configuration; else for those who have the check's token; else, for a check without
 * one, for who asks from this host and not by a proxy. An answer of 200 means that it is on the disk, where a
 * state directory is. However many come, each check is written a few times and then once a second.
 */
#ifndef EXPORTER_WEB_PING_H
#define EXPORTER_WEB_PING_H

#include "exporter/pings/pings.h"
#include "runbook/http_server.h"

#define PING_BODY_MAX ((size_t)100 << 10) /* of a body, which is not looked at */

struct ping_door;

/* Starts the thread that writes. */
int ping_door_new(struct ping_door **ret, struct error *error);

/* Answers, now or when it is written. On the event thread; `set` is of use until it returns. */
void ping_handle(struct ping_door *door, const struct check_set *set, struct http_exchange *exchange);

/* Writes and answers all that waits; what comes later is answered with 503. Before the server stops. */
void ping_door_close(struct ping_door *door);
struct ping_door *ping_door_free(struct ping_door *door); /* takes NULL, returns NULL */

#endif
