/* SPDX-License-Identifier: Apache-2.0 */
/* Which metrics the checks of a file may have, for programs. */
#ifndef EXPORTER_COMMANDS_FAMILIES_H
#define EXPORTER_COMMANDS_FAMILIES_H

#include "exporter/check/check.h"

/*
 * Writes one JSON document: {"checks": [{"name", "kind", "conditions", "metrics": [names]}], "every_check":
 * [names of those that each has]}. `conditions`: whether it has any of its own. -ENOMEM.
 */
int families_print(const struct check_set *set, struct text *text);

#endif
