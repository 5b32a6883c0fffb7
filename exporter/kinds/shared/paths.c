/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of paths: checked when they are read, expanded at each run. */
#include "exporter/kinds/shared/paths.h"

#include <errno.h>
#include <glob.h>

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

        qsort(paths->items, paths->count, sizeof(*paths->items), compare_paths);
        for (size_t i = 0; i < paths->count; i++)
                if (kept > 0 && strcmp(paths->items[kept - 1], paths->items[i]) == 0)
                        free(paths->items[i]);
                else
                        paths->items[kept++] = paths->items[i];
        paths->count = kept;
}

static int expand_pattern(const char *pattern, struct paths *paths, struct error *error)
{
        glob_t found = {0};
        int r = 0;

        switch (glob(pattern, GLOB_NOSORT, NULL, &found)) {
        case 0: r = take_found(paths, &found); break;
        case GLOB_NOMATCH:
                if (!strpbrk(pattern, "*?["))
                        r = error_set(error, ENOENT, "%s does not exist", pattern);
                break;
        default: r = -ENOMEM;
        }
        globfree(&found);
        if (r == -ENOMEM)
                return error_oom(error);
        if (r == 0 && paths->count > PATHS_MAX)
                r = error_set(error, E2BIG, "%s: more than %d files match", pattern, PATHS_MAX);
        return r;
}

int paths_expand(const struct config_strings *patterns, struct paths *ret, struct error *error)
{
        _cleanup_paths_ struct paths paths = {0};

        for (size_t i = 0; i < patterns->count; i++) {
                int r = expand_pattern(patterns->items[i], &paths, error);

                if (r < 0)
                        return r;
        }
        if (paths.count == 0)
                return error_set(error, ENOENT, "no file matches %s",
                                 patterns->count > 0 ? patterns->items[0] : "");
        drop_repeated(&paths);
        *ret = paths;
        paths = (struct paths){0};
        return 0;
}
