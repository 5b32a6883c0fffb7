/* SPDX-License-Identifier: Apache-2.0 */
/* runbook_exporter: health checks of a runbook as Prometheus metrics. */
#include <errno.h>

#include "exporter/commands/commands.h"
#include "exporter/live.h"
#include "exporter/web/landing.h"
#include "exporter/web/ping.h"
#include "exporter/web/probe.h"
#include "exporter/web/selection.h"
#include "runbook/docker_access.h"
#include "runbook/html.h"
#include "runbook/http_client.h"
#include "runbook/log.h"

#define PROGRAM "runbook_exporter"
#define INSTALLED "/etc/runbook/checks.yml"
#define IN_THE_TREE "rules/checks.yml"
#define WORKERS_MAX 100000
#define STOP_PATIENCE (2 * NSEC_PER_SEC) /* for runs that are on their way when the exporter is stopped */

/* What the handlers work on. */
struct exporter {
        const struct exporter_arguments *arguments;
        struct live *live;
        struct ping_door *door;
        struct http_server *server;
        struct confinement confinement;
};

static void handle_metrics(struct http_exchange *exchange, void *context)
{
        const struct exporter *exporter = context;
        scrape_handle(live_hold(exporter->live), exchange);
        live_release(exporter->live);
}

static void handle_probe(struct http_exchange *exchange, void *context)
{
        const struct exporter *exporter = context;
        probe_handle(live_hold(exporter->live), exchange);
        live_release(exporter->live);
}

static void handle_ping(struct http_exchange *exchange, void *context)
{
        const struct exporter *exporter = context;
        ping_handle(exporter->door, scrape_set(live_hold(exporter->live)), exchange);
        live_release(exporter->live);
}

/* The pages for people; the route says which. */
static void handle_landing(struct http_exchange *exchange, void *context)
{
        const struct exporter *exporter = context;
        const struct landing_filter filter = {http_query(exchange, "q"), http_query(exchange, "show")};
        static const char *const known[] = {"q", "show", NULL};
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text page = {0};
        if (selection_check_query(exchange, known, &error) < 0) {
                http_reply_text(exchange, 400, "%s", error_text(&error));
                return;
        }
        if (!landing_filter_valid(&filter)) {
                http_reply_text(exchange, 400, "No check stands like that.");
                return;
        }
        struct scrape *scrape = live_hold(exporter->live); /* its checks are shown: they are to stay */
        struct schedule *schedule = scrape_schedule(scrape);
        _cleanup_free_ struct check_state *states = calloc(schedule_count(schedule), sizeof(*states));
        size_t count = states ? schedule_states(schedule, NULL, states, NULL, NULL) : 0;
        const struct landing landing = {scrape_set(scrape), states, filter, clock_wall(),
                                        live_keeps_history(exporter->live)};
        int r = !states                     ? -ENOMEM
                : http_route_data(exchange) ? checklist_render(&landing, &page)
                                            : landing_render(&landing, &page);
        for (size_t i = 0; i < count; i++)
                check_state_release(&states[i]);
        live_release(exporter->live);
        if (r < 0) {
                http_reply_text(exchange, 500, "Out of memory.");
                return;
        }
        http_reply(exchange, 200, HTTP_TYPE_HTML, &page);
}

static void handle_alive(struct http_exchange *exchange, void *context _unused_)
{
        http_reply_text(exchange, 200, "Runbook exporter is %s.", (const char *)http_route_data(exchange));
}

static void handle_reload(struct http_exchange *exchange, void *context)
{
        const struct exporter *exporter = context;
        if (exporter->arguments->enable_lifecycle)
                live_ask_reload(exporter->live, exchange);
        else
                http_reply_text(exchange, 403, "Reloads over HTTP are off: see --web.enable-lifecycle.");
}

static const struct http_route routes[] = {
        {"GET", "/metrics", handle_metrics, 0, NULL},
        {"GET", "/probe", handle_probe, 0, NULL},
        {"GET", "/", handle_landing, 0, NULL},
        {"GET", "/checklist", handle_landing, 0, "checklist"},
        {"GET", HTML_ASSETS "/{id}", html_handle_asset, 0, NULL},
        {"GET", "/-/healthy", handle_alive, 0, "healthy"},
        {"GET", "/-/ready", handle_alive, 0, "ready"},
        {"POST", "/-/reload", handle_reload, 0, NULL},
        {"PUT", "/-/reload", handle_reload, 0, NULL},
        {"POST", "/ping/{id}", handle_ping, PING_BODY_MAX, NULL},
        {"POST", "/ping/{id}/{word}", handle_ping, PING_BODY_MAX, "event"},
        {0},
};

