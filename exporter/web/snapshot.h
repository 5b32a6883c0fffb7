/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one page shows, from one moment, in all spellings that were asked for.
 *
 * The snapshot is taken once; each format is encoded from it at most once, and compressed at most once. One
 * thread makes, any may look.
 */
#ifndef EXPORTER_WEB_SNAPSHOT_H
#define EXPORTER_WEB_SNAPSHOT_H

#include "exporter/schedule/schedule.h"
#include "runbook/http_server.h"

/* How a client wants it. */
struct variant {
        enum metrics_format format;
        bool gzip;
};

struct snapshot;

/*
 * How the selected checks (as schedule_states() takes them) stand now. `own` are samples that come on top; it
 * is emptied. NULL when out of memory.
 */
struct snapshot *snapshot_new(struct schedule *schedule, const bool *checks, struct sample_set *own);
struct snapshot *snapshot_free(struct snapshot *snapshot); /* takes NULL, returns NULL */

/* Of the snapshot, as schedule_states() tells them. */
uint64_t snapshot_generation(const struct snapshot *snapshot);
nsec snapshot_fresh_until(const struct snapshot *snapshot);

/* A reference to what was made before, NULL when there is none. */
struct http_content *snapshot_find(struct snapshot *snapshot, struct variant variant);

/*
 * A reference to the page, made unless it is there; NULL when out of memory. `names` as in metrics_encode(),
 * always the same. The series left out as duplicates are added to `duplicates` by the first one made.
 */
struct http_content *snapshot_make(struct snapshot *snapshot, struct variant variant,
                                   const char *const *names, uint64_t *duplicates);

#endif
