/* SPDX-License-Identifier: Apache-2.0 */
/* The form of a record on disk. */
#ifndef EXPORTER_PINGS_INTERNAL_H
#define EXPORTER_PINGS_INTERNAL_H

#include "exporter/pings/pings.h"

/* Nothing is known. */
void ping_record_clear(struct ping_record *record);

/* What a ping changes. */
void ping_record_note(struct ping_record *record, const struct ping *ping);

/* -EINVAL when it is not whole, by its sum, or not of this form; 0 with all unknown when there is no file. */
int ping_record_load(const char *path, struct ping_record *ret, struct error *error);
int ping_record_save(const char *path, const struct ping_record *record, struct error *error);

#endif
