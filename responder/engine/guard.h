/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may hold an incident back, in this order: the kill switch, the lock, the cooldown, the limit.
 *
 * Approval is no guard here: it is asked for once all of these let the incident through.
 */
#ifndef RESPONDER_ENGINE_GUARD_H
#define RESPONDER_ENGINE_GUARD_H

#include "responder/journal/journal.h"
#include "responder/remediation/remediation.h"

struct guard_verdict {
        const char *guard; /* "paused", "lock", "cooldown", "limit"; NULL: nothing holds it */
        nsec until;        /* steady; 0: until something changes */
        char holder[32];   /* "lock": the number of the incident that has it */
};

/* The incidents that have their locks: few among many. The incidents are borrowed. */
struct lock_holders {
        const struct incident **items;
        size_t count;
};

/* Whether it acts, or its effect is being verified: then it has its lock. */
bool guard_holds_lock(const struct incident *incident);

/* The other incident that has this lock; NULL when it is free. */
const struct incident *guard_lock_holder(const struct lock_holders *holders, int64_t incident,
                                         const char *lock);

/* The names of all guards, in the order in which they are asked; NULL after the last. */
const char *guard_name(size_t index);

/* What every guard looks at. */
struct guard_question {
        struct journal *journal;
        const struct remediation *remediation;
        const struct incident *incident;
        const char *lock; /* the bound one */
        const struct lock_holders *holders;
        bool paused;
        nsec now; /* steady */
};

/*
 * Asks every guard. An incident that has begun already (it asked for approval midway) has been counted:
 * neither cooldown nor limit holds it again.
 */
int guard_check(const struct guard_question *question, struct guard_verdict *ret, struct error *error);

#endif
