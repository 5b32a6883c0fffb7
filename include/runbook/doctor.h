/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program finds when it tries all that its file names: `doctor`, one line each, and an exit code.
 *
 *     struct doctor doctor = {0};
 *     doctor_try_secrets(&doctor, "check redis", fields, config);
 *     doctor_tell(&doctor, FINDING_FINE, "check redis", "%zu series", count);
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

/* Reads each secret of the structure, and tells those that cannot be read, or are empty; never a value. False
 * when one cannot be read. */
bool doctor_try_secrets(struct doctor *doctor, const char *what, const struct config_field *fields,
                        const void *config);

/* Prints all of it with a last line that counts, and releases it. EXIT_FINE; EXIT_FAILED when anything is
 * broken: what is empty may be so. */
int doctor_end(struct doctor *doctor);

#endif
