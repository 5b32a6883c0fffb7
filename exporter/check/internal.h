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

/* Complains about labels that may not be given, at their place in `map`. False then. */
bool check_labels_check(const struct config_map *labels, struct config_node *map);

/* Gives the check its own labels, complaining about `entry`, and those of the defaults that it has not.
 * -ENOMEM is all that is answered. */
int check_labels_take(const struct config_map *own, const struct config_map *defaults,
                      struct config_node *entry, struct check *check);
void check_labels_release(struct check *check);

/* Complains about those that the kind's own series have as well. */
void check_labels_compare(const struct check *check, struct config_node *entry);

/* Complains where two checks mean different metrics by one name. -ENOMEM is all that is answered. */
int check_set_find_contradictions(const struct check_set *set, struct config_node *list);

#endif
