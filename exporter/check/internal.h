/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of checks.yml share: checks.c reads it, checks_claims.c compares, checks_reference.c
 * describes. */
#ifndef EXPORTER_CHECKS_INTERNAL_H
#define EXPORTER_CHECKS_INTERNAL_H

#include "exporter/check/check.h"

/* What every check may say beside its kind. */
extern const struct config_field check_section_fields[];

/* Complains where two checks mean different metrics by one name. -ENOMEM is all that is answered. */
int check_set_find_contradictions(const struct check_set *set, struct config_node *list);

#endif
