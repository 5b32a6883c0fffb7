/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fails for the moment only is tried again within the time of its step. Only the time in which it is
 * tried, or waits for its next try, is counted, which comes after 1 s, 2 s, 4 s, … 15 s: what a person's
 * pause takes is neither lost nor given anew.
 */
#include "tests/sim/claims.h"

static nsec wait_after(unsigned tries)
{
        nsec wait = NSEC_PER_SEC << (tries < 5 ? tries - 1 : 4);
        return wait < 15 * NSEC_PER_SEC ? wait : 15 * NSEC_PER_SEC;
}

static const struct step *step_of(const struct sim *sim, int64_t incident)
{
        const struct done_for *done = &sim->done[incident];
        return &remediation_at(sim, done->remediation)->steps[done->trying.step - 1];
}

void trying_begins(struct sim *sim, int64_t incident, size_t step)
{
        struct trying *trying = &sim->done[incident].trying;
        nsec now = sim_monotonic(sim);
        if (trying->step != step || trying->life != sim->restarts) {
                /* After a restart the time begins anew. */
                *trying = (struct trying){.step = step, .life = sim->restarts, .since = sim->now};
        } else {
                nsec wait = wait_after(trying->tries), gap = now - trying->ended;
                trying->spent += gap < wait ? gap : wait;
                nsec timeout = step_of(sim, incident)->timeout;
                if (trying->spent >= timeout)
                        sim_fail(sim, "incident %lld: step %zu is tried once more after %.0f s of its %.0f",
                                 (long long)incident, step, nsec_to_seconds(trying->spent),
                                 nsec_to_seconds(timeout));
        }
        trying->began = now;
}

void trying_ended(struct sim *sim, int64_t incident)
{
        struct trying *trying = &sim->done[incident].trying;
        trying->ended = sim_monotonic(sim);
        trying->spent += trying->ended - trying->began;
        trying->tries++;
}

/* It was given up: then there was no time for another try. Of who finds out first what the last one has done
 * not every try is seen here, nor of whom a full disk keeps. */
static void claim_given_up(struct sim *sim, int64_t incident, int64_t position)
{
        const struct trying *trying = &sim->done[incident].trying;
        if ((int64_t)trying->step != position || trying->life != sim->restarts ||
            sim->clear_since >= trying->since || sim->disk_full)
                return;
        const struct step *step = step_of(sim, incident);
        const struct action *action = step->action;
        bool again = !action->resume && (action->repeatable || action->effect == EFFECT_READ_ONLY);
        if (step->essential && again && trying->spent + wait_after(trying->tries) < step->timeout)
                sim_fail(sim, "incident %lld: step %lld is given up after %.0f s of its %.0f",
                         (long long)incident, (long long)position, nsec_to_seconds(trying->spent),
                         nsec_to_seconds(step->timeout));
}

void claim_tried(struct sim *sim)
{
        int64_t last = claims_number("SELECT coalesce(max(id), 0) FROM timeline", "");
        while (sim->last_failure < last) {
                int64_t row =
                        claims_number("SELECT min(id) FROM timeline WHERE id > ?1 AND event = 'step failed'"
                                      " AND (detail ->> '$.summary' LIKE '%the Engine is away%'"
                                      " OR detail ->> '$.summary' LIKE '%the connection broke%')",
                                      "i", sim->last_failure);
                if (row <= 0)
                        break;
                sim->last_failure = row;
                claim_given_up(sim, claims_number("SELECT incident FROM timeline WHERE id = ?1", "i", row),
                               claims_number("SELECT step FROM timeline WHERE id = ?1", "i", row));
        }
        sim->last_failure = last;
}
