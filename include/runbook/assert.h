/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contracts that run: what this program relies on, held against what is, in the release build as well.
 *
 *     assert_that(run->incident.state == INCIDENT_RUNNING, "steps are carried out while it runs");
 *
 * When it does not hold, one line is logged and the process aborts: what would happen next nobody can tell,
 * and all that counts is in the journal, from which the next start goes on. So it is for mistakes of this
 * program alone. What comes from outside (a request, a configuration, a peer's answer, a file) is answered
 * with an error instead.
 *
 * The condition must have no effect: -DRUNBOOK_NO_CONTRACTS, for measuring what the contracts cost, leaves
 * it out. Two tables, or a table and an enum, that must agree are compared while compiling: tables_agree().
 */
#ifndef RUNBOOK_ASSERT_H
#define RUNBOOK_ASSERT_H

#include <pthread.h>

#include "runbook/common.h"

struct contract {
        const char *condition, *file;
        int line;
        const char *sentence; /* what holds, for who reads the log */
};

/* Logs the contract that does not hold (level error: condition, file, line, sentence) and aborts. */
_Noreturn void contract_broken(const struct contract *contract) __attribute__((__cold__));

#ifdef RUNBOOK_NO_CONTRACTS
#define assert_that(condition, sentence) ((void)sizeof(!(condition)))
#else
#define assert_that(condition, sentence)                                                               \
        __extension__({                                                                                \
                static const struct contract _contract = {#condition, __FILE__, __LINE__, (sentence)}; \
                if (__builtin_expect(!(condition), 0))                                                 \
                        contract_broken(&_contract);                                                   \
        })
#endif

/* Whether somebody holds the mutex. For contracts: its caller should. */
static inline bool is_locked(pthread_mutex_t *mutex)
{
        if (pthread_mutex_trylock(mutex) != 0)
                return true;
        pthread_mutex_unlock(mutex);
        return false;
}

#endif
