/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving up for good what a process never needs, so that who takes it over has not got it either.
 *
 * Landlock takes writing, running programs and taking TCP connections; a seccomp filter takes the system
 * calls that change the machine, look into other processes or open more of the kernel. Reading stays.
 * What is given up is so for every later thread and child; so both are called while there is one thread,
 * after files are open and sockets listen. They set no_new_privs: a setuid program gains nothing any more.
 *
 * lib/sandbox knows the kernel's two means and nothing of what a daemon needs, which its main says. It uses
 * lib/base.
 */
#ifndef RUNBOOK_SANDBOX_H
#define RUNBOOK_SANDBOX_H

#include "runbook/error.h"

struct sandbox_options {
        const char *state_directory; /* regular files below it may still be written; NULL: nowhere */
        const char *const *socket_directories; /* files below them may still be removed; closed by NULL */
        bool programs;                         /* programs may be started */
        /* Of the deny list alone: */
        bool files;   /* owners, modes and times of files may be changed */
        bool tracing; /* by ptrace, as a leak checker does with the threads of its own process at its end */
};

/*
 * Forbids all writing but what `options` names, TCP sockets that listen (ABI 4), signals to other processes
 * (ABI 6) and, unless they are needed, programs. A directory that is not there is passed over. -EOPNOTSUPP
 * when this kernel has no Landlock, -EBUSY when there are other threads. `ret_abi` is the kernel's version of
 * it.
 */
int sandbox_landlock(const struct sandbox_options *options, int *ret_abi, struct error *error);

/*
 * Makes the calls of the deny list fail with EPERM. A deny list, as the libraries of this process may call
 * tomorrow what they do not today. -EOPNOTSUPP when the kernel or the architecture has none.
 */
int sandbox_seccomp(const struct sandbox_options *options, struct error *error);

#endif
