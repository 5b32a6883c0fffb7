/* SPDX-License-Identifier: Apache-2.0 */
/* One cause, one run: what must hold of incidents together, when everything has come to rest. */
#include "tests/sim/claims.h"

static bool is_changing(const struct sim *sim, const struct done_for *one)
{
        return one->acted && remediation_changes(remediation_at(sim, one->remediation));
}

/* What breaker and storm had to ask a person about, and no person has approved: more runs under one lock, or
 * more locks, than may be within their times. */
void claim_breakers(struct sim *sim)
{
        const struct rate *breaker = &sim->set->breaker, *storm = &sim->set->storm;
        for (uint64_t i = 1; i <= sim->incidents; i++) {
                const struct done_for *one = &sim->done[i];
                const char *locks[INCIDENTS_MOST];
                int64_t runs = 1, count = 0;
                bool known = false;
                if (!is_changing(sim, one) || one->approved)
                        continue;
                for (uint64_t k = 1; k <= sim->incidents; k++) {
                        const struct done_for *other = &sim->done[k];
                        nsec ago = one->began - other->began;
                        if (k == i || !is_changing(sim, other) || ago < 0)
                                continue;
                        bool same = string_equal(other->lock, one->lock);
                        runs += same && ago < breaker->period;
                        known |= same && ago < storm->period;
                        bool counts = !same && !other->approved && ago < storm->period;
                        for (int64_t l = 0; l < count && counts; l++)
                                counts = !string_equal(locks[l], other->lock);
                        if (counts)
                                locks[count++] = other->lock;
                }
                if (runs > breaker->count)
                        sim_fail(sim, "incident %llu: run %lld under %s, and nobody was asked",
                                 (unsigned long long)i, (long long)runs, one->lock);
                if (!known && count >= storm->count)
                        sim_fail(sim,
                                 "incident %llu: acts under %s beside %lld other locks, and nobody was asked",
                                 (unsigned long long)i, one->lock, (long long)count);
        }
}

/* Of all that changes something so many runs began within the time as may, and no more. */
void claim_limit_all(struct sim *sim)
{
        const struct rate *all = &sim->set->limit_all;
        for (uint64_t i = 1; i <= sim->incidents; i++) {
                const struct done_for *one = &sim->done[i];
                int64_t runs = 0;
                for (uint64_t k = 1; k <= sim->incidents && is_changing(sim, one); k++) {
                        nsec ago = one->began - sim->done[k].began;
                        runs += is_changing(sim, &sim->done[k]) && ago >= 0 && ago < all->period;
                }
                if (runs > all->count)
                        sim_fail(sim, "incident %llu: run %lld of all within the time of their limit",
                                 (unsigned long long)i, (long long)runs);
        }
}

/*
 * One cause, one incident: when one is opened there is no other of the same remediation and subject that is
 * under way or in a person's hands while an alert of it fires. What another version of the file does is
 * another cause.
 */
void claim_causes(struct sim *sim)
{
        if (sim->edits > 0)
                return;
        _cleanup_free_ char *two = claims_text(
                "WITH opened AS (SELECT i.id, i.number, i.remediation,"
                " json_extract(i.alert, '$.labels.subject') AS subject,"
                " (SELECT min(t.id) FROM timeline t WHERE t.incident = i.id) AS row FROM incidents i)"
                " SELECT x.number || ' is opened beside ' || o.number FROM opened x JOIN opened o"
                " ON o.id < x.id AND o.remediation = x.remediation AND o.subject = x.subject"
                " WHERE (SELECT t.state FROM timeline t WHERE t.incident = o.id AND t.id < x.row"
                " ORDER BY t.id DESC LIMIT 1) IN ('received', 'held', 'awaiting_approval', 'running', "
                "'verifying',"
                " 'escalated', 'expired', 'denied', 'cancelled')"
                " AND NOT EXISTS (SELECT 1 FROM timeline t WHERE t.incident = o.id AND t.id < x.row"
                " AND t.event IN ('alert resolved', 'alert fires anew')) LIMIT 1",
                "");
        if (*two)
                sim_fail(sim, "%s, which is of the same cause", two);
}
