/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `needs:` of a check: the checks of what it cannot work without.
 *
 * Nothing here keeps a check from being measured or changes how it stands. What does not pass while something
 * that it needs fails is shown as an effect of that, and once that passes again it stands for itself.
 */
#ifndef EXPORTER_CHECK_NEEDS_H
#define EXPORTER_CHECK_NEEDS_H

#include "exporter/check/check.h"

/* That nothing which a check needs fails. */
#define NO_ROOT SIZE_MAX

/*
 * Looks the names up, which is to be done before anything else here: fills `needed` of each check and
 * `needs_order` of the set. Complains about names that no check has, and about circles; -ENOMEM is all that
 * is answered.
 */
int check_needs_resolve(struct check_set *set, struct config_node *list);

/*
 * What each check would be an effect of: of those that it needs, itself or by way of others, one that fails
 * and needs none that fails; the first such in the file, or NO_ROOT. `fails` and `ret_roots` have one for
 * each check of the set; nothing but a failure belongs into `fails`: what is unknown causes nothing.
 */
void check_needs_find_roots(const struct check_set *set, const bool *fails, size_t *ret_roots);

/*
 * Brings `order`, `count` indexes of checks, into the order to show them in: each that has a root behind it,
 * where that is among them, and all else as it was. `roots` has NO_ROOT for what is no effect.
 */
int check_needs_arrange(const size_t *roots, size_t *order, size_t count);

/* Marks in `ret_needed` (one for each check of the set) what check `i` needs, itself or by way of others. */
void check_needs_mark(const struct check_set *set, size_t i, bool *ret_needed);

#endif
