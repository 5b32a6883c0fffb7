/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may hold an incident back, in this order: the kill switch, a person, a maintenance, the lock, the
 * cooldown, the limit, the limit of all, how old Prometheus' data are, the breaker, a storm. The last two do
 * not hold: who is asked about them is a person, as about an approval.
 *
 * Approval is no guard here: it is asked for once all of these let the incident through.
 */
#ifndef RESPONDER_ENGINE_GUARD_H
#define RESPONDER_ENGINE_GUARD_H

#include "responder/journal/journal.h"
#include "responder/remediation/remediation.h"

struct guard_verdict {
        const char *guard; /* "paused", "human", "maintenance", "lock", "cooldown", "limit", "limit_all",
                              "freshness", "breaker", "storm"; NULL: nothing holds it */
        nsec until;        /* steady; 0: until something changes */
        bool asks;         /* it does not hold by itself: a person is asked, for `reason` */
        bool tells;        /* it may hold for long: a person is told at once */
        bool own;          /* of this incident alone: another one under its lock is asked about anew */
        bool unasked;      /* nothing is known before the neighbours have answered: it is neither held nor
                              let through */
        char reason[256];
        char holder[32]; /* "lock": the number of the incident that has it */
};

/* The locks under which something was changed within a storm's time, or is about to be: with room for `space`
 * of them, which is more than a storm may have. Each is owned. */
struct acted_locks {
        char **items;
        size_t count, space;
};

/* The incidents that have their locks, and those that a person has taken: few among many. The incidents are
 * borrowed. */
struct lock_holders {
        const struct incident **items;
        size_t count;
        const struct incident **taken;
        size_t taken_count;
};

/* Whether it acts, or its effect is being verified: then it has its lock. */
bool guard_holds_lock(const struct incident *incident);

/* The other incident that has this lock; NULL when it is free. */
const struct incident *guard_lock_holder(const struct lock_holders *holders, int64_t incident,
                                         const char *lock);

/* Whether what is held by one of these guards may no longer be, by what is cheap to know (`wall` is for its
 * `guard_until`): guard_check() then says. */
bool guard_may_be_over(const struct incident *incident, const struct lock_holders *holders, bool paused,
                       bool maintained, nsec wall);

/* The names of all guards, in the order in which they are asked; NULL after the last. */
const char *guard_name(size_t index);

/* From now on something is done under this lock. */
int guard_note_acted(struct acted_locks *acted, const char *lock, struct error *error);

#define FRESHNESS_GUARD "freshness"

/* What is known of how old Prometheus' newest data are. */
struct freshness {
        nsec asked_at; /* monotonic; 0: nothing is known yet */
        nsec age;      /* as of then */
        char why[160]; /* why that could not be told; "": it could */
};

/* What every guard looks at. */
struct guard_question {
        struct journal *journal;
        const struct world *world;
        const struct remediation *remediation;
        const struct incident *incident;
        const char *lock; /* the bound one */
        const struct lock_holders *holders;
        const struct remediation_set *set;
        const struct acted_locks *acted;
        size_t beginning; /* so many others that change something are about to begin: no journal has them yet,
                             or has had them for this moment alone */
        bool paused;
        struct freshness freshness;
        nsec now;              /* steady */
        bool maintained;       /* a maintenance holds */
        nsec maintained_until; /* steady; 0: not known */
};

/* Asks one guard alone, by its index: 1: it holds the incident back, `ret` says for how long and why; 0: it
 * lets it through. */
int guard_ask(size_t index, const struct guard_question *question, struct guard_verdict *ret,
              struct error *error);

/*
 * Asks every guard. An incident that has begun already (it asked for approval midway) has been counted:
 * neither cooldown nor limit holds it again. One that a person has approved is not asked about again.
 */
int guard_check(const struct guard_question *question, struct guard_verdict *ret, struct error *error);

#endif