/* The socket is opened before rights are given up, and served when there is something to serve. */
static int start_exporter(void *context, struct error *error)
{
        struct exporter *exporter = context;
        const struct exporter_arguments *arguments = exporter->arguments;
        _cleanup_text_ struct text addresses = {0};
        const struct http_server_options serving = {
                .listen_addresses = daemon_listen_addresses(&arguments->daemon),
                .routes = routes,
                .context = exporter,
                .web_config_file = arguments->daemon.web_config_file,
                .external_url = arguments->external_url,
        };
        const struct live_options options = {
                .config_file = arguments->daemon.config_file,
                .state_directory = arguments->state_directory,
                .web_config_file = arguments->daemon.web_config_file,
                .confinement = &exporter->confinement,
                .run_at_start = arguments->run_at_start,
                .workers = arguments->worker_limit,
        };
        int r = http_client_global_init(error);
        if (r >= 0)
                r = http_server_open(&serving, &exporter->server, error);
        if (r >= 0)
                r = live_start(&options, &exporter->live, error);
        if (r >= 0)
                r = ping_door_new(&exporter->door, error);
        if (r >= 0)
                r = http_server_run(exporter->server, error);
        daemon_put_addresses(&arguments->daemon, &addresses);
        if (r >= 0)
                log_event(LOG_INFO, "Listening", "version", RUNBOOK_VERSION, "address",
                          text_string(&addresses), "config", arguments->daemon.config_file, NULL);
        return r;
}

static void reload_exporter(void *context)
{
        const struct exporter *exporter = context;
        live_reload(exporter->live);
}

/* Answers what waits before the server goes. Memory that a hanging run may still touch is left to the end. */
static void stop_exporter(void *context)
{
        const struct exporter *exporter = context;
        live_close(exporter->live);
        ping_door_close(exporter->door);
        http_server_stop(exporter->server);
        ping_door_free(exporter->door);
        if (!live_stop(exporter->live, STOP_PATIENCE))
                log_event(LOG_WARN, "Stopping although checks are still running", NULL);
}

static int run_serve(const void *context)
{
        static const struct daemon daemon = {PROGRAM, start_exporter, reload_exporter, stop_exporter};
        const struct exporter_arguments *arguments = context;
        struct exporter exporter = {
                .arguments = arguments,
                .confinement = {.sandbox = {.mode = arguments->sandbox},
                                .state_directory = arguments->state_directory,
                                .listen_addresses = daemon_listen_addresses(&arguments->daemon)}};
        return daemon_serve(&daemon, &exporter);
}

static int read_config(const void *context, struct text *verdict, struct error *error)
{
        const struct exporter_arguments *arguments = context;
        _cleanup_(check_set_free_p) struct check_set *set = NULL;
        int r = http_client_global_init(error);
        if (r >= 0)
                r = check_set_load(arguments->daemon.config_file, NULL, &set, error);
        if (r >= 0)
                text_printf(verdict, "%s: %zu checks, no mistakes\n", arguments->daemon.config_file,
                            set->count);
        return r;
}

static int run_check(const void *context)
{
        const struct exporter_arguments *arguments = context;
        return daemon_check(arguments->daemon.web_config_file, read_config, arguments);
}

/* Flags of the daemon itself. */
#define SERVING                                                                                       \
        TAKES(DAEMON_TAKES, "state.directory", "web.enable-lifecycle", "web.external-url", "sandbox", \
              "workers", "run-at-start")
