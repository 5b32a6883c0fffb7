/* SPDX-License-Identifier: Apache-2.0 */
/* An incident in a worker's hands yields to a person: before it begins, and between its steps. */
#ifndef RESPONDER_INCIDENT_YIELD_H
#define RESPONDER_INCIDENT_YIELD_H

#include "responder/incident/run.h"
#include "responder/people/people.h"

struct people_question yield_question(struct incident_run *run);

/*
 * Whether a person is at what one of the `count` steps from `index` on would change, of those that have not
 * begun. When so it is held by the guard `human`, which the timeline and whoever is on call are told: 1. 0:
 * nobody is, as far as is known; what cannot be known is logged.
 */
int yield_to_people(struct incident_run *run, size_t index, size_t count, struct error *error);

#endif
