/* SPDX-License-Identifier: Apache-2.0 */
/* The landing page: all checks and how they stand, for people. */
#ifndef EXPORTER_WEB_LANDING_H
#define EXPORTER_WEB_LANDING_H

#include "exporter/schedule/schedule.h"

/* `states` are of all checks of the set, in its order; `now` is a wall time, for "12s ago". -ENOMEM. */
int landing_render(const struct check_set *set, const struct check_state *states, nsec now,
                   struct text *text);

#endif
