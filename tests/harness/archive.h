/* SPDX-License-Identifier: Apache-2.0 */
/* A tar stream of one file, as GET /containers/{id}/archive gives it. */
#ifndef TESTS_HARNESS_ARCHIVE_H
#define TESTS_HARNESS_ARCHIVE_H

#include "runbook/text.h"

#define ARCHIVE_TIME 1600000000 /* 2020-09-13 12:26:40 UTC */

/* Appends the whole stream to `tar`; `name` of at most 99 bytes, `time` in seconds since 1970. */
void archive_of(struct text *tar, const char *name, const char *content, size_t size, long long time);

#endif
