/* SPDX-License-Identifier: Apache-2.0 */
/* Compression for Content-Encoding: gzip. */
#ifndef RUNBOOK_GZIP_H
#define RUNBOOK_GZIP_H

#include "runbook/text.h"

/* Appends the bytes, compressed. -ENOMEM, and -E2BIG beyond 4 GiB. */
int gzip_compress(const void *data, size_t length, struct text *text);

#endif
