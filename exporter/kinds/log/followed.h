/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of log_follow share: the files that are followed, and the search for them. */
#ifndef EXPORTER_KINDS_LOG_FOLLOWED_H
#define EXPORTER_KINDS_LOG_FOLLOWED_H

#include "exporter/kinds/log/follow.h"
#include "exporter/kinds/log/places.h"

struct followed {
        struct log_place place, before; /* now, and when the run began */
        struct log_place lost;          /* what had been read of it before it was replaced */
        uint64_t lost_run;              /* when that was seen; 0: never */
        uint64_t active, seen; /* the runs in which something came last, and the patterns matched it */
        char *path;            /* where it was seen last */
        int fd;
        uint64_t size;
        bool listed;     /* the patterns match it */
        bool linked;     /* it has a name, if only another one */
        bool copied;     /* all of it is how another file begins, which is read in its place */
        bool compressed; /* nothing is read of it */
        bool done;       /* with this run */
};

struct log_follow {
        struct log_follow_options options;
        struct followed files[LOG_FILES_MAX];
        size_t count;
        struct paths skipped; /* files and directories that the last search had to leave out */
        uint64_t run;         /* its number */
        bool begun;           /* it is known what is new and what was there before */
        bool unsaved;         /* something has changed since the places were saved */
        bool caught_up;       /* the last run was not ended by its deadline */
        char *buffer;
        size_t buffer_size;
};

/* Finds the files there are now. Goes on after a failure, which is returned. */
int log_follow_find(struct log_follow *follow, struct error *error);

/* Follows the i-th file no more; the last one takes its place. */
void log_follow_leave(struct log_follow *follow, size_t i);

#endif
