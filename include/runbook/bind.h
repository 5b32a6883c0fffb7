/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `${labels.x}` and `${annotations.x}`: values of an alert, bound into text that an operator wrote.
 *
 * What is put in is a value: it is never looked at again for `${`, and where it stands inside another
 * language's text (a PromQL string, a pattern of Redis) it is escaped for it. `$$` is a literal `$`.
 */
#ifndef RUNBOOK_BIND_H
#define RUNBOOK_BIND_H

#include "runbook/error.h"
#include "runbook/text.h"

/* Where values come from: `get(context, "labels", "service")` answers the value, or NULL when missing. */
struct bindings {
        const char *(*get)(const void *context, const char *scope, const char *name);
        const void *context;
};

enum bind_escape {
        BIND_PLAIN,  /* the value as it is */
        BIND_PROMQL, /* escaped for the inside of a PromQL string; outside of one it is refused */
        BIND_GLOB,   /* escaped for a pattern with *, ? and [abc]; an empty value, which widens it, is -ENOKEY
                      */
};

enum { BIND_SCOPES = 4 }; /* labels, annotations, alert, incident */

/*
 * Checks the syntax only: an unclosed `${`, a scope other than labels, annotations, alert and incident, an
 * empty name; for BIND_PROMQL also a value outside of quotes. -EINVAL with a sentence.
 */
int bind_check(const char *pattern, enum bind_escape escape, struct error *error);

/* Binds and gives a fresh string (free it). A missing value is -ENOKEY, and the sentence names it. */
int bind_text(const char *pattern, const struct bindings *bindings, enum bind_escape escape, char **ret,
              struct error *error);

/*
 * The next `${scope.name}` in `at`: where its name begins, in `at`, and how long it is; NULL when there is
 * none. The pattern has passed bind_check().
 */
const char *bind_next_name(const char *at, const char *scope, size_t *ret_length);

/*
 * A fresh string of the same length (free it; NULL when out of memory) in which letters stand for each
 * value, so that what is wrong with the rest is found before there are any, and where it stands.
 */
char *bind_fill(const char *pattern);

#endif
