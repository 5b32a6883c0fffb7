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

enum flag_type { FLAG_STRING, FLAG_SWITCH, FLAG_DURATION };

struct flag {
        const char *name; /* without the dashes; NULL closes the table */
        enum flag_type type;
        void *target;           /* const char **, bool * or nsec * */
        const char *fallback;   /* the default, as it would be typed; NULL: none */
        const char *value_name; /* for --help: "FILE", "ADDRESS" */
        const char *help;
};

struct command {
        const char *name; /* "plan"; NULL closes the table */
        const char *help;
};

/*
 * Fills the targets with defaults, then from argv. What is not a flag is handed back in `ret_arguments` (a
 * slice of argv, reordered to its end) and `ret_count`. -EINVAL names the flag and, when one is near, the
 * right one.
 */
int flags_parse(const struct flag *flags, int argc, char **argv, char ***ret_arguments, int *ret_count,
                struct error *error);

/* Writes what a command has to say to stdout; false after a sentence on stderr. */
bool flags_print(const struct text *text);

/* The text of --help: synopsis, commands (may be NULL), flags with defaults. */
void flags_help(const char *program, const char *summary, const struct command *commands,
                const struct flag *flags, struct text *text);

#endif
