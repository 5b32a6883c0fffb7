/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with commands: its command line, from two tables, to what it exits with.
 *
 * The table of commands is its --help, its dispatch and what it refuses, so that none of these can say
 * something else than the others: a command that there is not ("did you mean …"), a second one, a flag that
 * the command does not take. That is wrong usage, which every program answers alike: a sentence on stderr,
 * nothing on stdout, EXIT_USAGE.
 */
#ifndef RUNBOOK_PROGRAM_H
#define RUNBOOK_PROGRAM_H

#include "runbook/flags.h"

/* What a program exits with, where its command has nothing else to say by that. */
enum {
        EXIT_FINE,
        EXIT_FAILED,    /* it was not done, or is not so */
        EXIT_USAGE,     /* it was asked wrongly */
        EXIT_UNREACHED, /* who was to be asked could not be, or could not answer */
        EXIT_FORBIDDEN, /* not for who asks */
};

struct command {
        /* A word ("plan"); a flag that is a command ("--once"); "" for what is done without any of these.
         * NULL closes the table. */
        const char *name;
        const char *operand; /* what must follow the word: "FILE", "FILE…": one or more; what may: "[FILE]";
                                NULL: nothing */
        const char *help;    /* of a word; what is no word stands among the flags */
        const char *const *flags; /* that it takes, beside PROGRAM_FLAGS; closed by NULL: see TAKES() */
        int (*run)(const void *arguments); /* by main's thread; what to exit with */
};
#define TAKES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define TAKES_NOTHING ((const char *const[]){NULL})

/* What the flags of every program and every command fill. */
struct program_arguments {
        const char *log_level, *log_format;
        bool version, help;
        const char *operand;         /* what followed the command's word; NULL when nothing is to */
        const char *const *operands; /* all that did, closed by NULL */
};
/* Their rows, the last ones of a program's table. */
/* clang-format off */
#define PROGRAM_FLAGS(to) \
        {"log.level", FLAG_STRING, &(to)->log_level, "info", "LEVEL", "debug, info, warn or error"}, \
        {"log.format", FLAG_STRING, &(to)->log_format, "logfmt", "FORMAT", "logfmt or json"}, \
        {"version", FLAG_SWITCH, &(to)->version, NULL, NULL, "print the version and end"}, \
        {"help", FLAG_SWITCH, &(to)->help, NULL, NULL, "print this and end"}
/* clang-format on */

struct program {
        const char *name; /* "runbook_exporter" */
        const char *summary;
        const struct flag *flags;
        const struct command *commands;
        struct program_arguments *common; /* those that the flags fill */
        void *arguments;                  /* all that they fill: given to the command */
        /* Complains about what the flags say, when no table can (-EINVAL), and may note what it found in the
         * arguments; NULL: nothing to add. */
        int (*check)(void *arguments, struct error *error);
        void (*help)(struct text *text); /* what --help says in the end; NULL: nothing more */
};

/*
 * Reads the command line, sets up the log, and runs the command; also makes a process that serves small
 * (memory_prepare()) and one that writes into a closed pipe fail instead of die. What main returns.
 */
int program_main(const struct program *program, int argc, char **argv);

/* Writes what a command has to say to stdout, without what text_put_lines() keeps from terminals: it is also
 * what neighbours and alerts say. EXIT_FAILED after a sentence on stderr. */
int program_print(const struct text *text);

/* The same for what has escapes of our own in it: what is said by others has to have gone by text_put_line().
 */
int program_print_in_colour(const struct text *text);

/* A sentence on stderr, behind the program's name (NULL: behind nothing), shown as above; EXIT_FAILED. */
int program_complain(const char *name, const struct error *error);

#endif
