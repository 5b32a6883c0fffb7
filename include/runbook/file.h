/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files: read without being interrupted, read whole within a limit, replaced so that nobody ever sees a half.
 *
 * What takes a descriptor gives a negative errno and no sentence; what takes a name gives both. Thread-safe,
 * but for two threads that replace the same file at the same time.
 */
#ifndef RUNBOOK_FILE_H
#define RUNBOOK_FILE_H

#include <sys/types.h>

#include "runbook/error.h"
#include "runbook/text.h"

/*
 * Read until the buffer is full or there is no more, and let no signal cut them short. How many bytes it was:
 * fewer than asked for only at the end of the file (0: it stood there already) or when a descriptor that does
 * not block has no more for now (-EAGAIN when it has none). The second one reads from `offset` and leaves the
 * file's own position alone.
 */
ssize_t file_read(int fd, void *buffer, size_t length);
ssize_t file_read_at(int fd, void *buffer, size_t length, off_t offset);

/* Writes all of it, however often that takes. */
int file_write(int fd, const void *data, size_t length);

/*
 * Appends the file's bytes to `text`: those of a regular file by its path (no fifo under that name ever
 * blocks), or what is left of anything that is open, which `name` names in the sentence. -EFBIG when there
 * are more than `limit`; -EINVAL when the path leads to something else than a regular file.
 */
int file_read_whole(const char *path, size_t limit, struct text *text, struct error *error);
int file_read_rest(int fd, const char *name, size_t limit, struct text *text, struct error *error);

/*
 * Puts `data` in the place of the file, or makes it, with `mode` (less the umask): written beside it under
 * the name
 * "<path>.<pid>.new", synced, and renamed, and the rename is synced. Whoever reads finds the old content or
 * the new one, also after a crash of the machine; after a failure it is the old one, unless what failed was
 * the last sync. Several processes may replace one file at the same time: the last one wins.
 */
int file_replace(const char *path, const void *data, size_t length, mode_t mode, struct error *error);

/*
 * The same where there is nothing yet: -EEXIST when there is, which stays as it is. Of several processes that
 * make one file at the same time, in whatever containers, one does.
 */
int file_make(const char *path, const void *data, size_t length, mode_t mode, struct error *error);

/* Renames within a directory, and syncs that. What lies under the new name stays as it is: -EEXIST. */
int file_rename_new(const char *from, const char *to, struct error *error);

/*
 * The second half of file_replace(), for what was written piece by piece: syncs `fd`, which is `from` in the
 * open directory, renames it to `to`, and syncs the directory.
 */
int file_settle(int fd, int directory, const char *from, const char *to);

/* Makes the directories on the way to `path` that are missing, 0700: all up to its last slash. */
int file_make_directories(const char *path, struct error *error);

#endif
