/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of alerts that come in: named, and put together of what the journal and the meters have. */
#include "responder/incident/outcomes.h"

#include "responder/incident/meters.h"
#include "responder/journal/journal.h"
#include "runbook/assert.h"

static const struct {
        const char *word, *words;
} outcomes[] = {
#define X(name, word, words) [OUTCOME_##name] = {word, words},
        ALERT_OUTCOMES(X)
#undef X
};
tables_agree(outcomes, OUTCOME_COUNT);

static const struct metric_family alerts_family = {
        .name = "runbook_alerts_total",
        .type = METRIC_COUNTER,
        .help = "Alerts that came in, by outcome"
#define X(name, word, words) "; " word ": " words
        ALERT_OUTCOMES(X)
#undef X
                ".",
};

const char *alert_outcome_name(enum alert_outcome outcome)
{
        assert_that(outcome < OUTCOME_COUNT, "there is such an outcome");
        return outcomes[outcome].word;
}

const char *alert_outcome_words(enum alert_outcome outcome)
{
        assert_that(outcome < OUTCOME_COUNT, "there is such an outcome");
        return outcomes[outcome].words;
}

void alert_outcomes_held(struct meters *meters, const char *guard)
{
        for (enum alert_outcome outcome = OUTCOME_SILENCED; outcome <= OUTCOME_MUTED; outcome++)
                if (string_equal(guard, outcomes[outcome].word))
                        meters_alert(meters, outcome, 1);
}

void alert_outcomes_count(struct meters *meters, struct journal *journal, double ret[static OUTCOME_COUNT])
{
        struct journal_heard heard;
        journal_heard(journal, &heard);
        for (enum alert_outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++)
                ret[outcome] = meters_alerts(meters, outcome);
        ret[OUTCOME_REPEATED] += (double)heard.repeated;
        ret[OUTCOME_RESOLVED] += (double)heard.resolved;
        ret[OUTCOME_LATE] += (double)heard.late;
}

void alert_outcomes_collect(struct meters *meters, struct journal *journal, struct sample_sink *sink)
{
        double counts[OUTCOME_COUNT];
        alert_outcomes_count(meters, journal, counts);
        for (enum alert_outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++)
                SAMPLE(sink, &alerts_family, counts[outcome], {"outcome", outcomes[outcome].word});
}
