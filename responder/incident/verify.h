/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification: the condition that must hold afterwards, asked of Prometheus or of one of the exporter's
 * checks.
 *
 * It is asked again and again; what is kept between two looks is a `struct verify_watch`. An answer that
 * could not be had is never a verdict: it neither begins nor breaks the time that the condition must hold,
 * it only uses up `within`.
 */
#ifndef RESPONDER_INCIDENT_VERIFY_H
#define RESPONDER_INCIDENT_VERIFY_H

#include "responder/remediation/remediation.h"
#include "responder/world/world.h"

enum verdict { VERDICT_PENDING, VERDICT_HEALED, VERDICT_NOT_HEALED };

struct verify_watch {
        nsec began;      /* monotonic: when the incident began to be verified, also before a restart */
        nsec held_since; /* monotonic: the first look of the unbroken row in which it held */
        bool holds;
        uint64_t looks, errors;
};

/* One look of what is asked. */
struct verify_answer {
        bool known, holds;
        double value; /* of the first sample; NaN for a check */
};

static inline bool verify_wanted(const struct verification *verification)
{
        return verification->query || verification->check;
}

/* Asks once; `bindings` is NULL when the query was bound before. -errno when there was no answer: the
 * sentence says why. Waits until the deadline at most. */
int verify_ask(const struct verification *verification, const struct bindings *bindings,
               const struct world *world, struct deadline deadline, struct verify_answer *ret,
               struct error *error);

/* Takes an answer at a monotonic time into account. */
enum verdict verify_judge(const struct verification *verification, struct verify_watch *watch,
                          const struct verify_answer *answer, nsec now);

/* When to look again: after `every`, but not later than what decides. */
nsec verify_next(const struct verification *verification, const struct verify_watch *watch, nsec now);

#endif
