/* SPDX-License-Identifier: Apache-2.0 */
/* The search for the files of the patterns, and for those that were followed under a name of theirs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "exporter/kinds/log/followed.h"
#include "exporter/kinds/log/identity.h"

/* One search for the files there are. */
struct search {
        struct log_follow *follow;
        const struct log_places *left; /* by the last process, in the first search */
        bool is_new;                   /* what is not followed and was not left came since */
};

void log_follow_leave(struct log_follow *follow, size_t i)
{
        close_p(&follow->files[i].fd);
        free(follow->files[i].path);
        follow->files[i] = follow->files[--follow->count];
        follow->unsaved = true;
}

static struct followed *find_followed(struct log_follow *follow, const struct stat *status)
{
        for (size_t i = 0; i < follow->count; i++)
                if (follow->files[i].place.device == status->st_dev &&
                    follow->files[i].place.inode == status->st_ino)
                        return &follow->files[i];
        return NULL;
}

/* Room for one more: of the files that have lost their name to the patterns, the one leaves that was silent
 * for longest. */
static bool make_room(struct log_follow *follow)
{
        size_t silent = follow->count;
        if (follow->count < LOG_FILES_MAX)
                return true;
        for (size_t i = 0; i < follow->count; i++)
                if (follow->files[i].seen + 1 < follow->run && follow->files[i].active < follow->run &&
                    (silent == follow->count || follow->files[i].active < follow->files[silent].active))
                        silent = i;
        if (silent == follow->count)
                return false;
        log_follow_leave(follow, silent);
        return true;
}

/* Takes a file up that was not followed so far, and its descriptor: where the last process left it, or from
 * its beginning. */
static int take_up(const struct search *search, const char *path, int *fd, const struct stat *status,
                   struct error *error)
{
        const struct log_place *left = log_places_find(search->left, status->st_dev, status->st_ino);
        struct log_follow *follow = search->follow;
        if (!make_room(follow))
                return error_set(error, E2BIG, "more than %d files to follow", LOG_FILES_MAX);
        struct followed *file = &follow->files[follow->count];
        *file = (struct followed){.fd = -1,
                                  .path = strdup(path),
                                  .size = (uint64_t)status->st_size,
                                  .linked = true,
                                  .active = follow->run,
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
        if (!file->listed && strcmp(file->path, path) != 0) { /* it was renamed */
                char *now = strdup(path);
                if (!now)
                        return error_oom(error);
                free(file->path);
                file->path = now;
        }
        file->listed = file->listed || listed;
        if (listed)
                file->seen = follow->run;
        return 0;
}

/* After a restart: what was renamed meanwhile, to whatever name, lies in the directory of its old one as a
 * rule. It is looked for beside `path`; the inode that a directory tells is not the file's everywhere. */
static int see_renamed(const struct search *search, const char *path, struct error *error)
{
        const char *name = strrchr(path, '/') + 1;
        _cleanup_free_ char *parent = strndup(path, (size_t)(name - path));
        int r = 0;
        if (!parent)
                return error_oom(error);
        DIR *directory = opendir(parent);
        if (!directory)
                return 0;
        for (const struct dirent *entry; r != -ENOMEM && (entry = readdir(directory));) {
                _cleanup_free_ char *found = NULL;
                if (log_name_is_compressed(entry->d_name) ||
                    (!string_starts(entry->d_name, name) && !log_places_have(search->left, entry->d_ino)))
                        continue;
                found = text_format("%s%s", parent, entry->d_name);
                r = found ? see_file(search, found, false, error) : error_oom(error);
        }
        closedir(directory);
        return r;
}

/* A file that a pattern happens to match costs itself when it may not be read; one that is named does not. */
static bool may_be_skipped(const struct search *search, const char *path, int r)
{
        const struct config_strings *files = search->follow->options.files;
        return (r == -EACCES || r == -EPERM) &&
               words_find((const char *const *)files->items, files->count, path) < 0;
}

/* Goes on after a failure, which is returned. Nothing but what has to be skipped is one. */
static int see_files(const struct search *search, const struct paths *paths, struct error *error)
{
        _cleanup_error_ struct error skipped = {0};
        int result = 0, last = 0;
        bool read = false;
        for (size_t i = 0; i < paths->count; i++) {
                _cleanup_error_ struct error reason = {0};
                if (log_name_is_compressed(paths->items[i]))
                        continue;
                int r = see_file(search, paths->items[i], true, &reason);
                read = read || r == 0;
                if (r < 0 && may_be_skipped(search, paths->items[i], r)) {
                        last = r;
                        error_move(&skipped, &reason);
                        r = paths_note_unreadable(&search->follow->skipped, paths->items[i]);
                }
                if (r < 0 && result == 0) {
                        result = r;
                        error_move(error, &reason);
                }
        }
        if (result == 0 && last < 0 && !read) {
                result = last;
                error_move(error, &skipped);
        }
        return result;
}

/* After a restart: those that were followed, under names that no pattern matches. What cannot be read of them
 * now is left. */
static void see_all_renamed(const struct search *search, const struct paths *paths)
{
        const struct config_strings *files = search->follow->options.files;
        for (size_t i = 0; i < paths->count; i++)
                (void)see_renamed(search, paths->items[i], NULL);
        for (size_t i = 0; i < files->count; i++)
                (void)see_renamed(search, files->items[i], NULL);
}

int log_follow_find(struct log_follow *follow, struct error *error)
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
        if (r < 0 && r != -ENOENT && r != -EACCES)
                return r;
        paths_release(&follow->skipped);
        follow->skipped.unreadable = TAKE_PTR(paths.unreadable);
        follow->skipped.unreadable_count = paths.unreadable_count;
        paths.unreadable_count = 0;
        /* With places kept, what is not among them came later. */
        const struct search search = {.follow = follow,
                                      .left = &left,
                                      .is_new = follow->begun || follow->options.from_start || left.loaded};
        int seen = see_files(&search, &paths, r < 0 ? NULL : error);
        if (left.loaded)
                see_all_renamed(&search, &paths);
        follow->begun = true;
        return r < 0 ? r : seen;
}
