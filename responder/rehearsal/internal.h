/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the rehearsal share: the model's time, what waits to be done in it, and who is ill. */
#ifndef RESPONDER_REHEARSAL_INTERNAL_H
#define RESPONDER_REHEARSAL_INTERNAL_H

#include "responder/rehearsal/rehearsal.h"

/* An alert that fires, and the verifications that do not hold as long as it does. */
struct illness {
        char key[DIGEST_TEXT_MAX];
        struct alert alert;
        char **conditions; /* PromQL, or "check NAME" */
        size_t count;
};

struct piece_of_work {
        void (*work)(void *argument);
        void *argument;
};

struct rehearsal {
        struct world world;
        const struct remediation_set *set;
        char path[64];
        nsec begin, now; /* wall */
        nsec look_at;    /* wall; INT64_MAX: when something changes */

        struct journal *journal;
        struct meters *meters;
        struct engine *engine;

        struct piece_of_work *queue;
        size_t queue_first, queue_count, queue_space;
        struct illness *ill;
        size_t ill_count;
        cJSON *calls; /* an array of {incident, at, receiver, text} */
        struct rehearsal_counts counts;
};

/* model.c: the world. */
void model_fill(struct rehearsal *rehearsal);
void model_work(struct rehearsal *rehearsal); /* all that waits */
/* An alert as it is heard of; it is copied. */
int model_hear(struct rehearsal *rehearsal, const struct alert *alert, struct error *error);
void model_release(struct rehearsal *rehearsal);

/* Another like it; what is released by alert_release(). */
int alert_copy(const struct alert *alert, struct alert *ret, struct error *error);

#endif
