/* SPDX-License-Identifier: Apache-2.0 */
/* The landing page: all checks and how they stand, for people. */
#ifndef EXPORTER_WEB_LANDING_H
#define EXPORTER_WEB_LANDING_H

#include "exporter/schedule/schedule.h"

/* `title`: whose checks these are, or NULL. `now` is a wall time, for "12s ago". */
void landing_render(const char *title, const struct check_state *states, size_t count, nsec now,
                    struct text *text);

#endif
