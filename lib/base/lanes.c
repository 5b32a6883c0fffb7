/* SPDX-License-Identifier: Apache-2.0 */
/* Threads by name: a pool for each name that work ever came for. */
#include "runbook/lanes.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { NAMES_MOST = 256 };

struct lane {
        char *name;
        struct workers *workers;
};

struct lanes {
        pthread_mutex_t lock; /* of all below */
        struct lane *items;
        size_t count;
        unsigned at_once;
        bool stopping;
};

int lanes_new(unsigned at_once, struct lanes **ret, struct error *error)
{
        if (at_once == 0)
                return error_set(error, EINVAL, "nothing is ever done none at once; the least is 1");
        struct lanes *lanes = calloc(1, sizeof(*lanes));
        if (!lanes)
                return error_oom(error);
        lanes->at_once = at_once;
        pthread_mutex_init(&lanes->lock, NULL);
        *ret = lanes;
        return 0;
}

/* With the lock held. */
static int add_lane(struct lanes *lanes, const char *name, struct lane **ret)
{
        struct lane *grown = reallocarray(lanes->items, lanes->count + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        lanes->items = grown;
        struct lane *lane = &grown[lanes->count];
        *lane = (struct lane){.name = strdup(name)};
        int r = lane->name ? workers_new(lanes->at_once, &lane->workers, NULL) : -ENOMEM;
        if (r < 0) {
                free(lane->name);
                return r;
        }
        lanes->count++;
        *ret = lane;
        return 0;
}

/* With the lock held. */
static int find_lane(struct lanes *lanes, const char *name, struct lane **ret)
{
        for (size_t i = 0; i < lanes->count; i++)
                if (strcmp(lanes->items[i].name, name) == 0) {
                        *ret = &lanes->items[i];
                        return 0;
                }
        if (lanes->count < NAMES_MOST)
                return add_lane(lanes, name, ret);
        *ret = &lanes->items[lanes->count - 1];
        return 0;
}

int lanes_run(struct lanes *lanes, const char *name, void (*job)(void *context), void *context)
{
        struct lane *lane = NULL;
        pthread_mutex_lock(&lanes->lock);
        int r = lanes->stopping ? -EAGAIN : find_lane(lanes, name ? name : "", &lane);
        if (r >= 0)
                r = workers_run(lane->workers, job, context);
        pthread_mutex_unlock(&lanes->lock);
        return r;
}

unsigned lanes_stop(struct lanes *lanes, struct deadline deadline)
{
        if (!lanes)
                return 0;
        pthread_mutex_lock(&lanes->lock);
        lanes->stopping = true;
        pthread_mutex_unlock(&lanes->lock);

        /* Nobody adds one any more. */
        unsigned hanging = 0;
        for (size_t i = 0; i < lanes->count; i++) {
                hanging += workers_stop(lanes->items[i].workers, deadline);
                free(lanes->items[i].name);
        }
        free(lanes->items);
        lanes->items = NULL;
        lanes->count = 0;
        /* What hangs may come back, and is then told that it is too late. */
        if (hanging > 0)
                return hanging;
        pthread_mutex_destroy(&lanes->lock);
        free(lanes);
        return 0;
}
