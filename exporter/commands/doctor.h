/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_exporter doctor`: whether all that the file names is there and answers. */
#ifndef EXPORTER_COMMANDS_DOCTOR_H
#define EXPORTER_COMMANDS_DOCTOR_H

#include "exporter/commands/run_once.h"

/*
 * Looks at the clock, at what the kernel has for the sandbox, and whether the state directory (may be NULL)
 * can be written. Prints a line for each check that was run: that its target answered, with how many series,
 * with none, or why not; and for each secret that cannot be read. A query is judged by the Prometheus that is
 * asked. Below what is broken stands what to do. EXIT_FINE, or EXIT_FAILED when anything is broken.
 * Thresholds are no matter here: see checklist.
 */
int doctor_report(const struct once *once, const char *state_directory);

#endif
