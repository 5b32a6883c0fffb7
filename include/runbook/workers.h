/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool of threads that grows while work waits, up to a limit, and shrinks when idle.
 *
 * For work that may hang: a job that never returns costs its own small thread and nobody else's. While a job
 * waits there is always another thread on its way to it (up to the limit), so jobs that are soon done need
 * few.
 */
#ifndef RUNBOOK_WORKERS_H
#define RUNBOOK_WORKERS_H

#include "runbook/clock.h"
#include "runbook/error.h"

struct workers;

/* `limit`: most threads at once. Threads have small stacks (256 KiB) and end after 30 s without work. */
int workers_new(unsigned limit, struct workers **ret, struct error *error);

/* Raises the limit by `more`. */
void workers_allow(struct workers *workers, unsigned more);

/* Queues job(context); never blocks. -EAGAIN after workers_stop(), -ENOMEM. */
int workers_run(struct workers *workers, void (*job)(void *context), void *context);

/* The same, but -EBUSY when `most` jobs wait already: for who can say so to whoever asks. */
int workers_try(struct workers *workers, unsigned most, void (*job)(void *context), void *context);

/* Waits until `deadline` for running jobs, drops queued ones (calling none), frees unless some still hang.
 * Returns the number of jobs that were left hanging. */
unsigned workers_stop(struct workers *workers, struct deadline deadline);

#endif
