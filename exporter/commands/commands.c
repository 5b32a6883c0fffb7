/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands, and each of them. */
#include "exporter/commands/commands.h"

#include <errno.h>
#include <stdio.h>

#include "exporter/commands/alerts.h"
#include "exporter/commands/capacity.h"
#include "exporter/commands/checklist.h"
#include "exporter/commands/dashboard.h"
#include "runbook/config.h"
#include "runbook/http_client.h"

enum { EXIT_FINE, EXIT_FAILED };

static int print(const struct text *text)
{
        return flags_print(text) ? EXIT_FINE : EXIT_FAILED;
}

static int could_not_look(const struct error *error)
{
        fprintf(stderr, "%s\n", error_text(error));
        return ONCE_COULD_NOT_LOOK;
}

static int run_checks(const struct command_options *options,
                      bool (*wanted)(const struct check_set *set, size_t i), struct once **ret,
                      struct error *error)
{
        int r = http_client_global_init(error);

        return r < 0 ? r : once_run(options->config_file, options->state_directory, wanted, ret, error);
}

static int describe(const struct command_options *options _unused_)
{
        _cleanup_text_ struct text text = {0};

        check_kinds_describe(&text);
        return print(&text);
}

static bool is_terminal_in_colour(void)
{
        const char *refused = getenv("NO_COLOR"); /* https://no-color.org */

        return isatty(STDOUT_FILENO) && !(refused && *refused);
}

/* A run of its own, beside the daemon's: it keeps no state, so that no line of a log is taken from that. */
static int checklist(const struct command_options *options)
{
        struct command_options own = *options;
        _cleanup_(once_free_p) struct once *once = NULL;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};

        own.state_directory = NULL;
        if (run_checks(&own, options->all ? NULL : checklist_has, &once, &error) < 0)
                return could_not_look(&error);
        if (options->json)
                checklist_print_json(once, clock_wall(), &text);
        else
                checklist_print(once, clock_wall(), is_terminal_in_colour(), &text);
        return print(&text) == EXIT_FINE ? once_exit_status(once_worst(once)) : ONCE_COULD_NOT_LOOK;
}

/* What could not be measured is a 1, as a warning of the checklist is. */
static int capacity(const struct command_options *options)
{
        _cleanup_(once_free_p) struct once *once = NULL;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        ssize_t missing;

        if (run_checks(options, capacity_wants, &once, &error) < 0)
                return could_not_look(&error);
        missing = options->json ? capacity_print_json(once, clock_wall(), &text)
                                : (ssize_t)capacity_print(once, clock_wall(), &text);
        if (missing < 0 || print(&text) != EXIT_FINE)
                return ONCE_COULD_NOT_LOOK;
        return once_exit_status(missing > 0 ? STANDING_WARN : STANDING_PASS);
}

/* What is written from the file alone: no target is asked. */
static int write_from_file(const struct command_options *options,
                           int (*write_it)(const struct check_set *set, struct text *text))
{
        _cleanup_(check_set_free_p) struct check_set *set = NULL;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};

        if (http_client_global_init(&error) < 0 ||
            check_set_load(options->config_file, NULL, &set, &error) < 0) {
                fprintf(stderr, "%s\n", error_text(&error));
                return EXIT_FAILED;
        }
        return write_it(set, &text) < 0 ? EXIT_FAILED : print(&text);
}

static int alerts(const struct command_options *options)
{
        return write_from_file(options, alerts_print);
}

static int dashboard(const struct command_options *options)
{
        return write_from_file(options, dashboard_print);
}

const struct command commands[] = {
        {"alerts", "print alerting rules for Prometheus, from the checks and their thresholds"},
        {"capacity", "run the checks that tell of resources and print the capacity report"},
        {"checklist", "run the morning checklist once and print it; exit 0, 1 or 2 as the worst step"},
        {"dashboard", "print a Grafana dashboard, from the checks and their thresholds"},
        {"describe", "print the reference of all kinds of checks, in Markdown"},
        {0},
};

/* Beside the table that --help prints. */
static const struct {
        int (*run)(const struct command_options *options);
        bool json, all; /* the options that it takes */
} runs[] = {
        {alerts, false, false},    {capacity, true, false},  {checklist, true, true},
        {dashboard, false, false}, {describe, false, false},
};

_Static_assert(N_ELEMENTS(runs) + 1 == N_ELEMENTS(commands), "a function for each command");

/* SIZE_MAX: there is none of this name. */
static size_t find_command(const char *name)
{
        for (size_t i = 0; name && commands[i].name; i++)
                if (strcmp(commands[i].name, name) == 0)
                        return i;
        return SIZE_MAX;
}

int command_check(const char *name, const struct command_options *options, struct error *error)
{
        size_t found = find_command(name);
        const char *names[N_ELEMENTS(runs)];

        for (size_t i = 0; i < N_ELEMENTS(runs); i++)
                names[i] = commands[i].name;
        if (name && found == SIZE_MAX) {
                const char *nearest = config_nearest(name, names, N_ELEMENTS(names));

                return error_set(error, EINVAL, "there is no command \"%s\"; %s%s%s", name,
                                 nearest ? "did you mean " : "see --help", nearest ? nearest : "",
                                 nearest ? "?" : "");
        }
        if (options->json && !(found != SIZE_MAX && runs[found].json))
                return error_set(error, EINVAL, "--json goes with checklist and capacity");
        if (options->all && !(found != SIZE_MAX && runs[found].all))
                return error_set(error, EINVAL, "--all goes with checklist");
        return 0;
}

int command_run(const char *name, const struct command_options *options)
{
        return runs[find_command(name)].run(options);
}

int command_once(const struct command_options *options, const char *path)
{
        _cleanup_(once_free_p) struct once *once = NULL;
        _cleanup_error_ struct error error = {0};

        if (run_checks(options, NULL, &once, &error) < 0 || once_write_metrics(once, path, &error) < 0)
                return could_not_look(&error);
        return once_exit_status(once_worst(once));
}
