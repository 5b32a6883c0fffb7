/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An error is a negative errno for the program and one sentence for a person.
 *
 * Functions return 0 or more on success and a negative errno on failure; the last parameter, when it is
 * a `struct error *`, then holds the sentence. It may be NULL where nobody asks. A function either logs or
 * returns its error, never both. No secret may ever be put into the sentence.
 */
#ifndef RUNBOOK_ERROR_H
#define RUNBOOK_ERROR_H

#include "runbook/common.h"

/* What a failure says of the thing that was asked about. */
enum error_meaning {
        ERROR_UNSAID,     /* who asked knows best */
        ERROR_NOT_LOOKED, /* nothing: the fault is on this side, and it was not looked at */
        ERROR_FAILED,     /* it was looked at, and does not work */
};

struct error {
        char *message;              /* owned; NULL while there is no error */
        enum error_meaning meaning; /* of the sentence, and gone with it */
        bool not_set_up;            /* what would be needed was perhaps never there */
        bool may_pass;              /* it is the moment's: asked again in a while, it may be otherwise */
};

#define _cleanup_error_ _cleanup_(error_clear)

/* Sets the sentence, replacing what was there, and returns -code (code is a positive errno). For want of
 * memory or descriptors nothing was looked at; other codes leave the meaning unsaid. */
int error_set(struct error *error, int code, const char *format, ...) _printf_(3, 4);

/*
 * The same for what a system call or a library told by errno: sets "<text>: <reason>". The reason is appended
 * here so that it reads alike everywhere: error_set_errno(error, errno, "cannot open %s", path).
 */
int error_set_errno(struct error *error, int code, const char *format, ...) _printf_(3, 4);

/*
 * The reason alone, "No such file or directory", for the few sentences that do not end with it. Always
 * English, never NULL; valid until the calling thread asks about a number that nothing is known of.
 */
const char *error_reason(int code);

/* Puts "<text>: " before the sentence of a failure (`result` < 0), for context on the way up. Returns
 * `result`. */
int error_prefix(struct error *error, int result, const char *format, ...) _printf_(3, 4);

/*
 * Say what a failure (`result` < 0) means, after its sentence: that nothing was looked at, that what was
 * looked at does not work, that something is missing which perhaps never was there, that it may be otherwise
 * in a moment (who was asked is not there, hung up, or is only starting; whether the request had its effect
 * is not said by that). All return `result`.
 */
int error_not_looked(struct error *error, int result);
int error_failed(struct error *error, int result);
int error_not_set_up(struct error *error, int result);
int error_may_pass(struct error *error, int result);

/*
 * Of two failures of one question keeps the one that says more of what was asked about, the first of two that
 * say the same: what does not work before what is unsaid, that before what was not looked at, and last what
 * is perhaps not set up. `result` and `other_result` may be no failures. Returns the result of what is kept.
 */
int error_keep_worse(struct error *error, int result, struct error *other, int other_result);

/* The standard answer to a failed allocation: -ENOMEM with its sentence. */
int error_oom(struct error *error);

/* The sentence, or "unknown error" when there is none; valid until the error changes. */
const char *error_text(const struct error *error);

/* Moves the sentence of `from`, with its meaning, into `to` (which may be NULL). */
void error_move(struct error *to, struct error *from);

void error_clear(struct error *error);

#endif
