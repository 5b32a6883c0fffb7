/* SPDX-License-Identifier: Apache-2.0 */
/* runbook_responder: alerts set off remediations; what they did is journaled and verified. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "responder/commands/describe.h"
#include "responder/commands/plan.h"
#include "responder/production.h"
#include "responder/web/web.h"
#include "runbook/flags.h"
#include "runbook/http_client.h"
#include "runbook/log.h"
#include "runbook/memory.h"
#include "runbook/systemd.h"
#include "runbook/web_config.h"

enum { EXIT_FINE, EXIT_FAILED, EXIT_USAGE };

#define STOP_PATIENCE (25 * NSEC_PER_SEC) /* for steps that are under way */

struct arguments {
        const char *config_file, *listen_address, *journal, *alert, *log_level, *log_format, *web_config_file,
                *operators;
        bool dry_run, json, systemd_socket, config_check, version, help;
};

/* The parts, in the order they are started; stopped in reverse. */
struct responder {
        struct remediation_set *set;
        struct targets *targets;
        struct production *production;
        struct meters *meters;
        struct journal *journal;
        struct engine *engine;
        struct api *api;
};

static int complain(const struct error *error)
{
        fprintf(stderr, "runbook_responder: %s\n", error_text(error));
        return EXIT_FAILED;
}

static int print(const struct text *text)
{
        return flags_print(text) ? EXIT_FINE : EXIT_FAILED;
}

/* Every operator must be somebody whose password or certificate can be checked. */
static int check_operators(const char *operators, const struct web_config *web, struct error *error)
{
        if (operators && !web_config_authenticates(web))
                return error_set(error, EINVAL,
                                 "--web.operators needs users or verified client certificates in "
                                 "--web.config.file: nobody could be told from anybody else");
        for (const char *at = operators; at && *at;) {
                size_t length = strcspn(at, ",");
                _cleanup_free_ char *name = strndup(at, length);
                if (!name)
                        return error_oom(error);
                if (!*name || (web_config_has_users(web) && !web_config_has_user(web, name)))
                        return error_set(error, EINVAL,
                                         "--web.operators: there is no user \"%s\" in --web.config.file",
                                         name);
                at += length + (at[length] == ',');
        }
        return 0;
}

/* It can do harm, so only this machine may reach it unless everybody who asks has to say who he is. */
static int check_web(const struct arguments *arguments, struct api_options *api, struct error *error)
{
        _cleanup_(web_config_unref_p) struct web_config *web = NULL;
        bool loopback = false;
        int r = http_address_is_loopback(arguments->listen_address, &loopback, error);
        if (r >= 0 && arguments->web_config_file)
                r = web_config_load(arguments->web_config_file, &web, error);
        if (r >= 0)
                r = check_operators(arguments->operators, web, error);
        if (r < 0)
                return r;
        bool authenticates = web_config_authenticates(web);
        if (!loopback && !authenticates)
                return error_set(
                        error, EPERM,
                        "refuses to listen on %s without authentication: name users or verified client "
                        "certificates in --web.config.file, or listen on 127.0.0.1:9878",
                        arguments->listen_address);
        if (authenticates && !arguments->operators)
                log_event(LOG_WARN,
                          "Nobody may approve, deny, cancel, undo, pause or resume: --web.operators "
                          "names nobody",
                          NULL);
        api->web_config_file = arguments->web_config_file;
        api->must_authenticate = authenticates;
        api->operators = authenticates && !arguments->operators ? "" : arguments->operators;
        return 0;
}

static int start(struct responder *responder, const struct arguments *arguments, struct error *error)
{
        struct api_options api = {.listen_address = arguments->listen_address};
        int r = check_web(arguments, &api, error);
        if (r >= 0)
                r = http_client_global_init(error);
        if (r >= 0)
                r = remediation_set_load(arguments->config_file, &responder->set, error);
        if (r >= 0)
                r = targets_new(&responder->set->targets, &responder->targets, error);
        if (r >= 0)
                r = production_new(responder->targets, &responder->production, error);
        if (r >= 0 && !(responder->meters = meters_new()))
                r = error_oom(error);
        if (r < 0)
                return r;
        const struct world *world = production_world(responder->production);
        r = journal_open(arguments->journal, world, &responder->journal, error);
        if (r < 0)
                return r;

        const struct incident_parts parts = {
                .world = world,
                .set = responder->set,
                .journal = responder->journal,
                .meters = responder->meters,
                .dry_run = arguments->dry_run,
        };
        r = engine_start(&parts, &responder->engine, error);
        if (r < 0)
                return r;
        api.engine = responder->engine;
        api.parts = parts;
        r = api_start(&api, &responder->api, error);
        /* What reading the file took is given back. */
        memory_settle();
        return r;
}

