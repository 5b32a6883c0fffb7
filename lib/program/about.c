/* SPDX-License-Identifier: Apache-2.0 */
/* What a program says of itself, from its two tables: --help, of a command or of all, and the manual page. */
#include <string.h>

#include "lib/program/internal.h"
#include "runbook/words.h"

/* What programs exit with, in the order of program.h. */
static const char *const exits[] = {
        [EXIT_FINE] = "done",
        [EXIT_FAILED] = "not done, or not so",
        [EXIT_USAGE] = "asked wrongly; nothing was done",
        [EXIT_UNREACHED] = "who was to be asked cannot be reached, or could not answer",
        [EXIT_FORBIDDEN] = "not for who asks",
};

void put_entry(struct text *text, const char *entry, const char *help)
{
        enum { WIDTH = 30 };
        size_t length = strlen(entry);
        text_printf(text, "  %s", entry);
        if (length + 1 > WIDTH) {
                text_putc(text, '\n');
                text_printf(text, "%*s", WIDTH + 2, "");
        } else
                text_printf(text, "%*s", (int)(WIDTH - length), "");
        text_puts(text, help);
}

void flag_put_usage(const struct flag *flag, struct text *text)
{
        text_printf(text, "--%s%s", flag->type == FLAG_SWITCH ? "[no-]" : "", flag->name);
        if (flag->type != FLAG_SWITCH)
                text_printf(text, "=%s", flag->value_name ? flag->value_name : "VALUE");
}

void flag_put_default(const struct flag *flag, struct text *text)
{
        if (flag->fallback && flag->type != FLAG_SWITCH)
                text_printf(text, " (default: %s)", flag->fallback);
        else if (flag->fallback && string_equal(flag->fallback, "true"))
                text_puts(text, " (default: on)");
}

static void put_flag(const struct flag *flag, struct text *text)
{
        _cleanup_text_ struct text entry = {0};
        flag_put_usage(flag, &entry);
        put_entry(text, text_string(&entry), flag->help ? flag->help : "");
        flag_put_default(flag, text);
        text_putc(text, '\n');
}

/* "backup FILE" */
static void put_usage(const struct command *command, struct text *text)
{
        text_printf(text, "%s%s%s", command->name, command->operand ? " " : "",
                    command->operand ? command->operand : "");
}

static void put_command(const struct program *program _unused_, const struct command *command,
                        struct text *text)
{
        _cleanup_text_ struct text entry = {0};
        if (!command_is_word(command))
                return;
        put_usage(command, &entry);
        put_entry(text, text_string(&entry), command->help);
        text_putc(text, '\n');
}

static bool is_told(const struct program *program, const struct command *command, const char *flag)
{
        return command ? command_takes(command, flag) : program_takes(program, flag);
}

static void put_exits(const char *before, const char *between, struct text *text)
{
        for (size_t i = 0; i < N_ELEMENTS(exits); i++)
                text_printf(text, "%s%zu%s%s\n", before, i, between, exits[i]);
}

void program_put_help(const struct program *program, const struct command *command, struct text *text)
{
        text_printf(text, "usage: %s ", program->name);
        if (command)
                put_usage(command, text);
        else
                text_puts(text, "[command]");
        text_printf(text, " [flags]\n\n%s%s\n", command ? command->help : program->summary,
                    command ? "." : "");
        if (!command) {
                text_puts(text, "\nCommands (help COMMAND tells the flags of one):\n");
                command_each(program, put_command, text);
        }
        text_puts(text, "\nFlags:\n");
        for (const struct flag *flag = program->flags; flag->name; flag++)
                if (is_told(program, command, flag->name))
                        put_flag(flag, text);
        text_puts(text, "\nExit codes, where the command says nothing else:\n");
        put_exits("  ", "  ", text);
        if (!command && program->help)
                program->help(text);
}

/* As troff takes it for itself: no escape, no request at the front of a line, a minus that can be searched
 * for. */
static void put_roff(struct text *text, const char *string)
{
        for (bool first = true; *string; first = *string == '\n', string++) {
                if (first && (*string == '.' || *string == '\''))
                        text_puts(text, "\\&");
                if (*string == '\\')
                        text_puts(text, "\\e");
                else if (*string == '-')
                        text_puts(text, "\\-");
                else
                        text_putc(text, *string);
        }
}

/* A paragraph whose title is bold, what follows it in one line. */
static void put_paragraph(struct text *text, const char *title, const char *said, const char *more)
{
        _cleanup_text_ struct text line = {0};
        text_printf(&line, "%s%s", said ? said : "", more);
        text_puts(text, ".TP\n.B ");
        put_roff(text, title);
        text_putc(text, '\n');
        put_roff(text, text_string(&line));
        text_putc(text, '\n');
}

/* What a command takes beside what every command does, by name: the flags themselves have a section. */
static void put_taken(const struct program *program, const struct command *command, struct text *text)
{
        const char *before = ". Takes ";
        for (const struct flag *flag = program->flags; flag->name; flag++) {
                if (words_find(command->flags, words_count(command->flags), flag->name) < 0)
                        continue;
                text_printf(text, "%s--%s", before, flag->name);
                before = ", ";
        }
        text_putc(text, '.');
}

static void put_manual_command(const struct program *program, const struct command *command,
                               struct text *text)
{
        _cleanup_text_ struct text title = {0}, taken = {0};
        if (!command_is_word(command))
                return;
        put_usage(command, &title);
        put_taken(program, command, &taken);
        put_paragraph(text, text_string(&title), command->help, text_string(&taken));
}

void program_put_manual(const struct program *program, struct text *text)
{
        text_printf(text, ".TH %s 1 \"\" \"runbook %s\"\n.SH NAME\n%s \\- ", program->name, RUNBOOK_VERSION,
                    program->name);
        put_roff(text, program->summary);
        text_printf(text, "\n.SH SYNOPSIS\n.B %s\n[command] [flags]\n.SH DESCRIPTION\n", program->name);
        text_puts(text, "Without a command it serves, until it is told to end.\n.SH COMMANDS\n");
        command_each(program, put_manual_command, text);
        text_puts(text, ".SH FLAGS\n");
        for (const struct flag *flag = program->flags; flag->name; flag++) {
                _cleanup_text_ struct text title = {0}, fallback = {0};
                flag_put_usage(flag, &title);
                flag_put_default(flag, &fallback);
                put_paragraph(text, text_string(&title), flag->help, text_string(&fallback));
        }
        text_puts(text, ".SH \"EXIT STATUS\"\nWhere a command says nothing else:\n.nf\n");
        put_exits("", "  ", text);
        text_puts(text, ".fi\n");
}
