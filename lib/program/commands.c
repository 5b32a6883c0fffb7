/* SPDX-License-Identifier: Apache-2.0 */
/* Which command is meant, and whether the flags are its own. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/program/internal.h"
#include "lib/program/machine.h"
#include "runbook/config.h"
#include "runbook/crypto.h"
#include "runbook/file.h"
#include "runbook/log.h"
#include "runbook/mask.h"
#include "runbook/memory.h"
#include "runbook/program.h"

static bool takes_many(const struct command *command)
{
        return command->operand && string_ends(command->operand, "…");
}

static bool needs_operand(const struct command *command)
{
        return command->operand && *command->operand != '[';
}

static size_t add_names(const struct command *commands, const char *flag, const char **names)
{
        size_t count = 0;
        for (const struct command *command = commands; command->name; command++)
                if (flag ? command_takes_itself(command, flag) : command_is_word(command))
                        names[count++] = command->name;
        return count;
}

/* The names of the commands that take the flag, or (NULL) of those that are words; free() the array only. */
static const char **names_of(const struct program *program, const char *flag, size_t *ret_count)
{
        size_t all = 0, common = 0;
        while (program->commands[all].name)
                all++;
        while (common_commands[common].name)
                common++;
        const char **names = calloc(all + common + 1, sizeof(*names));
        if (!names)
                return NULL;
        *ret_count = add_names(program->commands, flag, names);
        *ret_count += add_names(common_commands, flag, names + *ret_count);
        return names;
}

static void refuse_word(const struct program *program, const char *word, struct error *error)
{
        size_t count;
        _cleanup_free_ const char **names = names_of(program, NULL, &count);
        if (!names) {
                error_oom(error);
                return;
        }
        words_unknown(names, count, word, "there is no command", error);
        _cleanup_free_ char *alone = strdup(error_text(error));
        if (alone && count > WORDS_LISTED && !words_nearest(names, count, word))
                error_set(error, EINVAL, "%s; see --help", alone);
}

/* Without a word: what a flag asks for, or else what is done without one. */
static const struct command *find_wordless(const struct program *program, uint64_t given)
{
        for (const struct command *command = program->commands; command->name; command++)
                if (!*command->name ||
                    (command_flag(command) && flags_given_on(program->flags, given, command_flag(command))))
                        return command;
        return NULL;
}

/* The command that is meant; NULL after a complaint. */
static const struct command *choose(const struct program *program, char **words, int count, uint64_t given,
                                    struct error *error)
{
        const struct command *command =
                count > 0 ? command_find(program, words[0]) : find_wordless(program, given);
        if (!command && count > 0)
                refuse_word(program, words[0], error);
        else if (!command)
                error_set(error, EINVAL, "which command? See --help");
        else if (needs_operand(command) && count == 1)
                error_set(error, EINVAL, "\"%s\" needs a %s behind it; see --help", words[0],
                          command->operand);
        else if (count <= (command->operand ? 2 : 1) || takes_many(command))
                return command;
        else if (!command->operand && command_find(program, words[1]))
                error_set(error, EINVAL, "one command at a time: there are \"%s\" and \"%s\"", words[0],
                          words[1]);
        else
                error_set(error, EINVAL, "\"%s\" takes no further words, and there is \"%s\"; see --help",
                          words[0], words[command->operand ? 2 : 1]);
        return NULL;
}

/* "capacity, checklist and --once": the commands that take a flag. Nothing when it needs none of them. */
static void put_takers(const struct program *program, const char *flag, struct text *text)
{
        size_t count;
        _cleanup_free_ const char **names = names_of(program, flag, &count);
        if (!names)
                text->error = -ENOMEM;
        else if (words_find(names, count, "") < 0)
                words_put(text, names, count, " and ");
}

static int refuse_flag(const struct program *program, const struct command *command, const char *flag,
                       struct error *error)
{
        _cleanup_text_ struct text takers = {0}, name = {0};
        put_takers(program, flag, &takers);
        text_printf(&name, command_is_word(command) ? "\"%s\"" : "%s", command->name);
        if (text_error(&takers) < 0 || text_error(&name) < 0)
                return error_oom(error);
        for (const struct command *other = program->commands; other->name; other++)
                if (string_equal(command_flag(other), flag))
                        return error_set(error, EINVAL, "--%s is a command of its own, beside %s", flag,
                                         text_string(&name));
        if (string_equal(command->name, ""))
                return error_set(error, EINVAL, "--%s goes with %s", flag, text_string(&takers));
        return error_set(error, EINVAL, "%s does not take --%s%s%s", text_string(&name), flag,
                         takers.length > 0 ? ": it goes with " : "", text_string(&takers));
}

