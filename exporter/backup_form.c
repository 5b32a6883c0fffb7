/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each form. A file is never read as a whole: backups are large and scrapes are frequent. */
#include "exporter/backup_form.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include "exporter/process.h"

#define HEAD_MAX ((size_t)4096)
#define TAR_BLOCK ((size_t)512)

const char *const backup_forms[] = {"any", "postgres", "redis", "tar", "gzip", NULL};

struct file {
        const char *path, *pg_restore;
        int fd;
        off_t size;
        unsigned char head[HEAD_MAX + 1]; /* closed by NUL */
        size_t length;                    /* of the head */
        struct deadline deadline;
};

static int bad(const struct file *file, const char *why, struct error *error)
{
        return error_set(error, EBADMSG, "%s: %s", file->path, why);
}

/* Up to `length` bytes from `offset`; a negative one counts from the end. */
static ssize_t read_at(const struct file *file, off_t offset, void *buffer, size_t length)
{
        ssize_t got;

        if (offset < 0)
                offset = file->size + offset > 0 ? file->size + offset : 0;
        do
                got = pread(file->fd, buffer, length, offset);
        while (got < 0 && errno == EINTR);
        return got;
}

static int check_any(const struct file *file _unused_, struct error *error _unused_)
{
        return 0;
}

/* "REDIS0011", and since version 5 the opcode 255 with a checksum as the last nine bytes. */
static int check_redis(const struct file *file, struct error *error)
{
        unsigned char end[9];
        unsigned version = 0;

        if (file->length < 9 || memcmp(file->head, "REDIS", 5) != 0)
                return bad(file, "not an RDB file", error);
        for (size_t i = 5; i < 9; i++) {
                if (!isdigit(file->head[i]))
                        return bad(file, "not an RDB file", error);
                version = version * 10 + file->head[i] - '0';
        }
        if (version >= 5 && (file->size < 18 || read_at(file, -9, end, sizeof(end)) != 9 || end[0] != 0xff))
                return bad(file, "the RDB file is cut off", error);
        return 0;
}

/* The first bytes of what was compressed; 0 when it is damaged. */
static size_t inflate_head(const struct file *file, unsigned char *plain, size_t room)
{
        z_stream stream = {.next_in = (Bytef *)file->head,
                           .avail_in = (uInt)file->length,
                           .next_out = plain,
                           .avail_out = (uInt)room};

        if (inflateInit2(&stream, 15 + 16) != Z_OK) /* 16: gzip */
                return 0;
        int r = inflate(&stream, Z_SYNC_FLUSH);
        inflateEnd(&stream);
        return r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR ? stream.total_out : 0;
}

static bool is_gzip(const struct file *file)
{
        return file->length >= 18 && file->head[0] == 0x1f && file->head[1] == 0x8b && file->head[2] == 8;
}

static int check_gzip(const struct file *file, struct error *error)
{
        unsigned char plain[TAR_BLOCK];

        if (!is_gzip(file))
                return bad(file, "not a gzip file", error);
        return inflate_head(file, plain, sizeof(plain)) > 0 ? 0
                                                            : bad(file, "the gzip file is damaged", error);
}

/* POSIX ustar: an octal sum of the header's bytes, with blanks where the sum itself stands. */
static bool is_tar_header(const unsigned char *header)
{
        unsigned long sum = 0, told = 0;
        size_t i = 148;

        while (i < 156 && header[i] == ' ')
                i++;
        if (header[i] < '0' || header[i] > '7')
                return false;
        for (; i < 156 && header[i] >= '0' && header[i] <= '7'; i++)
                told = told * 8 + header[i] - '0';
        for (i = 0; i < TAR_BLOCK; i++)
                sum += i >= 148 && i < 156 ? ' ' : header[i];
        return sum == told;
}

/* Also compressed by gzip. A plain one is whole blocks, and two empty ones are its end. */
static int check_tar(const struct file *file, struct error *error)
{
        unsigned char header[TAR_BLOCK], end[2 * TAR_BLOCK];
        static const unsigned char empty[2 * TAR_BLOCK];

        if (is_gzip(file)) {
                if (inflate_head(file, header, sizeof(header)) != sizeof(header) || !is_tar_header(header))
                        return bad(file, "not a tar archive in gzip, or a damaged one", error);
                return 0;
        }
        if (file->length < TAR_BLOCK || !is_tar_header(file->head))
                return bad(file, "not a tar archive", error);
        if (file->size % (off_t)TAR_BLOCK != 0 || file->size < (off_t)sizeof(end) ||
            read_at(file, -(off_t)sizeof(end), end, sizeof(end)) != (ssize_t)sizeof(end) ||
            memcmp(end, empty, sizeof(end)) != 0)
                return bad(file, "the tar archive is cut off", error);
        return 0;
}

/* pg_dump writes its last words only when all went well. */
static int check_sql(const struct file *file, struct error *error)
{
        char end[257] = "";

        ssize_t got = read_at(file, -256, end, 256);
        end[got > 0 ? got : 0] = '\0';
        if (!strstr(end, "PostgreSQL database dump complete") &&
            !strstr(end, "PostgreSQL database cluster dump complete"))
                return bad(file, "the dump is cut off", error);
        return 0;
}

/* Archives are listed by pg_restore; that a dump in plain SQL is complete is its last line. */
static int check_postgres(const struct file *file, struct error *error)
{
        char *words[] = {(char *)file->pg_restore, (char *)"--list", (char *)"--", (char *)file->path};
        const struct config_strings command = {.items = words, .count = N_ELEMENTS(words)};
        _cleanup_(process_result_release) struct process_result result = {0};

        if (strstr((const char *)file->head, "PostgreSQL database dump") ||
            strstr((const char *)file->head, "PostgreSQL database cluster dump"))
                return check_sql(file, error);
        if (memcmp(file->head, "PGDMP", 5) != 0 && (file->length < TAR_BLOCK || !is_tar_header(file->head)))
                return bad(file, "not a dump of PostgreSQL", error);
        int r = process_run(&(struct process_options){.command = &command}, file->deadline, &result, error);
        if (r < 0)
                return r;
        if (result.code != 0)
                return error_set(error, EBADMSG, "%s: pg_restore --list: %.*s", file->path,
                                 (int)strcspn(text_string(&result.errors), "\n"),
                                 text_string(&result.errors));
        return 0;
}

static int (*const checks[])(const struct file *file, struct error *error) = {
        [BACKUP_ANY] = check_any, [BACKUP_POSTGRES] = check_postgres, [BACKUP_REDIS] = check_redis,
        [BACKUP_TAR] = check_tar, [BACKUP_GZIP] = check_gzip,
};

int backup_check(enum backup_form form, const char *path, const char *pg_restore, struct deadline deadline,
                 struct error *error)
{
        struct file file = {.path = path, .pg_restore = pg_restore, .deadline = deadline};
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct stat status;

        if (fd < 0 || fstat(fd, &status) < 0)
                return error_set(error, errno, "%s: %s", path, strerrordesc_np(errno));
        file.fd = fd;
        file.size = status.st_size;
        ssize_t got = read_at(&file, 0, file.head, HEAD_MAX);
        if (got < 0)
                return error_set(error, errno, "%s: %s", path, strerrordesc_np(errno));
        if (got == 0)
                return bad(&file, "is empty", error);
        file.length = (size_t)got;
        return checks[form](&file, error);
}
