/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one page shows, from one moment, in all spellings that were asked for.
 *
 * The snapshot is taken once; each format is encoded from it at most once, and compressed at most once. One
 * thread makes, any may look.
 */
#ifndef EXPORTER_EXPOSITION_H
#define EXPORTER_EXPOSITION_H

#include "exporter/schedule.h"
#include "runbook/http_server.h"

/* How a client wants it. */
struct variant {
        enum metrics_format format;
        bool gzip;
};

struct exposition;

/*
 * How the selected checks (one bool a check; NULL: all) stand now. `own` are samples that come on top; it is
 * emptied. NULL when out of memory.
 */
struct exposition *exposition_new(struct schedule *schedule, const bool *checks, struct sample_set *own);
struct exposition *exposition_free(struct exposition *exposition); /* takes NULL, returns NULL */

/* Of the snapshot, as schedule_states() tells them. */
uint64_t exposition_generation(const struct exposition *exposition);
nsec exposition_fresh_until(const struct exposition *exposition);

/* A reference to what was made before, NULL when there is none. */
struct http_content *exposition_find(struct exposition *exposition, struct variant variant);

/*
 * A reference to the page, made unless it is there; NULL when out of memory. `names` as in metrics_encode(),
 * always the same. The series left out as duplicates are added to `duplicates` by the first one made.
 */
struct http_content *exposition_make(struct exposition *exposition, struct variant variant,
                                     const char *const *names, uint64_t *duplicates);

#endif
