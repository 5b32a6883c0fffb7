/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fails for the moment only (error_may_pass()) is tried again within a time of its own, ever less often.
 *
 * No worker waits meanwhile: the stage ends, and the engine looks again when the next try is due. What a step
 * that has begun may have done by then is found out as after a crash. All of this is in memory: after a
 * restart the time begins anew.
 */
#ifndef RESPONDER_INCIDENT_PATIENCE_H
#define RESPONDER_INCIDENT_PATIENCE_H

#include "responder/incident/run.h"

/* The longest that a plan is tried for, should the step itself have longer. */
#define PATIENCE_TO_PLAN (60 * NSEC_PER_SEC)

/* How long somebody else's step is waited for, which has a `timeout:` of its own. */
#define PATIENCE_FOR_TURN (15 * 60 * NSEC_PER_SEC)

/*
 * Before a try of `what` (PATIENCE_… of run.h) of a step, from 1 (0: of all before they begin): goes on with
 * the time it was given, or gives it `within` from now, when something else was tried last. The deadline is
 * its end. Time in which it was free to be tried and nobody did, as a person had paused the responder, is not
 * counted.
 */
struct deadline patience_begin(struct incident_run *run, enum patience_for what, size_t step, nsec within);

/*
 * After a try that has failed: 1 when it is tried again, for which `run->look_again` is set; 0 when there is
 * no time, or the failure is none that passes. The first one of a row of tries is written into the timeline,
 * with its reason, as `event`.
 */
int patience_again(struct incident_run *run, const char *event, const struct error *why, struct error *error);

/* It is not being tried for now: somebody has paused the responder. */
void patience_stop(struct incident_run *run);

/* It is over, one way or another. How often it was tried. */
unsigned patience_end(struct incident_run *run);

#endif
