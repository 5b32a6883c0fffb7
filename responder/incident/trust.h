/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a remediation has come to so far, and what follows for how far it is trusted.
 *
 * The ledger is read anew out of the journal each time, from what its last incidents came to, so that nobody
 * has to keep it. What cannot be read counts for nothing, nor does what nothing is known of: an unverified
 * end is no failure and no success.
 */
#ifndef RESPONDER_INCIDENT_TRUST_H
#define RESPONDER_INCIDENT_TRUST_H

#include "responder/journal/journal.h"
#include "responder/remediation/remediation.h"

/* Of its last LEDGER_MOST incidents that have ended. */
enum { LEDGER_MOST = 100 };
struct ledger {
        size_t healed;     /* its verification held, and the alert stayed away for an hour */
        size_t not_healed; /* a step failed, its verification never held, or the alert went on */
        size_t came_back;  /* healed, and the same alert fired again within an hour */
        size_t undone;     /* a person has undone it */
        size_t refused;    /* a person said no: denied it, or cancelled it */
        size_t left_alone; /* nothing was run, and no person decided */
        size_t by_itself; /* of these: the alert ended all the same, waiting, or within an hour of its plan */
        size_t since_harm; /* healed, since the last that was not, that came back, was undone or refused */
        double assured;    /* the share that it heals at least, with 95 %: beta_share_at_least() */
};
int ledger_read(struct journal *journal, const char *remediation, struct ledger *ret, struct error *error);

/* Runs of which it is known what came of them. */
static inline size_t ledger_runs(const struct ledger *ledger)
{
        return ledger->healed + ledger->not_healed + ledger->came_back + ledger->undone;
}

/* So many healed without any harm, and so much of all for sure, make it act by itself. */
enum { TRUST_RUNS = 10 };
#define TRUST_SHARE 0.8

/* Whether what is `earned` has been. */
bool ledger_earns(const struct ledger *ledger);

/* How far a remediation goes by itself, by the file and by what it has come to. */
enum reach { REACH_PLANS, REACH_ASKS, REACH_HAS_YET_TO_EARN, REACH_HAS_EARNED, REACH_ACTS, REACH_COUNT };
enum reach ledger_reach(const struct ledger *ledger, const struct remediation *remediation);

/* "it heals 41 of 44; 3 of 9 left alone healed by themselves", "nothing is known of it yet". */
void ledger_put(const struct ledger *ledger, struct text *text);

/* Why a person is asked first by `trust:`; NULL: none is; free() it. */
int trust_asks(const struct remediation *remediation, struct journal *journal, char **ret,
               struct error *error);

#endif
