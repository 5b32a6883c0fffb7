/* SPDX-License-Identifier: Apache-2.0 */
/* The key that seals the journal: where it lies, and a new one where there is none. */
#include "responder/journal/key.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "responder/journal/crash.h"
#include "runbook/digest.h"
#include "runbook/file.h"
#include "runbook/log.h"
#include "runbook/secret.h"

enum { KEY_LEAST = 32 };

/* Whatever its length: the digest of what the file holds. */
static int read_key(const char *path, struct journal_key *ret, struct error *error)
{
        struct secret secret = {.file = (char *)path};
        _cleanup_secret_ struct text text = {0};
        struct stat status;
        _Static_assert((int)JOURNAL_KEY_SIZE == (int)DIGEST_SIZE, "a digest is a key");
        int r = secret_read(&secret, &text, error);
        if (r >= 0 && text.length < KEY_LEAST)
                return error_set(error, EINVAL, "the journal's key %s has fewer than %d bytes", path,
                                 KEY_LEAST);
        if (r < 0)
                return error_prefix(error, r, "the journal's key");
        if (digest_of(text.data, text.length, ret->bytes) < 0)
                return error_oom(error);
        if (stat(path, &status) == 0 && status.st_mode & S_IROTH)
                log_event(LOG_WARN, "Everybody on this machine can read the journal's key", "file", path,
                          NULL);
        return 0;
}

static int find_path(const char *journal, const char *given, char **ret, struct error *error)
{
        const char *slash = strrchr(journal, '/');
        int length = slash ? (int)(slash - journal) + 1 : 0;
        int r = given ? 0 : secret_credential("journal.key", ret, error);
        if (r < 0 || *ret)
                return r;
        *ret = given ? strdup(given) : text_format("%.*sjournal.key", length, journal);
        return *ret ? 0 : error_oom(error);
}

/* Gives up what lies beside: a key is under its name by now. */
static int take_settled(struct key_file *file, struct error *error)
{
        (void)unlink(file->beside);
        free(file->beside);
        file->beside = NULL;
        return read_key(file->path, &file->key, error);
}

/*
 * One beside its name: made here, or by another start, whose it is as well. One that was read while none was
 * under the name is the one that will be: what lies beside never changes but by going there. So whoever finds
 * one under the name after that has read, or made, one that is nobody's.
 */
static int make_key(struct key_file *file, struct error *error)
{
        file->beside = text_format("%s.new", file->path);
        if (!file->beside)
                return error_oom(error);
        int r = file_make_directories(file->path, error);
        if (r >= 0)
                r = secret_make(file->beside, error);
        if (r < 0)
                return r;
        _cleanup_error_ struct error why = {0};
        r = read_key(file->beside, &file->key, &why);
        if (access(file->path, F_OK) == 0)
                return take_settled(file, error);
        file->key.made = r >= 0;
        if (r < 0)
                error_move(error, &why);
        return r;
}

static int open_key(const char *journal, const char *given, bool makes, struct key_file *ret,
                    struct error *error)
{
        struct key_file file = {0};
        int r = find_path(journal, given, &file.path, error);
        bool there = r >= 0 && access(file.path, F_OK) == 0;
        if (r >= 0 && !there && makes)
                r = make_key(&file, error);
        else if (r >= 0 && (there || given))
                r = read_key(file.path, &file.key, error);
        else if (r >= 0)
                key_release(&file);
        if (r < 0) {
                key_release(&file);
                return r;
        }
        *ret = file;
        return 0;
}

int key_make(const char *journal, const char *given, struct key_file *ret, struct error *error)
{
        return open_key(journal, given, true, ret, error);
}

int key_find(const char *journal, const char *given, struct key_file *ret, struct error *error)
{
        return open_key(journal, given, false, ret, error);
}

/* Several journals may have one key: who settles it first has done so for all that began with it. */
static int settle_again(struct key_file *file, struct error *error)
{
        struct journal_key settled = {0};
        int r = read_key(file->path, &settled, error);
        if (r >= 0 && memcmp(settled.bytes, file->key.bytes, sizeof(settled.bytes)) != 0)
                r = error_set(error, EEXIST,
                              "the journal was sealed by %s, and meanwhile there is another key %s",
                              file->beside, file->path);
        explicit_bzero(&settled, sizeof(settled));
        return r;
}

int key_settle(struct key_file *file, struct error *error)
{
        if (!file->beside)
                return 0;
        crash_point(CRASH_AT_OPENING, "before", 1);
        int r = access(file->path, F_OK) == 0 ? -EEXIST : file_rename_new(file->beside, file->path, error);
        if (r == -EEXIST || r == -ENOENT) {
                (void)unlink(file->beside);
                r = settle_again(file, error);
        } else if (r >= 0)
                log_event(LOG_INFO, "Made the journal's key", "file", file->path, NULL);
        if (r < 0)
                return error_prefix(error, r, "cannot write the journal's key");
        crash_point(CRASH_AT_OPENING, "after", 1);
        free(file->beside);
        file->beside = NULL;
        return 0;
}

void key_release(struct key_file *file)
{
        free(file->path);
        free(file->beside);
        explicit_bzero(file, sizeof(*file));
}
