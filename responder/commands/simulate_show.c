/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a rehearsal, for a person at a terminal. */
#include <inttypes.h>
#include <stdio.h>

#include "responder/commands/show.h"
#include "responder/commands/simulate.h"
#include "responder/commands/table.h"

static nsec time_of(const cJSON *json, const char *key)
{
        const char *text = json_string(json, key);
        nsec at = 0;
        return text && time_parse(text, &at, NULL) >= 0 ? at : 0;
}

/* "12m" from one to the other, in whole seconds; "" when either is not known, or it is none. */
static const char *between(nsec from, nsec to, char ret[static DURATION_TEXT_MAX])
{
        nsec length = to - from;
        *ret = '\0';
        length -= length % NSEC_PER_SEC;
        return from == 0 || to == 0 || length < NSEC_PER_SEC ? ret : duration_format(length, ret);
}

static void put_holds(struct text *text, const cJSON *outcome)
{
        const cJSON *hold;
        cJSON_ArrayForEach(hold, json_get(outcome, "held", NULL))
        {
                char length[DURATION_TEXT_MAX];
                between(time_of(hold, "at"), time_of(hold, "until"), length);
                text_puts(text, "held by ");
                show_string(text, hold, "guard");
                text_printf(text, *length ? " for %s; " : "%s; ", length);
        }
}

static void put_asked(struct text *text, const cJSON *outcome)
{
        const cJSON *asked;
        cJSON_ArrayForEach(asked, json_get(outcome, "asked", NULL))
        {
                text_puts(text, "asks a person (");
                show_string(text, asked, "reason");
                text_puts(text, "); ");
        }
}

static void put_called(struct text *text, const cJSON *outcome)
{
        const cJSON *called = json_get(outcome, "called", NULL), *call;
        const char *before = NULL;
        cJSON_ArrayForEach(call, called)
        {
                const char *receiver = json_string(call, "receiver");
                if (!string_equal(receiver, before)) {
                        text_puts(text, before ? ", " : "; tells ");
                        show_string(text, call, "receiver");
                }
                before = receiver;
        }
}

void simulate_put_outcome(struct text *text, const cJSON *outcome)
{
        char length[DURATION_TEXT_MAX];
        nsec opened = time_of(outcome, "opened_at"), acted = time_of(outcome, "acted_at");
        put_holds(text, outcome);
        put_asked(text, outcome);
        if (acted == 0)
                text_puts(text, "does nothing; ");
        else if (*between(opened, acted, length))
                text_printf(text, "acts after %s; ", length);
        else
                text_puts(text, "acts at once; ");
        show_string(text, outcome, "state");
        put_called(text, outcome);
}

/* What is counted of one remediation. */
struct tally {
        const char *remediation;
        size_t incidents, acted, asked, called;
        struct {
                const char *guard;
                size_t count;
        } held[16];
};

static void count_holds(struct tally *tally, const cJSON *outcome)
{
        const cJSON *hold;
        cJSON_ArrayForEach(hold, json_get(outcome, "held", NULL))
        {
                const char *guard = json_string(hold, "guard");
                for (size_t i = 0; i < N_ELEMENTS(tally->held); i++) {
                        if (tally->held[i].guard && !string_equal(tally->held[i].guard, guard))
                                continue;
                        tally->held[i].guard = guard;
                        tally->held[i].count++;
                        break;
                }
        }
}

static void count_one(struct tally *tallies, size_t *count, const cJSON *outcome)
{
        const char *name = json_string(outcome, "remediation");
        size_t i = 0;
        while (i < *count && !string_equal(tallies[i].remediation, name))
                i++;
        if (i == *count)
                tallies[(*count)++] = (struct tally){.remediation = name};
        tallies[i].incidents++;
        tallies[i].acted += json_string(outcome, "acted_at") != NULL;
        tallies[i].asked += cJSON_GetArraySize(json_get(outcome, "asked", NULL)) > 0;
        tallies[i].called += cJSON_GetArraySize(json_get(outcome, "called", NULL)) > 0;
        count_holds(&tallies[i], outcome);
}

