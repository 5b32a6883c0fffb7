/* SPDX-License-Identifier: Apache-2.0 */
/* Where an incident's evidence lies, and how much room there is for more of it. */
#include "responder/actions/shared/evidence_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "runbook/file.h"

#define OWNER ".incident"
#define SUMS_MAX ((size_t)16 * 1024 * 1024)
enum { SUM_TEXT = DIGEST_TEXT_MAX - 1, OWNER_MAX = 256 };

static int set_failure(struct error *error, int code, const char *what, const char *path)
{
        return error_set_errno(error, code, "evidence: cannot %s %s", what, path);
}

static void directory_close(DIR **directory)
{
        if (*directory)
                closedir(*directory);
}
#define _cleanup_directory_ _cleanup_(directory_close)

/* Of what `fd` is open on, from its beginning; NULL after an error. */
static DIR *list_directory(int fd)
{
        int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory = again < 0 ? NULL : fdopendir(again);
        if (!directory && again >= 0)
                close(again);
        return directory;
}

bool evidence_plain_name(const char *name)
{
        return name && *name && *name != '.' && !strchr(name, '/') && !strchr(name, '\n') &&
               !strchr(name, '\\') && strlen(name) <= 200 && strcmp(name, EVIDENCE_SUMS) != 0;
}

