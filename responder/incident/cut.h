/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An incident whose alert has ended, or that a person cancels, while it runs: what becomes of the steps that
 * have not begun.
 *
 * They are skipped; a step that has begun is finished, since half done is worse than either end; and once
 * anything was changed, those that tell of it run all the same: nobody is to find in the morning what nobody
 * has said.
 */
#ifndef RESPONDER_INCIDENT_CUT_H
#define RESPONDER_INCIDENT_CUT_H

#include "responder/incident/steps.h"

/* Whether the step, which has not begun, is to be skipped: once one is, the rest is. And its skipping,
 * written down. */
int cut_skips(struct incident_run *run, size_t index, bool *ret, struct error *error);
int cut_skip(struct incident_run *run, size_t index, struct error *error);

/* How the steps have ended, of which none is left: STEPS_COMPLETE, STEPS_CUT or STEPS_CANCELLED. */
enum steps_end cut_end(const struct incident *incident);

#endif