static void put_number(struct table *table, size_t number)
{
        char text[24];
        snprintf(text, sizeof(text), "%zu", number);
        table_cell(table, text);
}

static void put_tally(struct table *table, const struct tally *tally)
{
        _cleanup_text_ struct text held = {0};
        for (size_t i = 0; i < N_ELEMENTS(tally->held) && tally->held[i].guard; i++)
                text_printf(&held, "%s%s %zu", i > 0 ? ", " : "", tally->held[i].guard, tally->held[i].count);
        table_cell(table, tally->remediation);
        put_number(table, tally->incidents);
        put_number(table, tally->acted);
        put_number(table, tally->asked);
        put_number(table, tally->called);
        table_cell(table, text_string(&held));
}

static void put_tallies(struct text *text, const cJSON *outcomes)
{
        struct tally *tallies = calloc((size_t)cJSON_GetArraySize(outcomes) + 1, sizeof(*tallies));
        struct table table = {.columns = 6};
        size_t count = 0;
        const cJSON *outcome;
        cJSON_ArrayForEach(outcome, outcomes)
        {
                if (tallies)
                        count_one(tallies, &count, outcome);
        }
        static const char *const heads[] = {"REMEDIATION", "INCIDENTS", "ACTED", "ASKED", "TOLD", "HELD BY"};
        for (size_t i = 0; i < N_ELEMENTS(heads); i++)
                table_cell(&table, heads[i]);
        for (size_t i = 0; i < count; i++)
                put_tally(&table, &tallies[i]);
        if (count > 0)
                table_put(&table, text);
        table_release(&table);
        free(tallies);
}

static void put_incidents(struct text *text, const cJSON *outcomes, size_t limit)
{
        struct table table = {.columns = 4};
        static const char *const heads[] = {"AT", "REMEDIATION", "ALERT", "WHAT"};
        size_t shown = 0;
        for (size_t i = 0; i < N_ELEMENTS(heads); i++)
                table_cell(&table, heads[i]);
        const cJSON *outcome;
        cJSON_ArrayForEach(outcome, outcomes)
        {
                if (shown++ == limit)
                        break;
                _cleanup_text_ struct text at = {0}, alert = {0}, what = {0};
                show_time(&at, json_string(outcome, "opened_at"));
                show_alert(&alert, json_get(outcome, "alert", NULL));
                simulate_put_outcome(&what, outcome);
                table_cell(&table, text_string(&at));
                table_cell(&table, json_string(outcome, "remediation"));
                table_cell(&table, text_string(&alert));
                table_cell(&table, text_string(&what));
        }
        if (shown > 0)
                table_put(&table, text);
        table_release(&table);
        if (shown > limit)
                text_printf(text, "… and %zu more: --limit shows them, --json all\n",
                            (size_t)cJSON_GetArraySize(outcomes) - limit);
}

void simulate_put_all(struct text *text, const struct simulated *simulated,
                      const struct rehearsal_counts *counts, const cJSON *outcomes, size_t limit)
{
        char since[TIME_TEXT_MAX], until[TIME_TEXT_MAX];
        text_printf(text, "Rehearsed on %s, from %s to %s: %zu alerts, %zu of them with a remediation.\n\n",
                    simulated->source, time_format(simulated->since, since),
                    time_format(simulated->until, until), counts->alerts, counts->matched);
        put_incidents(text, outcomes, limit);
        if (cJSON_GetArraySize(outcomes) > 0)
                text_putc(text, '\n');
        put_tallies(text, outcomes);
        text_puts(
                text,
                "\nWhat a rehearsal cannot know: whether a step would have helped. It takes each for done at "
                "once, and an alert for over when it was; nobody answers what a person is asked, and nothing "
                "was silenced.\n");
}
