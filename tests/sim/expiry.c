/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long an incident may wait: a pause, a lock or a limit neither makes that longer nor shorter; what is
 * silenced, maintained or in somebody's hands does not wait.
 */
#include "tests/sim/claims.h"

/* From when it was to expire until it has: who is to hear of it may have been out of reach a while ago. */
#define LATE_MOST (10 * MINUTE)
#define CLEAR (20 * MINUTE)

/* Neither its time was over nor that of a question. */
static void claim_not_early(struct sim *sim, const struct remediation *remediation)
{
        int64_t early = claims_number(
                "SELECT min(id) FROM incidents WHERE state = 'expired' AND remediation = ?1"
                " AND freed_steady < entered_steady AND entered_steady - waiting_steady < ?2"
                " AND (?3 = 0 OR asked = '' OR entered_steady - json_extract(asked, '$.at') * 1000000 < ?3)",
                "tii", remediation->name, (int64_t)remediation->expire,
                (int64_t)remediation->approval.deadline);
        if (early > 0)
                sim_fail(sim, "incident %lld has expired before its time", (long long)early);
}

/* What is held until a time need not be looked at before. */
static void claim_not_late(struct sim *sim, const struct remediation *remediation)
{
        int64_t late = claims_number(
                "SELECT min(id) FROM incidents WHERE active = 1 AND remediation = ?1 AND taken = 0"
                " AND state IN ('received', 'held', 'awaiting_approval') AND waiting_steady < ?2"
                " AND guard NOT IN ('silenced', 'inhibited', 'muted', 'maintenance', 'human')"
                " AND guard_until < ?3",
                "tii", remediation->name,
                (int64_t)(journal_steady(sim->journal) - remediation->expire - LATE_MOST),
                (int64_t)(sim_wall(sim) - LATE_MOST));
        if (late > 0)
                sim_fail(sim, "incident %lld waits for longer than it may, and has not expired",
                         (long long)late);
}

void claim_expiry(struct sim *sim)
{
        bool clear = sim->now - sim->clear_since > CLEAR && sim->now - sim->stopped_until > CLEAR &&
                     !sim->disk_full && !sim->people_deaf;
        for (size_t i = 0; i < sim->set->count; i++) {
                claim_not_early(sim, &sim->set->remediations[i]);
                if (clear && !sim->dry_run)
                        claim_not_late(sim, &sim->set->remediations[i]);
        }
}
