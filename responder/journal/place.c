/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the journal's files lie: that nobody else has them, that they are still those that were opened, and
 * a reserve of room beside them. SQLite goes on writing into a file that was deleted, and never says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "responder/journal/internal.h"
#include "runbook/file.h"
#include "runbook/text.h"

#define RESERVE_SIZE ((off_t)1 << 20)

static const char *const suffixes[] = {[FILE_DATABASE] = "", [FILE_LOG] = "-wal", [FILE_INDEX] = "-shm"};
tables_agree(suffixes, JOURNAL_FILE_COUNT);

static int look_at_file(const struct journal *journal, enum journal_file which, struct stat *ret)
{
        _cleanup_free_ char *path = text_format("%s%s", journal->path, suffixes[which]);
        return !path ? -ENOMEM : stat(path, ret) < 0 ? -errno : 0;
}

static int take_lock(int fd, const char *path, struct error *error)
{
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
                return 0;
        if (errno == EWOULDBLOCK)
                return error_set(error, EBUSY, "another runbook_responder has it open");
        return error_set(error, errno, "cannot lock %s: %s", path, strerror(errno));
}

/* SQLite's log lies beside the name that it was opened by: under a second name the half of it is missing. */
static int refuse_second_name(int fd, const char *path, struct error *error)
{
        struct statx status;
        if (statx(fd, "", AT_EMPTY_PATH, STATX_NLINK, &status) < 0)
                return error_set_errno(error, errno, "cannot look at %s", path);
        if (!S_ISREG(status.stx_mode))
                return error_set(error, EINVAL, "%s is not a regular file", path);
        if (status.stx_nlink > 1)
                return error_set(error, EMLINK,
                                 "%s has a second name (a hard link), and what is written under the one is "
                                 "not found under the other: keep one of them, and copy by "
                                 "`runbook_responder backup`",
                                 path);
        if (status.stx_attributes & STATX_ATTR_MOUNT_ROOT)
                return error_set(error, EXDEV,
                                 "%s is a mount of its own, and its log would lie outside of it: mount its "
                                 "directory",
                                 path);
        return 0;
}

/* Beside an empty database SQLite takes a log for a stale one, and removes it with all that it holds. */
static int refuse_log_alone(struct journal *journal, struct error *error)
{
        struct stat database, log;
        if (look_at_file(journal, FILE_DATABASE, &database) < 0 || database.st_size > 0 ||
            look_at_file(journal, FILE_LOG, &log) < 0 || log.st_size == 0)
                return 0;
        return error_set(error, EUCLEAN,
                         "%s was removed or emptied, and its log is still there: restore a backup, or remove "
                         "%s%s to begin anew",
                         journal->path, journal->path, suffixes[FILE_LOG]);
}

/*
 * Both are locked: the one by the name, which is there before the journal is, and which versions of before
 * ask for; and the journal's own, which is the same file by whatever name. That descriptor must outlive
 * SQLite's: to close it would let go of SQLite's locks.
 */
