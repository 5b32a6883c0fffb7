/* SPDX-License-Identifier: Apache-2.0 */
/* From the places that the responder writes to, to a sandbox. */
#include "responder/enclosure.h"

#include <errno.h>

#include "responder/remediation/remediation.h"
#include "runbook/file.h"

enum { DIRECTORIES_MOST = 5 };

struct directories {
        char *paths[DIRECTORIES_MOST + 1]; /* closed by NULL */
        size_t count;
};

static void release_directories(struct directories *directories)
{
        for (size_t i = 0; i < directories->count; i++)
                free(directories->paths[i]);
}

/* Takes `path`. What cannot be made is passed over: who writes there says why that fails. */
static int add_directory(struct directories *directories, char *path, struct error *error)
{
        _cleanup_free_ char *inside = path ? text_format("%s/", path) : NULL;
        _cleanup_error_ struct error passed_over = {0};
        if (path)
                directories->paths[directories->count++] = path;
        if (!inside)
                return error_oom(error);
        (void)file_make_directories(inside, &passed_over);
        return 0;
}

static char *directory_of(const char *file)
{
        const char *slash = strrchr(file, '/');
        return !slash ? strdup(".") : slash == file ? strdup("/") : strndup(file, (size_t)(slash - file));
}

/* Of the journal also where it really lies, as its log does. */
static int find_directories(const struct enclosure_places *places, const char *evidence,
                            struct directories *ret, struct error *error)
{
        _cleanup_free_ char *journal = realpath(places->journal, NULL);
        int r = add_directory(ret, directory_of(places->journal), error);
        if (r >= 0 && journal)
                r = add_directory(ret, directory_of(journal), error);
        if (r >= 0)
                r = add_directory(ret, strdup(evidence), error);
        if (r >= 0 && places->tokens)
                r = add_directory(ret, strdup(places->tokens), error);
        if (r >= 0 && places->new_key)
                r = add_directory(ret, directory_of(places->new_key), error);
        return r;
}

int enclosure_read(struct enclosure *enclosure, const char *config_file, struct error *error)
{
        struct remediation_set *set = NULL;
        int r = remediation_set_load(config_file, &set, error);
        if (r < 0)
                return r;
        enclosure->evidence = strdup(set->targets.evidence_directory);
        remediation_set_free(set);
        return enclosure->evidence ? 0 : error_oom(error);
}

int enclosure_enter(struct enclosure *enclosure, const struct enclosure_places *places, struct error *error)
{
        if (string_equal(enclosure->sandbox.mode, "off"))
                return sandbox_enter(&enclosure->sandbox, (struct sandbox_options){0}, NULL, error);
        _cleanup_(release_directories) struct directories directories = {0};
        int r = find_directories(places, enclosure->evidence, &directories, error);
        if (r < 0)
                return r;
        /* Where SQLite spills large sorts: it would go to /var/tmp, and fail there. */
        if (setenv("SQLITE_TMPDIR", directories.paths[0], true) < 0)
                return error_oom(error);
        const struct sandbox_options options = {
                .directories = (const char *const *)directories.paths,
                .addresses = places->addresses,
                .sockets = true,
        };
        return sandbox_enter(&enclosure->sandbox, options, NULL, error);
}

int enclosure_seal(const struct enclosure *enclosure, struct error *error)
{
        return sandbox_seal(&enclosure->sandbox, error);
}

int enclosure_admit(const struct enclosure *enclosure, const char *evidence, struct error *error)
{
        if (string_equal(enclosure->sandbox.landlock, "none") || string_equal(enclosure->evidence, evidence))
                return 0;
        return error_set(error, EPERM,
                         "evidence_directory: this process has given up to write into %s: restart it",
                         evidence);
}

void enclosure_release(struct enclosure *enclosure)
{
        free(enclosure->evidence);
        enclosure->evidence = NULL;
}
