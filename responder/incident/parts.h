/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the responder that an incident is carried with; all of them outlive it. */
#ifndef RESPONDER_INCIDENT_PARTS_H
#define RESPONDER_INCIDENT_PARTS_H

#include "responder/incident/meters.h"
#include "responder/journal/journal.h"
#include "responder/remediation/remediation.h"
#include "responder/world/world.h"

struct incident_parts {
        const struct world *world;
        const struct remediation_set *set;
        struct journal *journal;
        struct meters *meters;
        bool dry_run;
        const char *address; /* "http://127.0.0.1:9878", where people reach it; NULL: not known */
};

#endif
