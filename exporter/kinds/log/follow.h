/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log files that are read on from where they were left, line by line.
 *
 * A file is known by its inode, not by its name: one that was renamed is read on for as long as it has a name
 * (and then until nothing comes), and one that was truncated, or replaced within the same inode, from its
 * beginning, which the first bytes and those that were read last tell. A copy of what was read is not read
 * again. Where each one was left is kept in a file, so that nothing is lost or counted again over a restart.
 * One thread at a time.
 */
#ifndef EXPORTER_KINDS_LOG_FOLLOW_H
#define EXPORTER_KINDS_LOG_FOLLOW_H

#include "exporter/kinds/shared/paths.h"
#include "runbook/clock.h"

#define LOG_FILES_MAX 256 /* each is an open descriptor */

struct log_follow;

struct log_follow_options {
        const struct config_strings *files; /* patterns of paths */
        const char *state_path;             /* where to keep the offsets; NULL: nowhere. Borrowed */
        bool from_start;                    /* files that are there at the very first run are read, too */
        size_t line_limit;                  /* of a longer line only so much is seen */
};

/* Touches no file yet. */
int log_follow_new(const struct log_follow_options *options, struct log_follow **ret, struct error *error);
struct log_follow *log_follow_free(struct log_follow *follow); /* takes NULL */

/*
 * Calls `each` for every whole line that was not seen before (without its line break; bytes of zero are
 * blanks), until there is none or `deadline` has passed; the rest then is for the next time. -ENOENT when no
 * file matches, other errors of files; those that can be read have been, even so.
 */
int log_follow_run(struct log_follow *follow, struct deadline deadline,
                   void (*each)(const char *line, size_t length, void *context), void *context,
                   struct error *error);

/* How many files there are, and how many bytes of them have not been read. */
size_t log_follow_files(const struct log_follow *follow);
uint64_t log_follow_behind(const struct log_follow *follow);

/* What the last run could not look into and was not named itself: the unreadable of it. */
const struct paths *log_follow_skipped(const struct log_follow *follow);

/* Whether the last run had time for all there was. */
bool log_follow_caught_up(const struct log_follow *follow);

#endif