static void stop(struct responder *responder)
{
        api_stop(responder->api);
        if (engine_stop(responder->engine, deadline_in(STOP_PATIENCE))) {
                /* Whatever it stands on may still be touched; the journal knows that the step had started. */
                log_event(LOG_WARN,
                          "Stopping although a step is still running: it is taken up at the next start",
                          NULL);
                _exit(EXIT_FINE);
        }
        journal_close(responder->journal);
        production_free(responder->production);
        meters_free(responder->meters);
        targets_free(responder->targets);
        remediation_set_free(responder->set);
}

static int serve(const struct arguments *arguments, const sigset_t *signals)
{
        struct responder responder = {0};
        _cleanup_error_ struct error error = {0};
        int signal_number = 0;

        if (start(&responder, arguments, &error) < 0) {
                stop(&responder);
                return complain(&error);
        }
        log_event(LOG_INFO, "Listening", "version", RUNBOOK_VERSION, "address", arguments->listen_address,
                  "config", arguments->config_file, "journal", arguments->journal, "dry_run",
                  arguments->dry_run ? "true" : NULL, NULL);
        systemd_ready();
        sigwait(signals, &signal_number);
        systemd_stopping();
        log_event(LOG_INFO, "Stopping", "signal", signal_number == SIGINT ? "SIGINT" : "SIGTERM", NULL);
        stop(&responder);
        return EXIT_FINE;
}

static int run_serve(const struct arguments *arguments)
{
        sigset_t signals;
        /* Short-lived threads with arenas of their own would hold on to memory that is long free. */
        memory_prepare();
        /* Every thread inherits this: the signals wait for sigwait() in the first one. */
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        pthread_sigmask(SIG_BLOCK, &signals, NULL);
        signal(SIGPIPE, SIG_IGN);
        return serve(arguments, &signals);
}

/* Names the mistakes of the web configuration, when there is one. */
static bool web_config_is_fine(const char *path)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_(web_config_unref_p) struct web_config *web = NULL;

        if (!path || web_config_load(path, &web, &error) >= 0)
                return true;
        fprintf(stderr, "%s\n", error_text(&error));
        return false;
}

static int run_check(const struct arguments *arguments)
{
        bool web = web_config_is_fine(arguments->web_config_file);
        _cleanup_error_ struct error error = {0};
        struct remediation_set *set = NULL;
        if (remediation_set_load(arguments->config_file, &set, &error) < 0) {
                fprintf(stderr, "%s\n", error_text(&error));
                return EXIT_FAILED;
        }
        printf("%s: %zu remediations, no mistakes\n", arguments->config_file, set->count);
        remediation_set_free(set);
        return web ? EXIT_FINE : EXIT_FAILED;
}

static int run_plan(const struct arguments *arguments)
{
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        struct remediation_set *set = NULL;
        struct targets *targets = NULL;
        struct production *production = NULL;
        if (!arguments->alert) {
                fprintf(stderr, "runbook_responder: plan needs --alert=FILE\n");
                return EXIT_USAGE;
        }
        signal(SIGPIPE, SIG_IGN);
        int r = http_client_global_init(&error);
        if (r >= 0)
                r = remediation_set_load(arguments->config_file, &set, &error);
        if (r >= 0)
                r = targets_new(&set->targets, &targets, &error);
        if (r >= 0)
                r = production_new(targets, &production, &error);
        if (r >= 0)
                r = plan_command(set, production_world(production), arguments->alert, arguments->json, &text,
                                 &error);
        int printed = print(&text);
        production_free(production);
        targets_free(targets);
        remediation_set_free(set);
        return r < 0 ? complain(&error) : printed;
}

