/* SPDX-License-Identifier: Apache-2.0 */
/* What one look has to know of all incidents at once: who has a lock, and who is being planned. */
#include "responder/engine/internal.h"

bool look_plans(const struct look *look, const char *remediation)
{
        for (size_t i = 0; i < look->plan_count; i++)
                if (string_equal(look->plans[i], remediation))
                        return true;
        return false;
}

/* What is in a worker's hands and has not begun to run is being planned. */
static void note_plan(struct look *look, const struct incident *incident)
{
        if (incident->running_at == 0 && !look_plans(look, incident->remediation))
                look->plans[look->plan_count++] = incident->remediation;
}

void look_note(struct look *look, const struct incident *incident)
{
        assert_that(guard_holds_lock(incident), "what is carried has its lock");
        size_t i = 0;
        while (i < look->holders.count && look->holders.items[i] != incident)
                i++;
        look->holders.items[i] = incident;
        look->holders.count += i == look->holders.count;
        note_plan(look, incident);
}

int look_gather(struct look *look, struct error *error)
{
        const struct incident_list *active = &look->engine->active;
        look->holders.items = calloc(active->count + 1, sizeof(struct incident *));
        look->plans = calloc(active->count + 1, sizeof(char *));
        if (!look->holders.items || !look->plans)
                return error_oom(error);
        for (size_t i = 0; i < active->count; i++) {
                const struct incident *incident = &active->items[i];
                const struct engine_slot *slot = slot_find(look->engine, incident->id);
                if (guard_holds_lock(incident))
                        look->holders.items[look->holders.count++] = incident;
                if (slot && slot->was_busy)
                        note_plan(look, incident);
        }
        return 0;
}

void look_release(struct look *look)
{
        free(look->holders.items);
        free(look->plans);
}
