/* SPDX-License-Identifier: Apache-2.0 */
/* The form of a history on disk. */
#ifndef EXPORTER_HISTORY_INTERNAL_H
#define EXPORTER_HISTORY_INTERNAL_H

#include "exporter/history/history.h"

/* What is kept of one check. */
struct history_record {
        int64_t newest; /* the day that days[HISTORY_DAYS - 1] is, since 1970-01-01; 0: there is none yet */
        struct history_view view; /* its days end with `newest` */
};

void history_record_clear(struct history_record *record);

/* The day of a wall time, by the calendar of this machine's place. */
int64_t history_day(nsec wall);

/* Moves the days so that the last one is `day`. What was before the first is forgotten, and so is what would
 * be to come. */
void history_record_move(struct history_record *record, int64_t day);

/* One line, with its end. */
void history_record_put(struct text *lines, const char *name, const struct history_record *record);

/* Reads one line without its end, which is changed; the name points into it. False when it is none. */
bool history_record_parse(char *line, const char **ret_name, struct history_record *ret);

#endif
