/* SPDX-License-Identifier: Apache-2.0 */
/* Verification: asks once, and judges what came of all the looks so far. */
#include "responder/incident/verify.h"
#include "runbook/assert.h"

#include <math.h>

/* Who comes later than this was not there in between. */
#define LATE (2 * NSEC_PER_SEC)

/* However often it was begun anew, it has an end. */
#define PATIENCE (3600 * NSEC_PER_SEC)

int verify_ask(const struct verification *verification, const struct bindings *bindings,
               const struct world *world, nsec age, struct deadline deadline, struct verify_answer *ret,
               struct error *error)
{
        assert_that(verify_wanted(verification), "there is something to ask");
        struct verify_answer answer = {.known = true, .value = NAN};
        int r;
        if (verification->check) {
                r = world->check_holds(world->context, verification->check, age, deadline, &answer.holds,
                                       error);
        } else {
                _cleanup_free_ char *query = NULL;
                r = bindings ? bind_text(verification->query, bindings, BIND_PROMQL, &query, error) : 0;
                if (r >= 0)
                        r = world->query_holds(world->context, query ? query : verification->query, age,
                                               deadline, &answer.holds, &answer.value, error);
        }
        if (r < 0)
                return r;
        *ret = answer;
        return 0;
}

/* Every second one goes, and as many are kept of what comes. */
static void thin_out(struct verify_values *values)
{
        int count = cJSON_GetArraySize(values->list);
        for (int i = count - 1; i > 0; i--)
                if (i % 2 == 1)
                        cJSON_DeleteItemFromArray(values->list, i);
        values->apart *= 2;
}

void verify_keep(struct verify_values *values, nsec since, double value, bool last)
{
        if (!isfinite(value))
                return;
        if (!values->list && !(values->list = cJSON_CreateArray()))
                return;
        if (values->apart == 0)
                values->apart = 1;
        else if (++values->passed < values->apart && !last)
                return;
        if (cJSON_GetArraySize(values->list) == VERIFY_VALUES_MOST)
                thin_out(values);
        const double pair[] = {nsec_to_seconds(since), value};
        (void)json_append(values->list, cJSON_CreateDoubleArray(pair, N_ELEMENTS(pair)));
        values->passed = 0;
}

/* How long this look and the wait before it stand for. */
static nsec stands_for(const struct verify_watch *watch, nsec begun, nsec now)
{
        if (watch->last == 0 || begun - watch->due > LATE || now - begun > VERIFY_LOOK_MOST + LATE)
                return 0;
        return now - watch->last;
}

static void take_answer(struct verify_watch *watch, const struct verify_answer *answer, nsec passed)
{
        watch->looks++;
        if (!answer->known) {
                watch->errors++;
                watch->unseen += passed;
        } else if (watch->known) {
                watch->seen += passed;
                watch->held = !answer->holds ? 0 : watch->held + (watch->holds ? passed : 0);
        } else if (!answer->holds) {
                watch->held = 0;
        }
        if (answer->known)
                watch->holds = answer->holds;
        watch->known = answer->known;
}

static enum verdict decide(const struct verification *verification, struct verify_watch *watch, nsec now)
{
        if (watch->known && watch->holds && watch->held >= verification->hold_for)
                return VERDICT_HEALED;
        if (watch->known && watch->seen >= verification->within)
                return VERDICT_NOT_HEALED;
        if (!watch->known && watch->unseen >= verification->within)
                return VERDICT_UNKNOWN;
        if (now - watch->began < 2 * verification->within + PATIENCE)
                return VERDICT_PENDING;
        /* The daemon may have been away: what holds has its time to be seen holding. */
        watch->late++;
        nsec enough = verification->hold_for / verification->every + 2;
        return (nsec)watch->late > enough ? VERDICT_UNKNOWN : VERDICT_PENDING;
}

static void sooner(nsec *next, nsec when)
{
        if (when < *next)
                *next = when;
}

static nsec next_look(const struct verification *verification, const struct verify_watch *watch, nsec now)
{
        assert_that(verification->every > 0, "it is asked again after a while");
        nsec next = now + verification->every;
        if (watch->known && watch->holds)
                sooner(&next, now + verification->hold_for - watch->held);
        sooner(&next, now + verification->within - (watch->known ? watch->seen : watch->unseen));
        return next;
}

enum verdict verify_judge(const struct verification *verification, struct verify_watch *watch,
                          const struct verify_answer *answer, nsec begun, nsec now)
{
        assert_that(watch->last <= begun && begun <= now, "time only passes");
        take_answer(watch, answer, stands_for(watch, begun, now));
        watch->last = now;
        watch->due = now;
        enum verdict verdict = decide(verification, watch, now);
        if (verdict == VERDICT_PENDING)
                watch->due = next_look(verification, watch, now);
        return verdict;
}
