/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world as what decides sees it: time, waiting, answers, effects, and where the journal's bytes lie.
 *
 * Engine, guards, incident and journal know no clock, no network and no other thread but through one of
 * these, so that the very code that acts in production can be rehearsed and simulated. Production fills it
 * once (responder/production.h); tests/sim fills it with a model. This room holds no code: whoever is below
 * the seam calls through the small functions here, and tests/rooms.txt names what must not be called there.
 * It uses the words of responder/remediation (an action, a step that runs), responder/targets (a message),
 * responder/alert, lib/base and lib/config.
 *
 * Everything here may be called from any thread, unless `alone` says that there is only one.
 */
#ifndef RESPONDER_WORLD_WORLD_H
#define RESPONDER_WORLD_WORLD_H

#include "responder/remediation/action.h"

/*
 * Where work is done that may wait for something outside: a pool for each kind of it, and in each pool places
 * for whoever is waited for. So one that hangs fills its own places, and costs nobody else's.
 */
enum world_pool {
        WORLD_RUNS,  /* steps, by remediation: they may take minutes */
        WORLD_LOOKS, /* verifications, by remediation: they take seconds */
        WORLD_CALLS, /* persons are called, by receiver */
        WORLD_ASKS,  /* Alertmanager and Prometheus are asked about all alerts */
        WORLD_POOL_COUNT,
};

/* So much is under way at once in one pool for one name; what comes beyond it waits. */
enum { WORLD_AT_ONCE = 8 };

struct world {
        void *context; /* handed to every function */

        /* Since the Unix epoch, may jump; and since the machine's start, never goes back. `boot` tells that
         * start from others; "" or NULL: nobody knows. */
        nsec (*wall)(void *context);
        nsec (*monotonic)(void *context);
        const char *boot;

        /* Sleeps until wake() was called since the last sleep() (true), or a monotonic time has come. One
         * thread. */
        bool (*sleep)(void *context, nsec until);
        void (*wake)(void *context);
        void (*pause)(void *context, nsec duration);

        /* Does work(argument) later, elsewhere: never before this has returned. `whose` is the name that the
         * pool goes by, borrowed for the call; NULL where there is only one. Never blocks; -errno: not taken.
         */
        int (*run)(void *context, enum world_pool pool, const char *whose, void (*work)(void *argument),
                   void *argument);
        /* Takes no more work, drops what was not begun, waits for the rest; how much of it still hangs. */
        unsigned (*finish)(void *context, struct deadline deadline);

        /* Neighbours. An error is never a verdict. See responder/targets/targets.h for each. */
        int (*query_holds)(void *context, const char *promql, nsec age, struct deadline deadline,
                           bool *ret_holds, double *ret_value, struct error *error);
        /* For people alone: what was measured before; NULL: nobody knows. */
        int (*query_past)(void *context, const char *promql, nsec from, nsec to, unsigned points,
                          struct deadline deadline, cJSON **ret, struct error *error);
        int (*check_holds)(void *context, const char *check, nsec age, struct deadline deadline,
                           bool *ret_holds, struct error *error);
        int (*alertmanager)(void *context, struct deadline deadline, struct alertmanager_view *ret,
                            struct error *error);
        int (*silence)(void *context, const char *mark, const cJSON *wanted, struct deadline deadline,
                       struct error *error);
        int (*firing)(void *context, struct deadline deadline, cJSON **ret, struct error *error);
        int (*lease)(void *context, size_t member, const struct page_lease *leases, size_t count,
                     struct deadline deadline, struct error *error);
        int (*notify)(void *context, const char *receiver, const struct message *message,
                      struct deadline deadline, nsec *ret_wait, struct error *error);

        /* How all targets stand, as of when they were asked last; NULL: nobody asks. */
        int (*standings)(void *context, struct target_standing **ret, size_t *ret_count, struct error *error);

        /* Actions: as in responder/remediation/action.h, of the step that `run` was bound for. */
        int (*plan_step)(void *context, const struct action *action, struct step_run *run, cJSON **ret_plan,
                         struct error *error);
        int (*people_step)(void *context, const struct action *action, struct step_run *run,
                           const struct people_asked *asked, struct sighting *ret,
                           struct error *error); /* NULL: nobody looks for people */
        int (*run_step)(void *context, const struct action *action, struct step_run *run, cJSON **ret_outcome,
                        struct error *error);
        enum resumption (*resume_step)(void *context, const struct action *action, struct step_run *run,
                                       cJSON **ret_outcome, struct error *error);
        int (*undo_step)(void *context, const struct action *action, struct step_run *run,
                         cJSON **ret_outcome, struct error *error);
        int (*settle_step)(void *context, const struct action *action, struct step_run *run,
                           struct error *error);

        /* SQLite's VFS that the journal lies on; NULL: its default one, which is files. */
        const char *vfs;
        /* There is only this thread: the journal has no writer of its own (journal_commit_waiting()). */
        bool alone;
};

static inline nsec world_wall(const struct world *world)
{
        return world->wall(world->context);
}

static inline nsec world_monotonic(const struct world *world)
{
        return world->monotonic(world->context);
}

static inline void world_pause(const struct world *world, nsec duration)
{
        world->pause(world->context, duration);
}

/* A deadline so long from now. */
static inline struct deadline world_deadline(const struct world *world, nsec duration)
{
        return (struct deadline){.at = world_monotonic(world) + duration};
}

#endif
