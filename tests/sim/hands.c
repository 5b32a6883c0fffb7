/* SPDX-License-Identifier: Apache-2.0 */
/* People who have something in hand: they take it, or say that they are at it, and give it back; and what
 * must hold meanwhile. */
#include <string.h>

#include "tests/sim/claims.h"

static int64_t some_incident(struct sim *sim)
{
        int64_t last = (int64_t)sim->incidents;
        return last > 0 ? last - (int64_t)rng_below(&sim->rng, last < 5 ? (uint64_t)last : 5) : 0;
}

static void give_back(struct sim *sim, int64_t incident)
{
        people_decide(sim, incident, DECISION_GIVE_BACK);
}

static void take(struct sim *sim, int64_t argument)
{
        (void)argument;
        if (sim->ending)
                return;
        int64_t incident = some_incident(sim);
        if (incident > 0) {
                /* Some forget what they have taken. */
                bool takes = rng_chance(&sim->rng, 600);
                people_decide(sim, incident, takes ? DECISION_TAKE : DECISION_ACK);
                if (takes && rng_chance(&sim->rng, 900))
                        sim_after(sim, MINUTE, 3 * HOUR, give_back, incident);
        }
        sim_after(sim, MINUTE, 2 * HOUR, take, 0);
}

static void take_this(struct sim *sim, int64_t incident)
{
        people_decide(sim, incident, DECISION_TAKE);
        sim_after(sim, MINUTE, HOUR, give_back, incident);
}

void hands_plan(struct sim *sim, int64_t incident)
{
        if (incident > 0 && !sim->ending && rng_chance(&sim->rng, 20))
                sim_after(sim, NSEC_PER_MSEC, 20 * NSEC_PER_SEC, take_this, incident);
}

void hands_begin(struct sim *sim)
{
        sim_after(sim, MINUTE, 2 * HOUR, take, 0);
}

/*
 * What changes something was begun before a person had it in hand, or another one under its lock, or after it
 * was given back, approved, or its time was over.
 */
void claim_hands(struct sim *sim, int64_t incident, const struct action *action, const struct step_run *run)
{
        if (action->effect == EFFECT_READ_ONLY)
                return;
        const nsec seen_after = journal_steady(sim->journal) - sim->set->human_window;
        int64_t begun = claims_number("SELECT max(id) FROM timeline WHERE incident = ?1 AND step = ?2"
                                      " AND event = 'step started'",
                                      "ii", incident, (int64_t)run->position);
        _cleanup_free_ char *kept = claims_text(
                "SELECT o.number || ' is ' || t.event FROM incidents i JOIN incidents o ON o.id = i.id OR"
                " (o.lock = i.lock AND o.lock <> '') JOIN timeline t ON t.incident = o.id WHERE i.id = ?1"
                " AND t.id < ?2 AND o.hands <> '' AND o.hands_steady > i.freed_steady AND"
                " ((t.event = 'taken' AND o.taken AND o.ended_at = 0) OR"
                " (t.event = 'acknowledged' AND o.hands_steady > ?3 AND t.id = (SELECT max(a.id) FROM "
                "timeline a"
                " WHERE a.incident = o.id AND a.event IN ('acknowledged', 'taken'))))"
                " AND NOT EXISTS (SELECT 1 FROM timeline g WHERE g.id > t.id AND g.id < ?2"
                " AND g.incident IN (i.id, o.id) AND g.event IN ('given back', 'approved')) LIMIT 1",
                "iii", incident, begun, seen_after);
        if (*kept)
                sim_fail(sim, "%s: step %zu was begun although %s", run->incident, run->position, kept);
}
