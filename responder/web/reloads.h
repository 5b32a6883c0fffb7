/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the configuration again: by SIGHUP or by an operator, one at a time, whole or not at all. */
#ifndef RESPONDER_WEB_RELOADS_H
#define RESPONDER_WEB_RELOADS_H

#include <pthread.h>
#include <stdatomic.h>

#include "runbook/clock.h"
#include "runbook/error.h"
#include "runbook/metrics.h"

struct reloads {
        pthread_mutex_t lock; /* of one attempt */
        const char *config_file;
        int (*read_again)(void *context, struct error *error);
        void *context;
        void (*listener)(void *context); /* under the lock, as its context */
        void *listener_context;
        atomic_bool successful;      /* the last attempt, or the start */
        _Atomic(nsec) successful_at; /* wall */
};

/* Called after the file was read for the first time. Everything is borrowed. */
void reloads_init(struct reloads *reloads, const char *config_file,
                  int (*read_again)(void *context, struct error *error), void *context);

/* Reads again and logs what came of it; on failure the configuration of before stays. Any thread; waits for
 * an attempt that is under way. */
int reloads_run(struct reloads *reloads, struct error *error);

/* Calls listener(context) after each reading that was successful; NULL: nobody any more, once this returns.
 */
void reloads_listen(struct reloads *reloads, void (*listener)(void *context), void *context);

/* Whether the last one was successful, and when the last successful one was. */
void reloads_collect(const struct reloads *reloads, struct sample_sink *sink);

#endif
