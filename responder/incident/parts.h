/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the responder that an incident is carried with. */
#ifndef RESPONDER_INCIDENT_PARTS_H
#define RESPONDER_INCIDENT_PARTS_H

#include "responder/incident/meters.h"
#include "responder/journal/journal.h"
#include "responder/remediation/remediation.h"
#include "responder/targets/targets.h"

struct engine_options {
        const struct remediation_set *set;
        struct targets *targets;
        struct journal *journal;
        struct meters *meters;
        bool dry_run;
};

#endif
