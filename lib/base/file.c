/* SPDX-License-Identifier: Apache-2.0 */
/* Files read, replaced, and the directories they lie in. */
#include "runbook/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

enum { CHUNK = 4096, FROM_HERE = -1 };

static ssize_t read_full(int fd, char *buffer, size_t length, off_t offset)
{
        size_t have = 0;
        while (have < length) {
                ssize_t got = offset == FROM_HERE
                                      ? read(fd, buffer + have, length - have)
                                      : pread(fd, buffer + have, length - have, offset + (off_t)have);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0 && have == 0)
                        return -errno;
                if (got <= 0)
                        break; /* an error comes again with the next call */
                have += (size_t)got;
        }
        return (ssize_t)have;
}

ssize_t file_read(int fd, void *buffer, size_t length)
{
        return read_full(fd, buffer, length, FROM_HERE);
}

ssize_t file_read_at(int fd, void *buffer, size_t length, off_t offset)
{
        return offset < 0 ? -EINVAL : read_full(fd, buffer, length, offset);
}

int file_write(int fd, const void *data, size_t length)
{
        const char *at = data;
        while (length > 0) {
                ssize_t put = write(fd, at, length);
                if (put < 0 && errno == EINTR)
                        continue;
                if (put < 0)
                        return -errno;
                at += put;
                length -= (size_t)put;
        }
        return 0;
}

static int too_large(const char *name, size_t limit, struct error *error)
{
        static const struct {
                size_t size;
                const char *name;
        } units[] = {{(size_t)1 << 20, "MiB"}, {(size_t)1 << 10, "KiB"}, {1, "bytes"}};
        size_t i = 0;
        while (limit % units[i].size != 0)
                i++;
        return error_set(error, EFBIG, "%s is larger than %zu %s", name, limit / units[i].size,
                         units[i].name);
}

int file_read_rest(int fd, const char *name, size_t limit, struct text *text, struct error *error)
{
        for (size_t length = 0;;) {
                if (!text_reserve(text, CHUNK))
                        return error_oom(error);
                /* One byte more than is allowed shows that it is too much. */
                size_t room = text->capacity - text->length - 1;
                if (room > limit - length)
                        room = limit - length + 1;
                ssize_t got = file_read(fd, text->data + text->length, room);
                if (got < 0)
                        return error_set_errno(error, (int)-got, "cannot read %s", name);
                text->length += (size_t)got;
                text->data[text->length] = '\0';
                length += (size_t)got;
                if (length > limit)
                        return too_large(name, limit, error);
                if ((size_t)got < room)
                        return 0;
        }
}

int file_read_whole(const char *path, size_t limit, struct text *text, struct error *error)
{
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct stat status;
        if (fd < 0 || fstat(fd, &status) < 0)
                return error_set_errno(error, errno, "cannot open %s", path);
        if (!S_ISREG(status.st_mode))
                return error_set(error, EINVAL, "%s is not a regular file", path);
        return file_read_rest(fd, path, limit, text, error);
}

/* Only where there is nothing: -EEXIST. By a second name where the file system cannot do it by one call. */
static int rename_new(int directory, const char *from, const char *to)
{
        if (renameat2(directory, from, directory, to, RENAME_NOREPLACE) == 0)
                return 0;
        if (errno != EINVAL && errno != ENOSYS)
                return -errno;
        if (linkat(directory, from, directory, to, 0) < 0)
                return -errno;
        return unlinkat(directory, from, 0) < 0 ? -errno : 0;
}

/* Some network file systems have no sync for directories, and say so by EINVAL. */
static int sync_directory(int directory)
{
        return fsync(directory) < 0 && errno != EINVAL ? -errno : 0;
}

/* Without the first sync a crash of the machine leaves an empty file on XFS, without the second the old one.
 */
int file_settle(int fd, int directory, const char *from, const char *to)
{
        if (fsync(fd) < 0 || renameat(directory, from, directory, to) < 0)
                return -errno;
        return sync_directory(directory);
}

static int settle_new(int fd, int directory, const char *from, const char *to)
{
        int r = fsync(fd) < 0 ? -errno : rename_new(directory, from, to);
        return r < 0 ? r : sync_directory(directory);
}

/* How the content that was written beside a file comes under its name. */
struct way {
        const char *beside;
        int (*settle)(int fd, int directory, const char *from, const char *to);
};

static int write_in(int directory, const char *name, const struct way *way, const void *data, size_t length,
                    mode_t mode)
{
        _cleanup_close_ int fd =
                openat(directory, way->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (fd < 0)
                return -errno;
        int r = file_write(fd, data, length);
        if (r >= 0)
                r = way->settle(fd, directory, way->beside, name);
        if (r < 0)
                (void)unlinkat(directory, way->beside, 0);
        return r;
}

/* As file_replace(), within the open directory. A file of that name is from a process of the same number,
 * which has crashed. */
static int replace_in(int directory, const char *name, const void *data, size_t length, mode_t mode)
{
        _cleanup_free_ char *beside = text_format("%s.%d.new", name, (int)getpid());
        if (!beside)
                return -ENOMEM;
        if (unlinkat(directory, beside, 0) < 0 && errno != ENOENT)
                return -errno;
        return write_in(directory, name, &(struct way){beside, file_settle}, data, length, mode);
}

/* As file_make(), within the open directory. Processes of one number may be at it, each in a container. */
static int make_in(int directory, const char *name, const void *data, size_t length, mode_t mode)
{
        uint64_t chance = 0;
        if (getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
                return -errno;
        _cleanup_free_ char *beside = text_format("%s.%016llx.new", name, (unsigned long long)chance);
        return beside ? write_in(directory, name, &(struct way){beside, settle_new}, data, length, mode)
                      : -ENOMEM;
}

static int open_directory_of(const char *path, const char **ret_name)
{
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *parent = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
        int directory = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
        *ret_name = slash ? slash + 1 : path;
        return !parent ? -ENOMEM : directory < 0 ? -errno : directory;
}

int file_replace(const char *path, const void *data, size_t length, mode_t mode, struct error *error)
{
        const char *name;
        _cleanup_close_ int directory = open_directory_of(path, &name);
        int r = directory < 0 ? directory : replace_in(directory, name, data, length, mode);
        return r < 0 ? error_set_errno(error, -r, "cannot write %s", path) : 0;
}

int file_make(const char *path, const void *data, size_t length, mode_t mode, struct error *error)
{
        const char *name;
        _cleanup_close_ int directory = open_directory_of(path, &name);
        int r = directory < 0 ? directory : make_in(directory, name, data, length, mode);
        return r < 0 ? error_set_errno(error, -r, "cannot write %s", path) : 0;
}

int file_rename_new(const char *from, const char *to, struct error *error)
{
        const char *name;
        _cleanup_close_ int directory = open_directory_of(to, &name);
        int r = directory < 0 ? directory : rename_new(AT_FDCWD, from, to);
        if (r >= 0)
                r = sync_directory(directory);
        return r < 0 ? error_set_errno(error, -r, "cannot write %s", to) : 0;
}

int file_make_directories(const char *path, struct error *error)
{
        _cleanup_free_ char *copy = strdup(path);
        if (!copy)
                return error_oom(error);
        for (char *slash = copy + strspn(copy, "/"); (slash = strchr(slash, '/')); slash++) {
                *slash = '\0';
                if (mkdir(copy, 0700) < 0 && errno != EEXIST)
                        return error_set_errno(error, errno, "cannot make the directory %s", copy);
                *slash = '/';
        }
        return 0;
}
