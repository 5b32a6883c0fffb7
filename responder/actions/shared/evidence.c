/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence files: written under a hidden name, summed on the way, renamed when complete, then listed.
 *
 * A file counts as sealed once SHA256SUMS lists it. A crash between rename and listing leaves a file that is
 * not listed: it is written again.
 */
#include "responder/actions/shared/evidence_place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "runbook/digest.h"
#include "runbook/file.h"

#define SUMS EVIDENCE_SUMS
enum { SUM_TEXT = DIGEST_TEXT_MAX - 1 };
/* The disk is asked for what is left on it once in so many bytes. */
#define LOOK_AT_DISK ((uint64_t)1 << 20)

struct evidence_file {
        int directory, fd;
        char *path;           /* directory/incident/ */
        char *name, *partial; /* in the directory */
        struct digest digest;
        uint64_t size, room;         /* how large it is, and may be */
        uint64_t looked;             /* its size when the disk was looked at last */
        struct evidence_place place; /* its strings are borrowed */
};

static int set_failure(struct error *error, int code, const char *what, const char *path, const char *name)
{
        return error_set_errno(error, code, "evidence: cannot %s %s%s", what, path, name);
}

static int end_digest(struct digest *digest, char ret_sum[static DIGEST_TEXT_MAX], struct error *error)
{
        unsigned char sum[DIGEST_SIZE];
        if (digest_end(digest, sum) < 0)
                return error_set(error, EIO, "evidence: SHA-256 failed");
        digest_text(sum, ret_sum);
        return 0;
}

