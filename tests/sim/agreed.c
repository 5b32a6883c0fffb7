/* SPDX-License-Identifier: Apache-2.0 */
/* What a person has agreed to, or nobody: nothing runs by another's approval, too soon, or on more. */
#include <string.h>

#include "tests/sim/claims.h"

static cJSON *without_summary(const cJSON *plan)
{
        cJSON *copy = cJSON_Duplicate(plan, true);
        cJSON_DeleteItemFromObjectCaseSensitive(copy, "summary");
        return copy;
}

/* Nothing runs by the approval of another plan: each step that changes something does what the question said
 * of it that was answered last. */
void claim_agreed(struct sim *sim, int64_t incident, const struct action *action, const struct step_run *run)
{
        const struct done_for *done = &sim->done[incident];
        const struct remediation *remediation = remediation_at(sim, done->remediation);
        const cJSON *item, *then = NULL;
        _cleanup_json_ cJSON *question = NULL;
        if (!done->question || action->effect == EFFECT_READ_ONLY ||
            !remediation->steps[run->position - 1].essential ||
            json_parse(done->question, strlen(done->question), &question, NULL) < 0)
                return;
        cJSON_ArrayForEach(item, json_get(question, "plans", NULL))
        {
                if ((size_t)json_number(item, "step", 0) == run->position)
                        then = json_get(item, "plan", NULL);
        }
        if ((size_t)json_number(question, "about_step", 0) == run->position)
                then = json_get(question, "plan", NULL);
        if (!then && !json_get(question, "plans", NULL))
                return; /* asked about another step, midway */
        _cleanup_json_ cJSON *before = without_summary(then), *now = without_summary(run->plan);
        if (!then || !cJSON_Compare(before, now, true))
                sim_fail(sim, "%s: step %zu runs by the approval of another plan", run->incident,
                         run->position);
}

/* By how much nobody has agreed when nobody has answered: it runs once its deadline is over, and no sooner.
 */
void claim_unanswered(struct sim *sim, int64_t incident, const struct step_run *run)
{
        const struct remediation *remediation = remediation_at(sim, sim->done[incident].remediation);
        nsec asked = claims_number("SELECT json_extract(asked, '$.at') FROM incidents WHERE id = ?1"
                                   " AND asked <> ''",
                                   "i", incident) *
                     NSEC_PER_MSEC;
        bool unanswered = claims_number("SELECT actor = 'engine' FROM timeline WHERE incident = ?1"
                                        " AND event = 'approved' ORDER BY id DESC LIMIT 1",
                                        "i", incident) > 0;
        if (unanswered && (remediation->approval.on_timeout != ON_TIMEOUT_RUN ||
                           sim_steady(sim) - asked < remediation->approval.deadline))
                sim_fail(sim, "%s: runs unanswered, and may not, or not yet", run->incident);
}

/* More targets than a step's max need somebody's approval. */
void claim_max(struct sim *sim, int64_t incident, const struct step_run *run)
{
        const struct done_for *done = &sim->done[incident];
        const struct step *step = &remediation_at(sim, done->remediation)->steps[run->position - 1];
        if (step->max > 0 && !done->approved && json_number(run->plan, "targets", 0) > (double)step->max)
                sim_fail(sim, "%s: step %zu touches more than its max, and nobody approved it", run->incident,
                         run->position);
}
