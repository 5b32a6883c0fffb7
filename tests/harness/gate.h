/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs on other threads that meet at a gate, for tests of who does them. */
#ifndef TESTS_HARNESS_GATE_H
#define TESTS_HARNESS_GATE_H

#include <pthread.h>

#include "tests/harness/unit.h"

/* Jobs meet here: each counts itself and, when the gate is shut, waits for it to open. */
struct gate {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        bool open;
        unsigned inside, most_inside, passed;
};

static inline void gate_init(struct gate *gate, bool open)
{
        *gate = (struct gate){.open = open};
        pthread_mutex_init(&gate->lock, NULL);
        pthread_cond_init(&gate->changed, NULL);
}

static inline void pass(void *context)
{
        struct gate *gate = context;
        pthread_mutex_lock(&gate->lock);
        gate->inside++;
        if (gate->inside > gate->most_inside)
                gate->most_inside = gate->inside;
        pthread_cond_broadcast(&gate->changed);
        while (!gate->open)
                pthread_cond_wait(&gate->changed, &gate->lock);
        gate->inside--;
        gate->passed++;
        pthread_cond_broadcast(&gate->changed);
        pthread_mutex_unlock(&gate->lock);
}

static inline void open_gate(struct gate *gate)
{
        pthread_mutex_lock(&gate->lock);
        gate->open = true;
        pthread_cond_broadcast(&gate->changed);
        pthread_mutex_unlock(&gate->lock);
}

static inline void wait_until(struct gate *gate, const unsigned *counter, unsigned wanted)
{
        pthread_mutex_lock(&gate->lock);
        while (*counter < wanted)
                pthread_cond_wait(&gate->changed, &gate->lock);
        pthread_mutex_unlock(&gate->lock);
}

#endif
