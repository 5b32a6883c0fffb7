/* SPDX-License-Identifier: Apache-2.0 */
/* What flags.c does for the text of --help. */
#ifndef LIB_PROGRAM_INTERNAL_H
#define LIB_PROGRAM_INTERNAL_H

#include "runbook/flags.h"

/* One line, without its end: what is typed, and what it does in a column of its own. */
void flags_put_entry(struct text *text, const char *entry, const char *help);

/* "Flags:" and a line for each, with its default. */
void flags_put_help(const struct flag *flags, struct text *text);

#endif
