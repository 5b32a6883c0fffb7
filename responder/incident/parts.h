/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the responder that an incident is carried with; all of them outlive it, or are held. */
#ifndef RESPONDER_INCIDENT_PARTS_H
#define RESPONDER_INCIDENT_PARTS_H

#include <stdatomic.h>

#include "responder/incident/meters.h"
#include "responder/incident/occupied.h"
#include "responder/journal/journal.h"
#include "responder/remediation/remediation.h"
#include "responder/world/world.h"

/*
 * One reading of the configuration: the remediations, and the world with the targets they act on. A reload
 * makes another one; each lasts until the last who works by it has let go. Any thread.
 */
struct edition {
        atomic_uint holders;
        const struct world *machine; /* its clocks and threads alone, which outlive every edition */
        void (*end)(struct edition *edition);
};

struct incident_parts {
        const struct world *world;
        const struct remediation_set *set;
        struct edition *edition; /* of these two; NULL: they outlive everything */
        struct journal *journal;
        struct meters *meters;
        struct occupied *occupied; /* the engine's; NULL: nobody asks who else is at something */
        bool dry_run;
        const char *host;         /* the machine's name, as people are told it; NULL: not known */
        const char *external_url; /* --web.external-url: goes before the file's; NULL: not given */
        const char *address;      /* "http://127.0.0.1:9878", where people reach it; NULL: not known */
        /* What curl shows with a decision: on this machine, and by the file's `external_url`; NULL: nothing.
         */
        const char *shown_here, *shown_outside;
};

/* Whether it is to be planned, and nothing more: all are, or those of its remediation, as long as it has not
 * begun. */
static inline bool parts_only_plan(const struct incident_parts *parts, const struct incident *incident)
{
        const struct remediation *named =
                incident->running_at != 0 ? NULL : remediation_find(parts->set, incident->remediation);
        return parts->dry_run || (named && named->dry_run);
}

static inline void parts_hold(const struct incident_parts *parts)
{
        if (parts->edition)
                atomic_fetch_add(&parts->edition->holders, 1);
}

/* Once: to release what is released already, or was never held, does nothing. */
static inline void parts_release(struct incident_parts *parts)
{
        struct edition *edition = TAKE_PTR(parts->edition);
        if (edition && atomic_fetch_sub(&edition->holders, 1) == 1)
                edition->end(edition);
}

#endif
