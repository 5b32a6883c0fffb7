/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of the journal, whoever writes to it meanwhile: one file that stands alone, or none. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "responder/journal/internal.h"
#include "runbook/file.h"
#include "runbook/text.h"

/* In one transaction of reading: of what is written meanwhile it has nothing, and it is written all the same.
 */
static int copy_pages(struct journal_connection *from, struct journal_connection *to, struct error *error)
{
        sqlite3_backup *copy = sqlite3_backup_init(to->database, "main", from->database, "main");
        if (!copy)
                return journal_failed(to, error);
        int code = sqlite3_backup_step(copy, -1);
        (void)sqlite3_backup_finish(copy);
        if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
                return error_set(error, EBUSY, "another process holds the journal");
        if (code != SQLITE_DONE)
                return journal_failed(to, error);
        /* Nothing of it is to lie in a log beside it, which whoever copies it on would forget. */
        return journal_execute(to, "PRAGMA journal_mode = DELETE", error);
}

static int copy_to(const char *from, const char *to, struct error *error)
{
        struct journal_connection source = {0}, copy = {0};
        int r = journal_connect(from, NULL, false, &source, error);
        if (r >= 0)
                r = journal_check_schema(&source, error);
        if (r < 0)
                r = error_prefix(error, r, "the journal %s", from);
        mode_t before = umask(0077);
        if (r >= 0 && sqlite3_open_v2(to, &copy.database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
                              SQLITE_OK)
                r = error_prefix(error, journal_failed(&copy, error), "%s", to);
        if (r >= 0) {
                r = copy_pages(&source, &copy, error);
                if (r < 0)
                        r = error_prefix(error, r, "cannot copy to %s", to);
        }
        umask(before);
        journal_disconnect(&copy);
        journal_disconnect(&source);
        return r;
}

static int verify_copy(const char *path, const struct journal_key *key, uint64_t *ret_rows,
                       struct error *error)
{
        struct journal *journal = NULL;
        int r = journal_open_reading(path, key, &journal, error);
        if (r >= 0)
                r = journal_verify(journal, ret_rows, error);
        journal_close(journal);
        return r;
}

/* Of the directory that it is to be in. */
static int open_parent(const char *to, int *ret_directory, struct error *error)
{
        const char *slash = strrchr(to, '/');
        _cleanup_free_ char *parent = slash ? strndup(to, (size_t)(slash - to) + 1) : strdup(".");
        if (!parent)
                return error_oom(error);
        int directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
                return error_set_errno(error, errno, "cannot write %s", to);
        *ret_directory = directory;
        return 0;
}

/* Under its name it is whole and on the disk, or it is not there; and what is there already stays. */
static int settle_copy(const char *beside, const char *to, int directory, struct error *error)
{
        _cleanup_close_ int fd = open(beside, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || fsync(fd) < 0 || renameat2(AT_FDCWD, beside, AT_FDCWD, to, RENAME_NOREPLACE) < 0)
                return error_set_errno(error, errno, "cannot write %s", to);
        /* Some network file systems have no sync for directories, and say so by EINVAL. */
        if (fsync(directory) < 0 && errno != EINVAL)
                return error_set_errno(error, errno, "cannot write %s", to);
        return 0;
}

int journal_backup(const char *from, const struct journal_key *key, const char *to, uint64_t *ret_rows,
                   struct error *error)
{
        struct stat status;
        if (lstat(to, &status) == 0)
                return error_set(error, EEXIST, "%s is there already, and is left as it is", to);
        if (access(from, F_OK) < 0)
                return error_set_errno(error, errno, "cannot open the journal %s", from);
        _cleanup_free_ char *beside = text_format("%s.%d.new", to, (int)getpid());
        if (!beside)
                return error_oom(error);
        _cleanup_close_ int directory = -1;
        int r = open_parent(to, &directory, error);
        if (r < 0)
                return r;
        /* One of that name is from a process of the same number, which has crashed. */
        (void)unlink(beside);
        r = copy_to(from, beside, error);
        if (r >= 0) {
                r = verify_copy(beside, key, ret_rows, error);
                if (r < 0)
                        r = error_prefix(error, r, "the copy, and so the journal");
        }
        if (r >= 0)
                r = settle_copy(beside, to, directory, error);
        if (r < 0)
                (void)unlink(beside);
        return r;
}
