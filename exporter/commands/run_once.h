/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks of a file run once, for the commands that print and end.
 *
 * A check that hangs is given its timeout and then counts as failed; its thread is left behind, so the
 * process is to end soon after.
 */
#ifndef EXPORTER_COMMANDS_RUN_ONCE_H
#define EXPORTER_COMMANDS_RUN_ONCE_H

#include "exporter/schedule/schedule.h"

struct once {
        struct check_set *set;
        struct pings *pings;
        struct workers *workers;
        struct schedule *schedule;
        bool *selected;             /* one a check: whether it was run; those of other targets are not */
        struct check_state *states; /* one a check; those that were not run are unknown */

        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool news; /* a run has ended since it was last looked at */
};

/*
 * Loads the file and runs each check that `wanted` (NULL: all) says yes to, side by side; waits for all of
 * them. Checks keep their state in `state_directory`; the pings of jobs are read, and only read, from
 * `pings_directory`: both may be NULL. -EINVAL with every complaint about the file; -ENOMEM, -EAGAIN.
 * once_free() takes NULL.
 */
int once_run(const char *config_file, const char *state_directory, const char *pings_directory,
             bool (*wanted)(const struct check_set *set, size_t i), struct once **ret, struct error *error);
struct once *once_free(struct once *once);
DEFINE_CLEANUP(struct once *, once_free);

/* The worst standing of what was run. What is not set up is no worse than what passes. */
enum standing once_worst(const struct once *once);

/* What a command exits with: 0 when all pass or are not set up, 1 for a warning, 2 for a failure, 3 when
 * something, or all of it, could not be looked at. A failure is worse than what is unknown, and that is worse
 * than a warning. */
enum { ONCE_COULD_NOT_LOOK = 3 };
int once_exit_status(enum standing standing);

/* Writes the metrics of what was run, in the text format, to a file that is replaced as a whole; "-": to
 * stdout.
 */
int once_write_metrics(const struct once *once, const char *path, struct error *error);

#endif
