/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon itself has to say, of no incident, and nobody has received yet. It is tried again until it
 * is heard, and a restart begins anew: so it stands in memory alone. */
#include "responder/engine/internal.h"

void unheard_note(struct engine *engine, enum unheard about, const char *receiver, const char *what,
                  const struct error *why)
{
        struct letter letter = {
                .receiver = strdup(receiver ? receiver : ""),
                .what = strdup(what),
                .reason = strdup(error_text(why)),
                .number = strdup(""),
                .refused = !why->may_pass,
                .since = world_wall(engine->machine),
        };
        if (!letter.receiver || !letter.what || !letter.reason || !letter.number) {
                letter_release(&letter);
                return;
        }
        pthread_mutex_lock(&engine->lock);
        struct letter *present = &engine->letters[about];
        if (present->since != 0)
                letter.since = present->since;
        letter_release(present);
        *present = letter;
        pthread_mutex_unlock(&engine->lock);
}

void unheard_forget(struct engine *engine, enum unheard about)
{
        pthread_mutex_lock(&engine->lock);
        letter_release(&engine->letters[about]);
        pthread_mutex_unlock(&engine->lock);
}

/* False: out of memory. */
static bool copy(const struct letter *letter, struct letter *ret)
{
        *ret = *letter;
        ret->receiver = strdup(letter->receiver);
        ret->what = strdup(letter->what);
        ret->reason = strdup(letter->reason);
        ret->number = strdup(letter->number);
        return ret->receiver && ret->what && ret->reason && ret->number;
}

int engine_unheard(struct engine *engine, struct letter_list *ret, struct error *error)
{
        struct letter_list list = {.items = calloc(UNHEARD_COUNT, sizeof(*list.items))};
        bool whole = list.items != NULL;
        pthread_mutex_lock(&engine->lock);
        for (size_t i = 0; whole && i < UNHEARD_COUNT; i++)
                if (engine->letters[i].since != 0)
                        whole = copy(&engine->letters[i], &list.items[list.count++]);
        pthread_mutex_unlock(&engine->lock);
        if (!whole) {
                letter_list_release(&list);
                return error_oom(error);
        }
        *ret = list;
        return 0;
}
