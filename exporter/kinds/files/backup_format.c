/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each form. No file is read as a whole but one in gzip: backups are large, scrapes
 * frequent. */
#include "exporter/kinds/files/backup_format.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "exporter/kinds/files/gzip_read.h"
#include "runbook/file.h"
#include "runbook/process.h"

#define HEAD_MAX ((size_t)4096)
#define TAR_BLOCK ((size_t)512)

const char *const backup_forms[] = {"any", "postgres", "redis", "tar", "gzip", NULL};
tables_agree(backup_forms, BACKUP_FORMS + 1);

struct file {
        const char *path, *pg_restore;
        int fd;
        off_t size;
        unsigned char head[HEAD_MAX + 1]; /* closed by NUL */
        size_t length;                    /* of the head */
        struct deadline deadline;
};

static int refuse_content(const struct file *file, const char *why, struct error *error)
{
        return error_set(error, EBADMSG, "%s: %s", file->path, why);
}

/* Up to `length` bytes from `offset`; a negative one counts from the end. */
static ssize_t read_piece(const struct file *file, off_t offset, void *buffer, size_t length)
{
        if (offset < 0)
                offset = file->size + offset > 0 ? file->size + offset : 0;
        return file_read_at(file->fd, buffer, length, offset);
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
                return refuse_content(file, "not an RDB file", error);
        for (size_t i = 5; i < 9; i++) {
                if (!isdigit(file->head[i]))
                        return refuse_content(file, "not an RDB file", error);
                version = version * 10 + file->head[i] - '0';
        }
        if (version >= 5 &&
            (file->size < 18 || read_piece(file, -9, end, sizeof(end)) != 9 || end[0] != 0xff))
                return refuse_content(file, "the RDB file is cut off", error);
        return 0;
}

static bool is_gzip(const struct file *file)
{
        return file->length >= 18 && file->head[0] == 0x1f && file->head[1] == 0x8b && file->head[2] == 8;
}

/* Half of the time of a run, once for each file: of a larger one the beginning must do. */
static int read_gzip(const struct file *file, struct gzip_content *content, struct error *error)
{
        const struct deadline half = deadline_in(deadline_left(file->deadline) / 2);
        if (!is_gzip(file))
                return refuse_content(file, "not a gzip file", error);
        int r = gzip_read(file->fd, deadline_earlier(half, file->deadline), content);
        if (r == -EBADMSG)
                return refuse_content(file, "the gzip file is damaged or cut off", error);
        return r < 0 ? error_set_errno(error, -r, "%s", file->path) : 0;
}

static int check_gzip(const struct file *file, struct error *error)
{
        struct gzip_content content;
        return read_gzip(file, &content, error);
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

static int check_tar_in_gzip(const struct file *file, struct error *error)
{
        struct gzip_content content = {0};
        int r = read_gzip(file, &content, error);
        if (r < 0)
                return r;
        if (content.length < TAR_BLOCK || !is_tar_header(content.head))
                return refuse_content(file, "not a tar archive in gzip", error);
        /* Gzip ends well also what a tar that was killed has left it. */
        return content.whole && content.zeros < 2 * TAR_BLOCK
                       ? refuse_content(file, "the tar archive in gzip is cut off", error)
                       : 0;
}

/* Also compressed by gzip. It is whole blocks, and two empty ones are its end. */
static int check_tar(const struct file *file, struct error *error)
{
        unsigned char end[2 * TAR_BLOCK];
        static const unsigned char empty[2 * TAR_BLOCK];
        if (is_gzip(file))
                return check_tar_in_gzip(file, error);
        if (file->length < TAR_BLOCK || !is_tar_header(file->head))
                return refuse_content(file, "not a tar archive", error);
        if (file->size % (off_t)TAR_BLOCK != 0 || file->size < (off_t)sizeof(end) ||
            read_piece(file, -(off_t)sizeof(end), end, sizeof(end)) != (ssize_t)sizeof(end) ||
            memcmp(end, empty, sizeof(end)) != 0)
                return refuse_content(file, "the tar archive is cut off", error);
        return 0;
}

/* pg_dump writes its last words only when all went well. */
static int check_sql(const struct file *file, struct error *error)
{
        char end[257] = "";
        ssize_t got = read_piece(file, -256, end, 256);
        end[got > 0 ? got : 0] = '\0';
        if (!strstr(end, "PostgreSQL database dump complete") &&
            !strstr(end, "PostgreSQL database cluster dump complete"))
                return refuse_content(file, "the dump is cut off", error);
        return 0;
}

/*
 * The custom format, of which pg_restore lists what stands at the beginning: the data behind it end with an
 * empty piece, the integer 0 as a sign and its bytes, and so does a list without data, with an offset of 0.
 * The size of an integer is in the head. PostgreSQL's pg_backup_archiver.c and pg_backup_custom.c.
 */
static int check_custom_end(const struct file *file, struct error *error)
{
        static const unsigned char zero[1 + 8];
        unsigned char end[sizeof(zero)];
        size_t length = file->length > 10 ? 1 + (size_t)file->head[8] : 0;
        if (length == 0 || length > sizeof(end) ||
            read_piece(file, -(off_t)length, end, length) != (ssize_t)length ||
            memcmp(end, zero, length) != 0)
                return refuse_content(file, "the dump is cut off", error);
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
        const bool custom = memcmp(file->head, "PGDMP", 5) == 0;
        if (!custom && (file->length < TAR_BLOCK || !is_tar_header(file->head)))
                return refuse_content(file, "not a dump of PostgreSQL", error);
        int r = process_run(&(struct process_options){.command = &command}, file->deadline, &result, error);
        if (r < 0)
                return r;
        if (result.code != 0)
                return error_set(error, EBADMSG, "%s: pg_restore --list: %.*s", file->path,
                                 (int)strcspn(text_string(&result.errors), "\n"),
                                 text_string(&result.errors));
        return custom ? check_custom_end(file, error) : check_tar(file, error);
}

static int (*const checks[])(const struct file *file, struct error *error) = {
        [BACKUP_ANY] = check_any, [BACKUP_POSTGRES] = check_postgres, [BACKUP_REDIS] = check_redis,
        [BACKUP_TAR] = check_tar, [BACKUP_GZIP] = check_gzip,
};
tables_agree(checks, BACKUP_FORMS);

int backup_check(enum backup_form form, const char *path, const char *pg_restore, struct deadline deadline,
                 struct error *error)
{
        struct file file = {.path = path, .pg_restore = pg_restore, .deadline = deadline};
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct stat status;
        if (fd < 0 || fstat(fd, &status) < 0)
                return error_set_errno(error, errno, "%s", path);
        file.fd = fd;
        file.size = status.st_size;
        ssize_t got = read_piece(&file, 0, file.head, HEAD_MAX);
        if (got < 0)
                return error_set_errno(error, (int)-got, "%s", path);
        if (got == 0)
                return refuse_content(&file, "is empty", error);
        file.length = (size_t)got;
        return checks[form](&file, error);
}
