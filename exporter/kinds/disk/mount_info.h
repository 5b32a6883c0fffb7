/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted, as /proc/self/mountinfo tells it. */
#ifndef EXPORTER_KINDS_DISK_MOUNT_INFO_H
#define EXPORTER_KINDS_DISK_MOUNT_INFO_H

#include "runbook/error.h"
#include "runbook/text.h"

/* Reads the table of mounts into `table`. */
int mount_info_read(struct text *table, struct error *error);

/* Finds the mount of that number: its device, or what stands for one ("tmpfs", "server:/export"), and the
 * kind of its file system, both appended. False when the table has none. */
bool mount_info_find(const struct text *table, uint64_t mount, struct text *device, struct text *kind);

#endif
