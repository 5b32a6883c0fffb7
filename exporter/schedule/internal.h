/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the schedule share: schedule.c runs checks, schedule_hub.c keeps them over reloads. */
#ifndef EXPORTER_SCHEDULE_INTERNAL_H
#define EXPORTER_SCHEDULE_INTERNAL_H

#include <pthread.h>

#include "exporter/schedule/schedule.h"

/* One check with all it has measured. It outlives the reading of the file that it came with, while unchanged.
 */
struct entry {
        struct hub *hub;
        struct check_set *set; /* a reference, for `check` and the state */
        size_t index;          /* in the set */
        const struct check *check;
        struct label labels[1]; /* check="<name>", on each of its samples */
        struct histogram
                durations; /* of its finished runs; by the run alone, of which there is one at a time */

        /* Below: by the hub's lock. */
        struct entry *previous, *next; /* of all in the hub */
        unsigned schedules, pins;      /* that have it; runs that have not let go of it */
        struct check_result *result;
        struct check_result *pending; /* of a run that has not got its thread yet */
        struct entry *next_launched;  /* of those that one schedule_start() hands over */
        nsec last_success_wall;
        nsec due;        /* CLOCK_MONOTONIC: not started before */
        nsec overdue_at; /* of the present run */
        uint64_t number; /* of the present or last run; 0: there was none */
        bool running, late, overdue;
        bool complained; /* its failure was logged */
};

/* What the schedules of one exporter share: its entries, and the lock over them. */
struct hub {
        pthread_mutex_t lock;
        struct workers *workers;
        uint64_t generation; /* read without the lock */
        struct entry *entries;

        /* Taken before every lock of those that are told, and never under the other one. */
        pthread_mutex_t listeners_lock;
        struct schedule *listeners;
};

struct schedule {
        struct hub *hub;
        struct schedule *next_listener; /* by the hub's listeners_lock */
        void (*changed)(void *context);
        void *context;
        nsec next_overdue; /* by the hub's lock: no run is overdue before; INT64_MAX: none is running */
        size_t count, fresh;
        struct entry *entries[];
};

static inline void unlock_p(pthread_mutex_t **lock)
{
        pthread_mutex_unlock(*lock);
}

#define WITH_LOCK(hub)                                                       \
        _cleanup_(unlock_p) pthread_mutex_t *locked _unused_ = &(hub)->lock; \
        pthread_mutex_lock(locked)

/* By the lock: what the checks say has changed. */
static inline void rise(struct hub *hub)
{
        __atomic_add_fetch(&hub->generation, 1, __ATOMIC_RELEASE);
}

/* What another target says is on no page that is kept. */
static inline void rise_for(struct hub *hub, const struct entry *entry)
{
        if (!entry->check->target)
                rise(hub);
}

/* `selected` as the functions of the schedule take it. */
static inline bool is_selected(const struct schedule *schedule, const bool *selected, size_t i)
{
        return selected ? selected[i] : !schedule->entries[i]->check->target;
}

/* Frees what is no longer in any schedule and not running either, or is the last of all. */
void hub_sweep(struct hub *hub, bool all);

#endif