int evidence_read_sums(int directory, struct text *sums, struct error *error)
{
        _cleanup_close_ int fd = openat(directory, EVIDENCE_SUMS, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return errno == ENOENT ? 0 : set_failure(error, errno, "open", EVIDENCE_SUMS);
        return error_prefix(error, file_read_rest(fd, EVIDENCE_SUMS, SUMS_MAX, sums, error), "evidence");
}

int evidence_sum(int fd, char ret_sum[static DIGEST_TEXT_MAX], uint64_t *ret_size, struct error *error)
{
        _cleanup_digest_ struct digest digest = {0};
        unsigned char sum[DIGEST_SIZE];
        uint64_t size = 0;
        char piece[16384];
        ssize_t got;
        while ((got = file_read(fd, piece, sizeof(piece))) > 0) {
                digest_add(&digest, piece, (size_t)got);
                size += (size_t)got;
        }
        if (got < 0)
                return error_set_errno(error, (int)-got, "evidence: cannot read");
        if (digest_end(&digest, sum) < 0)
                return error_set(error, EIO, "evidence: SHA-256 failed");
        *ret_size = size;
        digest_text(sum, ret_sum);
        return 0;
}

/* Whose it is, "" when it does not say. */
static int read_owner(int directory, struct text *owner, struct error *error)
{
        _cleanup_close_ int fd = openat(directory, OWNER, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return errno == ENOENT ? 0 : set_failure(error, errno, "open", OWNER);
        return error_prefix(error, file_read_rest(fd, OWNER, OWNER_MAX, owner, error), "evidence");
}

static bool is_empty(int fd)
{
        _cleanup_directory_ DIR *directory = list_directory(fd);
        const struct dirent *entry = NULL;
        while (directory && (entry = readdir(directory)))
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        return false;
        return directory;
}

static int set_owner(const char *path, const char *owner, struct error *error)
{
        _cleanup_free_ char *file = text_format("%s" OWNER, path);
        if (!file)
                return error_oom(error);
        return error_prefix(error, file_replace(file, owner, strlen(owner), 0400, error), "evidence");
}

/* 1: it is the incident's, and open; 0: it is another one's. */
static int open_one(const char *path, const char *owner, bool make, int *ret, struct error *error)
{
        int r = make ? file_make_directories(path, error) : 0;
        if (r < 0)
                return error_prefix(error, r, "evidence");
        _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return set_failure(error, errno, "open", path);
        _cleanup_text_ struct text found = {0};
        r = read_owner(fd, &found, error);
        if (r < 0)
                return r;
        if (found.length == 0 && make && is_empty(fd)) {
                r = set_owner(path, owner, error);
                if (r < 0)
                        return r;
        } else if (!string_equal(text_string(&found), owner)) {
                return 0;
        }
        *ret = TAKE_FD(fd);
        return 1;
}

int evidence_place_open(const struct evidence_place *place, bool make, int *ret, char **ret_path,
                        struct error *error)
{
        if (!evidence_plain_name(place->incident))
                return error_set(error, EINVAL, "evidence: \"%s\" is no incident",
                                 place->incident ? place->incident : "");
        _cleanup_free_ char *owner =
                text_format("%s opened at %" PRId64 "\n", place->incident, place->opened_at);
        _cleanup_free_ char *plain = text_format("%s/%s/", place->directory, place->incident);
        _cleanup_free_ char *other =
                text_format("%s/%s.%" PRId64 "/", place->directory, place->incident, place->opened_at);
        if (!owner || !plain || !other)
                return error_oom(error);
        int r = open_one(plain, owner, make, ret, error);
        if (r > 0)
                *ret_path = TAKE_PTR(plain);
        if (r != 0)
                return r < 0 ? r : 0;
        r = open_one(other, owner, make, ret, error);
        if (r > 0)
                *ret_path = TAKE_PTR(other);
        return r != 0 ? (r < 0 ? r : 0) : error_set(error, EEXIST, "evidence: %s is somebody else's", other);
}

/* What the files of one directory take, also those that are still written, but for what is said of them; of
 * one with several names each has its part. */
static uint64_t used_by(int fd)
{
        _cleanup_directory_ DIR *directory = list_directory(fd);
        const struct dirent *entry = NULL;
        uint64_t used = 0;
        struct stat stat;
        while (directory && (entry = readdir(directory)))
                if (strcmp(entry->d_name, OWNER) != 0 && strcmp(entry->d_name, EVIDENCE_SUMS) != 0 &&
                    fstatat(fd, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(stat.st_mode) &&
                    stat.st_nlink > 0)
                        used += (uint64_t)stat.st_size / stat.st_nlink;
        return used;
}

static uint64_t used_in_all(const char *path)
{
        _cleanup_close_ int base = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_directory_ DIR *directory = base < 0 ? NULL : list_directory(base);
        const struct dirent *entry = NULL;
        uint64_t used = 0;
        while (directory && (entry = readdir(directory))) {
                if (!evidence_plain_name(entry->d_name))
                        continue;
                _cleanup_close_ int fd =
                        openat(base, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                if (fd >= 0)
                        used += used_by(fd);
        }
        return used;
}

int evidence_check_free(const struct evidence_place *place, int fd, uint64_t *ret_free, struct error *error)
{
        struct statvfs disk;
        if (fstatvfs(fd, &disk) < 0)
                return set_failure(error, errno, "ask for the free space of", place->directory);
        uint64_t there = (uint64_t)disk.f_bavail * disk.f_frsize;
        if (there <= (uint64_t)place->keep_free)
                return error_set(error, ENOSPC,
                                 "evidence: the disk of %s has %" PRIu64
                                 " MiB left, and evidence_keep_free leaves "
                                 "%" PRId64 " MiB to others",
                                 place->directory, there >> 20, place->keep_free >> 20);
        *ret_free = there - (uint64_t)place->keep_free;
        return 0;
}

static int check_bound(const char *bound, uint64_t used, int64_t most, const char *where, uint64_t *room,
                       struct error *error)
{
        if (used >= (uint64_t)most)
                return error_set(error, EDQUOT, "evidence: %s holds %" PRIu64 " bytes, and %s is %" PRId64,
                                 where, used, bound, most);
        if ((uint64_t)most - used < *room)
                *room = (uint64_t)most - used;
        return 0;
}

int evidence_room_left(const struct evidence_place *place, int fd, uint64_t *ret, struct error *error)
{
        uint64_t room = 0;
        int r = evidence_check_free(place, fd, &room, error);
        if (r >= 0)
                r = check_bound("evidence_per_incident", used_by(fd), place->per_incident, place->incident,
                                &room, error);
        if (r >= 0)
                r = check_bound("evidence_total", used_in_all(place->directory), place->total,
                                place->directory, &room, error);
        if (r >= 0)
                *ret = room;
        return r;
}

/* A file that a list has with this sum, if it still is that; -1: none. */
static int open_twin(int directory, const char *sum, uint64_t size, char **ret_name)
{
        _cleanup_text_ struct text sums = {0};
        char found[DIGEST_TEXT_MAX];
        uint64_t found_size = 0;
        if (evidence_read_sums(directory, &sums, NULL) < 0 || sums.length == 0)
                return -1;
        const char *line = text_string(&sums);
        while (line && strncmp(line, sum, SUM_TEXT) != 0)
                line = (line = strchr(line, '\n')) ? line + 1 : NULL;
        if (!line || strncmp(line + SUM_TEXT, "  ", 2) != 0)
                return -1;
        _cleanup_free_ char *name = strndup(line + SUM_TEXT + 2, strcspn(line + SUM_TEXT + 2, "\n"));
        if (!evidence_plain_name(name))
                return -1;
        _cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        struct stat stat;
        if (fd < 0 || fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode) || (uint64_t)stat.st_size != size ||
            evidence_sum(fd, found, &found_size, NULL) < 0 || strcmp(found, sum) != 0)
                return -1;
        *ret_name = TAKE_PTR(name);
        return TAKE_FD(fd);
}

int evidence_link_twin(const struct evidence_place *place, int fd, const char *name, const char *sum,
                       uint64_t size)
{
        _cleanup_close_ int base = open(place->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_directory_ DIR *directory = base < 0 ? NULL : list_directory(base);
        const struct dirent *entry = NULL;
        while (directory && (entry = readdir(directory))) {
                if (!evidence_plain_name(entry->d_name))
                        continue;
                _cleanup_close_ int other =
                        openat(base, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                _cleanup_free_ char *twin_name = NULL;
                _cleanup_close_ int twin = other < 0 ? -1 : open_twin(other, sum, size, &twin_name);
                if (twin >= 0)
                        return linkat(other, twin_name, fd, name, 0) == 0;
        }
        return 0;
}
