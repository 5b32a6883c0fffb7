/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program finds when it tries all that its file names: `doctor`, one line each, and an exit code.
 *
 *     struct doctor doctor = {0};
 *     doctor_try_secrets(&doctor, "check redis", fields, config);
 *     doctor_tell(&doctor, FINDING_FINE, "check redis", "%zu series", count);
 *     doctor_tell_failure(&doctor, "check disk", r, error_text(&error), NULL);
 *     return doctor_end(&doctor);
 *
 * It is part of lib/program, so that both daemons tell it alike.
 */
#ifndef RUNBOOK_DOCTOR_H
#define RUNBOOK_DOCTOR_H

#include "runbook/config.h"

enum finding {
        FINDING_FINE,   /* it answered */
        FINDING_EMPTY,  /* it answered, and there is nothing */
        FINDING_BROKEN, /* it did not, or cannot be read */
        FINDINGS,
};

struct doctor {
        struct text text;
        size_t counts[FINDINGS];
};

/* One line. What others have said may stand in it: it is shown as one line, cut after 400 bytes. */
void doctor_tell(struct doctor *doctor, enum finding finding, const char *what, const char *format, ...)
        _printf_(4, 5);

/*
 * A failure, by its errno (below zero): the sentence, and, where one thing is mostly behind such a failure,
 * what to do about it on a line of its own. NULL `otherwise`, or what to do where the errno says nothing.
 */
void doctor_tell_failure(struct doctor *doctor, const char *what, int result, const char *sentence,
                         const char *otherwise);

/* What to do about what was told last, on a line of its own. */
void doctor_advise(struct doctor *doctor, const char *advice);

/*
 * What the machine itself has to have, which is no target: told and not counted. Whether somebody keeps its
 * clock, by which alerts, certificates and incidents are judged; which of the sandbox's means the kernel has.
 */
void doctor_try_clock(struct doctor *doctor);
void doctor_tell_kernel(struct doctor *doctor, int landlock_version, bool seccomp);

/* Whether this user may write into the directory (NULL: none was asked for), or make it. */
void doctor_try_directory(struct doctor *doctor, const char *what, const char *directory);

/* Reads each secret of the structure, and tells those that cannot be read, or are empty; never a value. False
 * when one cannot be read. */
bool doctor_try_secrets(struct doctor *doctor, const char *what, const struct config_field *fields,
                        const void *config);

/* Prints all of it with a last line that counts, and releases it. EXIT_FINE; EXIT_FAILED when anything is
 * broken: what is empty may be so. */
int doctor_end(struct doctor *doctor);

#endif
