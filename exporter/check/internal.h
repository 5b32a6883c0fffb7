/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the room share: the options there are, one condition, the last look over a set. */
#ifndef EXPORTER_CHECK_INTERNAL_H
#define EXPORTER_CHECK_INTERNAL_H

#include "exporter/check/check.h"

/* What the file may say beside its checks, and every check beside its kind. */
extern const struct config_field check_file_fields[], check_section_fields[];

/*
 * Reads one condition. -EINVAL with what is wrong and what would be right; -ENOMEM. threshold_release() in
 * any case.
 */
int threshold_parse(const char *text, enum threshold_level level, struct threshold *ret, struct error *error);
void threshold_release(struct threshold *threshold);

/* The value in the unit that the limit is written in. */
void judgement_put_value(struct text *text, const struct judgement *judgement);

/* Complains where two checks mean different metrics by one name. -ENOMEM is all that is answered. */
int check_set_find_contradictions(const struct check_set *set, struct config_node *list);

#endif
