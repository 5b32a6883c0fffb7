/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting by the clock that deadlines count by, CLOCK_MONOTONIC: setting the wall clock neither wakes nor
 * delays anybody.
 *
 * A condition of pthreads waits by the wall clock unless it was told otherwise when it was made, and nothing
 * shows at the place where it is waited for. So whoever waits with a limit makes the condition here and waits
 * here:
 *
 *     pthread_mutex_lock(&lock);
 *     while (!done && condition_wait_until(&changed, &lock, deadline.at))
 *             ;
 *     pthread_mutex_unlock(&lock);
 */
#ifndef RUNBOOK_WAIT_H
#define RUNBOOK_WAIT_H

#include <pthread.h>
#include <time.h>

#include "runbook/clock.h"

/* Destroy it by pthread_cond_destroy(). */
void condition_init(pthread_cond_t *condition);

/*
 * With `lock` held, which is let go of meanwhile: waits until the condition is signalled or the monotonic
 * clock shows `at`; INT64_MAX never comes. True: look again, it may also have been for nothing; false: it is
 * past `at`.
 */
bool condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, nsec at);

/* Sleeps for `duration`, but not beyond the deadline; a signal does not cut it short. False, at once, when
 * the deadline has passed: there is no next time to look. */
bool pause_for(nsec duration, struct deadline deadline);

/* An instant or a duration as system calls want it; what is negative becomes 0, which they take for "now". */
struct timespec nsec_to_timespec(nsec time);

#endif
