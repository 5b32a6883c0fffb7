/* SPDX-License-Identifier: Apache-2.0 */
/* How near what a check has measured is to its limits. */
#ifndef EXPORTER_CHECK_NEAREST_H
#define EXPORTER_CHECK_NEAREST_H

#include "exporter/check/result.h"

/*
 * The series within a condition that is nearest to it. Only an order has something near: of == and != there
 * is none. False when there is none, be it that all are beyond it. `ret` points into the state.
 */
bool nearest_find(const struct check_state *state, const struct threshold *threshold, struct judgement *ret);

/* The first condition of a check to which something can be near; NULL: there is none. */
const struct threshold *nearest_first(const struct thresholds *thresholds);

#endif
