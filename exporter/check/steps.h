/* SPDX-License-Identifier: Apache-2.0 */
/* The morning checklist: which checks are steps of it, and in which order. */
#ifndef EXPORTER_CHECK_STEPS_H
#define EXPORTER_CHECK_STEPS_H

#include "exporter/check/check.h"

/* Whether a check is a step of the checklist; where none is, all are. */
bool check_is_step(const struct check_set *set, size_t i);

/* The selected ones (one bool a check of the set), steps first and by their numbers, then the others in the
 * order of the file. How many there are is returned; `ret_order` has room for all checks. */
size_t check_steps_order(const struct check_set *set, const bool *selected, size_t *ret_order);

#endif
