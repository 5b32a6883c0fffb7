/* SPDX-License-Identifier: Apache-2.0 */
/* A test build dies at the point that it is told. */
#include "responder/journal/crash.h"

#ifdef RUNBOOK_CRASH_POINTS
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runbook/text.h"

static const char *const variables[] = {
        [CRASH_AT_WRITE] = "RUNBOOK_CRASH_AT", [CRASH_AT_OPENING] = "RUNBOOK_CRASH_AT_OPENING"};
tables_agree(variables, CRASH_COUNT);

void crash_point(enum crash which, const char *when, size_t count)
{
        static size_t passed[CRASH_COUNT];
        const char *wanted = getenv(variables[which]);
        unsigned long number = 0;
        char side[8] = "";
        if (wanted && sscanf(wanted, "%lu:%7[a-z]", &number, side) == 2 && string_equal(side, when) &&
            passed[which] < number && number <= passed[which] + count)
                kill(getpid(), SIGKILL);
        if (string_equal(when, "after"))
                passed[which] += count;
}
#endif
