/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret is known by where it is kept, never by its value, so that it cannot be printed by accident.
 *
 * It is read anew at each use, which makes rotation a matter of replacing the file. The text it is read into
 * is wiped by text_wipe(); use `_cleanup_secret_ struct text password = {0};`.
 */
#ifndef RUNBOOK_SECRET_H
#define RUNBOOK_SECRET_H

#include "runbook/error.h"
#include "runbook/text.h"

struct secret {
        char *file;     /* a path, or NULL */
        char *variable; /* the name of an environment variable, or NULL */
};

/* False when the secret was not configured at all. */
bool secret_is_set(const struct secret *secret);

/*
 * Appends the value, without a trailing line break. An unset secret reads as "" with success. Errors name
 * the file or the variable, never the content: -ENOENT, -EACCES, -EFBIG (over 64 KiB), -ENOKEY (variable);
 * they mean that whoever needs it has not looked, and one that is not there, that it was perhaps not set up.
 */
int secret_read(const struct secret *secret, struct text *text, struct error *error);

/*
 * Whether `given` is the secret, in a time that does not tell how much of it is right. An empty secret is
 * nobody's: -EINVAL, as is an unset one; the other errors as of secret_read().
 */
int secret_equals(const struct secret *secret, const char *given, bool *ret, struct error *error);

/*
 * Writes a new one, 64 random hexadecimal digits, into a file of its owner's alone (0600): 1. 0: there is one
 * already, which somebody else may just have made.
 */
int secret_make(const char *path, struct error *error);

/*
 * The path that `text` of a file for people means: itself, or that of a credential where it is
 * `${credential:NAME}`, in $CREDENTIALS_DIRECTORY, whether there is such a file or not. -EINVAL, with a
 * sentence to be put behind the name of what it stands for, when it is anything else with that in it, or
 * nobody has set the variable.
 */
int secret_locate(const char *text, char **ret, struct error *error);
#define SECRET_CREDENTIAL "${credential:"

/* The file that systemd hands over under this name ($CREDENTIALS_DIRECTORY), NULL when there is none. */
int secret_credential(const char *name, char **ret, struct error *error);

void secret_release(struct secret *secret);

#endif
