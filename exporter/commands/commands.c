/* SPDX-License-Identifier: Apache-2.0 */
/* The commands: what is run, what is printed, and with what they end. */
#include "exporter/commands/commands.h"

#include <errno.h>
#include <stdio.h>

#include "exporter/check/steps.h"
#include "exporter/commands/alerts.h"
#include "exporter/commands/capacity.h"
#include "exporter/commands/checklist.h"
#include "exporter/commands/doctor.h"
#include "exporter/commands/families.h"
#include "exporter/commands/grafana/dashboards.h"
#include "exporter/commands/inhibitions.h"
#include "exporter/commands/new_files.h"
#include "exporter/commands/run_once.h"
#include "runbook/http_client.h"
#include "runbook/http_server.h"
#include "runbook/log.h"
#include "runbook/words.h"

static int could_not_look(const struct error *error)
{
        program_complain(NULL, error);
        return ONCE_COULD_NOT_LOOK;
}

/* What fails stands in what a command prints, not in a log. */
static void log_less(const struct exporter_arguments *arguments)
{
        if (!string_equal(arguments->program.log_level, "debug"))
                log_setup("error", arguments->program.log_format, NULL);
}

static int run_checks(const struct exporter_arguments *arguments, const char *state_directory,
                      const char *pings_directory, bool (*wanted)(const struct check_set *set, size_t i),
                      struct once **ret, struct error *error)
{
        log_less(arguments);
        int r = http_client_global_init(error);
        return r < 0 ? r
                     : once_run(arguments->daemon.config_file, state_directory, pings_directory, wanted, ret,
                                error);
}

/* Prints a report, and ends with the verdict; a report that was not made (`result`), or not seen, has none.
 */
static int report(const struct text *text, int result, int (*print)(const struct text *text),
                  enum standing verdict)
{
        _cleanup_error_ struct error error = {0};
        if (result < 0) {
                error_oom(&error);
                return could_not_look(&error);
        }
        return print(text) == EXIT_FINE ? once_exit_status(verdict) : ONCE_COULD_NOT_LOOK;
}

int command_describe(const void *context _unused_)
{
        _cleanup_text_ struct text text = {0};
        check_kinds_describe(&text);
        return program_print(&text);
}

static bool is_terminal_in_colour(void)
{
        const char *refused = getenv("NO_COLOR"); /* https://no-color.org */
        return isatty(STDOUT_FILENO) && !(refused && *refused);
}

/* A run of its own, beside the daemon's: it keeps no state, so that no line of a log is taken from that; what
 * jobs have said to that is read from where it keeps it. */
int command_checklist(const void *context)
{
        const struct exporter_arguments *arguments = context;
        _cleanup_(once_free_p) struct once *once = NULL;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        bool colour = !arguments->json && is_terminal_in_colour();
        int r = 0;
        if (run_checks(arguments, NULL, arguments->state_directory, arguments->all ? NULL : check_is_step,
                       &once, &error) < 0)
                return could_not_look(&error);
        if (arguments->json)
                r = checklist_print_json(once, clock_wall(), &text);
        else
                r = checklist_print(once, clock_wall(), colour, &text);
        return report(&text, r, colour ? program_print_in_colour : program_print, once_worst(once));
}

/* What has failed, or is measured by no check, is a 1, as a warning of the checklist is. */
int command_capacity(const void *context)
{
        const struct exporter_arguments *arguments = context;
        _cleanup_(once_free_p) struct once *once = NULL;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        ssize_t wrong;
        if (run_checks(arguments, NULL, NULL, capacity_wants, &once, &error) < 0)
                return could_not_look(&error);
        wrong = arguments->json ? capacity_print_json(once, clock_wall(), &text)
                                : (ssize_t)capacity_print(once, clock_wall(), &text);
        return report(&text, wrong < 0 ? (int)wrong : 0, program_print,
                      wrong > 0 ? STANDING_WARN : STANDING_PASS);
}

/* The page says which check does not pass, and has no place for why. */
static void print_reasons(const struct once *once)
{
        for (size_t i = 0; i < once->set->count; i++) {
                const struct check_state *state = &once->states[i];
                _cleanup_text_ struct text name = {0}, text = {0};
                struct verdict_lines lines = {&text, NULL};
                if (!once->selected[i])
                        continue;
                text_printf(&name, "%s: ", state->check->name);
                lines.indentation = text_string(&name);
                if (*check_state_reason(state))
                        verdict_put_line(check_state_reason(state), NULL, &lines);
                check_state_tell(state, verdict_put_line, &lines);
                fputs(text_string(&text), stderr);
        }
}

int command_once(const void *context)
{
        const struct exporter_arguments *arguments = context;
        _cleanup_(once_free_p) struct once *once = NULL;
        _cleanup_error_ struct error error = {0};
        if (run_checks(arguments, arguments->state_directory, arguments->state_directory, NULL, &once,
                       &error) < 0)
                return could_not_look(&error);
        print_reasons(once);
        if (once_write_metrics(once, arguments->once, &error) < 0)
                return could_not_look(&error);
        return once_exit_status(once_worst(once));
}

/* Beside the daemon, as the checklist is. */
int command_doctor(const void *context)
{
        const struct exporter_arguments *arguments = context;
        _cleanup_(once_free_p) struct once *once = NULL;
        _cleanup_error_ struct error error = {0};
        if (run_checks(arguments, NULL, arguments->state_directory, NULL, &once, &error) < 0)
                return could_not_look(&error);
        return doctor_report(once, arguments->state_directory);
}

