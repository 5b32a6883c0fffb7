/* SPDX-License-Identifier: Apache-2.0 */
/* The samples that are there for every check, whatever its kind, and those of the exporter itself. */
#ifndef EXPORTER_ABOUT_H
#define EXPORTER_ABOUT_H

#include "exporter/schedule.h"

/* How the last attempt to read the file again went. By main, read by any thread. */
struct reload_status {
        bool successful;
        nsec success_wall;
};

/* Every one of them, closed by NULL. */
extern const struct metric_family *const about_families[];

void about_check(struct sample_sink *sink, const struct check_state *state);

void about_reload(struct sample_sink *sink, const struct reload_status *status);

/* build_info, process_*, and the number of series that were dropped as duplicates since the start. */
void about_exporter(struct sample_sink *sink, uint64_t duplicates);

#endif
