/* SPDX-License-Identifier: Apache-2.0 */
/* An incident in a worker's hands yields to a person who is at what it would act upon. */
#include "responder/incident/yield.h"

#include "responder/incident/planning.h"
#include "runbook/assert.h"
#include "runbook/log.h"

/* So long they are asked who is there, all of them together. */
#define LOOK_TIME (3 * NSEC_PER_SEC)

struct people_question yield_question(struct incident_run *run)
{
        const struct incident_parts *parts = run->parts;
        return (struct people_question){parts->journal,   parts->world,   parts->set,
                                        run->remediation, &run->incident, run->lock};
}

/* 1: held now. */
static int enter_held(struct incident_run *run, const struct people_hold *hold, struct error *error)
{
        const struct incident_parts *parts = run->parts;
        const nsec left = hold->until - journal_steady(parts->journal);
        const nsec until = hold->until != 0 ? world_wall(parts->world) + left : 0;
        const bool runs = run->incident.state == INCIDENT_RUNNING;
        /* Who stays is told of once. */
        const bool known =
                run->incident.state == INCIDENT_HELD && string_equal(run->incident.guard, PEOPLE_GUARD);
        char time[TIME_TEXT_MAX];
        _cleanup_json_ cJSON *detail = reason_detail(hold->reason, NULL);
        if (!detail || json_put(detail, PEOPLE_SEEN, cJSON_CreateString(hold->reason)) < 0 ||
            json_put(detail, "guard", cJSON_CreateString(PEOPLE_GUARD)) < 0 ||
            (until != 0 && json_put(detail, "until", cJSON_CreateString(time_format(until, time))) < 0))
                return error_oom(error);
        const struct incident_change held = {.to = INCIDENT_HELD,
                                             .event = runs ? EVENT_YIELDED : "held",
                                             .guard = PEOPLE_GUARD,
                                             .guard_until = until,
                                             .tells = runs || (hold->tells && !known),
                                             .lock = runs ? NULL : run->lock,
                                             .detail = detail};
        int r = run_enter(run, &held, error);
        if (r >= 0)
                run->look_again = world_monotonic(parts->world);
        return r < 0 ? r : 1;
}

/* Nothing follows from what cannot be known. */
static int look_at_step(struct incident_run *run, size_t index, struct deadline deadline,
                        struct people_hold *ret, struct error *error)
{
        const struct world *world = run->parts->world;
        const struct step *step = &run->remediation->steps[index];
        const struct people_question question = yield_question(run);
        struct own_time own[PEOPLE_OWN_TIMES_MOST];
        struct people_asked asked;
        _cleanup_error_ struct error why = {0};
        struct sighting seen = {0};
        struct step_run look = {0};
        int r = people_prepare(&question, step->action, own, &asked, error);
        if (r <= 0)
                return r;
        /* A label that is missing is for its plan to complain about. */
        if (step_open(step, index + 1, &run->incident.alert, run->incident.number, &look, &why) < 0)
                return 0;
        look.deadline = deadline;
        r = world->people_step(world->context, step->action, &look, &asked, &seen, &why);
        step_close(step, &look);
        if (r < 0 && !run->unseen)
                run_warn(run, "Whether a person is at it is not known", error_text(&why));
        run->unseen |= r < 0;
        return r > 0 && people_judge(&question, &asked, &seen, ret) ? 1 : 0;
}

int yield_to_people(struct incident_run *run, size_t index, size_t count, struct error *error)
{
        assert_that(run->remediation && index + count <= run->incident.step_count,
                    "who yields has these steps before it");
        const struct people_question question = yield_question(run);
        struct people_hold hold = {0};
        bool changes = false;
        for (size_t i = index; i < index + count; i++)
                changes |= run->incident.steps[i].status == STEP_WAITING &&
                           run->remediation->steps[i].action->effect != EFFECT_READ_ONLY;
        int r = changes ? people_ask(&question, &hold, error) : 0;
        const struct deadline deadline = world_deadline(run->parts->world, LOOK_TIME);
        for (size_t i = index; i < index + count && r == 0; i++)
                if (run->incident.steps[i].status == STEP_WAITING)
                        r = look_at_step(run, i, deadline, &hold, error);
        return r > 0 ? enter_held(run, &hold, error) : r;
}
