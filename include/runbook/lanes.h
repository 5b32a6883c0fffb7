/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads by name: whoever work waits for has some of its own.
 *
 * Work that hangs fills the threads of its own name and nobody else's, so that one slow neighbour never keeps
 * another from being asked. Names are few and come from a configuration.
 */
#ifndef RUNBOOK_LANES_H
#define RUNBOOK_LANES_H

#include "runbook/workers.h"

struct lanes;

/* `at_once`: most jobs of one name at once, the others wait their turn. */
int lanes_new(unsigned at_once, struct lanes **ret, struct error *error);

/* Queues job(context) behind what waits under this name, which is copied; NULL is "". Never blocks; any
 * thread. Beyond 256 names those that come last share threads. -EAGAIN after lanes_stop(), -ENOMEM. */
int lanes_run(struct lanes *lanes, const char *name, void (*job)(void *context), void *context);

/* Takes no more jobs, drops those that wait (calling none), and waits for the others until `deadline`;
 * returns how many of them were left hanging. Frees. Takes NULL. Nobody may call lanes_run() meanwhile, but a
 * job. */
unsigned lanes_stop(struct lanes *lanes, struct deadline deadline);

#endif