int place_take(struct journal *journal, struct error *error)
{
        struct journal_place *place = &journal->place;
        if (journal->world->vfs)
                return 0;
        _cleanup_free_ char *path = text_format("%s.lock", journal->path);
        if (!path)
                return error_oom(error);
        int r = file_make_directories(journal->path, error);
        if (r < 0)
                return r;
        place->lock_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (place->lock_file < 0)
                return error_set_errno(error, errno, "cannot open %s", path);
        r = take_lock(place->lock_file, path, error);
        if (r < 0)
                return r;
        place->file = open(journal->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
        if (place->file < 0)
                return error_set_errno(error, errno, "cannot open %s", journal->path);
        r = take_lock(place->file, journal->path, error);
        if (r >= 0)
                r = refuse_second_name(place->file, journal->path, error);
        return r < 0 ? r : refuse_log_alone(journal, error);
}

void place_leave(struct journal_place *place)
{
        if (place->file >= 0)
                close(place->file);
        if (place->lock_file >= 0)
                close(place->lock_file);
}

void place_note(struct journal *journal)
{
        struct journal_place *place = &journal->place;
        for (enum journal_file i = 0; place->file >= 0 && i < JOURNAL_FILE_COUNT; i++)
                if (look_at_file(journal, i, &place->noted[i]) < 0)
                        place->noted[i] = (struct stat){0};
}

void place_remember(struct journal *journal)
{
        place_note(journal);
        memcpy(journal->place.opened, journal->place.noted, sizeof(journal->place.opened));
}

/* A file that this process has open still has its name. */
static int check_name(const struct journal *journal, enum journal_file which, struct stat *ret,
                      struct error *error)
{
        const struct stat *known = &journal->place.opened[which];
        const char *name = journal->path, *suffix = suffixes[which];
        int r = look_at_file(journal, which, ret);
        if (r == -ENOENT || r == -ENOTDIR)
                return error_set(error, ENODEV,
                                 "%s%s is gone (deleted or moved), and what would be written now would be "
                                 "lost: put it back, or restart to begin with what is there",
                                 name, suffix);
        if (r < 0)
                return error_set_errno(error, -r, "cannot look at %s%s", name, suffix);
        if (known->st_ino != 0 && (ret->st_ino != known->st_ino || ret->st_dev != known->st_dev))
                return error_set(error, EXDEV,
                                 "%s%s is another file than the one that was opened: put that one back, or "
                                 "restart to go on with what is there",
                                 name, suffix);
        return 0;
}

int place_check(struct journal *journal, struct error *error)
{
        const struct journal_place *place = &journal->place;
        struct stat status;
        struct statvfs system;
        int r = 0;
        if (place->file < 0)
                return 0;
        for (enum journal_file i = 0; i < JOURNAL_FILE_COUNT && r >= 0; i++)
                r = check_name(journal, i, &status, error);
        if (r >= 0 && fstatvfs(place->file, &system) == 0 && (system.f_flag & ST_RDONLY))
                r = error_set(error, EROFS, "the journal cannot be written: its file system is read-only");
        return r;
}

/* What the files hold now, asked by somebody who remembers nothing: the end of the timeline must be ours. */
static int check_content(struct journal *journal, struct error *error)
{
        struct journal_connection fresh = {0};
        struct stat database;
        /* To open what is empty would remove the log, which may be all there is left. */
        if (look_at_file(journal, FILE_DATABASE, &database) < 0 || database.st_size == 0)
                return error_set(error, EUCLEAN, "it is empty");
        int r = journal_connect(journal->path, NULL, false, &fresh, error);
        sqlite3_stmt *last = r >= 0 ? journal_bind(&fresh, TIMELINE_LAST, error, "") : NULL;
        if (r >= 0)
                r = last ? journal_step(&fresh, last, error) : -EIO;
        if (r >= 0 && journal->chain.rows > 0 &&
            (r == 0 || sqlite3_column_bytes(last, 1) != HASH_LENGTH ||
             memcmp(sqlite3_column_blob(last, 1), journal->chain.hash, HASH_LENGTH) != 0))
                r = error_set(error, EUCLEAN, "it does not end with what was written last");
        journal_disconnect(&fresh);
        return r == -EIO ? -EUCLEAN : r < 0 ? r : 0;
}

/* Nobody but this thread writes: what has changed meanwhile was changed by somebody else. */
static bool is_as_noted(const struct stat *now, const struct stat *known, enum journal_file which)
{
        return known->st_ino == 0 || which == FILE_INDEX ||
               (now->st_size >= known->st_size &&
                (which == FILE_LOG || (now->st_mtim.tv_sec == known->st_mtim.tv_sec &&
                                       now->st_mtim.tv_nsec == known->st_mtim.tv_nsec)));
}

int place_check_whole(struct journal *journal, struct error *error)
{
        struct journal_place *place = &journal->place;
        bool as_noted = true;
        struct stat now = {0};
        int r = place_check(journal, error);
        for (enum journal_file i = 0; place->file >= 0 && i < JOURNAL_FILE_COUNT && r >= 0; i++) {
                r = check_name(journal, i, &now, error);
                as_noted &= r < 0 || is_as_noted(&now, &place->noted[i], i);
        }
        if (r < 0 || as_noted)
                return r;
        r = check_content(journal, error);
        if (r < 0)
                return error_prefix(error, r,
                                    "%s was written to, or cut, by somebody else: restore it from a backup",
                                    journal->path);
        place_note(journal);
        return 0;
}

/* Giving it up makes as much room as it takes: to have it back at once would be to give up nothing. */
static bool has_room(const struct journal *journal, const char *path)
{
        struct stat status;
        struct statvfs system;
        return (stat(path, &status) == 0 && status.st_size >= RESERVE_SIZE) ||
               fstatvfs(journal->place.file, &system) < 0 ||
               (double)system.f_bavail * (double)system.f_frsize >= 2 * (double)RESERVE_SIZE;
}

/* What is not there is no reserve, whatever the reason; only that there is no room is one of a full disk. */
int reserve_take(struct journal *journal)
{
        if (journal->place.file < 0)
                return 0;
        _cleanup_free_ char *path = text_format("%s.reserve", journal->path);
        if (path && !has_room(journal, path))
                return -ENOSPC;
        _cleanup_close_ int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
        if (fd < 0)
                return errno == ENOSPC || errno == EDQUOT ? -ENOSPC : 0;
        int failed = posix_fallocate(fd, 0, RESERVE_SIZE);
        if (failed == 0)
                return 0;
        (void)unlink(path);
        return failed == ENOSPC || failed == EDQUOT ? -ENOSPC : 0;
}

void reserve_give_up(struct journal *journal)
{
        _cleanup_free_ char *path = text_format("%s.reserve", journal->path);
        if (path)
                (void)unlink(path);
}
