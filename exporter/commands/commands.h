/* SPDX-License-Identifier: Apache-2.0 */
/* What runbook_exporter does beside serving metrics: the commands that print and end. */
#ifndef EXPORTER_COMMANDS_H
#define EXPORTER_COMMANDS_H

#include "runbook/error.h"
#include "runbook/flags.h"

struct command_options {
        const char *config_file, *state_directory;
        bool json; /* as a document for programs */
        bool all;  /* every check, not the steps of the checklist alone */
};

/* For --help; closed by an entry without a name. */
extern const struct command commands[];

/* Whether there is such a command, and whether the options are its own; `name` may be NULL: none is given.
 * -EINVAL with a sentence. */
int command_check(const char *name, const struct command_options *options, struct error *error);

/* Runs a command that was checked, on the calling thread; what to exit with. */
int command_run(const char *name, const struct command_options *options);

/* --once: runs every check and writes the metrics to `path`. What to exit with: see once_exit_status(). */
int command_once(const struct command_options *options, const char *path);

#endif
