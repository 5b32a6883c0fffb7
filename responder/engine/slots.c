/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine remembers of incidents that workers carry, and how it is woken. */
#include "responder/engine/internal.h"

void engine_wake(struct engine *engine)
{
        engine->machine->wake(engine->machine->context);
}

/* Where the slot of this incident is, or belongs. */
static size_t slot_place(const struct engine *engine, int64_t incident)
{
        size_t low = 0, high = engine->slot_count;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                if (engine->slots[middle]->incident < incident)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

struct engine_slot *slot_find(const struct engine *engine, int64_t incident)
{
        assert_that(is_looking(engine), "what is the engine's own its thread alone touches");
        size_t place = slot_place(engine, incident);
        bool found = place < engine->slot_count && engine->slots[place]->incident == incident;
        return found ? engine->slots[place] : NULL;
}

/* Room for one more; false when there is no memory. */
static bool slots_grow(struct engine *engine)
{
        if (engine->slot_count > 0 && (engine->slot_count & (engine->slot_count - 1)) != 0)
                return true; /* below the next power of two */
        size_t space = engine->slot_count ? engine->slot_count * 2 : 1;
        struct engine_slot **grown = reallocarray(engine->slots, space, sizeof(struct engine_slot *));
        if (grown)
                engine->slots = grown;
        return grown;
}

struct engine_slot *slot_claim(struct engine *engine, int64_t incident)
{
        assert_that(incident != 0, "a slot is an incident's");
        struct engine_slot *slot = slot_find(engine, incident);
        if (slot)
                return slot;
        if (!slots_grow(engine) || !(slot = calloc(1, sizeof(*slot))))
                return NULL;
        slot->engine = engine;
        slot->incident = incident;
        slot->seen = true;
        size_t place = slot_place(engine, incident);
        memmove(&engine->slots[place + 1], &engine->slots[place],
                (engine->slot_count - place) * sizeof(struct engine_slot *));
        engine->slots[place] = slot;
        engine->slot_count++;
        return slot;
}

static void slot_free(struct engine_slot *slot)
{
        incident_release(&slot->run.incident);
        remediation_free(slot->run.begun);
        cJSON_Delete(slot->run.values.list);
        cJSON_Delete(slot->run.before);
        free(slot->run.asks);
        free(slot->run.calls);
        free(slot->lock);
        free(slot);
}

/* Whoever is busy is passed over, and read in brief; who is no longer is to be read as a whole. */
static void mark_brief(struct engine *engine)
{
        for (size_t i = 0; i < engine->active.count; i++) {
                struct incident *incident = &engine->active.items[i];
                const struct engine_slot *slot = slot_find(engine, incident->id);
                bool brief = slot && slot->was_busy;
                incident->stale |= incident->brief && !brief;
                incident->brief = brief;
        }
}

/* Who is busy now is busy for this look, whatever comes meanwhile. */
void slots_begin(struct engine *engine)
{
        assert_that(is_looking(engine), "what is the engine's own its thread alone touches");
        pthread_mutex_lock(&engine->lock);
        for (size_t i = 0; i < engine->slot_count; i++) {
                struct engine_slot *slot = engine->slots[i];
                slot->was_busy = slot->busy;
                slot->seen = slot->busy;
        }
        pthread_mutex_unlock(&engine->lock);
        mark_brief(engine);
}

/* Whoever is in the hands of a worker holds the lock that the worker was given. */
void slots_mark(struct engine *engine)
{
        assert_that(is_looking(engine), "what is the engine's own its thread alone touches");
        for (size_t i = 0; i < engine->active.count; i++) {
                struct incident *incident = &engine->active.items[i];
                struct engine_slot *slot = slot_find(engine, incident->id);
                if (!slot)
                        continue;
                slot->seen = true;
                if (!slot->was_busy || !slot->lock || !*slot->lock)
                        continue;
                char *lock = strdup(slot->lock);
                if (!lock)
                        continue;
                free(incident->lock);
                incident->lock = lock;
                incident->state = INCIDENT_RUNNING;
                incident->stale = true;
        }
}

void slots_sweep(struct engine *engine)
{
        assert_that(is_looking(engine), "what is the engine's own its thread alone touches");
        pthread_mutex_lock(&engine->lock);
        size_t kept = 0;
        for (size_t i = 0; i < engine->slot_count; i++) {
                struct engine_slot *slot = engine->slots[i];
                if (slot->seen || slot->was_busy) {
                        engine->slots[kept++] = slot;
                        continue;
                }
                assert_that(!slot->busy, "what a worker has is not freed");
                slot_free(slot);
        }
        engine->slot_count = kept;
        pthread_mutex_unlock(&engine->lock);
}

void slots_free(struct engine *engine)
{
        for (size_t i = 0; i < engine->slot_count; i++)
                slot_free(engine->slots[i]);
        free(engine->slots);
}