static int check_flags(const struct program *program, const struct command *command, uint64_t given,
                       struct error *error)
{
        for (const struct flag *flag = program->flags; flag->name; flag++)
                if (flags_given(program->flags, given, flag->name) && !command_takes(command, flag->name))
                        return refuse_flag(program, command, flag->name, error);
        return 0;
}

static int print_text(struct text *take)
{
        int status = program_print(take);
        text_free(take);
        return status;
}

static int print_help(const struct program *program, const struct command *command)
{
        struct text text = {0};
        program_put_help(program, command, &text);
        return print_text(&text);
}

static int print_version(const struct program *program)
{
        struct text text = {0};
        text_printf(&text, "%s %s\n", program->name, RUNBOOK_VERSION);
        return print_text(&text);
}

static int print_manual(const struct program *program)
{
        struct text text = {0};
        program_put_manual(program, &text);
        return print_text(&text);
}

static int refuse(const struct program *program, const struct error *error)
{
        program_complain(program->name, error);
        return EXIT_USAGE;
}

/* One of common_commands. */
static int run_common(const struct program *program, const struct command *command, const char *operand)
{
        _cleanup_error_ struct error error = {0};
        struct text text = {0};
        if (string_equal(command->name, "man"))
                return print_manual(program);
        if (string_equal(command->name, "completion"))
                return program_put_completion(program, operand, &text, &error) < 0 ? refuse(program, &error)
                                                                                   : print_text(&text);
        const struct command *about = operand ? command_find(program, operand) : NULL;
        if (!operand || about)
                return print_help(program, about);
        refuse_word(program, operand, &error);
        return refuse(program, &error);
}

/* --help and --version, whatever else is there: but a word that is none is told. */
static int print_about(const struct program *program, char **words, int count)
{
        if (program->common->version)
                return print_version(program);
        return run_common(program, &common_commands[0], count > 0 ? words[0] : NULL);
}

int program_main(const struct program *program, int argc, char **argv)
{
        struct program_arguments *common = program->common;
        const struct command *command = NULL;
        _cleanup_error_ struct error error = {0};
        char **words = NULL;
        int count = 0;
        uint64_t given = 0;
        memory_prepare();
        crypto_begin(program->name);
        machine_settle();
        signal(SIGPIPE, SIG_IGN);
        int r = flags_parse(program->flags, argc, argv, &words, &count, &given, &error);
        if (r >= 0 && (common->help || common->version))
                return print_about(program, words, count);
        if (r >= 0 && !(command = choose(program, words, count, given, &error)))
                r = -EINVAL;
        if (r >= 0)
                r = check_flags(program, command, given, &error);
        if (r >= 0)
                r = log_setup(common->log_level, common->log_format, &error);
        if (r >= 0 && program->check)
                r = program->check(program->arguments, &error);
        if (r < 0) {
                program_complain(program->name, &error);
                return r == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
        }
        common->operand = count >= 2 ? words[1] : NULL;
        common->operands = (const char *const *)words + (count > 0);
        return command->run ? command->run(program->arguments)
                            : run_common(program, command, common->operand);
}

int program_print_in_colour(const struct text *text)
{
        int r = text_error(text);
        _cleanup_free_ char *shown = strndup(text_string(text), text->length);
        if (r == 0 && !shown)
                r = -ENOMEM;
        if (r == 0) {
                mask_string(shown, MASK_LABEL); /* secrets of ours, which whoever was asked may repeat */
                r = file_write(STDOUT_FILENO, shown, strlen(shown));
        }
        if (r == 0)
                return EXIT_FINE;
        fprintf(stderr, "standard output: %s\n", error_reason(-r));
        return EXIT_FAILED;
}

int program_print(const struct text *text)
{
        _cleanup_text_ struct text shown = {.error = text_error(text)};
        text_put_lines(&shown, text_string(text));
        return program_print_in_colour(&shown);
}

int program_complain(const char *name, const struct error *error)
{
        _cleanup_text_ struct text shown = {0};
        text_put_lines(&shown, error_text(error));
        fprintf(stderr, "%s%s%s\n", name ? name : "", name ? ": " : "", text_string(&shown));
        return EXIT_FAILED;
}
