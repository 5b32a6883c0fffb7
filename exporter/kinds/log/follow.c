/* SPDX-License-Identifier: Apache-2.0 */
/* The files that are followed: finding them, reading on. How they were left is kept by places.c. */
#include "exporter/kinds/log/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <zlib.h>

#include "exporter/kinds/log/places.h"
#include "runbook/file.h"
#include "runbook/trace.h"

#define BUFFER_BYTES ((size_t)64 * 1024)

struct followed {
        struct log_place place;
        char *path; /* where it was seen last, for messages */
        int fd;
        uint64_t size;
        bool listed; /* the patterns match it; else it is read to its end and left */
};

struct log_follow {
        struct log_follow_options options;
        struct followed files[LOG_FILES_MAX];
        size_t count;
        bool begun;     /* it is known what is new and what was there before */
        bool unsaved;   /* something has changed since the places were saved */
        bool caught_up; /* the last run was not ended by its deadline */
        char *buffer;
        size_t buffer_size;
};

/* One search for the files there are. */
struct search {
        struct log_follow *follow;
        const struct log_places *left; /* by the last process, in the first search */
        bool is_new;                   /* what is not followed and was not left came since */
};

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

static void leave_file(struct log_follow *follow, size_t i)
{
        close_p(&follow->files[i].fd);
        free(follow->files[i].path);
        follow->files[i] = follow->files[--follow->count];
        follow->unsaved = true;
}

struct log_follow *log_follow_free(struct log_follow *follow)
{
        if (!follow)
                return NULL;
        while (follow->count > 0)
                leave_file(follow, 0);
        free(follow->buffer);
        free(follow);
        return NULL;
}

size_t log_follow_files(const struct log_follow *follow)
{
        size_t listed = 0;

        for (size_t i = 0; i < follow->count; i++)
                listed += follow->files[i].listed;
        return listed;
}

uint64_t log_follow_behind(const struct log_follow *follow)
{
        uint64_t behind = 0;

        for (size_t i = 0; i < follow->count; i++)
                if (follow->files[i].size > follow->files[i].place.offset)
                        behind += follow->files[i].size - follow->files[i].place.offset;
        return behind;
}

bool log_follow_caught_up(const struct log_follow *follow)
{
        return follow->caught_up;
}

/* The sum of a file's first bytes, as many as `length`; false when it has no longer so many. */
static bool sum_head(int fd, size_t length, uint32_t *ret)
{
        unsigned char head[LOG_HEAD_MAX];

        if (file_read_at(fd, head, length, 0) != (ssize_t)length)
                return false;
        *ret = (uint32_t)crc32(0, head, (uInt)length);
        return true;
}

/* What was read of it is no longer there: what stands there now is new. */
static bool was_replaced(const struct followed *file)
{
        uint32_t sum = 0;

        if (file->size < file->place.offset)
                return true;
        return file->place.head_length > 0 &&
               (!sum_head(file->fd, file->place.head_length, &sum) || sum != file->place.head_sum);
}

static void note_head(struct followed *file)
{
        size_t length = file->place.offset < LOG_HEAD_MAX ? (size_t)file->place.offset : LOG_HEAD_MAX;

        if (length > file->place.head_length && sum_head(file->fd, length, &file->place.head_sum))
                file->place.head_length = (uint32_t)length;
}

static struct followed *find_followed(struct log_follow *follow, const struct stat *status)
{
        for (size_t i = 0; i < follow->count; i++)
                if (follow->files[i].place.device == status->st_dev &&
                    follow->files[i].place.inode == status->st_ino)
                        return &follow->files[i];
        return NULL;
}

/* Rotated logs are compressed beside the others; of those nothing can be read by lines. */
static bool is_compressed(const char *path)
{
        static const char *const ends[] = {".gz", ".xz", ".zst", ".bz2"};
        size_t length = strlen(path);

        for (size_t i = 0; i < N_ELEMENTS(ends); i++)
                if (length > strlen(ends[i]) && strcmp(path + length - strlen(ends[i]), ends[i]) == 0)
                        return true;
        return false;
}

/* Takes a file up that was not followed so far, and its descriptor: where the last process left it, or from
 * its beginning. */
static int take_up(const struct search *search, const char *path, int *fd, const struct stat *status,
                   struct error *error)
{
        const struct log_place *left = log_places_find(search->left, status->st_dev, status->st_ino);
        struct log_follow *follow = search->follow;

        if (follow->count == LOG_FILES_MAX)
                return error_set(error, E2BIG, "more than %d files to follow", LOG_FILES_MAX);
        struct followed *file = &follow->files[follow->count];
        *file = (struct followed){.fd = -1,
                                  .path = strdup(path),
                                  .size = (uint64_t)status->st_size,
                                  .place = {.device = status->st_dev, .inode = status->st_ino}};
        if (!file->path)
                return error_oom(error);
        file->fd = TAKE_FD(*fd);
        if (left)
                file->place = *left;
        else if (!search->is_new)
                file->place.offset = file->size; /* perhaps amid a line, the rest of which then is one */
        follow->count++;
        follow->unsaved = true;
        return 0;
}

