/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_exporter capacity`: the capacity report, from what the checks of a file measure. */
#ifndef EXPORTER_COMMANDS_CAPACITY_H
#define EXPORTER_COMMANDS_CAPACITY_H

#include "exporter/commands/run_once.h"

/* For once_run(): the checks that measure anything of the report. */
bool capacity_wants(const struct check_set *set, size_t i);

/* Every row with its values; one that was not measured, by all checks that could, says why: a check has
 * failed, none measures it, or there is nothing of it, or too little of the past. Answers how many rows are
 * wrong, which the first two are. */
size_t capacity_print(const struct once *once, nsec wall, struct text *text);

/* The same as one JSON document. -ENOMEM; else how many rows are wrong. */
ssize_t capacity_print_json(const struct once *once, nsec wall, struct text *text);

#endif
