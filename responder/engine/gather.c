/* SPDX-License-Identifier: Apache-2.0 */
/* What one look has to know of all incidents at once: who has a lock, and what was acted upon lately. */
#include "responder/engine/internal.h"
#include "runbook/text.h"

bool look_is_told_with(struct look *look, const struct incident *incident)
{
        _cleanup_free_ char *key = text_format("%s %s", incident->remediation, incident->guard);
        for (size_t i = 0; i < look->held_count; i++)
                if (string_equal(look->held[i], key))
                        return true;
        if (!key)
                return true; /* in another look */
        look->held[look->held_count++] = TAKE_PTR(key);
        return false;
}

void look_note(struct look *look, const struct incident *incident)
{
        assert_that(guard_holds_lock(incident), "what is carried has its lock");
        size_t i = 0;
        while (i < look->holders.count && look->holders.items[i] != incident)
                i++;
        look->holders.items[i] = incident;
        look->holders.count += i == look->holders.count;
}

/* Beyond a storm: so that what was acted upon already is known for it. */
enum { ACTED_MORE = 64 };

int acted_gather(const struct incident_parts *parts, const struct lock_holders *holders, nsec steady,
                 struct acted_locks *acted, struct error *error)
{
        if (parts->set->storm.count <= 0)
                return 0;
        acted->space = (size_t)parts->set->storm.count + ACTED_MORE;
        acted->items = calloc(acted->space, sizeof(char *));
        if (!acted->items)
                return error_oom(error);
        int r = journal_locks_since(parts->journal, steady - parts->set->storm.period, acted->space,
                                    acted->items, &acted->count, error);
        for (size_t i = 0; i < holders->count && r >= 0; i++) {
                const struct incident *holder = holders->items[i];
                const struct remediation *remediation = remediation_find(parts->set, holder->remediation);
                if (holder->running_at == 0 && remediation && remediation_changes(remediation))
                        r = guard_note_acted(acted, holder->lock, error);
        }
        return r;
}

void acted_release(struct acted_locks *acted)
{
        for (size_t i = 0; i < acted->count; i++)
                free(acted->items[i]);
        free(acted->items);
        *acted = (struct acted_locks){0};
}

/* Whether a worker is about to begin it, or has just begun it. */
static bool is_beginning(const struct look *look, const struct engine_slot *slot,
                         const struct incident *incident)
{
        const struct incident_parts *parts = &look->engine->parts;
        if (!slot || !slot->was_busy || slot->stage != stage_start || slot->asks ||
            incident->running_at != 0 || parts_only_plan(parts, incident))
                return false;
        const struct remediation *remediation = remediation_find(parts->set, incident->remediation);
        return !remediation || remediation_changes(remediation);
}

int look_gather(struct look *look, struct error *error)
{
        const struct incident_list *active = &look->engine->active;
        look->holders.items = calloc(active->count + 1, sizeof(struct incident *));
        look->holders.taken = calloc(active->count + 1, sizeof(struct incident *));
        look->held = calloc(active->count + 1, sizeof(char *));
        if (!look->holders.items || !look->holders.taken || !look->held)
                return error_oom(error);
        for (size_t i = 0; i < active->count; i++) {
                const struct incident *incident = &active->items[i];
                const struct engine_slot *slot = slot_find(look->engine, incident->id);
                if (guard_holds_lock(incident))
                        look->holders.items[look->holders.count++] = incident;
                look->beginning += is_beginning(look, slot, incident);
                if (incident->taken)
                        look->holders.taken[look->holders.taken_count++] = incident;
                if (slot && slot->was_busy && slot->stage == stage_tell &&
                    string_equal(incident->owes, OWES_HELD))
                        look_is_told_with(look, incident);
        }
        return acted_gather(&look->engine->parts, &look->holders, look->steady, &look->acted, error);
}

void look_release(struct look *look)
{
        free(look->holders.items);
        free(look->holders.taken);
        acted_release(&look->acted);
        for (size_t i = 0; i < look->held_count; i++)
                free(look->held[i]);
        free(look->held);
}
