/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stretches of an incident's way that may wait for something outside, each carried out by a worker.
 *
 * Every stretch begins with what the journal says and ends with a commit to it; whatever is kept in memory
 * from one to the next (`struct carry_memory`) may be lost in a crash without harm.
 */
#ifndef RESPONDER_CARRY_H
#define RESPONDER_CARRY_H

#include "responder/incident/steps.h"
#include "responder/incident/verify.h"
#include "runbook/log.h"

struct carry_memory {
        bool watching; /* `watch` is set up */
        struct verify_watch watch;
        nsec backoff; /* of whom could not be reached; 0: not tried yet */
};

struct carry {
        struct walk walk;
        struct carry_memory *memory;
        const char *lock; /* the bound lock that it was started under */
        nsec again;       /* monotonic: look again then; 0: when something changes */
};

/* Each returns a negative errno when it could not get on, which is for the log: it is tried again later. */
typedef int carry_function(struct carry *carry, struct error *error);

carry_function carry_start;     /* the guards let it through: plan all, then ask, or run */
carry_function carry_run;       /* running: go on with the steps */
carry_function carry_verify;    /* verifying: look once */
carry_function carry_aftermath; /* failed or not healed: undo what is to be undone, call a person */
carry_function carry_expire;    /* waited too long: call a person, then expired */
carry_function carry_tidy;      /* ended: undo when resolved or asked to, settle */

/* Whether carry_tidy has anything to do; `ret_undoes` tells whether it would undo something (needs the lock,
 * and, unless a person asked for it, that the responder is not paused). */
bool carry_tidy_wanted(const struct incident *incident, const struct remediation *remediation,
                       bool *ret_undoes);

/* A change of state that does not end the incident, and a line of the log about it. */
int carry_change(struct carry *carry, enum incident_state expect, enum incident_state state,
                 const char *event, const cJSON *detail, struct error *error);
void carry_log(const struct walk *walk, enum log_level level, const char *message, const char *reason);

/* Writes the final state of an incident, counts and logs it. `detail` may be NULL. */
int carry_conclude(struct walk *walk, enum incident_state expect, enum incident_state state,
                   const char *event, const char *actor, const cJSON *detail, struct error *error);

#endif
