/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stretches of an incident's way that may wait for something outside, each carried out by a worker.
 *
 * Every stage begins with what the journal says and ends with a commit to it; whatever is kept in memory from
 * one to the next (the end of struct incident_run) may be lost in a crash without harm.
 */
#ifndef RESPONDER_INCIDENT_STAGES_STAGES_H
#define RESPONDER_INCIDENT_STAGES_STAGES_H

#include "responder/incident/run.h"

/* Each returns a negative errno when it could not get on, which is for the log: it is tried again later.
 * -ECANCELED, of which nothing need be said: the daemon ends, or is paused. */
typedef int incident_stage(struct incident_run *run, struct error *error);

incident_stage stage_start;        /* the guards let it through: plan all, then ask, or run */
incident_stage stage_run;          /* running: go on with the steps */
incident_stage stage_verify;       /* verifying: look once */
incident_stage stage_aftermath;    /* failed or not healed: undo what is to be undone, call a person */
incident_stage stage_expire;       /* waited too long: call a person, then expired */
incident_stage stage_still_firing; /* healed or done, but the alert fires: call a person, then escalated */
incident_stage stage_tell;         /* somebody is owed a word of what waits, or has ended: tell it */
incident_stage stage_climb;        /* nobody has said that he is at it: call the next one of its chain */
incident_stage stage_resend;       /* a person wants it sent again: what nobody has received */
incident_stage stage_tidy;         /* ended: undo when resolved or asked to, settle */

/* Whether stage_tidy has anything to do; `ret_undoes` tells whether it would undo something (needs the lock,
 * and, unless a person asked for it, that the responder is not paused). */
bool tidy_wanted(const struct incident *incident, const struct remediation *remediation, bool *ret_undoes);

#endif
