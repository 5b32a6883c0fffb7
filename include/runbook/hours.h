/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hours of the week at some place: "Mon-Fri 09:00-17:00", "Sat,Sun", "22:00-06:00".
 *
 * Days and hours may be left out: every day, the whole day. Hours that end before they begin go over
 * midnight, and are of the day on which they begin. Immutable once made; any thread.
 */
#ifndef RUNBOOK_HOURS_H
#define RUNBOOK_HOURS_H

#include "runbook/clock.h"
#include "runbook/error.h"

struct hours;

enum { HOURS_MOST = 100 };

/*
 * Of `count` texts, any of which may hold; `zone` as zone_load() takes it. -EINVAL says how they are written,
 * and `ret_wrong` (may be NULL) which of them is wrong; `count` when the zone is, and the errno is its.
 */
int hours_make(const char *const *texts, size_t count, const char *zone, struct hours **ret,
               size_t *ret_wrong, struct error *error);
struct hours *hours_free(struct hours *hours); /* takes NULL, returns NULL */
DEFINE_CLEANUP(struct hours *, hours_free);

/* Whether a moment (wall) is within them: the end no more. */
bool hours_contain(const struct hours *hours, nsec wall);

/* When that is next otherwise (wall); 0: not within the week that comes. */
nsec hours_change(const struct hours *hours, nsec wall);

#endif
