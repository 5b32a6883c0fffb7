/* SPDX-License-Identifier: Apache-2.0 */
/* A program of two tables: what is run, what is refused and in which words, and what it exits with. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runbook/program.h"
#include "runbook/text.h"
#include "tests/harness/unit.h"

static struct {
        struct program_arguments common;
        const char *file, *once;
        bool json, check;
        const char *ran; /* the command that was run */
} arguments;

static const struct flag flags[] = {
        {"config.file", FLAG_STRING, &arguments.file, "x.yml", "FILE", "what to read"},
        {"once", FLAG_STRING, &arguments.once, NULL, "FILE", "do it once"},
        {"check", FLAG_SWITCH, &arguments.check, NULL, NULL, "only check"},
        {"json", FLAG_SWITCH, &arguments.json, NULL, NULL, "print JSON"},
        PROGRAM_FLAGS(&arguments.common),
        {0},
};

static int run(const char *command, int status)
{
        arguments.ran = command;
        return status;
}

static int run_list(const void *context)
{
        assert_ptr_equal(context, &arguments);
        return run("list", 7);
}

static int run_show(const void *context _unused_)
{
        return run("show", EXIT_FINE);
}

static int run_tell(const void *context _unused_)
{
        return run("tell", EXIT_FINE);
}

static int run_copy(const void *context _unused_)
{
        return run("copy", EXIT_FINE);
}

static int run_once(const void *context _unused_)
{
        return run("--once", EXIT_FINE);
}

static int run_check(const void *context _unused_)
{
        return run("--check", EXIT_FINE);
}

static int run_serve(const void *context _unused_)
{
        return run("", EXIT_FINE);
}

static const struct command commands[] = {
        {"list", NULL, "lists it", TAKES("config.file", "json"), run_list},
        {"show", NULL, "shows it", TAKES("json"), run_show},
        {"tell", NULL, "tells it", TAKES_NOTHING, run_tell},
        {"copy", "FILE", "copies it", TAKES("json"), run_copy},
        {"--once", NULL, NULL, TAKES("config.file"), run_once},
        {"--check", NULL, NULL, TAKES("config.file"), run_check},
        {"", NULL, NULL, TAKES("config.file"), run_serve},
        {0},
};

static int check(void *context _unused_, struct error *error)
{
        return string_equal(arguments.file, "bad") ? error_set(error, EINVAL, "bad is no file") : 0;
}

static void help_more(struct text *text)
{
        text_puts(text, "\nThat is all.\n");
}

static const struct program program = {
        "tool", "Does things.", flags, commands, &arguments.common, &arguments, check, help_more,
};

/* What the stream took since it was put aside, which it then no longer is. */
struct capture {
        FILE *stream, *file;
        int original;
};

static void capture_begin(struct capture *capture, FILE *stream)
{
        fflush(stream);
        *capture = (struct capture){stream, tmpfile(), dup(fileno(stream))};
        assert_non_null(capture->file);
        assert_true(dup2(fileno(capture->file), fileno(stream)) >= 0);
}

static void capture_end(struct capture *capture, char *ret, size_t size)
{
        fflush(capture->stream);
        assert_true(dup2(capture->original, fileno(capture->stream)) >= 0);
        close(capture->original);
        rewind(capture->file);
        ret[fread(ret, 1, size - 1, capture->file)] = '\0';
        fclose(capture->file);
}

static char out[8192], err[4096];

/* Runs the program with these words, closed by NULL. */
static int call(const char *const *words)
{
        char *argv[16] = {(char *)"tool"};
        struct capture capture_out, capture_err;
        int argc = 1;
        for (; words[argc - 1]; argc++)
                argv[argc] = (char *)words[argc - 1];
        arguments.ran = NULL;
        capture_begin(&capture_out, stdout);
        capture_begin(&capture_err, stderr);
        int status = program_main(&program, argc, argv);
        capture_end(&capture_err, err, sizeof(err));
        capture_end(&capture_out, out, sizeof(out));
        return status;
}

static void a_command_is_a_word_or_a_flag_or_nothing(void **state _unused_)
{
        static const struct {
                const char *words[4], *ran;
                int status;
        } cases[] = {
                {{"list"}, "list", 7},
                {{"--json", "list", "--config.file=y"}, "list", 7},
                {{"show", "--no-json"}, "show", 0},
                {{"copy", "list"}, "copy", 0},
                {{"--once=-"}, "--once", 0},
                {{"--check", "--config.file=y"}, "--check", 0},
                {{"--no-check"},
                 NULL,
                 EXIT_USAGE}, /* what is not asked for is no command, and serving takes none */
                {{"--log.level=debug", "tell"}, "tell", 0},
                {{NULL}, "", 0},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                assert_int_equal(call(cases[i].words), cases[i].status);
                if (cases[i].ran)
                        assert_string_equal(arguments.ran, cases[i].ran);
                else
                        assert_null(arguments.ran);
        }
}