/* Opens a file of the patterns, or a rotated one beside it. */
static int see_file(const struct search *search, const char *path, bool listed, struct error *error)
{
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct log_follow *follow = search->follow;
        struct stat status;

        if (fd < 0)
                return errno == ENOENT ? 0 : error_set_errno(error, errno, "%s", path);
        if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
                return 0;
        struct followed *file = find_followed(follow, &status);
        if (!file) {
                if (!listed && !log_places_find(search->left, status.st_dev, status.st_ino))
                        return 0;
                int r = take_up(search, path, &fd, &status, error);
                if (r < 0)
                        return r;
                file = &follow->files[follow->count - 1];
        }
        file->listed = file->listed || listed;
        return 0;
}

/* After a restart: what was rotated away meanwhile still lies beside its old name. */
static int see_rotated(const struct search *search, const char *path, struct error *error)
{
        _cleanup_free_ char *pattern = text_format("%s*", path);
        const struct config_strings patterns = {.items = &pattern, .count = 1};
        _cleanup_paths_ struct paths paths = {0};

        if (!pattern)
                return error_oom(error);
        if (paths_expand(&patterns, &paths, NULL) < 0)
                return 0;
        for (size_t i = 0; i < paths.count; i++) {
                int r = is_compressed(paths.items[i]) ? 0 : see_file(search, paths.items[i], false, error);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* Goes on after a failure, which is returned. */
static int see_files(const struct search *search, const struct paths *paths, struct error *error)
{
        int result = 0;

        for (size_t i = 0; i < paths->count; i++) {
                _cleanup_error_ struct error reason = {0};

                if (is_compressed(paths->items[i]))
                        continue;
                int r = see_file(search, paths->items[i], true, &reason);
                if (r == 0 && search->left->loaded)
                        r = see_rotated(search, paths->items[i], &reason);
                if (r < 0 && result == 0) {
                        result = r;
                        error_move(error, &reason);
                }
        }
        return result;
}

/* Finds the files there are now. Goes on after a failure, which is returned. */
static int find_files(struct log_follow *follow, struct error *error)
{
        _cleanup_(log_places_clear) struct log_places left = {0};
        _cleanup_paths_ struct paths paths = {0};

        for (size_t i = 0; i < follow->count; i++)
                follow->files[i].listed = false;
        if (!follow->begun && follow->options.state_path) {
                int r = log_places_load(follow->options.state_path, &left, error);
                if (r < 0)
                        return r;
        }
        int r = paths_expand(follow->options.files, &paths, error);
        if (r < 0 && r != -ENOENT)
                return r;
        /* With places kept, what is not among them came later. */
        const struct search search = {.follow = follow,
                                      .left = &left,
                                      .is_new = follow->begun || follow->options.from_start || left.loaded};
        int seen = see_files(&search, &paths, r < 0 ? NULL : error);
        follow->begun = true;
        return r < 0 ? r : seen;
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
static int read_on(struct log_follow *follow, struct followed *file, struct deadline deadline,
                   void (*each)(const char *line, size_t length, void *context), void *context,
                   struct error *error)
{
        struct stat status;

        if (fstat(file->fd, &status) == 0)
                file->size = (uint64_t)status.st_size;
        if (was_replaced(file))
                file->place = (struct log_place){.device = file->place.device, .inode = file->place.inode};
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
                note_head(file);
                if (done == 0)
                        return 0;
        }
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

int log_follow_run(struct log_follow *follow, struct deadline deadline,
                   void (*each)(const char *line, size_t length, void *context), void *context,
                   struct error *error)
{
        int result = find_files(follow, error);

        follow->caught_up = follow->begun;
        if (!follow->begun)
                return result;
        for (size_t i = follow->count; i-- > 0;) {
                _cleanup_error_ struct error reason = {0};
                struct followed *file = &follow->files[i];
                uint64_t before = file->place.offset;
                int r = read_on(follow, file, deadline, each, context, &reason);

                follow->unsaved = follow->unsaved || file->place.offset != before;
                trace_step(deadline, "%s: read on from byte %llu to %llu", file->path,
                           (unsigned long long)before, (unsigned long long)file->place.offset);
                if (r == -EAGAIN) {
                        follow->caught_up = false;
                        continue;
                }
                /* Its writer may hold it open for a while after it was rotated: until nothing comes any more.
                 */
                if (!file->listed && (r < 0 || file->place.offset == before))
                        leave_file(follow, i);
                else if (r < 0 && result == 0) {
                        result = r;
                        error_move(error, &reason);
                }
        }
        _cleanup_error_ struct error unsaved = {0};
        int r = save_places(follow, &unsaved);
        if (r < 0 && result == 0) {
                result = r;
                error_move(error, &unsaved);
        }
        return result;
}