/* What is written from the file alone: no target is asked. */
static int write_from_file(const struct exporter_arguments *arguments,
                           int (*write_it)(const struct check_set *set, struct text *text))
{
        _cleanup_(check_set_free_p) struct check_set *set = NULL;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        log_less(arguments);
        int r = http_client_global_init(&error);
        if (r >= 0)
                r = check_set_load(arguments->daemon.config_file, NULL, &set, &error);
        if (r >= 0 && (r = write_it(set, &text)) < 0)
                error_oom(&error);
        if (r >= 0)
                return program_print(&text);
        return program_complain(NULL, &error);
}

int command_alerts(const void *context)
{
        const struct exporter_arguments *arguments = context;
        const char *url = arguments->external_url;
        _cleanup_(check_set_free_p) struct check_set *set = NULL;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        _cleanup_free_ char *authority = NULL;
        log_less(arguments);
        int r = url ? http_external_authority(url, &authority, &error) : 0;
        if (r < 0)
                error_prefix(&error, r, "--web.external-url");
        if (r >= 0)
                r = http_client_global_init(&error);
        if (r >= 0)
                r = check_set_load(arguments->daemon.config_file, NULL, &set, &error);
        if (r >= 0 && (r = alerts_print(set, url, arguments->twins, &text)) < 0)
                error_oom(&error);
        return r >= 0 ? program_print(&text) : program_complain(NULL, &error);
}

int command_dashboard(const void *context)
{
        return write_from_file(context, dashboard_print);
}

int command_dashboards(const void *context)
{
        const struct exporter_arguments *arguments = context;
        _cleanup_(check_set_free_p) struct check_set *set = NULL;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text told = {0};
        log_less(arguments);
        int r = arguments->directory ? 0 : error_set(&error, EINVAL, "--dir: which directory?");
        int schema = words_find(grafana_schemas, GRAFANA_SCHEMAS, arguments->schema);
        if (r >= 0 && schema < 0)
                r = error_set(&error, EINVAL, "--schema: \"%s\" is neither classic nor v2",
                              arguments->schema);
        if (r >= 0)
                r = http_client_global_init(&error);
        if (r >= 0)
                r = check_set_load(arguments->daemon.config_file, NULL, &set, &error);
        if (r >= 0)
                r = dashboards_write(set, (enum grafana_schema)schema, arguments->directory, &told, &error);
        return r >= 0 ? program_print(&told) : program_complain(NULL, &error);
}

int command_families(const void *context)
{
        return write_from_file(context, families_print);
}

int command_inhibitions(const void *context)
{
        return write_from_file(context, inhibitions_print);
}

static void put_next(const struct proposals *proposals, const char *directory, struct text *report)
{
        size_t written = 0;
        for (size_t i = 0; i < proposals->count; i++)
                written += !proposals->items[i].dropped;
        text_printf(report,
                    "%zu checks. Next:\n"
                    "  read them, then runbook_exporter --config.file=%s/checks.yml, and see "
                    "http://localhost:9877/\n"
                    "  give Prometheus %s/alerts.yml as one of its rule_files:\n"
                    "  start runbook_responder --config.file=%s/remediations.yml, which only plans until you "
                    "let it\n",
                    written, directory, directory, directory);
}

/* What is in the file is not written over, whatever was found. */
static int tell_difference(const struct exporter_arguments *arguments, const struct proposals *proposals)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text report = {0};
        ssize_t differ = new_files_compare(proposals, arguments->daemon.config_file, &report, &error);
        if (differ < 0)
                return could_not_look(&error);
        int status = program_print(&report);
        return status == EXIT_FINE && differ > 0 ? EXIT_FAILED : status;
}

/* What is not there is said beside the report: it is no part of what was written. */
static void print_told(const struct proposals *proposals)
{
        _cleanup_text_ struct text shown = {0};
        text_put_lines(&shown, text_string(&proposals->told));
        fputs(text_string(&shown), stderr);
}

static int write_files(const struct exporter_arguments *arguments, const struct proposals *proposals)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text report = {0};
        const char *directory = arguments->directory ? arguments->directory : ".";
        print_told(proposals);
        if (new_files_write(proposals, directory, &report, &error) < 0)
                return program_complain(NULL, &error);
        put_next(proposals, directory, &report);
        return program_print(&report);
}

int command_init(const void *context)
{
        const struct exporter_arguments *arguments = context;
        _cleanup_(proposals_release) struct proposals proposals = {0};
        _cleanup_error_ struct error error = {0};
        log_less(arguments);
        int r = http_client_global_init(&error);
        if (r >= 0)
                r = init_look(&arguments->look, &proposals, &error);
        if (r >= 0)
                r = new_files_try(&proposals, &error);
        if (r < 0)
                return program_complain(NULL, &error);
        return arguments->diff ? tell_difference(arguments, &proposals) : write_files(arguments, &proposals);
}

int command_healthy(const void *context)
{
        const struct exporter_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        log_less(arguments);
        int r = http_client_global_init(&error);
        if (r >= 0)
                r = http_find_alive(arguments->url, &error);
        return r < 0 ? program_complain(NULL, &error) : EXIT_FINE;
}
