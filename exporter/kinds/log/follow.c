/* SPDX-License-Identifier: Apache-2.0 */
/* Reading on in the files that are followed. find.c finds them; how they were left is kept by places.c. */
#include "exporter/kinds/log/follow.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "exporter/kinds/log/followed.h"
#include "exporter/kinds/log/identity.h"
#include "runbook/file.h"
#include "runbook/trace.h"

#define BUFFER_BYTES ((size_t)64 * 1024)

int log_follow_new(const struct log_follow_options *options, struct log_follow **ret, struct error *error)
{
        struct log_follow *follow = calloc(1, sizeof(*follow));
        if (!follow)
                return error_oom(error);
        follow->options = *options;
        follow->buffer_size = options->line_limit > BUFFER_BYTES ? options->line_limit : BUFFER_BYTES;
        follow->buffer = malloc(follow->buffer_size + 1);
        if (!follow->buffer) {
                log_follow_free(follow);
                return error_oom(error);
        }
        *ret = follow;
        return 0;
}

struct log_follow *log_follow_free(struct log_follow *follow)
{
        if (!follow)
                return NULL;
        while (follow->count > 0)
                log_follow_leave(follow, 0);
        paths_release(&follow->skipped);
        free(follow->buffer);
        free(follow);
        return NULL;
}

size_t log_follow_files(const struct log_follow *follow)
{
        size_t listed = 0;
        for (size_t i = 0; i < follow->count; i++)
                listed += follow->files[i].listed && !follow->files[i].compressed;
        return listed;
}

uint64_t log_follow_behind(const struct log_follow *follow)
{
        uint64_t behind = 0;
        for (size_t i = 0; i < follow->count; i++)
                if (!follow->files[i].compressed && follow->files[i].size > follow->files[i].place.offset)
                        behind += follow->files[i].size - follow->files[i].place.offset;
        return behind;
}

const struct paths *log_follow_skipped(const struct log_follow *follow)
{
        return &follow->skipped;
}

bool log_follow_caught_up(const struct log_follow *follow)
{
        return follow->caught_up;
}

/* Gives the whole lines of the buffer away; the number of bytes that are done with. */
static size_t give_lines(struct log_follow *follow, struct followed *file, size_t length,
                         void (*each)(const char *line, size_t length, void *context), void *context)
{
        char *at = follow->buffer, *end = follow->buffer + length;
        for (char *stop; (stop = memchr(at, '\n', (size_t)(end - at))); at = stop + 1) {
                size_t line = (size_t)(stop - at);
                if (file->place.in_long_line) {
                        file->place.in_long_line = false; /* its beginning was seen */
                        continue;
                }
                line -= line > 0 && stop[-1] == '\r';
                at[line < follow->options.line_limit ? line : follow->options.line_limit] = '\0';
                each(at, strlen(at), context);
        }
        if (at > follow->buffer || length < follow->buffer_size)
                return (size_t)(at - follow->buffer);
        if (!file->place.in_long_line) {
                follow->buffer[follow->options.line_limit] = '\0';
                each(follow->buffer, follow->options.line_limit, context);
        }
        file->place.in_long_line = true;
        return length;
}

/* Reads on to the end of the file. -EAGAIN when the time is over. */
static int read_lines(struct log_follow *follow, struct followed *file, struct deadline deadline,
                      void (*each)(const char *line, size_t length, void *context), void *context,
                      struct error *error)
{
        for (;;) {
                if (deadline_passed(deadline))
                        return -EAGAIN;
                ssize_t got = file_read_at(file->fd, follow->buffer, follow->buffer_size,
                                           (off_t)file->place.offset);
                if (got < 0)
                        return error_set_errno(error, (int)-got, "%s", file->path);
                for (ssize_t i = 0; i < got; i++)
                        if (follow->buffer[i] == '\0')
                                follow->buffer[i] = ' ';
                size_t done = give_lines(follow, file, (size_t)got, each, context);
                file->place.offset += done;
                if (done == 0)
                        return 0;
        }
}

static void look_at(struct followed *file, uint64_t run)
{
        struct stat status;
        if (fstat(file->fd, &status) == 0) {
                file->size = (uint64_t)status.st_size;
                file->linked = status.st_nlink > 0;
        }
        if (file->place.offset > 0 && !log_place_holds(file->fd, file->size, &file->place)) {
                file->lost = file->place;
                file->lost_run = run;
                file->copied = false;
                file->place = (struct log_place){.device = file->place.device, .inode = file->place.inode};
        }
}

/* Nothing of the file was read yet, or what there was of it was a copy: where to begin is to be found out. */
static bool is_unsettled(const struct followed *file)
{
        return file->place.offset == 0 || file->copied;
}

/*
 * Whether a file holds all that had been read of another one, which does not hold it any more: since the last
 * run, in which the copy may not have been there yet, or since it was read in this one.
 */
static bool is_copy_of_lost(const struct log_follow *follow, const struct followed *file,
                            const struct followed *other, struct log_place *ret)
{
        struct stat status;
        bool lost = other->lost_run > 0 && other->lost_run + 1 >= follow->run;
        const struct log_place *place = lost ? &other->lost : &other->place;
        if (place->tail_length == 0 || !log_place_holds(file->fd, file->size, place))
                return false;
        if (!lost &&
            (fstat(other->fd, &status) < 0 || log_place_holds(other->fd, (uint64_t)status.st_size, place)))
                return false;
        *ret = *place;
        return true;
}

