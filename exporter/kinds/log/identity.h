/* SPDX-License-Identifier: Apache-2.0 */
/*
 * By what a log file is known again: sums over what was read of it, its name beside another one's, its first
 * bytes. Nothing here keeps a state; descriptors are borrowed and their offsets are not moved.
 */
#ifndef EXPORTER_KINDS_LOG_IDENTITY_H
#define EXPORTER_KINDS_LOG_IDENTITY_H

#include "exporter/kinds/log/places.h"

/* Puts the sums of what stands before the offset down in the place. */
void log_place_note(int fd, struct log_place *place);

/* Whether a file of `size` bytes holds what was read up to the place, as far as the sums tell. */
bool log_place_holds(int fd, uint64_t size, const struct log_place *place);

/* Whether all of a file, which is not empty, is how another one begins; looked at by its beginning and end.
 */
bool log_file_begins(int fd, uint64_t size, int longer);

/* Whether `path` is named as a rotated `original` is: b.log.1, b.log-20260101, b-20260101.log for b.log, in
 * whatever directory. */
bool log_name_is_rotated(const char *path, const char *original);

/* Whether a file is compressed: by its name, by its first bytes. Nothing can be read by lines in it. */
bool log_name_is_compressed(const char *path);
bool log_head_is_compressed(int fd);

#endif
