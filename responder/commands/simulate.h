/* SPDX-License-Identifier: Apache-2.0 */
/* `runbook_responder simulate` and `test`: a file of remediations rehearsed on the alerts that were, or on
 * those of its tests. */
#ifndef RESPONDER_COMMANDS_SIMULATE_H
#define RESPONDER_COMMANDS_SIMULATE_H

#include "responder/commands/arguments.h"
#include "responder/rehearsal/rehearsal.h"
#include "responder/remediation/remediation.h"

/* Takes the struct responder_arguments, and returns what to exit with. */
int command_simulate(const void *arguments);

/* The files of tests that follow the word: see responder/rehearsal/cases.h. */
int command_test(const void *arguments);

/* Which history that is: from a wall time to another, in words ("ALERTS of http://…"). */
struct simulated {
        struct history history;
        nsec since, until;
        char *source;
};
void simulated_release(struct simulated *simulated);

/* simulate_history.c: as the arguments say, out of Prometheus, a file or the journal. `set` has the address.
 */
int simulate_history(const struct responder_arguments *arguments, const struct remediation_set *set,
                     struct simulated *ret, struct error *error);

/* simulate_show.c: what came of one incident, as a part of a sentence: "acts at once; healed". */
void simulate_put_outcome(struct text *text, const cJSON *outcome);
/* Both tables and what cannot be known; `limit` incidents at most. */
void simulate_put_all(struct text *text, const struct simulated *simulated,
                      const struct rehearsal_counts *counts, const cJSON *outcomes, size_t limit);

/* simulate_against.c: what differs, an array of {remediation, alert, before, now, expected}: before or now is
 * null where there is no incident. */
int simulate_compare(const cJSON *before, const cJSON *now, const struct flag_strings *expected, cJSON **ret,
                     struct error *error);
/* Whether some of them is not expected. */
bool simulate_put_differences(struct text *text, const cJSON *differences);

#endif
