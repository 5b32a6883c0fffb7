/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `escalation:` at the top of remediations.yml: who is called after whom, while nobody says that he is at it.
 *
 *     escalation: [{to: oncall}, {to: lead, after: 15m}, {to: manager, after: 30m, in_hours: true}]
 *
 * or one such chain for each value of a label of the alert, and one for everything else:
 *
 *     escalation: {by: severity, chains: {P1: [...], P2: [...]}, else: [...]}
 */
#ifndef RESPONDER_REMEDIATION_ESCALATION_H
#define RESPONDER_REMEDIATION_ESCALATION_H

#include "responder/targets/targets.h"
#include "runbook/config.h"

enum { ESCALATION_LEVELS_MOST = 8, ESCALATION_CHAINS_MOST = 32 };

struct escalation_level {
        char *to;   /* a receiver that there is */
        nsec after; /* since somebody was first needed; 0 of the first, and each more than the one before */
        char *contact; /* how else he is reached, for people; NULL: not said */
        bool in_hours; /* outside the file's `hours` it waits until they begin */
};

struct escalation_chain {
        char *of; /* the label's value; NULL: of everything else */
        struct escalation_level *levels;
        size_t count;
};

/* None of it given: no chains. */
struct escalation {
        char *by; /* the label */
        struct escalation_chain *chains;
        size_t count;
};

/* The keys of its mapping, and of a level; for the reference page. */
extern const struct config_field escalation_fields[], escalation_level_fields[];

/* Reads it; `node` may be NULL. `hours`: the file says when people are there. Mistakes are complaints;
 * -ENOMEM is the only failure. */
int escalation_read(struct config_node *node, const struct target_set *targets, bool hours,
                    struct escalation *ret, struct error *error);
void escalation_release(struct escalation *escalation);

/* The chain for an alert with these labels; NULL: none. `labels` NULL: that of everything else. */
const struct escalation_chain *escalation_find(const struct escalation *escalation,
                                               const struct config_map *labels);

#endif
