/* SPDX-License-Identifier: Apache-2.0 */
/* Files that an operator names by patterns: absolute paths with *, ? and [abc]. */
#ifndef EXPORTER_KINDS_SHARED_PATHS_H
#define EXPORTER_KINDS_SHARED_PATHS_H

#include "runbook/config.h"
#include "runbook/metrics.h"

#define PATHS_MAX 1000 /* each is a series at least, and a file to open */

struct paths {
        char **items; /* sorted, each once */
        size_t count;
        char **unreadable; /* where a pattern could not look, beside other places where it could */
        size_t unreadable_count;
};

/* Complains under `key` about patterns that are not absolute; false then. */
bool paths_check(const struct config_strings *patterns, struct config_node *node, const char *key);

/*
 * What the patterns match now. A path without a pattern in it that does not exist is -ENOENT, and so is it
 * when nothing matches at all; -EACCES when the exporter may not look for a path, or in the one directory of
 * a pattern; which mean that it was perhaps not set up, and that it was not looked at. Even so `ret` holds
 * what all the others match. More than PATHS_MAX are -E2BIG, with nothing.
 */
int paths_expand(const struct config_strings *patterns, struct paths *ret, struct error *error);
void paths_release(struct paths *paths);

/* One more of them. -ENOMEM. */
int paths_note_unreadable(struct paths *paths, const char *path);

/* The unreadable ones as skipped items of the run. */
void paths_skip_unreadable(const struct paths *paths, struct sample_sink *sink);
#define _cleanup_paths_ _cleanup_(paths_release)

#endif
