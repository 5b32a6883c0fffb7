/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_exporter init`: what was found is tried, and written into files that are not there yet. */
#ifndef EXPORTER_COMMANDS_NEW_FILES_H
#define EXPORTER_COMMANDS_NEW_FILES_H

#include "exporter/commands/init/init.h"

/*
 * Runs every proposed check once, and drops those that do not answer or, where they need them, have no
 * series; tells of each dropped one in `told`. -ENOMEM, or -EINVAL when what was proposed does not load.
 */
int new_files_try(struct proposals *proposals, struct error *error);

/* Writes checks.yml, alerts.yml and remediations.yml into the directory, which is made when it is missing. A
 * file that is there stays as it is: -EEXIST before anything is written. What was written goes to `report`.
 */
int new_files_write(const struct proposals *proposals, const char *directory, struct text *report,
                    struct error *error);

/* Holds what was found against a file, whose checks are run once: see difference.h. How many differ, or a
 * negative errno: -EINVAL with every complaint about the file; -ENOMEM. */
ssize_t new_files_compare(const struct proposals *proposals, const char *path, struct text *report,
                          struct error *error);

#endif
