/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done, step by step, for a person who looks into one run.
 *
 * A deadline is handed down through every call that may wait, and carries the listener with it: a client says
 * what it does by trace_step(). As a rule nobody listens, and a step costs one comparison; its arguments are
 * not even looked at. A step names hosts, commands, paths and numbers, and never a secret: what may not be
 * said in an error may not be said here either.
 */
#ifndef RUNBOOK_TRACE_H
#define RUNBOOK_TRACE_H

#include "runbook/clock.h"
#include "runbook/text.h"

/* Steps beyond are left out, which the last line then says. */
#define TRACE_LIMIT ((size_t)64 * 1024)

/* NULL when out of memory. Its time counts from here. */
struct trace *trace_new(void);
struct trace *trace_free(struct trace *trace); /* takes NULL, returns NULL */

/* One step of one line, "0.012 s  <sentence>": 500 bytes at most, with blanks for control characters. */
void trace_add(struct trace *trace, const char *format, ...) _printf_(2, 3);

#define trace_step(deadline, ...)                                \
        do {                                                     \
                struct trace *trace_listener = (deadline).trace; \
                if (trace_listener)                              \
                        trace_add(trace_listener, __VA_ARGS__);  \
        } while (0)

/* Appends the steps so far. By any thread, also while others add more. */
void trace_put(struct trace *trace, struct text *text);

#endif
