/* SPDX-License-Identifier: Apache-2.0 */
/* The samples that are there for every check, whatever its kind. */
#ifndef EXPORTER_CHECK_SAMPLES_H
#define EXPORTER_CHECK_SAMPLES_H

#include "exporter/check/result.h"

extern const struct metric_family *const check_sample_families[]; /* closed by NULL */

void check_samples_add(struct sample_sink *sink, const struct check_state *state);

/* How long the runs of one check took: the histogram, and its samples for a set that has the check's label.
 */
int check_durations_init(struct histogram *histogram);
void check_durations_add(struct sample_sink *sink, const struct histogram *histogram);

#endif
