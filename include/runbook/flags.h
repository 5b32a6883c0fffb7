/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command-line flags from one table, in the manner of the Prometheus projects: `--name=value`, `--name
 * value`,
 * `--switch`, `--no-switch`.
 */
#ifndef RUNBOOK_FLAGS_H
#define RUNBOOK_FLAGS_H

#include "runbook/clock.h"
#include "runbook/error.h"
#include "runbook/text.h"

enum flag_type { FLAG_STRING, FLAG_STRINGS, FLAG_SWITCH, FLAG_DURATION };

/* The values of a flag that may be given again, in their order; borrowed from argv. */
enum { FLAG_STRINGS_MAX = 16 };
struct flag_strings {
        const char *items[FLAG_STRINGS_MAX + 1]; /* closed by NULL */
        size_t count;
};

struct flag {
        const char *name; /* without the dashes; NULL closes the table, which has room for 64 */
        enum flag_type type;
        void *target;           /* const char **, struct flag_strings *, bool * or nsec * */
        const char *fallback;   /* the default, as it would be typed; NULL: none */
        const char *value_name; /* for --help: "FILE", "ADDRESS" */
        const char *help;
};

/*
 * Fills the targets with defaults, then from argv. What is not a flag is handed back in `ret_arguments` (a
 * slice of argv, reordered to its end) and `ret_count`. A flag is given once, unless it is FLAG_STRINGS.
 * -EINVAL names the flag and, when one is near, the right one. `ret_given` has a bit for each flag that was
 * named, whatever its value; see flags_given().
 */
int flags_parse(const struct flag *flags, int argc, char **argv, char ***ret_arguments, int *ret_count,
                uint64_t *ret_given, struct error *error);

/* Whether the flag of this name was on the command line; and was not switched off there. */
bool flags_given(const struct flag *flags, uint64_t given, const char *name);
bool flags_given_on(const struct flag *flags, uint64_t given, const char *name);

#endif
