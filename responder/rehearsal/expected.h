/* SPDX-License-Identifier: Apache-2.0 */
/* What a test expects of a rehearsal at one moment; of this folder alone. */
#ifndef RESPONDER_REHEARSAL_EXPECTED_H
#define RESPONDER_REHEARSAL_EXPECTED_H

#include "runbook/config.h"

struct expectation {
        nsec at;
        char *remediation;
        int64_t incidents, incident; /* how many there are, -1: any; which one of them, 0: the last */
        char *state, *why;
        struct config_strings held_by, called;
        int acted, asked; /* 0: not asked about; 1: no; 2: yes */
        struct config_node *steps;
};

/* False after a complaint. */
bool expectation_read(struct config_node *node, struct expectation *ret);
void expectation_release(struct expectation *expectation);

/* Complains about what is otherwise in the outcomes of a rehearsal. */
void expectation_check(struct config_node *node, const struct expectation *expectation,
                       const cJSON *outcomes);

#endif
