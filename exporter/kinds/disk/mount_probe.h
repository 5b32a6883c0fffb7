/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks file systems how full they are without waiting for dead ones.
 *
 * The call hangs for good on a network mount whose server is gone, and nothing can end it. So each path has a
 * thread of its own while it is asked, and one that hangs is not asked again until it has come back.
 */
#ifndef EXPORTER_KINDS_DISK_MOUNT_PROBE_H
#define EXPORTER_KINDS_DISK_MOUNT_PROBE_H

#include <sys/statvfs.h>

#include "runbook/clock.h"
#include "runbook/error.h"

struct mount_probes;

struct mount_answer {
        bool hung;         /* there was no answer in time, and there is none yet; the rest is not set */
        int error;         /* a positive errno when it was refused */
        struct statvfs fs; /* set when neither */
        bool mounted;      /* a file system is mounted at the path itself */
        uint64_t mount;    /* the number of the mount that it lies on, as in mountinfo; 0: not known */
};

int mount_probes_new(const char *const *paths, size_t count, struct mount_probes **ret, struct error *error);

/* What hangs is left to itself, and freed when it comes back. */
struct mount_probes *mount_probes_free(struct mount_probes *probes);
DEFINE_CLEANUP(struct mount_probes *, mount_probes_free);

/* Asks all of them at once; `answers` has room for each. At most until `deadline`; one thread at a time. */
int mount_probes_ask(struct mount_probes *probes, struct deadline deadline, struct mount_answer *answers,
                     struct error *error);

#endif
