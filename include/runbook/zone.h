/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time zones: how far the clocks of a place are from UTC, in the past and in the future.
 *
 * The C library knows one zone, which is the whole process'; this reads the same files (TZif, RFC 9636) for
 * as many as are asked for. A zone is immutable and may be read by any thread.
 */
#ifndef RUNBOOK_ZONE_H
#define RUNBOOK_ZONE_H

#include "runbook/common.h"
#include "runbook/error.h"

struct zone;

/* A time in which the clocks are not changed; both ends are Unix times, in seconds. */
struct zone_period {
        int64_t from, until; /* [from, until); INT64_MIN and INT64_MAX: for ever */
        int32_t offset;      /* local time less UTC, in seconds */
};

/*
 * "Europe/Berlin", of the system's zoneinfo or of $TZDIR; "UTC", which needs no file; "local", which is that
 * of the system (/etc/localtime; UTC where that is not). -ENOENT with the nearest name; -EINVAL when it is no
 * name or no file of a zone, or counts leap seconds; -errno.
 */
int zone_load(const char *name, struct zone **ret, struct error *error);

/* From the bytes of such a file; `name` is for the sentence. */
int zone_parse(const char *name, const void *data, size_t length, struct zone **ret, struct error *error);

struct zone *zone_free(struct zone *zone); /* takes NULL, returns NULL */
DEFINE_CLEANUP(struct zone *, zone_free);

struct zone_period zone_period_at(const struct zone *zone, int64_t at);

#endif
