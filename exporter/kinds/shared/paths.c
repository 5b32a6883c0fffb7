/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of paths: checked when they are read, expanded at each run. */
#include "exporter/kinds/shared/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exporter/check/skipped.h"

bool paths_check(const struct config_strings *patterns, struct config_node *node, const char *key)
{
        for (size_t i = 0; i < patterns->count; i++)
                if (patterns->items[i][0] != '/') {
                        config_complain(node, key, "\"%s\" is not an absolute path", patterns->items[i]);
                        return false;
                }
        return true;
}

void paths_release(struct paths *paths)
{
        for (size_t i = 0; i < paths->count; i++)
                free(paths->items[i]);
        free(paths->items);
        for (size_t i = 0; i < paths->unreadable_count; i++)
                free(paths->unreadable[i]);
        free(paths->unreadable);
        *paths = (struct paths){0};
}

static int compare_paths(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static int take_found(struct paths *paths, const glob_t *found)
{
        char **items = reallocarray(paths->items, paths->count + found->gl_pathc + 1, sizeof(*items));
        if (!items)
                return -ENOMEM;
        paths->items = items;
        for (size_t i = 0; i < found->gl_pathc; i++) {
                if (!(items[paths->count] = strdup(found->gl_pathv[i])))
                        return -ENOMEM;
                paths->count++;
        }
        return 0;
}

static void drop_repeated(struct paths *paths)
{
        size_t kept = 0;
        if (paths->count == 0)
                return;
        qsort(paths->items, paths->count, sizeof(*paths->items), compare_paths);
        for (size_t i = 0; i < paths->count; i++)
                if (kept > 0 && strcmp(paths->items[kept - 1], paths->items[i]) == 0)
                        free(paths->items[i]);
                else
                        paths->items[kept++] = paths->items[i];
        paths->count = kept;
}

int paths_note_unreadable(struct paths *paths, const char *path)
{
        char **unreadable = reallocarray(paths->unreadable, paths->unreadable_count + 1, sizeof(*unreadable));
        if (!unreadable)
                return -ENOMEM;
        paths->unreadable = unreadable;
        if (!(unreadable[paths->unreadable_count] = strdup(path)))
                return -ENOMEM;
        paths->unreadable_count++;
        return 0;
}

/* Whether the directory can be looked into for `next`, what follows it in a pattern: a name, or more of it.
 */
static bool may_look(const char *directory, const char *next)
{
        bool listed = strcspn(next, "*?[") < strcspn(next, "/");
        return faccessat(AT_FDCWD, directory, X_OK | (listed ? R_OK : 0), AT_EACCESS) == 0 || errno != EACCES;
}

/* Notes the directories among those that `parent` matches in which glob() could not look, of which it says
 * nothing. */
static int look_into(const char *parent, const char *next, struct paths *paths)
{
        glob_t found = {0};
        struct stat status;
        int r = glob(parent, GLOB_NOSORT | GLOB_ONLYDIR, NULL, &found) == GLOB_NOSPACE ? -ENOMEM : 0;
        for (size_t i = 0; r == 0 && i < found.gl_pathc; i++)
                if (stat(found.gl_pathv[i], &status) == 0 && S_ISDIR(status.st_mode) &&
                    !may_look(found.gl_pathv[i], next))
                        r = paths_note_unreadable(paths, found.gl_pathv[i]);
        globfree(&found);
        return r;
}

/* Looks at every directory in which the pattern has to be looked for. The first of them is the operator's
 * own: -EACCES when it cannot be looked into. */
static int look_on_the_way(const char *pattern, struct paths *paths, struct error *error)
{
        const char *wild = strpbrk(pattern, "*?["), *at = wild;
        while (at > pattern && *at != '/')
                at--;
        _cleanup_free_ char *first = strndup(pattern, at > pattern ? (size_t)(at - pattern) : 1);
        if (!first)
                return error_oom(error);
        if (!may_look(first, at + 1))
                return error_not_looked(error, error_set_errno(error, EACCES, "%s", first));
        while ((at = strchr(at + 1, '/'))) {
                _cleanup_free_ char *parent = strndup(pattern, (size_t)(at - pattern));
                if (!parent || look_into(parent, at + 1, paths) < 0)
                        return error_oom(error);
        }
        return 0;
}

/* Why a path without a pattern in it was not found. */
static int refuse_path(const char *path, struct error *error)
{
        if (faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) < 0 && errno == EACCES)
                return error_not_looked(error, error_set_errno(error, EACCES, "%s", path));
        return error_not_set_up(error, error_set(error, ENOENT, "%s does not exist", path));
}

static int expand_pattern(const char *pattern, struct paths *paths, struct error *error)
{
        const bool wild = strpbrk(pattern, "*?[");
        glob_t found = {0};
        int r = 0;
        switch (glob(pattern, GLOB_NOSORT, NULL, &found)) {
        case 0: r = take_found(paths, &found); break;
        case GLOB_NOMATCH: r = wild ? 0 : refuse_path(pattern, error); break;
        default: r = -ENOMEM;
        }
        globfree(&found);
        if (r == -ENOMEM)
                return error_oom(error);
        if (r == 0 && wild)
                r = look_on_the_way(pattern, paths, error);
        if (r == 0 && paths->count > PATHS_MAX)
                r = error_set(error, E2BIG, "%s: more than %d files match", pattern, PATHS_MAX);
        return r;
}

int paths_expand(const struct config_strings *patterns, struct paths *ret, struct error *error)
{
        _cleanup_paths_ struct paths paths = {0};
        int result = 0;
        for (size_t i = 0; i < patterns->count; i++) {
                _cleanup_error_ struct error reason = {0};
                int r = expand_pattern(patterns->items[i], &paths, &reason);
                result = error_keep_worse(error, result, &reason, r);
                if (r == -ENOMEM || r == -E2BIG)
                        return r;
        }
        if (result == 0 && paths.count == 0 && paths.unreadable_count > 0)
                result = error_not_looked(error, error_set_errno(error, EACCES, "%s", paths.unreadable[0]));
        else if (result == 0 && paths.count == 0)
                result = error_not_set_up(error, error_set(error, ENOENT, "no file matches %s",
                                                           patterns->count > 0 ? patterns->items[0] : ""));
        if (paths.count > 0 && error)
                error->not_set_up = false;
        drop_repeated(&paths);
        *ret = paths;
        paths = (struct paths){0};
        return result;
}

void paths_skip_unreadable(const struct paths *paths, struct sample_sink *sink)
{
        for (size_t i = 0; i < paths->unreadable_count; i++)
                check_skip(sink, SKIP_UNREADABLE, "%s: %s", paths->unreadable[i], strerrordesc_np(EACCES));
}