static int run_verify(const struct arguments *arguments)
{
        _cleanup_error_ struct error error = {0};
        struct journal *journal = NULL;
        uint64_t rows = 0;
        int r = journal_open_reading(arguments->journal, &journal, &error);
        if (r >= 0)
                r = journal_verify(journal, &rows, &error);
        journal_close(journal);
        if (r < 0)
                return complain(&error);
        printf("%s: %llu rows, the chain holds\n", arguments->journal, (unsigned long long)rows);
        return EXIT_FINE;
}

static int run_describe(_unused_ const struct arguments *arguments)
{
        _cleanup_text_ struct text text = {0};
        describe_remediations(&text);
        return print(&text);
}

static const struct command commands[] = {
        {"plan", "print what each step would do right now about --alert, and change nothing"},
        {"verify", "check the chain of hashes of the journal, also while a responder has it open"},
        {"describe", "print the reference of remediations.yml, in Markdown"},
        {0},
};
static int (*const runs[])(const struct arguments *) = {run_plan, run_verify, run_describe};

static int dispatch(const struct arguments *arguments, char **words, int count)
{
        if (arguments->config_check)
                return run_check(arguments);
        if (count == 0)
                return run_serve(arguments);
        for (size_t i = 0; i < N_ELEMENTS(runs) && count == 1; i++)
                if (string_equal(commands[i].name, words[0]))
                        return runs[i](arguments);
        fprintf(stderr, "runbook_responder: what is \"%s\"? See --help.\n", words[count - 1]);
        return EXIT_USAGE;
}

int main(int argc, char **argv)
{
        struct arguments arguments = {0};
        const struct flag flags[] = {
                {"config.file", FLAG_STRING, &arguments.config_file, "rules/remediations.yml", "FILE",
                 "which alerts set off which steps"},
                {"config.check", FLAG_SWITCH, &arguments.config_check, NULL, NULL,
                 "read the file, name every mistake in it, and end"},
                {"web.listen-address", FLAG_STRING, &arguments.listen_address, "127.0.0.1:9878", "ADDRESS",
                 "where to take alerts: host:port or unix:/path; loopback, unless there is authentication"},
                {"web.systemd-socket", FLAG_SWITCH, &arguments.systemd_socket, NULL, NULL,
                 "serve on the socket that systemd passes, instead of an address"},
                {"web.config.file", FLAG_STRING, &arguments.web_config_file, NULL, "FILE",
                 "TLS, client certificates, users and headers, as exporter-toolkit has them"},
                {"web.operators", FLAG_STRING, &arguments.operators, NULL, "USERS",
                 "who of them may approve, deny, cancel, undo, pause and resume: name,name"},
                {"journal", FLAG_STRING, &arguments.journal, "var/journal.db", "FILE",
                 "the durable record of incidents"},
                {"dry-run", FLAG_SWITCH, &arguments.dry_run, NULL, NULL,
                 "plan every step and write the plans down, do nothing"},
                {"alert", FLAG_STRING, &arguments.alert, NULL, "FILE",
                 "plan: an alert or a whole webhook as JSON; - is stdin"},
                {"json", FLAG_SWITCH, &arguments.json, NULL, NULL, "plan: print JSON"},
                {"log.level", FLAG_STRING, &arguments.log_level, "info", "LEVEL",
                 "debug, info, warn or error"},
                {"log.format", FLAG_STRING, &arguments.log_format, "logfmt", "FORMAT", "logfmt or json"},
                {"version", FLAG_SWITCH, &arguments.version, NULL, NULL, "print the version and end"},
                {"help", FLAG_SWITCH, &arguments.help, NULL, NULL, "print this and end"},
                {0},
        };
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        char **words;
        int count;

        if (flags_parse(flags, argc, argv, &words, &count, &error) < 0 ||
            log_setup(arguments.log_level, arguments.log_format, &error) < 0) {
                complain(&error);
                return EXIT_USAGE;
        }
        if (arguments.systemd_socket)
                arguments.listen_address = HTTP_SYSTEMD_SOCKET;
        if (arguments.help) {
                flags_help("runbook_responder",
                           "Alerts set off remediations, which are journaled and verified.", commands, flags,
                           &text);
                describe_action_names(&text);
                return print(&text);
        }
        if (arguments.version) {
                text_printf(&text, "runbook_responder %s\n", RUNBOOK_VERSION);
                return print(&text);
        }
        return dispatch(&arguments, words, count);
}
