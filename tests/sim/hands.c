/* SPDX-License-Identifier: Apache-2.0 */
/* People who have something in hand: they take it, or say that they are at it, and give it back; and what
 * must hold meanwhile. */
#include <errno.h>
#include <stdio.h>
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

#define SHIFT (20 * MINUTE)

/* Somebody is there for a while in a quarter of the time, of every third world. Nothing is drawn for it: the
 * other worlds stay as they are. */
static bool is_at_work(const struct sim *sim)
{
        char word[48];
        snprintf(word, sizeof(word), "%llu %lld", (unsigned long long)sim->seed,
                 (long long)(sim->now / SHIFT));
        return !sim->ending && sim_digest(sim->seed, word) / 8 % 4 == 0;
}

int hands_look(struct sim *sim, const struct action *action, const struct step_run *run,
               const struct people_asked *asked, struct sighting *ret, struct error *error)
{
        struct done_for *done = &sim->done[incident_of(run->incident)];
        if (action->effect == EFFECT_READ_ONLY || !remediation_set_sees(sim->set, action))
                sim_fail(sim, "%s: it is looked for people at step %zu", run->incident, run->position);
        if (sim->seed % 3 != 0)
                return 0;
        task_wait(sim, rng_between(&sim->rng, NSEC_PER_MSEC, 3 * NSEC_PER_SEC));
        if (sim_is_dead(sim))
                return error_set(error, EINTR, "a ghost sees nobody");
        done->seen = false;
        if (rng_chance(&sim->rng, 100))
                return error_set(error, EACCES, "nobody may look");
        if (!is_at_work(sim))
                return 0;
        ret->last = asked->now;
        ret->since = asked->now - sim->now % SHIFT;
        snprintf(ret->words, sizeof(ret->words), "ada was seen at work");
        done->seen = ret->since > asked->freed;
        return 1;
}

/*
 * What changes something was begun before a person had it in hand, or another one under its lock, or after it
 * was given back, approved, or its time was over.
 */
void claim_hands(struct sim *sim, int64_t incident, const struct action *action, const struct step_run *run)
{
        if (action->effect == EFFECT_READ_ONLY)
                return;
        if (sim->done[incident].seen)
                sim_fail(sim, "%s: step %zu was begun although somebody was seen at it", run->incident,
                         run->position);
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
