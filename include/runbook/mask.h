/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process has read as a secret shows as "..." in whatever it says: a server that we ask may repeat
 * our own password, in an error or a label. As it is, with what JSON, a label or a URL escapes, in base64,
 * and each line of one that has several.
 *
 * No value is kept for it, only a hash that tells whether a text holds it. One list for the whole process, as
 * sentences leave it in many ways; the last 64 secrets are in it. Any thread.
 */
#ifndef RUNBOOK_MASK_H
#define RUNBOOK_MASK_H

#include "runbook/common.h"

enum {
        MASK_SENTENCE = 4, /* in a sentence every secret of at least so many bytes is masked */
        MASK_LABEL = 9,    /* in what identifies a series only those that are no common word */
};

/* By secret_read(): this is a secret; without NUL. */
void mask_learn(const char *value, size_t length);

/* Replaces, in place, each known secret of at least `least` bytes. */
void mask_string(char *string, size_t least);

#endif
