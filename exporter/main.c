/* SPDX-License-Identifier: Apache-2.0 */
/* runbook_exporter: health checks of a runbook as Prometheus metrics. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "exporter/commands/commands.h"
#include "exporter/commands/once.h"
#include "exporter/live.h"
#include "exporter/web/landing.h"
#include "exporter/web/probe.h"
#include "runbook/flags.h"
#include "runbook/http_client.h"
#include "runbook/log.h"
#include "runbook/memory.h"
#include "runbook/systemd.h"
#include "runbook/web_config.h"

/* A 2 would be a verdict: that a step of the checklist fails. */
enum { EXIT_FINE, EXIT_FAILED, EXIT_USAGE = ONCE_COULD_NOT_LOOK };

#define WORKERS_MAX 100000
#define STOP_PATIENCE (2 * NSEC_PER_SEC) /* for runs that are on their way when the exporter is stopped */

struct arguments {
        const char *config_file, *listen_address, *log_level, *log_format, *workers, *web_config_file,
                *state_directory, *once, *sandbox;
        bool json, all, enable_lifecycle, systemd_socket, config_check, version, help;
};

/* What the handlers work on. */
struct exporter {
        struct current *current;
        struct http_server *server;
        struct confinement confinement;
        bool lifecycle; /* POST /-/reload is taken */
};

static void handle_metrics(struct http_exchange *exchange, void *context)
{
        const struct exporter *exporter = context;

        scrape_handle(current_hold(exporter->current), exchange);
        current_release(exporter->current);
}

static void handle_probe(struct http_exchange *exchange, void *context)
{
        const struct exporter *exporter = context;

        probe_handle(current_hold(exporter->current), exchange);
        current_release(exporter->current);
}

static void handle_landing(struct http_exchange *exchange, void *context)
{
        const struct exporter *exporter = context;
        _cleanup_text_ struct text page = {0};
        struct scrape *scrape = current_hold(exporter->current); /* its checks are shown: they are to stay */
        struct schedule *schedule = scrape_schedule(scrape);
        _cleanup_free_ struct check_state *states = calloc(schedule_count(schedule), sizeof(*states));
        size_t count = states ? schedule_states(schedule, NULL, states, NULL, NULL) : 0;

        if (states)
                page_render(scrape_set(scrape)->title, states, count, clock_wall(), &page);
        for (size_t i = 0; i < count; i++)
                check_state_release(&states[i]);
        current_release(exporter->current);
        if (!states) {
                http_reply_text(exchange, 500, "Out of memory.");
                return;
        }
        http_reply(exchange, 200, HTTP_TYPE_HTML, &page);
}

static void handle_healthy(struct http_exchange *exchange, void *context _unused_)
{
        http_reply_text(exchange, 200, "Runbook exporter is healthy.");
}

static void handle_ready(struct http_exchange *exchange, void *context _unused_)
{
        http_reply_text(exchange, 200, "Runbook exporter is ready.");
}

static void handle_reload(struct http_exchange *exchange, void *context)
{
        const struct exporter *exporter = context;

        if (exporter->lifecycle)
                current_ask_reload(exporter->current, exchange);
        else
                http_reply_text(exchange, 403, "Reloads over HTTP are off: see --web.enable-lifecycle.");
}

static const struct http_route routes[] = {
        {"GET", "/metrics", handle_metrics, 0, NULL}, {"GET", "/probe", handle_probe, 0, NULL},
        {"GET", "/", handle_landing, 0, NULL},        {"GET", "/-/healthy", handle_healthy, 0, NULL},
        {"GET", "/-/ready", handle_ready, 0, NULL},   {"POST", "/-/reload", handle_reload, 0, NULL},
        {"PUT", "/-/reload", handle_reload, 0, NULL}, {0},
};

static int parse_workers(const char *word, unsigned *ret, struct error *error)
{
        char *end;
        long value = strtol(word, &end, 10);

        if (end == word || *end || value < 0 || value > WORKERS_MAX)
                return error_set(error, EINVAL, "--workers: \"%s\" is not a number from 0 to %d", word,
                                 WORKERS_MAX);
        *ret = (unsigned)value;
        return 0;
}

/* Everything that can fail before the first request. */
static int start(struct exporter *exporter, const struct arguments *arguments, unsigned workers,
                 struct error *error)
{
        const struct http_server_options options = {
                .listen_address = arguments->listen_address,
                .routes = routes,
                .context = exporter,
                .web_config_file = arguments->web_config_file,
        };
        int r;

