/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The samples of the exporter itself. They lie with the checks because their names are taken: the reference
 * lists them, and no check of an operator's may mean something else by one.
 */
#ifndef EXPORTER_CHECK_EXPORTER_SAMPLES_H
#define EXPORTER_CHECK_EXPORTER_SAMPLES_H

#include "runbook/clock.h"
#include "runbook/metrics.h"

/* How the process stands. By main, read by any thread. */
struct process_status {
        bool successful; /* the last attempt to read the file again */
        nsec success_wall;
        const char *landlock; /* what was given up; NULL: nothing is told of it. Borrowed */
        bool seccomp;
        bool keeps_state; /* there is a --state.directory */
};

extern const struct metric_family *const exporter_sample_families[]; /* closed by NULL */

void exporter_status_add(struct sample_sink *sink, const struct process_status *status);

/* build_info, process_*, and the number of series that were dropped as duplicates since the start. */
void exporter_samples_add(struct sample_sink *sink, uint64_t duplicates);

#endif
