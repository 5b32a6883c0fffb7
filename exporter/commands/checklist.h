/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_exporter checklist`: the morning checklist, step by step, for a person or as JSON. */
#ifndef EXPORTER_COMMANDS_CHECKLIST_H
#define EXPORTER_COMMANDS_CHECKLIST_H

#include "exporter/commands/run_once.h"

/*
 * What was run, steps first and by their numbers, then the others in the order of the file: each with how it
 * stands, the values beside their thresholds, and what to do; but effects behind what they are an effect of.
 * `colour`: with the escapes of a terminal. -ENOMEM.
 */
int checklist_print(const struct once *once, nsec wall, bool colour, struct text *text);

/* The same as one JSON document. -ENOMEM. */
int checklist_print_json(const struct once *once, nsec wall, struct text *text);

#endif
