/* SPDX-License-Identifier: Apache-2.0 */
/* What reading checks.yml shares with describing it. */
#ifndef EXPORTER_CHECK_INTERNAL_H
#define EXPORTER_CHECK_INTERNAL_H

#include "exporter/check/check.h"

/* What every check may say beside its kind. */
extern const struct config_field check_section_fields[];

/* Complains where two checks mean different metrics by one name. -ENOMEM is all that is answered. */
int check_set_find_contradictions(const struct check_set *set, struct config_node *list);

#endif