static void wrong_usage_is_told_on_stderr_alone(void **state _unused_)
{
        static const struct {
                const char *words[4], *sentence;
        } cases[] = {
                {{"lst"}, "there is no command \"lst\"; did you mean \"list\"?"},
                {{"dance"},
                 "there is no command \"dance\"; there are: list, show, tell, copy, help, man, completion"},
                {{""}, "there is no command \"\"; there are: list, show, tell, copy, help, man, completion"},
                {{"--", "--once"},
                 "there is no command \"--once\"; there are: list, show, tell, copy, help, man, completion"},
                {{"list", "show"}, "one command at a time: there are \"list\" and \"show\""},
                {{"copy"}, "\"copy\" needs a FILE behind it; see --help"},
                {{"copy", "list", "tell"},
                 "\"copy\" takes no further words, and there is \"tell\"; see --help"},
                {{"copy", "list", "--check"}, "--check is a command of its own, beside \"copy\""},
                {{"list", "disk"}, "\"list\" takes no further words, and there is \"disk\"; see --help"},
                {{"tell", "--json"}, "\"tell\" does not take --json: it goes with list, show and copy"},
                {{"tell", "--no-json"}, "\"tell\" does not take --json: it goes with list, show and copy"},
                {{"show", "--config.file=y"}, "\"show\" does not take --config.file"},
                {{"list", "--once=x"}, "--once is a command of its own, beside \"list\""},
                {{"--once=-", "--json"}, "--once does not take --json: it goes with list, show and copy"},
                {{"--once=-", "--check"}, "--check is a command of its own, beside --once"},
                {{"--json"}, "--json goes with list, show and copy"},
                {{"--jsn"}, "unknown flag --jsn; did you mean --json?"},
                {{"--log.level=loud"}, "log level 'loud' is not one of debug, info, warn, error"},
                {{"--config.file=bad"}, "bad is no file"},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                _cleanup_text_ struct text expected = {0};
                text_printf(&expected, "tool: %s\n", cases[i].sentence);
                assert_int_equal(call(cases[i].words), EXIT_USAGE);
                assert_string_equal(err, text_string(&expected));
                assert_string_equal(out, "");
                assert_null(arguments.ran);
        }
}

#define FLAG_ENDS                                                                      \
        "  --log.level=LEVEL             debug, info, warn or error (default: info)\n" \
        "  --log.format=FORMAT           logfmt or json (default: logfmt)\n"           \
        "  --[no-]version                print the version and end\n"                  \
        "  --[no-]help                   print this and end\n\n"
#define EXIT_CODES                                                          \
        "Exit codes, where the command says nothing else:\n"                \
        "  0  done\n"                                                       \
        "  1  not done, or not so\n"                                        \
        "  2  asked wrongly; nothing was done\n"                            \
        "  3  who was to be asked cannot be reached, or could not answer\n" \
        "  4  not for who asks\n"
static const char help_of_all[] =
        "usage: tool [command] [flags]\n\n"
        "Does things.\n\n"
        "Commands (help COMMAND tells the flags of one):\n"
        "  list                          lists it\n"
        "  show                          shows it\n"
        "  tell                          tells it\n"
        "  copy FILE                     copies it\n"
        "  help [COMMAND]                tell of a command and its flags, or of all commands\n"
        "  man                           print the manual page, for man -l -\n"
        "  completion SHELL              print what completes a command line, in bash or zsh\n\n"
        "Flags:\n"
        "  --config.file=FILE            what to read (default: x.yml)\n"
        "  --once=FILE                   do it once\n"
        "  --[no-]check                  only check\n" FLAG_ENDS EXIT_CODES "\nThat is all.\n";
static const char help_of_copy[] = "usage: tool copy FILE [flags]\n\n"
                                   "copies it.\n\n"
                                   "Flags:\n"
                                   "  --[no-]json                   print JSON\n" FLAG_ENDS EXIT_CODES;

static void help_and_version_come_first(void **state _unused_)
{
        static const struct {
                const char *words[4], *said;
        } cases[] = {
                {{"lst", "--version"}, "tool " RUNBOOK_VERSION "\n"},
                {{"--help"}, help_of_all},
                {{"-h"}, help_of_all},
                {{"help"}, help_of_all},
                {{"copy", "--help"}, help_of_copy},
                {{"copy", "a", "-h"}, help_of_copy},
                {{"help", "copy"}, help_of_copy},
        };
        for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
                assert_int_equal(call(cases[i].words), EXIT_FINE);
                assert_string_equal(out, cases[i].said);
                assert_string_equal(err, "");
                assert_null(arguments.ran);
        }
        assert_int_equal(call((const char *const[]){"cpy", "--help", NULL}), EXIT_USAGE);
        assert_string_equal(err, "tool: there is no command \"cpy\"; did you mean \"copy\"?\n");
        assert_int_equal(call((const char *const[]){"help", "hlep", NULL}), EXIT_USAGE);
        assert_string_equal(err, "tool: there is no command \"hlep\"; did you mean \"help\"?\n");
}

static void a_manual_and_what_completes_come_from_the_tables(void **state _unused_)
{
        assert_int_equal(call((const char *const[]){"man", NULL}), EXIT_FINE);
        assert_non_null(strstr(out, ".TP\n.B copy FILE\ncopies it. Takes \\-\\-json.\n"));
        assert_non_null(strstr(out, ".TP\n.B \\-\\-config.file=FILE\nwhat to read (default: x.yml)\n"));
        assert_int_equal(call((const char *const[]){"completion", "bash", NULL}), EXIT_FINE);
        assert_non_null(strstr(out, "commands=( list show tell copy help man completion )"));
        assert_non_null(strstr(out, "copy) flags=( --json --no-json --log.level= "));
        assert_int_equal(call((const char *const[]){"completion", "fish", NULL}), EXIT_USAGE);
        assert_string_equal(err, "tool: completion is for bash or zsh, and not for \"fish\"\n");
        assert_int_equal(call((const char *const[]){"completion", NULL}), EXIT_USAGE);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_a_word_or_a_flag_or_nothing),
        cmocka_unit_test(wrong_usage_is_told_on_stderr_alone),
        cmocka_unit_test(help_and_version_come_first),
        cmocka_unit_test(a_manual_and_what_completes_come_from_the_tables),
};

int main(void)
{
        return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
