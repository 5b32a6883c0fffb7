/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of lib/program share: the two tables, asked; and all that is written from them. */
#ifndef LIB_PROGRAM_INTERNAL_H
#define LIB_PROGRAM_INTERNAL_H

#include "runbook/program.h"

/* What every program has beside its own commands: help, man, completion. `run` of these is NULL. */
extern const struct command common_commands[];

/* "json" of the command "--json"; NULL when it is none that a flag asks for. */
const char *command_flag(const struct command *command);
bool command_is_word(const struct command *command);

/* Whether it takes the flag; and whether it does of itself: every command takes those of PROGRAM_FLAGS. */
bool command_takes_itself(const struct command *command, const char *flag);
bool command_takes(const struct command *command, const char *flag);

/* Whether it is taken without a word: all else is told of with its command. */
bool program_takes(const struct program *program, const char *flag);

/* The command of this word, also one that every program has; NULL: there is none. */
const struct command *command_find(const struct program *program, const char *word);

/* For all of them, the program's own first. */
void command_each(const struct program *program,
                  void (*each)(const struct program *program, const struct command *command,
                               struct text *text),
                  struct text *text);

/* "--journal=FILE", "--[no-]json" */
void flag_put_usage(const struct flag *flag, struct text *text);

/* What is behind its help: " (default: x)". */
void flag_put_default(const struct flag *flag, struct text *text);

/* One line of two columns, without its end: what is typed, and what it does. */
void put_entry(struct text *text, const char *entry, const char *help);

/* Of a command (NULL: of the whole program), for a terminal. */
void program_put_help(const struct program *program, const struct command *command, struct text *text);

/* A manual page of section 1, and what completes a command line in that shell (-EINVAL: in none that is
 * known). */
void program_put_manual(const struct program *program, struct text *text);
int program_put_completion(const struct program *program, const char *shell, struct text *text,
                           struct error *error);

#endif
