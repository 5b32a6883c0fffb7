/* SPDX-License-Identifier: Apache-2.0 */
/* What the two tables of a program say. */
#include <string.h>

#include "lib/program/internal.h"
#include "runbook/words.h"

/* Those of PROGRAM_FLAGS. */
static const char *const always_taken[] = {"log.level", "log.format", "version", "help"};

const struct command common_commands[] = {
        {"help", "[COMMAND]", "tell of a command and its flags, or of all commands", TAKES_NOTHING, NULL},
        {"man", NULL, "print the manual page, for man -l -", TAKES_NOTHING, NULL},
        {"completion", "SHELL", "print what completes a command line, in bash or zsh", TAKES_NOTHING, NULL},
        {0},
};

const char *command_flag(const struct command *command)
{
        return string_starts(command->name, "--") ? command->name + 2 : NULL;
}

bool command_is_word(const struct command *command)
{
        return *command->name && !command_flag(command);
}

bool command_takes_itself(const struct command *command, const char *flag)
{
        return words_find(command->flags, words_count(command->flags), flag) >= 0 ||
               string_equal(command_flag(command), flag);
}

bool command_takes(const struct command *command, const char *flag)
{
        return command_takes_itself(command, flag) ||
               words_find(always_taken, N_ELEMENTS(always_taken), flag) >= 0;
}

bool program_takes(const struct program *program, const char *flag)
{
        for (const struct command *command = program->commands; command->name; command++)
                if (!command_is_word(command) && command_takes(command, flag))
                        return true;
        return false;
}

void command_each(const struct program *program,
                  void (*each)(const struct program *program, const struct command *command,
                               struct text *text),
                  struct text *text)
{
        for (const struct command *command = program->commands; command->name; command++)
                each(program, command, text);
        for (const struct command *command = common_commands; command->name; command++)
                each(program, command, text);
}

static const struct command *find_in(const struct command *commands, const char *word)
{
        for (const struct command *command = commands; command->name; command++)
                if (command_is_word(command) && string_equal(command->name, word))
                        return command;
        return NULL;
}

const struct command *command_find(const struct program *program, const char *word)
{
        const struct command *own = find_in(program->commands, word);
        return own ? own : find_in(common_commands, word);
}
