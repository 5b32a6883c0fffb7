/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is remembered of a check over restarts: that a run of it, as the file defines it now, has succeeded
 * once.
 *
 * What a check that never succeeded misses was perhaps never set up; what one misses that did is gone. Both
 * functions read or write a small file in the check's state directory, and do nothing where it has none, or
 * where the check is pointed at another target. Any thread may call them.
 */
#ifndef EXPORTER_SCHEDULE_MEMORY_H
#define EXPORTER_SCHEDULE_MEMORY_H

#include "exporter/check/check.h"

/* Whether it is remembered. A file that cannot be read remembers nothing. */
bool memory_has_success(const struct check *check);

/* Remembers it. What file_replace() answers. */
int memory_put_success(const struct check *check, struct error *error);

#endif
