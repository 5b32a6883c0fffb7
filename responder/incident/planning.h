/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every step of a remediation would do right now, found out by reading only.
 *
 * The same plans stand at the start of an incident, in a dry run, and behind `runbook_responder plan`.
 */
#ifndef RESPONDER_INCIDENT_PLANNING_H
#define RESPONDER_INCIDENT_PLANNING_H

#include "responder/journal/incident.h"
#include "responder/remediation/remediation.h"
#include "responder/world/world.h"

/*
 * Binds the step's arguments into what an action is given, unless they were bound before; `alert` and
 * `incident` are borrowed. -ENOKEY names a label that is missing; there is nothing to close then.
 */
int step_open(const struct step *step, size_t position, const struct alert *alert, const char *incident,
              struct step_run *ret, struct error *error);
void step_close(const struct step *step, struct step_run *run); /* takes one that was never opened, too */

/* Plans the step, by its `timeout:` or 30 s from now, whichever is sooner. The plan is an object with
 * "summary" and "targets". */
int step_plan(const struct world *world, const struct step *step, struct step_run *run, cJSON **ret_plan,
              struct error *error);

/* True when the plan touches more than the step's `max:`; `ret_reason` (free it) then says so. */
bool step_exceeds_max(const struct step *step, size_t position, const cJSON *plan, char **ret_reason);

const char *effect_name(enum effect effect);

/* All plans of one remediation. */
struct planning {
        cJSON *plans;  /* an array of {step, action, effect, essential, plan | error} */
        char *failure; /* why the remediation cannot begin as it stands; NULL when it can */
        char *stops; /* where it would end on its way, since a later step cannot be planned; NULL: nowhere */
        char *asks;  /* why a person must agree first, for a `max:`; NULL: need not */

        size_t failed;    /* the step, from 1, that `failure` is about */
        struct error why; /* what it says, and whether that may pass */
};

/*
 * Binds and plans every step. One that is not essential stops no other: when it cannot be planned, lacks a
 * label or exceeds its `max:`, that is its "error". An essential one that cannot be planned stops itself and
 * those after it (`stops`); when none that changes anything stands before it, or what was done would be
 * undone
 * (`on_failure: undo`), or it lacks a label, nothing is to begin (`failure`). Of `records` (may be NULL)
 * those are passed over that are done with. -ENOMEM is the only failure of the function itself.
 */
int planning_make(const struct remediation *remediation, const struct step_record *records,
                  const struct alert *alert, const char *incident, const struct world *world,
                  struct planning *ret, struct error *error);
void planning_release(struct planning *planning);

#endif
