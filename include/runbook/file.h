/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are read as a whole: what the kernel tells in /proc, certificates. */
#ifndef EXPORTER_SMALL_FILE_H
#define EXPORTER_SMALL_FILE_H

#include "runbook/error.h"
#include "runbook/text.h"

/* Appends the file's bytes. -EFBIG when there are more than `limit`; -EINVAL when it is no regular file. */
int small_file_read(const char *path, size_t limit, struct text *text, struct error *error);

#endif
