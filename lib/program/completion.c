/* SPDX-License-Identifier: Apache-2.0 */
/* What completes a command line, from the program's two tables: for bash and for zsh. */
#include <errno.h>

#include "lib/program/internal.h"

/* Commands and flags are words of letters, digits, dots and dashes: nothing of them means anything to a
 * shell. */

static void put_word(const struct program *program _unused_, const struct command *command, struct text *text)
{
        if (command_is_word(command))
                text_printf(text, " %s", command->name);
}

/* " --json --no-json", " --journal=" */
static void put_flag(const struct flag *flag, struct text *text)
{
        if (flag->type == FLAG_SWITCH)
                text_printf(text, " --%s --no-%s", flag->name, flag->name);
        else
                text_printf(text, " --%s=", flag->name);
}

static void put_flags(const struct program *program, const struct command *command, struct text *text)
{
        for (const struct flag *flag = program->flags; flag->name; flag++)
                if (command_takes(command, flag->name))
                        put_flag(flag, text);
}

/* One arm of a case over the command's word. */
static void put_arm(const struct program *program, const struct command *command, struct text *text)
{
        if (!command_is_word(command))
                return;
        text_printf(text, "        %s) flags=(", command->name);
        put_flags(program, command, text);
        text_puts(text, " ) ;;\n");
}

/* What is done without a word stands for all that is. */
static void put_arms(const struct program *program, struct text *text)
{
        text_puts(text, "    case $word in\n");
        command_each(program, put_arm, text);
        text_puts(text, "        *) flags=(");
        for (const struct flag *flag = program->flags; flag->name; flag++)
                if (program_takes(program, flag->name))
                        put_flag(flag, text);
        text_puts(text, " ) ;;\n    esac\n");
}

static void put_bash(const struct program *program, struct text *text)
{
        text_printf(
                text,
                "# bash completion of %s\n_%s() {\n"
                "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} word='' at\n"
                "    local -a flags commands=(",
                program->name, program->name);
        command_each(program, put_word, text);
        text_puts(text, " )\n"
                        "    for ((at = 1; at < COMP_CWORD; at++)); do\n"
                        "        [[ ${COMP_WORDS[at-1]} != '=' && \" ${commands[*]} \" == *\" "
                        "${COMP_WORDS[at]} \"* ]] && word=${COMP_WORDS[at]} && break\n"
                        "    done\n");
        put_arms(program, text);
        text_puts(text, "    if [[ $before == '=' || $current == '=' ]]; then\n"
                        "        mapfile -t COMPREPLY < <(compgen -f -- \"${current#=}\")\n"
                        "    elif [[ $current == -* ]]; then\n"
                        "        mapfile -t COMPREPLY < <(compgen -W \"${flags[*]}\" -- \"$current\")\n"
                        "        [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n"
                        "    elif [[ -z $word || $word == help ]]; then\n"
                        "        mapfile -t COMPREPLY < <(compgen -W \"${commands[*]}\" -- \"$current\")\n"
                        "    else\n"
                        "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
                        "    fi\n"
                        "    return 0\n"
                        "}\n");
        text_printf(text, "complete -F _%s %s\n", program->name, program->name);
}

static void put_described(const struct program *program _unused_, const struct command *command,
                          struct text *text)
{
        if (!command_is_word(command))
                return;
        text_printf(text, "        '%s:", command->name);
        for (const char *at = command->help; *at; at++)
                text_puts(text, *at == '\'' ? "'\\''" : (const char[]){*at, '\0'});
        text_puts(text, "'\n");
}

static void put_zsh(const struct program *program, struct text *text)
{
        text_printf(text,
                    "#compdef %s\n"
                    "local word=''\n"
                    "local -a flags commands names=(",
                    program->name);
        command_each(program, put_word, text);
        text_puts(text, " )\ncommands=(\n");
        command_each(program, put_described, text);
        text_puts(text, ")\n"
                        "for at in ${words[2,CURRENT-1]}; do\n"
                        "    (( ${names[(Ie)$at]} )) && word=$at && break\n"
                        "done\n");
        put_arms(program, text);
        text_puts(text, "if [[ $PREFIX == --*=* ]]; then\n"
                        "    compset -P '*=' && _files\n"
                        "elif [[ $PREFIX == -* ]]; then\n"
                        "    compadd -S '' -- $flags\n"
                        "elif [[ -z $word || $word == help ]]; then\n"
                        "    _describe command commands\n"
                        "else\n"
                        "    _files\n"
                        "fi\n");
}

static const struct {
        const char *name;
        void (*put)(const struct program *program, struct text *text);
} shells[] = {{"bash", put_bash}, {"zsh", put_zsh}};

int program_put_completion(const struct program *program, const char *shell, struct text *text,
                           struct error *error)
{
        for (size_t i = 0; i < N_ELEMENTS(shells); i++)
                if (string_equal(shell, shells[i].name)) {
                        shells[i].put(program, text);
                        return 0;
                }
        return error_set(error, EINVAL, "completion is for bash or zsh, and not for \"%s\"", shell);
}