/* The line of a file in SHA256SUMS, NULL when it has none: "<64 digits>  <name>\n". */
static const char *find_line(const char *sums, const char *name)
{
        size_t length = strlen(name);
        for (const char *line = sums; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
                if (strcspn(line, "\n") == SUM_TEXT + 2 + length &&
                    strncmp(line + SUM_TEXT + 2, name, length) == 0)
                        return line;
        return NULL;
}

int evidence_create(const struct evidence_place *place, const char *name, struct evidence_file **ret,
                    struct error *error)
{
        if (!evidence_plain_name(name))
                return error_set(error, EINVAL, "evidence: \"%s\" is no file name", name ? name : "");
        _cleanup_evidence_ struct evidence_file *file = calloc(1, sizeof(*file));
        if (!file)
                return error_oom(error);
        file->directory = file->fd = -1;
        file->place = *place;
        int r = evidence_place_open(place, true, &file->directory, &file->path, error);
        if (r < 0)
                return r;

        _cleanup_text_ struct text sums = {0};
        r = evidence_read_sums(file->directory, &sums, error);
        if (r < 0)
                return r;
        if (find_line(text_string(&sums), name))
                return error_set(error, EEXIST, "evidence: %s%s is sealed already", file->path, name);

        file->name = strdup(name);
        file->partial = text_format(".%s.partial", name);
        if (!file->name || !file->partial)
                return error_oom(error);
        /* What a crash left half-written goes first. */
        if (unlinkat(file->directory, file->partial, 0) < 0 && errno != ENOENT)
                return set_failure(error, errno, "remove", file->path, file->partial);
        r = evidence_room_left(place, file->directory, &file->room, error);
        if (r < 0)
                return r;
        file->fd = openat(file->directory, file->partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
        if (file->fd < 0)
                return set_failure(error, errno, "create", file->path, file->partial);
        *ret = TAKE_PTR(file);
        return 0;
}

uint64_t evidence_room(const struct evidence_file *file)
{
        return file->room - file->size;
}

int evidence_write(struct evidence_file *file, const void *data, size_t length, struct error *error)
{
        uint64_t left = 0;
        if (length > evidence_room(file))
                return error_set(error, EDQUOT, "evidence: %s%s has no room for more", file->path,
                                 file->name);
        /* Others fill it as well. */
        if (file->size - file->looked >= LOOK_AT_DISK) {
                int r = evidence_check_free(&file->place, file->directory, &left, error);
                if (r < 0)
                        return r;
                file->looked = file->size;
        }
        int r = file_write(file->fd, data, length);
        if (r < 0)
                return set_failure(error, -r, "write", file->path, file->partial);
        digest_add(&file->digest, data, length);
        file->size += length;
        return 0;
}

/* Adds one line to SHA256SUMS by replacing it; the lock keeps two seals of one incident apart. */
static int list_sum(const struct evidence_file *file, const char *sum, struct error *error)
{
        _cleanup_close_ int lock = openat(file->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (lock < 0 || flock(lock, LOCK_EX) < 0)
                return set_failure(error, errno, "lock", file->path, SUMS);

        _cleanup_text_ struct text sums = {0};
        int r = evidence_read_sums(file->directory, &sums, error);
        if (r < 0)
                return r;
        text_printf(&sums, "%s  %s\n", sum, file->name);
        if (text_error(&sums) < 0)
                return error_oom(error);

        _cleanup_free_ char *path = text_format("%s" SUMS, file->path);
        if (!path)
                return error_oom(error);
        return error_prefix(error, file_replace(path, sums.data, sums.length, 0400, error), "evidence");
}

/* Under its name: as another name of the same content, where an incident before has saved that; else itself.
 */
static int put_in_place(struct evidence_file *file, const char *sum)
{
        if (file->size > 0 &&
            evidence_link_twin(&file->place, file->directory, file->name, sum, file->size) > 0) {
                (void)unlinkat(file->directory, file->partial, 0);
                return fsync(file->directory) < 0 ? -errno : 0;
        }
        return file_settle(file->fd, file->directory, file->partial, file->name);
}

int evidence_seal(struct evidence_file *file, char ret_sum[static DIGEST_TEXT_MAX], char **ret_path,
                  uint64_t *ret_size, struct error *error)
{
        _cleanup_evidence_ _unused_ struct evidence_file *sealing = file;
        char sum[DIGEST_TEXT_MAX];
        int r = end_digest(&file->digest, sum, error);
        if (r < 0)
                return r;
        _cleanup_free_ char *path = text_format("%s%s", file->path, file->name);
        if (!path)
                return error_oom(error);
        r = put_in_place(file, sum);
        if (r < 0)
                return set_failure(error, -r, "seal", file->path, file->name);
        r = list_sum(file, sum, error);
        if (r < 0)
                return r;
        memcpy(ret_sum, sum, sizeof(sum));
        *ret_path = TAKE_PTR(path);
        *ret_size = file->size;
        return 0;
}

struct evidence_file *evidence_discard(struct evidence_file *file)
{
        if (!file)
                return NULL;
        /* After a seal there is nothing under the partial name any more. */
        if (file->fd >= 0)
                (void)unlinkat(file->directory, file->partial, 0);
        if (file->fd >= 0)
                close(file->fd);
        if (file->directory >= 0)
                close(file->directory);
        digest_release(&file->digest);
        free(file->path);
        free(file->name);
        free(file->partial);
        free(file);
        return NULL;
}

int evidence_find(const struct evidence_place *place, const char *name, char ret_sum[static DIGEST_TEXT_MAX],
                  char **ret_path, uint64_t *ret_size, struct error *error)
{
        _cleanup_close_ int at = -1;
        _cleanup_free_ char *where = NULL;
        int r = evidence_place_open(place, false, &at, &where, error);
        if (r < 0)
                return r;
        _cleanup_text_ struct text sums = {0};
        r = evidence_read_sums(at, &sums, error);
        if (r < 0)
                return r;
        const char *line = find_line(text_string(&sums), name);
        _cleanup_close_ int fd = line ? openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
        if (!line)
                return error_set(error, ENOENT, "evidence: %s%s is not sealed", where, name);
        if (fd < 0)
                return set_failure(error, errno, "open", where, name);

        char sum[DIGEST_TEXT_MAX];
        uint64_t size = 0;
        r = evidence_sum(fd, sum, &size, error);
        if (r < 0)
                return r;
        if (strncmp(line, sum, SUM_TEXT) != 0)
                return error_set(error, EUCLEAN, "evidence: %s%s is not what was sealed", where, name);
        char *path = text_format("%s%s", where, name);
        if (!path)
                return error_oom(error);
        memcpy(ret_sum, sum, sizeof(sum));
        *ret_path = path;
        *ret_size = size;
        return 0;
}
