/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an incident: every way from one state to another that there is. What is not here, the journal
 * refuses. */
#include "responder/journal/transition.h"

#include "responder/incident/run.h"

/* An incident that waits may do all of this: it has been received, is held by a guard, or awaits approval. */
#define FROM_WAITING(state)                                                                 \
        {state, INCIDENT_HELD, "held", false}, {state, INCIDENT_RUNNING, "running", false}, \
                {state, INCIDENT_PLANNED, "planned", true},                                 \
                {state, INCIDENT_FAILED, "planning failed", false},                         \
                {state, INCIDENT_FAILED, "went astray", false},                             \
                {state, INCIDENT_CANCELLED, "cancelled", true},                             \
        {                                                                                   \
                state, INCIDENT_EXPIRED, "expired", true                                    \
        }

const struct transition transitions[] = {
        {INCIDENT_UNCHANGED, INCIDENT_RECEIVED, "received", false},

        FROM_WAITING(INCIDENT_RECEIVED),
        {INCIDENT_RECEIVED, INCIDENT_AWAITING_APPROVAL, "awaiting approval", false},

        FROM_WAITING(INCIDENT_HELD),
        {INCIDENT_HELD, INCIDENT_AWAITING_APPROVAL, "awaiting approval", false},
        {INCIDENT_HELD, INCIDENT_RECEIVED, "released", false},

        FROM_WAITING(INCIDENT_AWAITING_APPROVAL),
        {INCIDENT_AWAITING_APPROVAL, INCIDENT_AWAITING_APPROVAL, "awaiting approval", false},
        {INCIDENT_AWAITING_APPROVAL, INCIDENT_DENIED, "denied", true},

        {INCIDENT_RUNNING, INCIDENT_AWAITING_APPROVAL, "awaiting approval", false},
        {INCIDENT_RUNNING, INCIDENT_HELD, EVENT_YIELDED, false},
        {INCIDENT_RUNNING, INCIDENT_VERIFYING, "verifying", false},
        {INCIDENT_RUNNING, INCIDENT_DONE, "all steps done", true},
        {INCIDENT_RUNNING, INCIDENT_CANCELLED, "cancelled", true},
        {INCIDENT_RUNNING, INCIDENT_FAILED, "step failed", false},
        {INCIDENT_RUNNING, INCIDENT_FAILED, "step interrupted", false},
        {INCIDENT_RUNNING, INCIDENT_FAILED, "failed", false},
        {INCIDENT_RUNNING, INCIDENT_FAILED, "went astray", false},

        {INCIDENT_VERIFYING, INCIDENT_HEALED, "healed", true},
        {INCIDENT_VERIFYING, INCIDENT_CANCELLED, "cancelled", true},
        {INCIDENT_VERIFYING, INCIDENT_NOT_HEALED, "not healed", false},
        {INCIDENT_VERIFYING, INCIDENT_UNVERIFIED, "could not be verified", false},
        {INCIDENT_VERIFYING, INCIDENT_UNVERIFIED, "went astray", false},

        {INCIDENT_FAILED, INCIDENT_ESCALATED, "escalated", true},
        {INCIDENT_FAILED, INCIDENT_FAILED, "ended: nobody is to be called", true},
        {INCIDENT_NOT_HEALED, INCIDENT_ESCALATED, "escalated", true},
        {INCIDENT_NOT_HEALED, INCIDENT_NOT_HEALED, "ended: nobody is to be called", true},
        {INCIDENT_UNVERIFIED, INCIDENT_ESCALATED, "escalated", true},
        {INCIDENT_UNVERIFIED, INCIDENT_UNVERIFIED, "ended: nobody is to be called", true},

        /* It has ended already: no request is to get lost. */
        {INCIDENT_HEALED, INCIDENT_ESCALATED, "still firing", false},
        {INCIDENT_HEALED, INCIDENT_NOT_HEALED, "still firing", false},
        {INCIDENT_DONE, INCIDENT_ESCALATED, "still firing", false},
        {INCIDENT_DONE, INCIDENT_NOT_HEALED, "still firing", false},
        {0},
};
