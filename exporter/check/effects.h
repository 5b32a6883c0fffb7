/* SPDX-License-Identifier: Apache-2.0 */
/* How checks are shown: effects behind what they are an effect of. */
#ifndef EXPORTER_CHECK_EFFECTS_H
#define EXPORTER_CHECK_EFFECTS_H

#include "exporter/check/needs.h"
#include "exporter/check/result.h"

/*
 * What each check is an effect of: the root that check_needs_find_roots() finds for it, where it has run and
 * neither passes nor is not set up; else NO_ROOT. `states` and `ret_roots` have one for each check of the
 * set. Then brings `order`, the `count` checks to be shown, into the order for that. -ENOMEM.
 */
int check_effects_find(const struct check_set *set, const struct check_state *states, size_t *ret_roots,
                       size_t *order, size_t count);

#endif
