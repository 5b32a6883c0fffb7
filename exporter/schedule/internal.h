/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the schedule share: checks that outlive the reading of their file, and the runs of them.
 */
#ifndef EXPORTER_SCHEDULE_INTERNAL_H
#define EXPORTER_SCHEDULE_INTERNAL_H

#include <pthread.h>

#include "exporter/schedule/schedule.h"
#include "runbook/trace.h"

/* One check with all it has measured. It outlives the reading of the file that it came with, while unchanged.
 */
struct scheduled_check {
        struct succession *succession;
        struct check_set *set; /* a reference, for `check` and the state */
        size_t index;          /* in the set */
        const struct check *check;
        struct label labels[1];     /* check="<name>", on each of its samples */
        struct histogram durations; /* of its finished runs; by the run alone, one at a time */

        /* Below: by the succession's lock. */
        struct scheduled_check *previous, *next; /* of all in the succession */
        unsigned schedules, pins;                /* that have it; runs that have not let go of it */
        struct check_result *result;
        struct check_result *pending;          /* of a run that has not got its thread yet */
        struct scheduled_check *next_launched; /* of those that one schedule_start() hands over */
        struct check_result *traced;           /* of the last run that told its steps */
        nsec traced_at;                        /* when that began; CLOCK_MONOTONIC */
        uint64_t traced_number;
        nsec last_success_wall;
        nsec due;        /* CLOCK_MONOTONIC: not started before */
        nsec overdue_at; /* of the present run */
        uint64_t number; /* of the present or last run; 0: there was none */
        bool running, late, overdue;
        bool complained; /* its failure was logged */
        bool known;      /* a run of it has succeeded once; read by its runs without the lock, too */
};

/*
 * What the schedules of one exporter have in common, the present one and those before it that are not done
 * yet: the checks, the lock over them, and who is told when a run has ended.
 */
struct succession {
        pthread_mutex_t lock;
        struct workers *workers;
        uint64_t generation; /* read without the lock */
        struct scheduled_check *checks;

        /* Taken before every lock of those that are told, and never under the other one. */
        pthread_mutex_t listeners_lock;
        struct schedule *listeners;
};

struct schedule {
        struct succession *succession;
        struct schedule *next_listener; /* by the succession's listeners_lock */
        void (*changed)(void *context);
        void *context;
        nsec next_overdue; /* by the lock: no run is overdue before; INT64_MAX: none is running */
        size_t count, fresh;
        struct scheduled_check *checks[];
};

static inline void unlock_p(pthread_mutex_t **lock)
{
        pthread_mutex_unlock(*lock);
}

#define WITH_LOCK(succession)                                                       \
        _cleanup_(unlock_p) pthread_mutex_t *locked _unused_ = &(succession)->lock; \
        pthread_mutex_lock(locked)

/* By the lock: what the checks say has changed. */
static inline void generation_advance(struct succession *succession)
{
        __atomic_add_fetch(&succession->generation, 1, __ATOMIC_RELEASE);
}

/* By the lock: what this check says has. What another target says is on no page that is kept. */
static inline void generation_advance_for(const struct scheduled_check *scheduled)
{
        if (!scheduled->check->probe_target)
                generation_advance(scheduled->succession);
}

/* `selected` as the functions of the schedule take it. */
static inline bool is_selected(const struct schedule *schedule, const bool *selected, size_t i)
{
        return selected ? selected[i] : !schedule->checks[i]->check->probe_target;
}

/* The metrics that the operator defined for the check, closed by NULL; NULL: none. */
static inline const struct metric_family *const *own_families_of(const struct scheduled_check *scheduled)
{
        const struct check_kind *kind = scheduled->check->kind;
        return kind->own_families ? kind->own_families(scheduled->set->states[scheduled->index]) : NULL;
}

struct succession *succession_new(struct workers *workers);
struct succession *succession_free(struct succession *succession);

/* A check of the set, of no schedule yet, added to the succession; without the lock. NULL when out of memory.
 */
struct scheduled_check *succession_add(struct succession *succession, struct check_set *set, size_t index);

/* Frees what is no longer in any schedule and not running either, or is the last of all; without the lock. */
void succession_sweep(struct succession *succession, bool all);

/* The schedule's `changed` is called when a run has ended; no more, and true when it was the last schedule.
 */
void succession_add_listener(struct schedule *schedule);
bool succession_remove_listener(struct schedule *schedule);
void succession_notify(struct succession *succession);

/* Puts down that a run begins, with its trace (NULL: none), which it takes; by the lock. False when there is
 * no memory for its result. */
bool run_begin(struct schedule *schedule, struct scheduled_check *scheduled, struct trace *trace);

/* Hands the runs that began to the workers; without the lock, which each of them takes first of all. */
void run_launch(struct scheduled_check *begun);

/* The same for one, by the lock. False when there is no thread for it: it is due as before. */
bool run_launch_locked(struct scheduled_check *scheduled);

/* Logs what has changed for the better or the worse, once; without the lock. */
void run_report(const struct scheduled_check *scheduled, int code, const char *reason, bool complained);

#endif
