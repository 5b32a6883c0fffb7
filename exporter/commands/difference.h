/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_exporter init --diff`: what has come and gone since a file was written. */
#ifndef EXPORTER_COMMANDS_DIFFERENCE_H
#define EXPORTER_COMMANDS_DIFFERENCE_H

#include "exporter/commands/init/init.h"
#include "exporter/commands/run_once.h"

/*
 * Two checks are of the same when they have a name and a kind in common, or look at the same place. What was
 * proposed, and is of nothing in `theirs`, is new: with its YAML. What `theirs` has, was not found, and did
 * not answer in its run, is gone: with the reason. `found` holds the checks of the proposals. How many
 * differ.
 */
size_t difference_put(const struct proposals *proposals, const struct check_set *found,
                      const struct once *theirs, struct text *report);

#endif