/*
 * Whether a file was put in another one's place that is gone, and is that one with more behind it: as rsync
 * does with a log that it copies, and editors do. One that is no longer holds other lines, if the same ones.
 */
static bool replaces(const struct followed *file, const struct followed *other)
{
        return !other->linked && other->place.tail_length > 0 && string_equal(file->path, other->path) &&
               file->size > other->place.offset && log_place_holds(file->fd, file->size, &other->place);
}

/*
 * Where to begin in a file. One that holds what had been read of another one, which no longer holds it, is
 * the copy that copytruncate made: it is read on from there, as is one that was put in its place. One that is
 * named as a rotated other one, and all of which stands there as well, is a copy before the truncation: the
 * other one is read, and this one only once it holds something else. Any other file is read from its start.
 */
static void settle(struct log_follow *follow, struct followed *file)
{
        struct log_place place = {0};
        bool copied = false, found = false;
        file->compressed = file->place.offset == 0 && log_head_is_compressed(file->fd);
        if (file->compressed || file->size == 0)
                return;
        for (size_t i = 0; i < follow->count && !found; i++)
                found = &follow->files[i] != file && is_copy_of_lost(follow, file, &follow->files[i], &place);
        for (size_t i = 0; i < follow->count && !found; i++)
                if (&follow->files[i] != file && replaces(file, &follow->files[i])) {
                        place = follow->files[i].place;
                        found = true;
                }
        for (size_t i = 0; i < follow->count && !found; i++) {
                const struct followed *other = &follow->files[i];
                copied = found = other != file && log_name_is_rotated(file->path, other->path) &&
                                 log_file_begins(file->fd, file->size, other->fd);
                place.offset = copied ? file->size : 0;
        }
        if (!found && file->copied && file->size == file->place.offset)
                return; /* what is there was read in the other one, wherever that is now */
        file->copied = copied;
        place.device = file->place.device;
        place.inode = file->place.inode;
        file->place = place;
}

/* Reads on in one file. */
static int read_on(struct log_follow *follow, struct followed *file, struct deadline deadline,
                   void (*each)(const char *line, size_t length, void *context), void *context,
                   struct error *error)
{
        const uint64_t before = file->place.offset;
        if (file->compressed || file->copied)
                return 0;
        int r = read_lines(follow, file, deadline, each, context, error);
        trace_step(deadline, "%s: read on from byte %llu to %llu", file->path, (unsigned long long)before,
                   (unsigned long long)file->place.offset);
        return r;
}

/* What was read is put down, and by what it is known again. */
static void note_place(struct log_follow *follow, struct followed *file)
{
        bool moved = file->place.offset != file->before.offset || file->lost_run == follow->run;
        if (moved || file->place.tail_length == 0)
                log_place_note(file->fd, &file->place);
        if (moved)
                file->active = follow->run;
        follow->unsaved = follow->unsaved || moved;
}

static int save_places(struct log_follow *follow, struct error *error)
{
        _cleanup_(log_places_clear) struct log_places places = {0};
        if (!follow->options.state_path || !follow->unsaved)
                return 0;
        for (size_t i = 0; i < follow->count; i++)
                if (log_places_add(&places, &follow->files[i].place) < 0)
                        return error_oom(error);
        int r = log_places_save(follow->options.state_path, &places, error);
        follow->unsaved = r < 0;
        return r;
}

/* Reads the files of which it is known where they were left, or else the others. A failure, the first of
 * which is kept, ends nothing. */
static void read_files(struct log_follow *follow, bool unsettled, struct deadline deadline,
                       void (*each)(const char *line, size_t length, void *context), void *context,
                       int *result, struct error *error)
{
        for (size_t i = follow->count; i-- > 0;) {
                _cleanup_error_ struct error reason = {0};
                struct followed *file = &follow->files[i];
                if (file->done)
                        continue;
                look_at(file, follow->run);
                if (is_unsettled(file) != unsettled)
                        continue;
                if (unsettled)
                        settle(follow, file);
                file->done = true;
                int r = read_on(follow, file, deadline, each, context, &reason);
                note_place(follow, file);
                if (r == -EAGAIN)
                        follow->caught_up = false;
                else if (r < 0 && !file->listed)
                        file->linked = false; /* what cannot be read any more is left */
                else if (r < 0 && *result == 0) {
                        *result = r;
                        error_move(error, &reason);
                }
        }
}

int log_follow_run(struct log_follow *follow, struct deadline deadline,
                   void (*each)(const char *line, size_t length, void *context), void *context,
                   struct error *error)
{
        follow->run++;
        int result = log_follow_find(follow, error);

        follow->caught_up = follow->begun;
        if (!follow->begun)
                return result;
        for (size_t i = 0; i < follow->count; i++) {
                follow->files[i].before = follow->files[i].place;
                follow->files[i].done = false;
        }
        /* The originals before their copies: what is read of them is not read there. */
        read_files(follow, false, deadline, each, context, &result, error);
        read_files(follow, true, deadline, each, context, &result, error);
        /* Its writer may hold a file open after it was renamed, for as long as it has a name; and when it has
         * none any more, until nothing comes. */
        for (size_t i = follow->count; i-- > 0;)
                if (!follow->files[i].listed && !follow->files[i].linked &&
                    follow->files[i].active < follow->run)
                        log_follow_leave(follow, i);
        _cleanup_error_ struct error unsaved = {0};
        int r = save_places(follow, &unsaved);
        if (r < 0 && result == 0) {
                result = r;
                error_move(error, &unsaved);
        }
        return result;
}
