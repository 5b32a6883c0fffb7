/* SPDX-License-Identifier: Apache-2.0 */
/* By which reading of the configuration the engine goes, and whom it lends it to. */
#include <stdlib.h>

#include "responder/engine/internal.h"

void engine_adopt(struct engine *engine, const struct incident_parts *parts)
{
        pthread_mutex_lock(&engine->lock);
        struct incident_parts passed_over = engine->coming;
        bool any = engine->adopting;
        engine->coming = *parts;
        engine->coming.occupied = engine->occupied;
        engine->adopting = true;
        pthread_mutex_unlock(&engine->lock);
        if (any)
                parts_release(&passed_over);
        engine_wake(engine);
}

void engine_take_over(struct engine *engine)
{
        assert_that(is_looking(engine), "the engine's thread alone changes by what it goes");
        struct incident_parts before = engine->parts;
        pthread_mutex_lock(&engine->lock);
        bool any = engine->adopting;
        if (any)
                engine->parts = engine->coming;
        engine->adopting = false;
        pthread_mutex_unlock(&engine->lock);
        if (!any)
                return;
        parts_release(&before);
        /* What it was matched with, and whom it has asked, was of the edition before. */
        free(engine->matched_with);
        engine->matched_with = NULL;
        view_release(&engine->view);
        engine->viewing_before = engine->viewing;
}

int engine_lend(struct engine *engine, struct incident_parts *lent, enum world_pool pool, const char *whose,
                void (*work)(void *engine))
{
        assert_that(is_looking(engine), "the engine's thread gives work away");
        *lent = engine->parts;
        parts_hold(lent);
        int r = engine->machine->run(engine->machine->context, pool, whose, work, engine);
        if (r < 0)
                parts_release(lent);
        return r;
}

struct incident_parts engine_parts(struct engine *engine)
{
        pthread_mutex_lock(&engine->lock);
        struct incident_parts parts = engine->adopting ? engine->coming : engine->parts;
        parts_hold(&parts);
        pthread_mutex_unlock(&engine->lock);
        return parts;
}