        r = http_client_global_init(error);
        if (r >= 0)
                r = http_server_open(&options, &exporter->server, error);
        if (r < 0)
                return r;
        const struct current_options current = {
                .config_file = arguments->config_file,
                .state_directory = arguments->state_directory,
                .web_config_file = arguments->web_config_file,
                .confinement = &exporter->confinement,
                .workers = workers,
        };
        r = current_start(&current, &exporter->current, error);
        if (r < 0)
                return r;
        exporter->lifecycle = arguments->enable_lifecycle;
        r = http_server_run(exporter->server, error);
        memory_settle();
        return r;
}

/* Answers what waits before the server goes. Memory that a hanging run may still touch is left to the end. */
static void stop(struct exporter *exporter)
{
        current_close(exporter->current);
        http_server_stop(exporter->server);
        if (!current_stop(exporter->current, STOP_PATIENCE))
                log_event(LOG_WARN, "Stopping although checks are still running", NULL);
}

static int serve(const struct arguments *arguments, unsigned workers, const sigset_t *signals)
{
        struct exporter exporter = {.confinement = {.mode = arguments->sandbox,
                                                    .state_directory = arguments->state_directory,
                                                    .listen_address = arguments->listen_address}};
        _cleanup_error_ struct error error = {0};
        int signal_number = 0;

        int r = start(&exporter, arguments, workers, &error);
        if (r < 0) {
                fprintf(stderr, "runbook_exporter: %s\n", error_text(&error));
                stop(&exporter);
                return EXIT_FAILED;
        }
        log_event(LOG_INFO, "Listening", "version", RUNBOOK_VERSION, "address", arguments->listen_address,
                  "config", arguments->config_file, NULL);
        systemd_ready();
        while (sigwait(signals, &signal_number) == 0 && signal_number == SIGHUP) {
                systemd_reloading();
                current_reload(exporter.current);
                systemd_ready();
        }
        systemd_stopping();
        log_event(LOG_INFO, "Stopping", "signal", signal_number == SIGINT ? "SIGINT" : "SIGTERM", NULL);
        stop(&exporter);
        return EXIT_FINE;
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

static int check_config(const char *path, const char *web_path)
{
        bool web = web_config_is_fine(web_path);
        _cleanup_error_ struct error error = {0};
        _cleanup_(check_set_free_p) struct check_set *set = NULL;

        if (http_client_global_init(&error) < 0 || check_set_load(path, NULL, &set, &error) < 0) {
                fprintf(stderr, "%s\n", error_text(&error));
                return EXIT_FAILED;
        }
        printf("%s: %zu checks, no mistakes\n", path, set->count);
        return web ? EXIT_FINE : EXIT_FAILED;
}

/* Signals wait for sigwait() in the first thread, which every other one inherits. */
static void block_signals(sigset_t *ret_signals)
{
        sigemptyset(ret_signals);
        sigaddset(ret_signals, SIGTERM);
        sigaddset(ret_signals, SIGINT);
        sigaddset(ret_signals, SIGHUP);
        pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
}

/* What only prints and ends; false when it is none of that. */
static bool print_and_end(const struct arguments *arguments, const struct flag *flags, int *ret_status)
{
        _cleanup_text_ struct text text = {0};

        if (arguments->help) {
                flags_help("runbook_exporter", "Health checks of a runbook as Prometheus metrics.", commands,
                           flags, &text);
                check_kinds_list(&text);
        } else if (arguments->version)
                text_printf(&text, "runbook_exporter %s\n", RUNBOOK_VERSION);
        else
                return false;
        *ret_status = flags_print(&text) ? EXIT_FINE : EXIT_FAILED;
        return true;
}

/* Whether the words fit together: a command, --once, or neither, with the options that are theirs. */
static int check_words(const struct command_options *options, const char *once, int count, char **words,
                       struct error *error)
{
        int r = command_check(count > 0 ? words[0] : NULL, options, error);

        if (r < 0)
                return r;
        if (count > 1)
                return error_set(error, EINVAL,
                                 "\"%s\" takes no further words, and there is \"%s\"; see --help", words[0],
                                 words[1]);
        if (once && count > 0)
                return error_set(error, EINVAL, "--once is a command of its own, beside \"%s\"", words[0]);
        return once && !*once ? error_set(error, EINVAL, "--once: which file? - is stdout") : 0;
}

/* Commands run their checks once; what fails stands in what they print, not in a log. */
static int run_and_end(const struct arguments *arguments, const struct command_options *options,
                       const char *name)
{
        if (strcmp(arguments->log_level, "debug") != 0)
                log_setup("error", arguments->log_format, NULL);
        return name ? command_run(name, options) : command_once(options, arguments->once);
}

int main(int argc, char **argv)
{
        struct arguments arguments = {0};
        const struct flag flags[] = {
                {"config.file", FLAG_STRING, &arguments.config_file, "rules/checks.yml", "FILE",
                 "the checks to run"},
                {"config.check", FLAG_SWITCH, &arguments.config_check, NULL, NULL,
                 "read the file, name every mistake in it, and end"},
                {"web.listen-address", FLAG_STRING, &arguments.listen_address, ":9877", "ADDRESS",
                 "where to serve metrics: host:port or unix:/path"},
                {"web.systemd-socket", FLAG_SWITCH, &arguments.systemd_socket, NULL, NULL,
                 "serve on the socket that systemd passes, instead of an address"},
                {"state.directory", FLAG_STRING, &arguments.state_directory, NULL, "DIRECTORY",
                 "where to keep what outlives a restart: how far logs were read"},
                {"web.config.file", FLAG_STRING, &arguments.web_config_file, NULL, "FILE",
                 "TLS, client certificates, users and headers, as exporter-toolkit has them"},
                {"web.enable-lifecycle", FLAG_SWITCH, &arguments.enable_lifecycle, NULL, NULL,
                 "let POST /-/reload read the files again, as SIGHUP always does"},
                {"once", FLAG_STRING, &arguments.once, NULL, "FILE",
                 "run every check once, write the metrics to FILE (for a textfile collector; - is stdout), "
                 "and end"},
                {"json", FLAG_SWITCH, &arguments.json, NULL, NULL, "with checklist and capacity: print JSON"},
                {"all", FLAG_SWITCH, &arguments.all, NULL, NULL,
                 "with checklist: run every check, not the steps alone"},
                {"sandbox", FLAG_STRING, &arguments.sandbox, "auto", "MODE",
                 "give up what measuring never needs: auto (as the kernel can), require, or off"},
                {"workers", FLAG_STRING, &arguments.workers, "0", "NUMBER",
                 "most threads that run checks; 0: one for each check"},
                {"log.level", FLAG_STRING, &arguments.log_level, "info", "LEVEL",
                 "debug, info, warn or error"},
                {"log.format", FLAG_STRING, &arguments.log_format, "logfmt", "FORMAT", "logfmt or json"},
                {"version", FLAG_SWITCH, &arguments.version, NULL, NULL, "print the version and end"},
                {"help", FLAG_SWITCH, &arguments.help, NULL, NULL, "print this and end"},
                {0},
        };
        _cleanup_error_ struct error error = {0};
        char **words;
        int count, status;
        unsigned workers = 0;
        sigset_t signals;

        memory_prepare();
        signal(SIGPIPE, SIG_IGN);
        if (flags_parse(flags, argc, argv, &words, &count, &error) < 0 ||
            log_setup(arguments.log_level, arguments.log_format, &error) < 0 ||
            parse_workers(arguments.workers, &workers, &error) < 0 ||
            confinement_check_mode(arguments.sandbox, &error) < 0) {
                fprintf(stderr, "runbook_exporter: %s\n", error_text(&error));
                return EXIT_USAGE;
        }
        if (arguments.systemd_socket)
                arguments.listen_address = HTTP_SYSTEMD_SOCKET;
        if (print_and_end(&arguments, flags, &status))
                return status;
        const struct command_options options = {
                .config_file = arguments.config_file,
                .state_directory = arguments.state_directory,
                .json = arguments.json,
                .all = arguments.all,
        };
        if (check_words(&options, arguments.once, count, words, &error) < 0) {
                fprintf(stderr, "runbook_exporter: %s\n", error_text(&error));
                return EXIT_USAGE;
        }
        if (count > 0 || arguments.once)
                return run_and_end(&arguments, &options, count > 0 ? words[0] : NULL);
        if (arguments.config_check)
                return check_config(arguments.config_file, arguments.web_config_file);
        block_signals(&signals);
        return serve(&arguments, workers, &signals);
}
