/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine remembers of incidents that workers carry, and how it is woken. */
#include "responder/engine/internal.h"

void engine_wake(struct engine *engine)
{
        engine->parts.world->wake(engine->parts.world->context);
}

struct engine_slot *slot_find(struct engine *engine, int64_t incident)
{
        assert_that(is_looking(engine), "what is the engine's own its thread alone touches");
        for (struct engine_slot *slot = engine->slots; slot; slot = slot->next)
                if (slot->incident == incident)
                        return slot;
        return NULL;
}

struct engine_slot *slot_claim(struct engine *engine, int64_t incident)
{
        assert_that(incident != 0, "a slot is an incident's");
        struct engine_slot *slot = slot_find(engine, incident);
        if (slot || !(slot = calloc(1, sizeof(*slot))))
                return slot;
        slot->engine = engine;
        slot->incident = incident;
        slot->seen = true;
        slot->next = engine->slots;
        engine->slots = slot;
        return slot;
}

static void slot_free(struct engine_slot *slot)
{
        incident_release(&slot->run.incident);
        free(slot->lock);
        free(slot);
}

/* Who is busy now is passed over, however the journal then reads. */
void slots_begin(struct engine *engine)
{
        assert_that(is_looking(engine), "what is the engine's own its thread alone touches");
        pthread_mutex_lock(&engine->lock);
        for (struct engine_slot *slot = engine->slots; slot; slot = slot->next) {
                slot->was_busy = slot->busy;
                slot->seen = slot->busy;
        }
        pthread_mutex_unlock(&engine->lock);
}

/* Whoever is in the hands of a worker holds the lock that the worker was given. */
void slots_mark(struct engine *engine, struct incident_list *active)
{
        assert_that(is_looking(engine), "what is the engine's own its thread alone touches");
        for (size_t i = 0; i < active->count; i++) {
                struct incident *incident = &active->items[i];
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
        }
}

void slots_sweep(struct engine *engine)
{
        assert_that(is_looking(engine), "what is the engine's own its thread alone touches");
        pthread_mutex_lock(&engine->lock);
        for (struct engine_slot **place = &engine->slots; *place;) {
                struct engine_slot *slot = *place;
                if (slot->seen || slot->was_busy) {
                        place = &slot->next;
                        continue;
                }
                assert_that(!slot->busy, "what a worker has is not freed");
                *place = slot->next;
                slot_free(slot);
        }
        pthread_mutex_unlock(&engine->lock);
}

void slots_free(struct engine *engine)
{
        while (engine->slots) {
                struct engine_slot *slot = engine->slots;
                engine->slots = slot->next;
                slot_free(slot);
        }
}
