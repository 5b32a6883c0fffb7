/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another program, run to its end: no shell, no terminal, no inherited descriptor, and nothing of it is left.
 *
 * It leads a process group of its own, which is killed at the deadline, when it says too much, and also after
 * it has ended: what it left running in the background would otherwise pile up from run to run.
 *
 * lib/process is a room of its own because it is the only one that starts programs: who may use it is told by
 * tests/rooms.txt. It uses lib/base and lib/config.
 */
#ifndef RUNBOOK_PROCESS_H
#define RUNBOOK_PROCESS_H

#include "runbook/clock.h"
#include "runbook/config.h"
#include "runbook/text.h"

struct process_options {
        const struct config_strings *command; /* an absolute path, then its arguments */
        const struct config_map *environment; /* beside PATH and LANG; may be NULL */
        const char *directory;                /* where it starts; NULL: / */
        size_t output_limit;                  /* 0: what it writes is thrown away */
};

struct process_result {
        struct text output;
        struct text errors; /* the beginning of what it wrote to its standard error */
        int code;           /* its exit code, or, when a signal ended it, the number of that below zero */
};

/* -ETIMEDOUT, -EFBIG (said too much), -ENOENT, -EACCES, … `ret` is set after 0 alone; release it. */
int process_run(const struct process_options *options, struct deadline deadline, struct process_result *ret,
                struct error *error);
void process_result_release(struct process_result *result);

#endif
