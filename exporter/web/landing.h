/* SPDX-License-Identifier: Apache-2.0 */
/* The pages for people: all checks and how they stand, and the morning checklist. */
#ifndef EXPORTER_WEB_LANDING_H
#define EXPORTER_WEB_LANDING_H

#include "exporter/schedule/schedule.h"

/* Which checks are shown; what is NULL or empty leaves none out. */
struct landing_filter {
        const char *words; /* each of them is in the name, the title, the kind or the reason */
        const char *show;  /* a standing's word, or LANDING_SHOW_WRONG */
};
#define LANDING_SHOW_WRONG "wrong" /* fails, warns or is not known */

/* False when nothing can be shown that is called so. */
bool landing_filter_valid(const struct landing_filter *filter);

/* What the pages show. */
struct landing {
        const struct check_set *set;
        const struct check_state *states; /* of all checks of the set, in its order */
        struct landing_filter filter;
        nsec now;          /* a wall time, for "12s ago" */
        bool history_kept; /* over restarts */
};

/* Both -ENOMEM. */
int landing_render(const struct landing *landing, struct text *text);
int checklist_render(const struct landing *landing, struct text *text);

#endif
