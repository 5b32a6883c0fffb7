/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting by CLOCK_MONOTONIC. */
#include "runbook/wait.h"

#include <errno.h>

void condition_init(pthread_cond_t *condition)
{
        pthread_condattr_t monotonic;
        pthread_condattr_init(&monotonic);
        pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
        pthread_cond_init(condition, &monotonic);
        pthread_condattr_destroy(&monotonic);
}

bool condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, nsec at)
{
        const struct timespec time = nsec_to_timespec(at);
        if (at == INT64_MAX)
                return pthread_cond_wait(condition, lock) == 0;
        return pthread_cond_timedwait(condition, lock, &time) != ETIMEDOUT;
}

bool pause_for(nsec duration, struct deadline deadline)
{
        nsec now = clock_monotonic();
        if (deadline.at <= now)
                return false;
        const struct timespec end =
                nsec_to_timespec(deadline.at - now < duration ? deadline.at : now + duration);

        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR)
                ;
        return true;
}

struct timespec nsec_to_timespec(nsec time)
{
        if (time < 0)
                time = 0;
        return (struct timespec){.tv_sec = (time_t)(time / NSEC_PER_SEC),
                                 .tv_nsec = (long)(time % NSEC_PER_SEC)};
}
