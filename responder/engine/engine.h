/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine carries incidents from alert to end: match, guard, plan, run, verify, settle or undo, escalate.
 *
 * One thread looks at what the journal says is active, whenever it is woken or a time has come; runs and
 * verifications have threads of their own. All its knowledge is in the journal: engine_start() after a crash
 * goes on from there.
 */
#ifndef RESPONDER_ENGINE_H
#define RESPONDER_ENGINE_H

#include "responder/incident/parts.h"

struct engine;

int engine_start(const struct engine_options *options, struct engine **ret, struct error *error);

/* Something has changed: look again soon (within 20 ms; calls are gathered). Any thread; never blocks. */
void engine_wake(struct engine *engine);

/*
 * Lets running steps finish until the deadline, then returns; what is unfinished goes on after the next
 * start. NULL; or the engine itself when a step hangs: then nothing that was given to it may be freed any
 * more.
 */
struct engine *engine_stop(struct engine *engine, struct deadline deadline);

/*
 * A person's decisions, journaled with who took them. -ENOENT: no such incident; -ESTALE: it is not in a
 * state for that, and the sentence says in which it is.
 */
int engine_approve(struct engine *engine, const char *number, const char *actor, struct error *error);
int engine_deny(struct engine *engine, const char *number, const char *actor, const char *reason,
                struct error *error);
int engine_cancel(struct engine *engine, const char *number, const char *actor, struct error *error);
int engine_undo(struct engine *engine, const char *number, const char *actor, struct error *error);
int engine_pause(struct engine *engine, bool paused, const char *actor, const char *reason,
                 struct error *error);

#endif
