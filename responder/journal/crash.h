/* SPDX-License-Identifier: Apache-2.0 */
/* Where test builds (-DRUNBOOK_CRASH_POINTS) die, as the environment says; of this folder alone. */
#ifndef RESPONDER_JOURNAL_CRASH_H
#define RESPONDER_JOURNAL_CRASH_H

#include "runbook/common.h"

/* What is counted: see journal.h. */
enum crash { CRASH_AT_WRITE, CRASH_AT_OPENING, CRASH_COUNT };

#ifdef RUNBOOK_CRASH_POINTS
/* `when`: "before" as many that are to be counted, or "after" them. By one thread of each kind. */
void crash_point(enum crash which, const char *when, size_t count);
#else
static inline void crash_point(enum crash which _unused_, const char *when _unused_, size_t count _unused_) {}
#endif

#endif
