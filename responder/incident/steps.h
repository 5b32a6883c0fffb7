/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of one incident, carried out on a worker thread: planned anew, run, resumed after a crash,
 * undone, settled, each change of the outside between two durable commits. Steps are named by their index,
 * from 0.
 */
#ifndef RESPONDER_INCIDENT_STEPS_H
#define RESPONDER_INCIDENT_STEPS_H

#include "responder/incident/run.h"

enum steps_end {
        STEPS_COMPLETE,  /* every step was done, or failed and was to be passed over */
        STEPS_CUT,       /* the alert was resolved: the rest was skipped */
        STEPS_CANCELLED, /* by a person, or resolved before anything was done: the rest was skipped */
        STEPS_FAILED,    /* the incident is `failed` now */
        STEPS_ASKING,    /* the incident is `awaiting_approval` now */
        STEPS_WAITING,   /* what has failed may pass: goes on at `run->look_again` */
        STEPS_YIELDED,   /* a person is at what it acts upon: the incident is `held` now */
        STEPS_PAUSED,    /* the kill switch is on: goes on when it is off */
        STEPS_STOPPING,  /* the daemon ends: goes on after the next start */
};

/* Goes on with a running incident from its first step that is not finished. */
int steps_run(struct incident_run *run, enum steps_end *ret, struct error *error);

/*
 * Undoes the wanted steps, last first; one that fails does not keep the others from being undone. What came
 * of each is in the journal. -ECANCELED when the daemon ends, or a person pauses it, before all were tried.
 */
typedef bool step_wanted(const struct step *step, const struct step_record *record);
int steps_undo(struct incident_run *run, step_wanted *wanted, struct error *error);

/* Lets go of what one step kept for its undo, and marks it as settled. -EBUSY: somebody else uses it by now.
 */
int step_settle(struct incident_run *run, size_t index, struct error *error);

/* Sends the message of a step once more, whatever came of it before, and writes nothing. */
int step_send(struct incident_run *run, size_t index, cJSON **ret_outcome, struct error *error);

#endif
