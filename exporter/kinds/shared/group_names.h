/* SPDX-License-Identifier: Apache-2.0 */
/* The names of groups, by which an operator chooses what of a kind is measured. */
#ifndef EXPORTER_KINDS_SHARED_GROUP_NAMES_H
#define EXPORTER_KINDS_SHARED_GROUP_NAMES_H

#include "runbook/config.h"

/*
 * Sets bit i in *ret for each chosen name that is the i-th of `names`, of which there are 32 at most.
 * Complains about those that are none, at their place under "groups" of `node`; false then.
 */
bool group_names_read(const struct config_strings *chosen, struct config_node *node, const char *const *names,
                      size_t count, unsigned *ret);

#endif
