/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may hold an incident back, in this order: the kill switch, the lock, the cooldown, the limit.
 *
 * Approval is no guard here: it is asked for once all of these let the incident through.
 */
#ifndef RESPONDER_GUARD_H
#define RESPONDER_GUARD_H

#include "responder/journal/journal.h"
#include "responder/remediation/remediation.h"

struct guard_verdict {
        const char *guard; /* "paused", "lock", "cooldown", "limit"; NULL: nothing holds it */
        nsec until;        /* wall; 0: until something changes */
        char holder[32];   /* "lock": the number of the incident that has it */
};

/* True for an incident that acts, or whose effect is being verified: it has its lock. */
bool guard_holds_lock(const struct incident *incident);

/* The other incident that has this lock; NULL when it is free. */
const struct incident *guard_lock_holder(const struct incident_list *active, int64_t incident,
                                         const char *lock);

/*
 * Asks every guard. `lock` is the bound one. An incident that has begun already (it asked for approval
 * midway) has been counted: neither cooldown nor limit holds it again.
 */
int guard_check(struct journal *journal, const struct remediation *remediation,
                const struct incident *incident, const char *lock, const struct incident_list *active,
                bool paused, nsec now, struct guard_verdict *ret, struct error *error);

#endif
