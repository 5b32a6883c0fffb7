/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this exporter gives up, by --sandbox and by what its checks start.
 *
 * Checks that start nothing need neither programs nor files to write. Those that start known readers need
 * the former; and what an operator's programs do is left to them, so these keep Landlock away, which they
 * would inherit. As nothing that was given up comes back, a reload may not bring checks that need more.
 */
#ifndef EXPORTER_CONFINEMENT_H
#define EXPORTER_CONFINEMENT_H

#include "exporter/check/check.h"
#include "runbook/sandbox.h"

struct confinement {
        struct sandbox sandbox;
        const char *state_directory;         /* or NULL */
        const char *const *listen_addresses; /* closed by NULL */

        enum check_programs programs; /* the most that checks may start from now on: of confinement_enter() */
};

/* Gives up what the checks of `set` do not need and logs it. -EOPNOTSUPP when that must be and cannot. */
int confinement_enter(struct confinement *confinement, const struct check_set *set, struct error *error);

/* -EPERM when `set` needs what has been given up. */
int confinement_admit(const struct confinement *confinement, const struct check_set *set,
                      struct error *error);

#endif
