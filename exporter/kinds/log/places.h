/* SPDX-License-Identifier: Apache-2.0 */
/* Where log files were left, kept in a file over restarts: one line of numbers each. */
#ifndef EXPORTER_KINDS_LOG_PLACES_H
#define EXPORTER_KINDS_LOG_PLACES_H

#include <sys/types.h>

#include "runbook/error.h"

#define LOG_HEAD_MAX 256 /* first bytes by which a file is known again */

struct log_place {
        dev_t device;
        ino_t inode;
        uint64_t offset;      /* of the first byte that has not been read */
        uint32_t head_length; /* how many first bytes the sum is of */
        uint32_t head_sum;
        bool in_long_line; /* the rest of a line whose beginning was seen comes next */
};

struct log_places {
        struct log_place *items;
        size_t count;
        bool loaded; /* there was a file */
};

/* A file that is not there is no error: nothing was followed yet. One that is not understood is. */
int log_places_load(const char *path, struct log_places *ret, struct error *error);

/* Replaces the file as a whole. */
int log_places_save(const char *path, const struct log_places *places, struct error *error);

int log_places_add(struct log_places *places, const struct log_place *place);
const struct log_place *log_places_find(const struct log_places *places, dev_t device, ino_t inode);
void log_places_clear(struct log_places *places);

#endif
