/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification: the condition that must hold afterwards, asked of Prometheus or of one of the exporter's
 * checks.
 *
 * It is asked again and again; what is kept between two looks is a `struct verify_watch`. There are three
 * answers: it holds, it does not, and nobody knows. What nobody knows is never a verdict: it neither breaks
 * the time that the condition must hold, nor counts for it, nor uses up `within`. Time passes only while one
 * could look: each look stands for the time since the one before, if both have an answer; what lies between
 * two looks that should have been made (the machine slept, the process was stopped) counts for nothing, and
 * neither does what was before a start of the daemon.
 */
#ifndef RESPONDER_INCIDENT_VERIFY_H
#define RESPONDER_INCIDENT_VERIFY_H

#include "responder/remediation/remediation.h"
#include "responder/world/world.h"

/* The longest that one look may wait for its answer. */
#define VERIFY_LOOK_MOST (10 * NSEC_PER_SEC)

enum verdict {
        VERDICT_PENDING,
        VERDICT_HEALED,
        VERDICT_NOT_HEALED, /* `within` was seen through, and it did not hold as long as it must */
        VERDICT_UNKNOWN,    /* for as long as `within` nobody knew, or it took an hour more than both */
};

/* Of all zeroes but `began` before the first look. */
struct verify_watch {
        nsec began;  /* monotonic: when the incident began to be verified, also before a restart */
        nsec last;   /* monotonic: when the last look had its answer; 0: none was made yet */
        nsec due;    /* monotonic: when the next one was to be made */
        bool known;  /* the last look had an answer, */
        bool holds;  /* and the last answer that there was is that it holds */
        nsec held;   /* how long that was seen */
        nsec seen;   /* how long there were answers */
        nsec unseen; /* how long there were none */
        uint64_t looks, errors, late; /* late: when the last hour was over */
};

/* What was measured, for people: few enough to be kept in the journal, whatever there was. All zeroes before.
 */
enum { VERIFY_VALUES_MOST = 64 };
struct verify_values {
        cJSON *list;            /* of [seconds since it began, value]; NULL: nothing yet; cJSON_Delete() it */
        unsigned apart, passed; /* one of so many looks is kept; how many were not since the last that is */
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

/*
 * Asks once; `bindings` is NULL when the query was bound before. Only what was measured since `age` counts.
 * -errno when there was no answer: the sentence says why; -ENODATA when what was asked has none. Waits until
 * the deadline at most.
 */
int verify_ask(const struct verification *verification, const struct bindings *bindings,
               const struct world *world, nsec age, struct deadline deadline, struct verify_answer *ret,
               struct error *error);

/* Keeps the value of a look, `since` after the first; what is no number is not kept, nor what was measured
 * often enough. The `last` one always is, when it is a number. */
void verify_keep(struct verify_values *values, nsec since, double value, bool last);

/* Takes an answer into account, of a look that was begun at one monotonic time and over at another, and says
 * when the next one is due (`watch->due`): after `every`, but not later than what decides. */
enum verdict verify_judge(const struct verification *verification, struct verify_watch *watch,
                          const struct verify_answer *answer, nsec begun, nsec now);

#endif
