/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk in memory, as a VFS of SQLite: what was synced survives the death of the process, of what was
 * written since any sectors may. It may be full for a while, and it may die at any write.
 */
#ifndef TESTS_SIM_DISK_H
#define TESTS_SIM_DISK_H

#include "tests/sim/rng.h"

struct disk;

#define DISK_VFS "disk in memory"

/* The one disk there is; empty. Registers the VFS the first time, as SQLite's default. Chance comes from
 * `rng`. */
struct disk *disk_new(struct rng *rng);
void disk_free(struct disk *disk);

/* From the so many-th write or sync on the process is dead to the disk: nothing reaches it any more. 0:
 * never. */
void disk_die_after(struct disk *disk, uint64_t operations);
bool disk_is_dead(const struct disk *disk);
void disk_kill(struct disk *disk);

/* The machine is there again, with what the disk kept. */
void disk_restart(struct disk *disk);

/* All of it as it is, and back again: for what is to leave no trace. Nobody has a file open. */
struct disk_copy;
struct disk_copy *disk_copy(const struct disk *disk);
void disk_put_back(struct disk *disk, const struct disk_copy *copy);
struct disk_copy *disk_copy_free(struct disk_copy *copy);

void disk_set_full(struct disk *disk, bool full);

#endif
