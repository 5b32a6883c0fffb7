/* SPDX-License-Identifier: Apache-2.0 */
/* Verification: asks once, and judges what came of all the looks so far. */
#include "responder/incident/verify.h"
#include "runbook/assert.h"

#include <math.h>

int verify_ask(const struct verification *verification, const struct bindings *bindings,
               const struct world *world, struct deadline deadline, struct verify_answer *ret,
               struct error *error)
{
        assert_that(verify_wanted(verification), "there is something to ask");
        struct verify_answer answer = {.known = true, .value = NAN};
        int r;
        if (verification->check) {
                r = world->check_holds(world->context, verification->check, deadline, &answer.holds, error);
        } else {
                _cleanup_free_ char *query = NULL;
                r = bindings ? bind_text(verification->query, bindings, BIND_PROMQL, &query, error) : 0;
                if (r >= 0)
                        r = world->query_holds(world->context, query ? query : verification->query, deadline,
                                               &answer.holds, &answer.value, error);
        }
        if (r < 0)
                return r;
        *ret = answer;
        return 0;
}

enum verdict verify_judge(const struct verification *verification, struct verify_watch *watch,
                          const struct verify_answer *answer, nsec now)
{
        assert_that(!watch->holds || watch->held_since <= now, "time only passes");
        watch->looks++;
        if (!answer->known)
                watch->errors++;
        else if (!answer->holds)
                watch->holds = false;
        else if (!watch->holds) {
                watch->holds = true;
                watch->held_since = now;
        }
        if (answer->known && answer->holds && now - watch->held_since >= verification->hold_for)
                return VERDICT_HEALED;
        return now - watch->began >= verification->within ? VERDICT_NOT_HEALED : VERDICT_PENDING;
}

nsec verify_next(const struct verification *verification, const struct verify_watch *watch, nsec now)
{
        assert_that(verification->every > 0, "it is asked again after a while");
        nsec next = now + verification->every;
        nsec end = watch->began + verification->within;
        nsec held = watch->held_since + verification->hold_for;
        if (watch->holds && held > now && held < next)
                next = held;
        return end > now && end < next ? end : next;
}
