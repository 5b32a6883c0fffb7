/* SPDX-License-Identifier: Apache-2.0 */
/* What steps are at by now: a list, for there are never more of them than workers. */
#include "responder/incident/occupied.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "runbook/assert.h"

struct place {
        char *thing, *who;
        struct place *next;
};

struct occupied {
        pthread_mutex_t lock;
        struct place *places; /* under the lock */
};

static struct place *place_free(struct place *place)
{
        if (!place)
                return NULL;
        free(place->thing);
        free(place->who);
        free(place);
        return NULL;
}

static struct place *place_new(const char *thing, const char *who)
{
        struct place *place = calloc(1, sizeof(*place));
        if (!place)
                return NULL;
        place->thing = strdup(thing);
        place->who = strdup(who);
        return place->thing && place->who ? place : place_free(place);
}

struct occupied *occupied_new(void)
{
        struct occupied *occupied = calloc(1, sizeof(*occupied));
        if (occupied)
                pthread_mutex_init(&occupied->lock, NULL);
        return occupied;
}

struct occupied *occupied_free(struct occupied *occupied)
{
        if (!occupied)
                return NULL;
        while (occupied->places) {
                struct place *place = occupied->places;
                occupied->places = place->next;
                place_free(place);
        }
        pthread_mutex_destroy(&occupied->lock);
        free(occupied);
        return NULL;
}

/* Under the lock: where the place of a thing hangs, or would. */
static struct place **place_of(struct occupied *occupied, const char *thing)
{
        struct place **at = &occupied->places;
        while (*at && strcmp((*at)->thing, thing) != 0)
                at = &(*at)->next;
        return at;
}

int occupied_enter(struct occupied *occupied, const char *thing, const char *who, char **ret_holder,
                   struct error *error)
{
        struct place *mine = place_new(thing, who);
        char *holder = NULL;
        if (!mine)
                return error_oom(error);
        pthread_mutex_lock(&occupied->lock);
        struct place **at = place_of(occupied, thing);
        bool is_free = !*at;
        if (is_free)
                *at = TAKE_PTR(mine);
        else
                holder = strdup((*at)->who);
        pthread_mutex_unlock(&occupied->lock);
        place_free(mine);
        if (!is_free && !holder)
                return error_oom(error);
        *ret_holder = holder;
        return is_free;
}

void occupied_leave(struct occupied *occupied, const char *thing)
{
        pthread_mutex_lock(&occupied->lock);
        struct place **at = place_of(occupied, thing), *left = *at;
        assert_that(left, "who leaves has entered");
        *at = left->next;
        pthread_mutex_unlock(&occupied->lock);
        place_free(left);
}
