/* SPDX-License-Identifier: Apache-2.0 */
/* Where log files were left, kept in a file over restarts: one line of numbers each. The
 * version before wrote the first six of them. */
#ifndef EXPORTER_KINDS_LOG_PLACES_H
#define EXPORTER_KINDS_LOG_PLACES_H

#include <sys/types.h>

#include "runbook/error.h"

/* Bytes by which a file is known again: the first ones, and those that were read last. */
#define LOG_HEAD_MAX 256
#define LOG_TAIL_MAX 16384

struct log_place {
        dev_t device;
        ino_t inode;
        uint64_t offset;      /* of the first byte that has not been read */
        uint32_t head_length; /* how many first bytes the sum is of */
        uint32_t head_sum;
        uint32_t tail_length; /* how many bytes before the offset the sum is of; 0: it is not known */
        uint32_t tail_sum;
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
bool log_places_have(const struct log_places *places, ino_t inode); /* on whatever device */
void log_places_clear(struct log_places *places);

#endif