static const struct command commands[] = {
        {"alerts", NULL, "print alerting rules for Prometheus, from the checks and their thresholds",
         TAKES("config.file", "web.external-url", "twins"), command_alerts},
        {"capacity", NULL, "run the checks that tell of resources and print the capacity report",
         TAKES("config.file", "json"), command_capacity},
        {"checklist", NULL, "run the morning checklist once and print it; exit 0, 1 or 2 as the worst step",
         TAKES("config.file", "state.directory", "json", "all"), command_checklist},
        {"dashboard", NULL, "print a Grafana dashboard, from the checks and their thresholds",
         TAKES("config.file"), command_dashboard},
        {"dashboards", NULL, "write Grafana's dashboards into a directory, each a file",
         TAKES("config.file", "dir", "schema"), command_dashboards},
        {"describe", NULL, "print the reference of all kinds of checks, in Markdown", TAKES_NOTHING,
         command_describe},
        {"docker-access", NULL,
         "print a configuration for HAProxy: it lets through to Docker's Engine what the checks ask, and no "
         "other call",
         TAKES("config.file", "listen", "engine"), command_docker_access},
        {"doctor", NULL,
         "try every target, query and secret once and tell what answers; exit 1 when one does not",
         TAKES("config.file", "state.directory"), command_doctor},
        {"families", NULL,
         "print which metrics the checks may have, as JSON: for `runbook_responder coverage`",
         TAKES("config.file"), command_families},
        {"healthy", NULL,
         "tell by the exit status whether the exporter at --url answers, for a container's health check",
         TAKES("url"), command_healthy},
        {"inhibitions", NULL, "print inhibition rules for Alertmanager, from what the checks need",
         TAKES("config.file"), command_inhibitions},
        {"init", NULL, "look around, and write checks.yml, alerts.yml and remediations.yml for what is there",
         TAKES("dir", "look", "diff", "config.file"), command_init},
        {"--once", NULL, NULL, TAKES("config.file", "state.directory"), command_once},
        {"--config.check", NULL, NULL, SERVING, run_check},
        {"", NULL, NULL, SERVING, run_serve},
        {0},
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

static int check_arguments(void *context, struct error *error)
{
        struct exporter_arguments *arguments = context;
        daemon_settle_config(&arguments->daemon, INSTALLED, IN_THE_TREE);
        int r = parse_workers(arguments->workers, &arguments->worker_limit, error);
        if (r >= 0)
                r = sandbox_check_mode(arguments->sandbox, error);
        if (r >= 0 && arguments->once && !*arguments->once)
                r = error_set(error, EINVAL, "--once: which file? - is stdout");
        return r;
}

int main(int argc, char **argv)
{
        struct exporter_arguments arguments = {0};
        struct daemon_arguments *to = &arguments.daemon;
        const struct flag flags[] = {
                {"config.file", FLAG_STRING, &to->config_file, NULL, "FILE",
                 "the checks to run; " INSTALLED ", or " IN_THE_TREE
                 " where that is not there, when not given"},
                {"web.listen-address", FLAG_STRINGS, &to->listen_addresses, ":9877", "ADDRESS",
                 "where to serve metrics: host:port or unix:/path; may be given again"},
                DAEMON_FLAGS(to),
                {"web.enable-lifecycle", FLAG_SWITCH, &arguments.enable_lifecycle, NULL, NULL,
                 "let POST /-/reload read the files again, as SIGHUP always does"},
                {"web.external-url", FLAG_STRING, &arguments.external_url, NULL, "URL",
                 "where people reach it, behind a proxy say: its name is taken as ours, and alerts link "
                 "there"},
                {"state.directory", FLAG_STRING, &arguments.state_directory, NULL, "DIRECTORY",
                 "where to keep what outlives a restart: how far logs were read, the pings of jobs, and how "
                 "checks stood"},
                {"dir", FLAG_STRING, &arguments.directory, NULL, "DIRECTORY",
                 "with dashboards and init: where to write them; init writes here when not given"},
                {"schema", FLAG_STRING, &arguments.schema, "classic", "SCHEMA",
                 "with dashboards: classic, which every Grafana reads, or v2, resources of the API of "
                 "Grafana 13"},
                {"look", FLAG_STRINGS, &arguments.look, NULL, "PLACE",
                 "with init: look there, too: host:port, a URL, \"host=… dbname=… user=…\", "
                 "redis://host:port, "
                 "s3://BUCKET or a directory; may be given again"},
                {"diff", FLAG_SWITCH, &arguments.diff, NULL, NULL,
                 "with init: write nothing, and tell what is new and what is gone against --config.file; "
                 "exit 1 "
                 "when something is"},
                {"once", FLAG_STRING, &arguments.once, NULL, "FILE",
                 "run every check once, write the metrics to FILE (for a textfile collector; - is stdout), "
                 "and end"},
                {"run-at-start", FLAG_SWITCH, &arguments.run_at_start, "true", NULL,
                 "run every check once, in the background, when it is new; without it none runs before it is "
                 "asked for, as where /probe and collect[] alone are scraped"},
                {"json", FLAG_SWITCH, &arguments.json, NULL, NULL, "with checklist and capacity: print JSON"},
                {"all", FLAG_SWITCH, &arguments.all, NULL, NULL,
                 "with checklist: run every check, not the steps alone"},
                {"twins", FLAG_SWITCH, &arguments.twins, NULL, NULL,
                 "with alerts: each twice, to act upon (stage=\"act\") and to page by (stage=\"page\")"},
                SANDBOX_FLAG(&arguments.sandbox,
                             "give up what measuring never needs: auto (as the kernel can), require, or off"),
                {"workers", FLAG_STRING, &arguments.workers, "0", "NUMBER",
                 "most threads that run checks; 0: one for each check"},
                {"url", FLAG_STRING, &arguments.url, "http://127.0.0.1:9877", "URL",
                 "healthy: of the exporter that is asked"},
                DOCKER_ACCESS_FLAGS(&arguments),
                PROGRAM_FLAGS(&arguments.program),
                {0},
        };
        const struct program program = {
                .name = PROGRAM,
                .summary = "Health checks of a runbook as Prometheus metrics.",
                .flags = flags,
                .commands = commands,
                .common = &arguments.program,
                .arguments = &arguments,
                .check = check_arguments,
                .help = check_kinds_list,
        };
        return program_main(&program, argc, argv);
}
