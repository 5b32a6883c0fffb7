/* SPDX-License-Identifier: Apache-2.0 */
/* What one look has to know of all incidents at once: who has a lock. */
#include "responder/engine/internal.h"

void look_note(struct look *look, const struct incident *incident)
{
        assert_that(guard_holds_lock(incident), "what is carried has its lock");
        size_t i = 0;
        while (i < look->holders.count && look->holders.items[i] != incident)
                i++;
        look->holders.items[i] = incident;
        look->holders.count += i == look->holders.count;
}

int look_gather(struct look *look, struct error *error)
{
        const struct incident_list *active = &look->engine->active;
        look->holders.items = calloc(active->count + 1, sizeof(struct incident *));
        if (!look->holders.items)
                return error_oom(error);
        for (size_t i = 0; i < active->count; i++)
                if (guard_holds_lock(&active->items[i]))
                        look->holders.items[look->holders.count++] = &active->items[i];
        return 0;
}

void look_release(struct look *look)
{
        free(look->holders.items);
}
