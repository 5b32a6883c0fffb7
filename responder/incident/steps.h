/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of one incident, carried out on a worker thread: planned anew, run, resumed after a crash,
 * undone, settled, each change of the outside between two durable commits.
 */
#ifndef RESPONDER_STEPS_H
#define RESPONDER_STEPS_H

#include <stdatomic.h>

#include "responder/incident/parts.h"

/* One incident in the hands of one thread. `remediation` fits it: step by step the same actions. */
struct walk {
        const struct engine_options *options;
        const atomic_bool *stopping; /* the daemon ends: no further step is begun */
        const struct remediation *remediation;
        struct incident incident; /* as the journal last had it */
};

/* True when the remediation still has the steps that the incident was opened with. */
bool walk_fits(const struct remediation *remediation, const struct incident *incident);

/* Reads the incident anew. */
int walk_refresh(struct walk *walk, struct error *error);

/*
 * Writes one event of this incident (incident and, when NULL, actor are filled in) and reads it anew. What
 * has happened must be in the journal: so a write that fails is tried again every second, until the daemon
 * ends. -ESTALE: somebody else was faster, nothing was written.
 */
int walk_write(struct walk *walk, struct journal_entry *entry, struct error *error);

enum steps_end {
        STEPS_COMPLETE,  /* every step was done, or failed and was to be passed over */
        STEPS_CUT,       /* the alert was resolved: the rest was skipped */
        STEPS_CANCELLED, /* by a person, or resolved before anything was done: the rest was skipped */
        STEPS_FAILED,    /* the incident is `failed` now */
        STEPS_ASKING,    /* the incident is `awaiting_approval` now */
        STEPS_PAUSED,    /* the kill switch is on: goes on when it is off */
        STEPS_STOPPING,  /* the daemon ends: goes on after the next start */
};

/* Goes on with a running incident from its first step that is not finished. */
int steps_run(struct walk *walk, enum steps_end *ret, struct error *error);

/*
 * Undoes the wanted steps, last first; one that fails does not keep the others from being undone. What came
 * of each is in the journal. -ECANCELED when the daemon ends before all were tried.
 */
typedef bool step_wanted(const struct step *step, const struct step_record *record);
int steps_undo(struct walk *walk, step_wanted *wanted, struct error *error);

/* Lets go of what one step kept for its undo, and marks it as settled. `index` from 0. */
int step_settle(struct walk *walk, size_t index, struct error *error);

/* {"reason": …}, with the other members that `take` holds (may be NULL); NULL when out of memory. */
cJSON *reason_detail(const char *reason, cJSON *take);

#endif
