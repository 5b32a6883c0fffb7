/* SPDX-License-Identifier: Apache-2.0 */
/* No verdict without an answer: what verifications were told, against what they made of it. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/claims.h"

/* `every`, the longest answer, and how late a look may be: who was stopped for a part of that was none the
 * less there when it was due. */
#define BETWEEN_LOOKS (22 * NSEC_PER_SEC)

/* The least `within` of each remediation that verifies, over all versions of the file. */
static nsec within_of(const struct source *source)
{
        return strcmp(source->alertname, "slow") == 0 ? 5 * MINUTE : 3 * MINUTE;
}

static int64_t source_of(const struct sim *sim, const char *promql)
{
        for (int64_t i = 0; i < SOURCES; i++) {
                char name[48];
                snprintf(name, sizeof(name), "%s{subject=\"%s\"}", sim->sources[i].alertname,
                         sim->sources[i].subject);
                if (strcmp(name, promql) == 0)
                        return i;
        }
        return -1;
}

static void claim_verdict(struct sim *sim, int64_t source)
{
        const struct witness *witness = &sim->witnesses[source];
        const struct source *one = &sim->sources[source];
        if (!sim->journal || sim_is_dead(sim) || sim->failed)
                return;
        /* A verdict falls at once when its answer is there, unless the disk is full. */
        _cleanup_free_ char *state =
                claims_text("SELECT i.state FROM incidents i JOIN episodes e ON e.id = i.episode"
                            " WHERE e.key = ?1 AND i.entered_steady = ?2"
                            " AND i.state IN ('healed', 'not_healed', 'unverified')",
                            "ti", one->key, journal_steady(sim->journal));
        /* How long the machine was off is what the wall clock makes of it. */
        nsec since = sim->now - witness->acted, within = within_of(&sim->sources[source]);
        nsec passed = journal_steady(sim->journal) - witness->acted_steady;
        since = passed > since ? passed : since;
        if (strcmp(state, "healed") == 0 && !(witness->known && witness->holds))
                sim_fail(sim, "%s is said to be healed, and nothing says so", one->name);
        if (strcmp(state, "not_healed") == 0 && (!witness->known || witness->seen < within))
                sim_fail(sim, "%s is said not to be healed, after %.0f s of answers", one->name,
                         nsec_to_seconds(witness->seen));
        if (strcmp(state, "unverified") == 0 && (since < within || (witness->known && since < HOUR)))
                sim_fail(sim, "%s is said to be unknown, %.0f s after the last step, %s", one->name,
                         nsec_to_seconds(since), witness->known ? "with an answer" : "without an answer");
}

void verdicts_answered(struct sim *sim, const char *promql, bool known, bool holds)
{
        int64_t source = source_of(sim, promql);
        if (source < 0 || sim_is_dead(sim))
                return;
        struct witness *witness = &sim->witnesses[source];
        nsec passed = sim->now - witness->last;
        bool there = witness->stops == sim->stops || passed <= BETWEEN_LOOKS;
        if (known && witness->known && witness->life == sim->restarts && there)
                witness->seen += passed;
        witness->known = known;
        witness->holds = known ? holds : witness->holds;
        witness->last = sim->now;
        witness->life = sim->restarts;
        witness->stops = sim->stops;
        sim_at(sim, sim->now, claim_verdict, source);
}

void verdicts_act(struct sim *sim, int64_t incident, bool undo)
{
        _cleanup_free_ char *key = claims_text(
                "SELECT e.key FROM incidents i JOIN episodes e ON e.id = i.episode WHERE i.id = ?1", "i",
                incident);
        _cleanup_free_ char *remediation =
                claims_text("SELECT remediation FROM incidents WHERE id = ?1", "i", incident);
        _cleanup_free_ char *state = claims_text("SELECT state FROM incidents WHERE id = ?1", "i", incident);
        if (undo && strcmp(state, "unverified") == 0)
                sim_fail(sim, "incident %lld undoes what nobody knows to have failed", (long long)incident);
        int64_t source = source_find(sim, key);
        /* Of those that verify, one acts at a time. */
        bool verifies = strcmp(remediation, "slow") == 0 || strncmp(remediation, "errors", 6) == 0;
        if (!undo && verifies && source >= 0)
                sim->witnesses[source] =
                        (struct witness){.acted = sim->now, .acted_steady = journal_steady(sim->journal)};
}
