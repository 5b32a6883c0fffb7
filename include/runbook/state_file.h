/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept over restarts: lines under a title, in a file of their own that is replaced as a whole. */
#ifndef RUNBOOK_STATE_FILE_H
#define RUNBOOK_STATE_FILE_H

#include "runbook/clock.h"
#include "runbook/error.h"
#include "runbook/text.h"

/* How it went with those of this process, over all threads. */
struct state_file_counts {
        uint64_t unread;    /* reads that failed, and files that do not hold what they should */
        uint64_t unwritten; /* writes that failed */
        nsec written_at;    /* wall: the last write that did not; 0: there was none */
};
struct state_file_counts state_file_counts(void);

/* Of a file without a title: file_read_whole() and file_replace(), and counted. 1 when there is a file, 0
 * when there is none (yet). */
int state_file_read(const char *path, size_t limit, struct text *content, struct error *error);
int state_file_write(const char *path, const struct text *content, struct error *error);

/*
 * Appends what stands below the title to `lines`. 1 when there is a file, 0 when there is none (yet); -EINVAL
 * when it has another title.
 */
int state_file_load(const char *path, const char *title, struct text *lines, struct error *error);

/* Gives the file's -EINVAL for lines that the caller does not understand. */
int state_file_broken(const char *path, const char *title, struct error *error);

/*
 * For lines that are to be whole or not at all: appends one with the sum of those that are there; cuts it off
 * again, false when the last one is not the sum of the others.
 */
void state_file_put_sum(struct text *lines);
bool state_file_take_sum(struct text *lines);

/* A crash of the machine may bring an older state back, but never half of one. */
int state_file_save(const char *path, const char *title, const struct text *lines, struct error *error);

#endif
