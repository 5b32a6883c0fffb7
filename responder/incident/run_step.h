/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step of an incident before the eyes of its action, on a worker thread. Opened, shown what the journal
 * has of it, acted, closed; one at a time. Steps are named by their index, from 0.
 */
#ifndef RESPONDER_INCIDENT_RUN_STEP_H
#define RESPONDER_INCIDENT_RUN_STEP_H

#include "responder/incident/run.h"

/* As it is configured, and as it is journaled; both the run's. */
const struct step *run_step_at(const struct incident_run *run, size_t index);
struct step_record *run_record_at(struct incident_run *run, size_t index);

/* What fails before its plan is journaled has done nothing that could be put back. */
bool run_step_was_begun(const struct step_record *record);

/* Binds its arguments into `run->step`, which is open until it is closed. The action can report how far it
 * is, each time with a durable commit. */
int run_open_step(struct incident_run *run, size_t index, struct error *error);
void run_close_step(struct incident_run *run, size_t index);

/* Shows the open step what the journal has of it. Not to be read anew from here on, until the action has
 * returned. */
void run_show_record(struct incident_run *run, size_t index, struct deadline deadline);

/* Runs the action of the open step. Who tells something has the incident's report as well, headed by `what`.
 * The outcome is json_free()d by the caller; `why` is the action's. */
int run_act(struct incident_run *run, const struct action *action, const char *what, cJSON **ret_outcome,
            struct error *why);

/* What a failed step leaves: its own sentence, and the one that the incident is shown with. cJSON_Delete()
 * it; NULL: out of memory. */
cJSON *run_failure_detail(const struct incident_run *run, size_t index, const char *what,
                          const char *sentence);

/*
 * Enters the service that a step changes in Docker, so that one step at a time is at it: what another one did
 * meanwhile would be taken for a person's. `bound` has its labels bound. `ret_entered` is for
 * run_leave_service() and free(); NULL: it changes none. -EBUSY, which may pass, says whose step is there.
 */
int run_enter_service(const struct incident_run *run, const struct step *bound, char **ret_entered,
                      struct error *error);
void run_leave_service(const struct incident_run *run, const char *entered); /* takes NULL */

#endif
