/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `targets:` of a check: what else it may be pointed at, each named in full.
 *
 * A target makes an entry of its own: the check's, in which the field that says where to look has the target
 * for its value. So it is read, validated and complained about (at the target's own place) as any other.
 */
#ifndef EXPORTER_CHECK_TARGETS_H
#define EXPORTER_CHECK_TARGETS_H

#include "exporter/check/check.h"

#define CHECK_TARGETS_MAX 256 /* of one check */

/* How many an entry of checks.yml names, as far as they are taken; and all of them together. */
size_t check_targets_count(struct config_node *entry);
size_t check_targets_of_all(struct config_node *list);

/* Whether checks of this kind, and this one of them, can be pointed elsewhere; else after a complaint. */
bool check_targets_possible(struct config_node *entry, const struct check_kind *kind);

/*
 * The entry for target `i`, and the target, which the caller frees. 0 with both untouched after a complaint;
 * -ENOMEM.
 */
int check_targets_entry(struct config_node *entry, const struct check_kind *kind, size_t i,
                        struct config_node **ret, char **ret_target);

/* A target as it may be shown: without user, password and query, which may be secret. "" for NULL. */
void check_target_put(struct text *text, const char *target);

#endif
