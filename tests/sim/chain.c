/* SPDX-License-Identifier: Apache-2.0 */
/* Those who are called one after the other: in time, once, and not while somebody is at it. */
#include <string.h>

#include "tests/sim/claims.h"

/* From when somebody could be told until he was. */
#define TOLD_WITHIN (15 * MINUTE)

bool chain_calls(const char *text)
{
        return strstr(text, ": still needs a person: ") || strstr(text, ": still awaits approval: ");
}

static void acknowledge(struct sim *sim, int64_t incident)
{
        people_decide(sim, incident, DECISION_ACK);
}

/* Some of them are at it then. */
void chain_hear(struct sim *sim, int64_t incident)
{
        if (rng_chance(&sim->rng, 500))
                sim_after(sim, NSEC_PER_SEC, 20 * MINUTE, acknowledge, incident);
}

/* Whether somebody said last that it is his, or what is to become of it: since it needed a person. */
static const char is_with_somebody[] =
        "SELECT (SELECT t.event FROM timeline t WHERE t.incident = ?1 AND t.event IN ('acknowledged', "
        "'taken',"
        " 'approved', 'denied', 'cancelled', 'given back', 'awaiting approval', 'escalated', 'expired',"
        " 'still firing', 'nobody was reached') ORDER BY t.id DESC LIMIT 1)"
        " IN ('acknowledged', 'taken', 'approved', 'denied', 'cancelled')";

void claim_next(struct sim *sim, int64_t incident, const char *receiver)
{
        if (sim_is_dead(sim))
                return;
        if (claims_number(is_with_somebody, "i", incident) > 0)
                sim_fail(sim, "%s is called about incident %lld, which is with somebody", receiver,
                         (long long)incident);
        if (claims_number(
                    "SELECT count(*) FROM incidents i, json_each(i.chain) l WHERE i.id = ?1 AND"
                    " json_extract(l.value, '$.to') = ?2 AND json_extract(l.value, '$.told_at') NOT NULL",
                    "it", incident, receiver) > 0)
                sim_fail(sim, "%s is called about incident %lld again", receiver, (long long)incident);
}

/* The one that needed a person first, or was given back, of those whose alert fires, and which nobody has: ?1
 * has heard nothing of it. ?2: of which severity alone. */
static const char waiting[] =
        "SELECT i.id FROM incidents i WHERE i.state IN ('escalated', 'expired') AND i.hands = ''"
        " AND i.remediation IN ('slow', 'level') AND EXISTS (SELECT 1 FROM episodes e WHERE e.closed_at IS "
        "NULL AND (e.id = i.episode OR e.id IN (SELECT episode FROM members WHERE incident = i.id)))"
        " AND (?2 = '' OR json_extract(i.alert, '$.labels.severity') = ?2)"
        " AND EXISTS (SELECT 1 FROM timeline t WHERE t.incident = i.id AND"
        " t.event IN ('escalated', 'expired', 'still firing') AND instr(t.detail, '\"to\":') > 0)"
        " AND NOT EXISTS (SELECT 1 FROM timeline t WHERE t.incident = i.id AND"
        " t.event = 'the next one was told' AND json_extract(t.detail, '$.to') = ?1)"
        " ORDER BY max(i.entered_steady, i.freed_steady) LIMIT 1";

/* As main.c has it, each at the most. */
static const struct {
        const char *to, *severity;
        nsec after;
} levels[] = {{"lead", "", 20 * MINUTE}, {"boss", "info", 30 * MINUTE}};

void claim_climbed(struct sim *sim)
{
        for (size_t i = 0; i < N_ELEMENTS(levels) && !sim->dry_run && !sim->failed; i++) {
                int64_t incident = claims_number(waiting, "tt", levels[i].to, levels[i].severity);
                if (incident <= 0 || sim->calm_since == INT64_MAX)
                        continue;
                int64_t since =
                        claims_number("SELECT max(entered_steady, freed_steady) FROM incidents WHERE id = ?1",
                                      "i", incident);
                nsec due = sim->now - (journal_steady(sim->journal) - since) + levels[i].after;
                if (sim->now - (due > sim->calm_since ? due : sim->calm_since) > TOLD_WITHIN)
                        sim_fail(sim, "incident %lld needs a person, and %s has not heard of it",
                                 (long long)incident, levels[i].to);
        }
}
