/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of alerts that come in: one table, for the metric, the page and docs/responder.md.
 *
 * An alert is counted when it comes (repeated, resolved, late, unreadable), when an incident would be opened
 * for it (matched, dry_run, unmatched), and once more when its incident is then kept back because
 * Alertmanager keeps the alert back (silenced, inhibited, muted).
 */
#ifndef RESPONDER_INCIDENT_OUTCOMES_H
#define RESPONDER_INCIDENT_OUTCOMES_H

#include <stddef.h>

struct journal;
struct meters;
struct sample_sink;

/* X(name, as the label has it, in words) */
#define ALERT_OUTCOMES(X)                                                                         \
        X(MATCHED, "matched", "an incident was opened, or it joined one")                         \
        X(DRY_RUN, "dry_run", "an incident was opened, of which only the plan is made")           \
        X(UNMATCHED, "unmatched", "no remediation is for it")                                     \
        X(REPEATED, "repeated", "it fires on, and has set off what it sets off")                  \
        X(RESOLVED, "resolved", "it ended")                                                       \
        X(LATE, "late", "it was told to have ended, and did not fire, or had begun to fire anew") \
        X(UNREADABLE, "unreadable", "it could not be read")                                       \
        X(SILENCED, "silenced", "its incident waits, since Alertmanager has silenced it")         \
        X(INHIBITED, "inhibited", "its incident waits, since another alert inhibits it")          \
        X(MUTED, "muted", "its incident waits for the end of a time interval that mutes it")

enum alert_outcome {
#define X(name, word, words) OUTCOME_##name,
        ALERT_OUTCOMES(X)
#undef X
                OUTCOME_COUNT
};

const char *alert_outcome_name(enum alert_outcome outcome);
const char *alert_outcome_words(enum alert_outcome outcome);

/* An incident waits: counted as its alert's outcome when the guard is one that its sender has, too. */
void alert_outcomes_held(struct meters *meters, const char *guard);

/* How many since this process was started, of each. Any thread. */
void alert_outcomes_count(struct meters *meters, struct journal *journal, double ret[static OUTCOME_COUNT]);

/* runbook_alerts_total, every outcome, also where there was none. */
void alert_outcomes_collect(struct meters *meters, struct journal *journal, struct sample_sink *sink);

#endif
