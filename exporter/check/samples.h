/* SPDX-License-Identifier: Apache-2.0 */
/* The samples that are there for every check, whatever its kind, and those of the exporter itself. */
#ifndef EXPORTER_ABOUT_H
#define EXPORTER_ABOUT_H

#include "exporter/check/result.h"

/* How the process stands. By main, read by any thread. */
struct process_status {
        bool successful; /* the last attempt to read the file again */
        nsec success_wall;
        const char *landlock; /* what was given up; NULL: nothing is told of it. Borrowed */
        bool seccomp;
};

/* Those of every check, and every one there is; closed by NULL. */
extern const struct metric_family *const about_check_families[], *const about_families[];

void about_check(struct sample_sink *sink, const struct check_state *state);

/* How long the runs of one check took: the histogram, and its samples for a set that has the check's label.
 */
int about_durations_init(struct histogram *histogram);
void about_durations(struct sample_sink *sink, const struct histogram *histogram);

void about_process(struct sample_sink *sink, const struct process_status *status);

/* build_info, process_*, and the number of series that were dropped as duplicates since the start. */
void about_exporter(struct sample_sink *sink, uint64_t duplicates);

#endif
