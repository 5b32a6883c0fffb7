/* SPDX-License-Identifier: Apache-2.0 */
/* What runbook_exporter does beside serving metrics: the commands that print and end. */
#ifndef EXPORTER_COMMANDS_H
#define EXPORTER_COMMANDS_H

#include "runbook/flags.h"

struct command_options {
        const char *config_file, *state_directory;
        bool json; /* as a document for programs */
        bool all;  /* every check, not the steps of the checklist alone */
};

/* For --help; closed by an entry without a name. */
extern const struct command commands[];

/* Runs a command on the calling thread and tells what to exit with; false when there is none of this name. */
bool command_run(const char *name, const struct command_options *options, int *ret_status);

/* --once: runs every check and writes the metrics to `path`. What to exit with: see once_exit_status(). */
int command_once(const struct command_options *options, const char *path);

#endif
