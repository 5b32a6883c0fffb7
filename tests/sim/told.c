/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold of people, at any time: whoever is to be told is told soon after he can be. */
#include "tests/sim/claims.h"

/* From when somebody could be told until he was: a receiver that fails now and then is tried again. */
#define TOLD_WITHIN (15 * MINUTE)

/* The next incident behind ?1 that waits for a person, or is held back for long, and of which nobody was
 * told; or that was given up, and of which who keeps it open has not heard that its alert is over. */
static const char untold[] =
        "SELECT min(i.id) FROM incidents i WHERE i.active = 1 AND i.id > ?1 AND ((owes = 'over' AND NOT "
        "EXISTS"
        " (SELECT 1 FROM episodes e WHERE e.closed_at IS NULL AND (e.id = i.episode OR e.id IN"
        " (SELECT episode FROM members WHERE incident = i.id)))) OR (ended_at = 0 AND NOT cancel_requested "
        "AND ((state = 'awaiting_approval' AND NOT approved AND NOT EXISTS"
        " (SELECT 1 FROM timeline t WHERE t.incident = i.id AND t.event IN ('told', 'acknowledged', 'taken') "
        "AND t.id >"
        " (SELECT max(id) FROM timeline a WHERE a.incident = i.id AND a.event = 'awaiting approval')))"
        " OR (state = 'held' AND guard = 'human' AND NOT EXISTS (SELECT 1 FROM timeline t"
        " WHERE t.incident = i.id AND t.event IN ('told', 'told with another', 'acknowledged', 'taken') AND "
        "t.id > (SELECT max(id)"
        " FROM timeline y WHERE y.incident = i.id AND y.event = 'yielded')) AND (SELECT t.event FROM "
        "timeline t"
        " WHERE t.incident = i.id AND t.event IN ('yielded', 'held') ORDER BY id DESC LIMIT 1) = 'yielded')"
        " OR (state = 'held' AND (guard IN ('limit', 'paused', 'freshness') OR (guard = 'limit_all' AND "
        "guard_until > 0))"
        " AND NOT EXISTS (SELECT 1 FROM timeline t"
        " WHERE t.incident = i.id AND t.event IN ('told', 'told with another', 'acknowledged', 'taken') AND "
        "t.id > (SELECT min(id) "
        "FROM timeline h WHERE"
        " h.incident = i.id AND h.event = 'held' AND json_extract(h.detail, '$.guard') = i.guard))))))";

void claim_told(struct sim *sim)
{
        int64_t last = 0;
        while (!sim->dry_run && !sim->failed) {
                int64_t next = claims_number(untold, "i", last);
                int64_t end = next > 0 ? next : (int64_t)sim->incidents + 1;
                while (++last < end)
                        sim->done[last].owed_since = 0;
                if (next <= 0)
                        return;
                struct done_for *done = &sim->done[next];
                if (done->owed_since == 0)
                        done->owed_since = sim->now;
                nsec since = done->owed_since > sim->calm_since ? done->owed_since : sim->calm_since;
                if (sim->calm_since != INT64_MAX && sim->now - since > TOLD_WITHIN)
                        sim_fail(sim, "incident %lld waits, and nobody was told", (long long)next);
        }
}

void claim_heard(struct sim *sim)
{
        for (int64_t i = 1; i <= (int64_t)sim->incidents && !sim->failed; i++)
                if (claims_number("SELECT count(*) FROM timeline WHERE incident = ?1 AND event = 'told'", "i",
                                  i) > sim->done[i].heard)
                        sim_fail(sim, "incident %lld was told, and nobody has heard it", (long long)i);
}
