/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving up for good what a process never needs, so that who takes it over has not got it either.
 *
 * Landlock takes writing, running programs and taking TCP connections; a seccomp filter takes the system
 * calls that change the machine, look into other processes or open more of the kernel. Reading stays.
 * What is given up is so for every later thread and child; so both are called while there is one thread,
 * after files are open, and after sockets listen or with a call of sandbox_seal() once they do. They set
 * no_new_privs: a setuid program gains nothing any more.
 *
 * lib/sandbox knows the kernel's two means and nothing of what a daemon needs, which that says. It uses
 * lib/base.
 */
#ifndef RUNBOOK_SANDBOX_H
#define RUNBOOK_SANDBOX_H

#include "runbook/error.h"

/* Lists are closed by NULL, and NULL is an empty one. */
struct sandbox_options {
        const char *state_directory;    /* regular files below it may still be written; NULL: nowhere */
        const char *const *directories; /* files and directories may still be made, written, linked, moved,
                                           and files removed, below them */
        const char *const *addresses;   /* where unix:/path listens: files beside it may still be removed */
        bool programs;                  /* programs may be started */
        bool sockets; /* may still be opened and given a mode, those of `addresses` included: until
                         sandbox_seal(), or for good */
        /* Of the deny list alone: */
        bool files;   /* owners, modes and times of files may be changed */
        bool tracing; /* by ptrace, as a leak checker does with the threads of its own process at its end */
};

/*
 * Forbids all writing but what `options` names, TCP sockets that listen (ABI 4; unless `sockets`), signals to
 * other processes (ABI 6) and, unless they are needed, programs. A directory that cannot be reached is
 * passed over. -EOPNOTSUPP when this kernel has no Landlock, -EBUSY when there are other threads. `ret_abi`
 * is the kernel's version of it.
 */
int sandbox_landlock(const struct sandbox_options *options, int *ret_abi, struct error *error);

/*
 * Makes the calls of the deny list fail with EPERM. A deny list, as the libraries of this process may call
 * tomorrow what they do not today. -EOPNOTSUPP when the kernel or the architecture has none.
 */
int sandbox_seccomp(const struct sandbox_options *options, struct error *error);

/* What this kernel has of both, found out without entering either: the version of Landlock, 0 for none, and
 * whether there are filters of system calls. Any thread. */
int sandbox_landlock_version(void);
bool sandbox_has_seccomp(void);

/* What a daemon has given up, by its flag --sandbox. By main's thread, before others read it. */
struct sandbox {
        const char *mode; /* auto: as the kernel can; require: all or no start; off */

        /* Of sandbox_enter(). */
        char landlock[12]; /* its version; "none" */
        bool seccomp;
        bool programs; /* of the options that it was entered by */
};

/* clang-format off */
/* The flag's row, whose help each daemon words itself. */
#define SANDBOX_FLAG(to, help) {"sandbox", FLAG_STRING, (to), "auto", "MODE", help}
/* clang-format on */

/* -EINVAL for a word that is no mode. */
int sandbox_check_mode(const char *mode, struct error *error);

/*
 * Enters both as `mode` says, and logs once what was had; no core of this process is written any more, and
 * nobody but root looks into its memory. `spared` (may be NULL) says why Landlock is left out for other
 * reasons than the kernel's. `options.tracing` is filled in here. -EOPNOTSUPP when it must be and cannot.
 */
int sandbox_enter(struct sandbox *sandbox, struct sandbox_options options, const char *spared,
                  struct error *error);

/* Takes back what `sockets` left open; from every thread. Nothing when it was not entered. */
int sandbox_seal(const struct sandbox *sandbox, struct error *error);

#endif
