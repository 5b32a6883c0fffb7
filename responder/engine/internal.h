/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the engine share: the thread, what it is doing about which incident, its two pools. */
#ifndef RESPONDER_ENGINE_INTERNAL_H
#define RESPONDER_ENGINE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "responder/engine/engine.h"
#include "responder/incident/stages.h"
#include "runbook/workers.h"

/* What is remembered of an incident that a worker has carried; all of it may be lost in a crash. */
struct track {
        struct track *next;
        int64_t incident;
        bool busy;       /* a worker has it; guarded by the engine's mutex, like `again` */
        bool busy_then;  /* as it was when this pass began: then the worker's end brings another pass */
        bool seen;       /* in this pass */
        nsec again;      /* monotonic: not before; 0: when something changes */
        char *lock;      /* what its worker holds */
        struct job *job; /* until a worker has it: dropped ones are freed with the track */
        struct carry_memory memory;
};

struct engine {
        struct engine_options options;
        struct workers *runs;  /* steps: they may take minutes */
        struct workers *looks; /* verifications, calls: they take seconds */
        pthread_t thread;
        atomic_bool stopping;

        pthread_mutex_t mutex;
        pthread_cond_t changed;
        bool woken;

        /* Of the engine's thread. */
        struct track *tracks;
        nsec reconcile_at;       /* monotonic */
        atomic_bool reconciling; /* a worker is asking Alertmanager */
};

struct job {
        struct engine *engine;
        struct track *track;
        carry_function *function;
        struct carry carry;
};

struct track *engine_track_new(struct engine *engine, int64_t incident);
void engine_job_free(struct job *job);

/* What one pass of the engine's thread works with. */
struct pass {
        struct engine *engine;
        struct incident_list active;
        bool paused;
        nsec now, wall;
        nsec next; /* monotonic: when the next pass has to be at the latest */
};

/* engine_pass.c: looks at everything once; the next pass has to be at `*ret_next` at the latest. */
int engine_pass(struct engine *engine, nsec *ret_next, struct error *error);

/* engine_dispatch.c: gives an incident to a worker. Takes it over out of the list. */
enum pool { POOL_RUNS, POOL_LOOKS };
int engine_dispatch(struct pass *pass, struct incident *incident, const struct remediation *remediation,
                    enum pool pool, carry_function *carry, const char *lock, struct error *error);
void engine_track_free(struct track *track);
struct track *engine_track(struct engine *engine, int64_t incident); /* NULL: none */
void engine_reconcile(struct pass *pass);

static inline void pass_look_at(struct pass *pass, nsec when)
{
        if (when < pass->next)
                pass->next = when;
}

#endif
