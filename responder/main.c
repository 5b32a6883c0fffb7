/* SPDX-License-Identifier: Apache-2.0 */
/* runbook_responder: alerts set off remediations; what they did is journaled and verified. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "responder/by_hand.h"
#include "responder/commands/alertmanager_config.h"
#include "responder/commands/arguments.h"
#include "responder/commands/coverage.h"
#include "responder/commands/describe.h"
#include "responder/commands/docker_access.h"
#include "responder/commands/incidents.h"
#include "responder/commands/init_access.h"
#include "responder/commands/simulate.h"
#include "responder/commands/states.h"
#include "responder/commands/verify.h"
#include "responder/doors.h"
#include "responder/edition.h"
#include "responder/enclosure.h"
#include "responder/journal/key.h"
#include "responder/web/web.h"
#include "runbook/docker_access.h"
#include "runbook/http_client.h"
#include "runbook/log.h"

#define PROGRAM "runbook_responder"
#define INSTALLED "/etc/runbook/remediations.yml"
#define IN_THE_TREE "rules/remediations.yml"
#define STOP_PATIENCE (25 * NSEC_PER_SEC) /* for steps that are under way */

/* The parts, in the order they are started; stopped in reverse. */
struct responder {
        const struct responder_arguments *arguments;
        struct enclosure enclosure;
        struct production *production;
        struct incident_parts parts; /* of the start: a later edition is the engine's to tell */
        struct engine *engine;
        struct api *api;
        char *address; /* for people, where the file does not say it */
        char host[HOST_NAME_MAX + 1];
        struct reloads reloads;
        struct doors doors;
        struct key_file key;
};

/* Where people on this machine reach it: by the first port that it listens on. NULL: by none. */
static char *find_address(const char *const *listens)
{
        for (; *listens; listens++) {
                const char *port = strrchr(*listens, ':');
                if (string_starts(*listens, "unix:") || !port)
                        continue;
                bool everywhere = port == *listens || string_starts(*listens, "0.0.0.0:") ||
                                  string_starts(*listens, "[::]:");
                return everywhere ? text_format("http://localhost%s", port)
                                  : text_format("http://%s", *listens);
        }
        return NULL;
}

static int enter_sandbox(struct responder *responder, bool authenticates, struct error *error)
{
        const struct enclosure_places places = {
                .journal = responder->arguments->journal,
                .tokens = authenticates ? NULL : responder->doors.tokens,
                .new_key = responder->key.beside,
                .addresses = responder->doors.addresses,
        };
        return enclosure_enter(&responder->enclosure, &places, error);
}

/* As the file stands now, when that is within what was given up. */
static int load_edition(struct responder *responder, struct incident_parts *parts, struct error *error)
{
        struct incident_parts read = *parts;
        int r = edition_load(responder->arguments->daemon.config_file, responder->production, &read, error);
        if (r < 0)
                return r;
        r = enclosure_admit(&responder->enclosure, read.set->targets.evidence_directory, error);
        if (r < 0)
                edition_drop(&read);
        else
                *parts = read;
        return r;
}

/* What the parts share, and what outlives every edition of the configuration. */
static int make_parts(struct responder *responder, struct error *error)
{
        const struct responder_arguments *arguments = responder->arguments;
        struct incident_parts *parts = &responder->parts;
        parts->dry_run = arguments->dry_run;
        parts->external_url = arguments->external_url;
        parts->address = responder->address = find_address(daemon_listen_addresses(&arguments->daemon));
        if (gethostname(responder->host, sizeof(responder->host) - 1) == 0)
                parts->host = responder->host;
        int r = http_client_global_init(error);
        if (r >= 0)
                r = production_new(&responder->production, error);
        if (r >= 0)
                r = load_edition(responder, parts, error);
        if (r >= 0 && !(parts->meters = meters_new()))
                r = error_oom(error);
        if (r >= 0)
                r = journal_open(arguments->journal, &responder->key.key,
                                 production_machine(responder->production), &parts->journal, error);
        if (r >= 0)
                r = key_settle(&responder->key, error);
        if (r < 0)
                edition_drop(parts);
        return r;
}

/* The file read again, whole or not at all; one at a time, which the caller sees to. */
static int read_again(void *context, struct error *error)
{
        struct responder *responder = context;
        const struct daemon_arguments *arguments = &responder->arguments->daemon;
        struct incident_parts parts = responder->parts;
        int r = daemon_check_web(arguments->web_config_file, error);
        if (r >= 0)
                r = load_edition(responder, &parts, error);
        if (r >= 0)
                engine_adopt(responder->engine, &parts);
        return r;
}

static int start_parts(void *context, struct error *error)
{
        struct responder *responder = context;
        const struct responder_arguments *arguments = responder->arguments;
        struct doors *doors = &responder->doors;
        int r = doors_find(arguments->journal, arguments->tokens, arguments->operator_socket,
                           arguments->daemon.web_config_file, daemon_listen_addresses(&arguments->daemon),
                           doors, error);
        if (r < 0)
                return r;
        struct api_options api = {
                .listen_addresses = doors->addresses,
                .web_config_file = arguments->daemon.web_config_file,
                .operators = arguments->operators,
                .senders = arguments->senders,
                .token_directory = doors->tokens,
                .anybody_local_may_act = arguments->anybody_local_may_act,
                .reloads = &responder->reloads,
                .enable_lifecycle = arguments->enable_lifecycle,
                .external_url = arguments->external_url,
                .coverage = {arguments->families, arguments->for_person, arguments->alerts.items},
                .sandbox = &responder->enclosure.sandbox,
        };
        reloads_init(&responder->reloads, arguments->daemon.config_file, read_again, responder);
        r = api_check_access(&api, error);
        if (r >= 0)
                r = enclosure_read(&responder->enclosure, arguments->daemon.config_file, error);
        if (r >= 0)
                r = key_make(arguments->journal, arguments->journal_key, &responder->key, error);
        responder->key.key.as_it_is = arguments->seal_as_it_is;
        if (r >= 0)
                r = enter_sandbox(responder, api.must_authenticate, error);
        if (r >= 0)
                r = make_parts(responder, error);
        if (r >= 0)
                r = doors_show(doors, api.must_authenticate, error);
        responder->parts.shown_here = api.anybody_local_may_act ? NULL : doors->shown_here;
        responder->parts.shown_outside =
                api.must_authenticate ? "--user 'YOUR NAME'" : "-H \"Authorization: Bearer $OPERATOR_TOKEN\"";
        if (r >= 0)
                r = engine_start(&responder->parts, &responder->engine, error);
        if (r < 0)
                return r;
        api.engine = responder->engine;
        api.parts = responder->parts;
        r = api_start(&api, &responder->api, error);
        if (r >= 0)
                r = enclosure_seal(&responder->enclosure, error);
        _cleanup_text_ struct text addresses = {0};
        daemon_put_addresses(&arguments->daemon, &addresses);
        if (r >= 0)
                log_event(LOG_INFO, "Listening", "version", RUNBOOK_VERSION, "address",
                          text_string(&addresses), "config", arguments->daemon.config_file, "journal",
                          arguments->journal, "tokens", api.must_authenticate ? NULL : doors->tokens,
                          "operator_socket", doors->socket, "dry_run", arguments->dry_run ? "true" : NULL,
                          NULL);
        return r;
}

static void reload_parts(void *context)
{
        struct responder *responder = context;
        _cleanup_error_ struct error error = {0};
        reloads_run(&responder->reloads, &error);
}

static void stop_parts(void *context)
{
        struct responder *responder = context;
        api_stop(responder->api);
        if (engine_stop(responder->engine, deadline_in(STOP_PATIENCE))) {
                /* Whatever it stands on may still be touched; the journal knows that the step had started. */
                log_event(LOG_WARN,
                          "Stopping although a step is still running: it is taken up at the next start",
                          NULL);
                _exit(EXIT_FINE);
        }
        journal_close(responder->parts.journal);
        production_free(responder->production);
        meters_free(responder->parts.meters);
        free(responder->address);
        doors_release(&responder->doors);
        key_release(&responder->key);
        enclosure_release(&responder->enclosure);
}

static int run_serve(const void *context)
{
        static const struct daemon daemon = {PROGRAM, start_parts, reload_parts, stop_parts};
        const struct responder_arguments *arguments = context;
        struct responder responder = {
                .arguments = arguments,
                .enclosure = {.sandbox = {.mode = arguments->sandbox}},
        };
        return daemon_serve(&daemon, &responder);
}

static int read_config(const void *context, struct text *verdict, struct error *error)
{
        const struct responder_arguments *arguments = context;
        struct remediation_set *set = NULL;
        int r = remediation_set_load(arguments->daemon.config_file, &set, error);
        if (r < 0)
                return r;
        text_printf(verdict, "%s: %zu remediations, no mistakes%s\n", arguments->daemon.config_file,
                    set->count, set->doubts ? ", but doubts:" : "");
        if (set->doubts)
                text_printf(verdict, "%s\n", set->doubts);
        remediation_set_free(set);
        return 0;
}

static int run_check(const void *context)
{
        const struct responder_arguments *arguments = context;
        return daemon_check(arguments->daemon.web_config_file, read_config, arguments);
}

static int run_describe(const void *context _unused_)
{
        _cleanup_text_ struct text text = {0};
        describe_remediations(&text);
        return program_print(&text);
}

static int run_states(const void *context _unused_)
{
        _cleanup_text_ struct text text = {0};
        describe_states(&text);
        return program_print(&text);
}

/* Flags of the daemon itself. */
#define SERVING                                                                                   \
        TAKES(DAEMON_TAKES, "web.operators", "web.senders", "web.tokens", "web.operator-socket",  \
              "web.anybody-local-may-act", "web.enable-lifecycle", "web.external-url", "journal", \
              "journal.key", "journal.seal-as-it-is", "dry-run", "sandbox", "families", "alerts", \
              "for-person")
/* Flags of what asks a responder that runs, and of who decides. */
#define ASKING                                                                            \
        "url", "token-file", "user", "password-file", "ca-file", "cert-file", "key-file", \
                "web.operator-socket", "journal", "json"
#define LISTING ASKING, "remediation", "since", "limit"
#define DECIDING ASKING, "by", "reason"
static const struct command commands[] = {
        {"incidents", NULL, "list what goes on, oldest first", TAKES(LISTING), command_incidents},
        {"history", NULL, "list the incidents that have ended, newest first", TAKES(LISTING, "state"),
         command_history},
        {"incident", "NUMBER", "show an incident with its steps and timeline", TAKES(ASKING),
         command_incident},
        {"report", "NUMBER", "write the report of an incident, for after it, in Markdown or as --html",
         TAKES(ASKING, "html", "journal.key"), command_report},
        {"approve", "NUMBER", "let an incident run that awaits approval", TAKES(DECIDING, "plan"),
         command_approve},
        {"deny", "NUMBER", "do not let it run", TAKES(DECIDING), command_deny},
        {"cancel", "NUMBER", "end an incident: at once while it waits, or at the end of its step",
         TAKES(DECIDING), command_cancel},
        {"undo", "NUMBER", "put back what an incident that has ended has changed, as far as it can be",
         TAKES(DECIDING), command_undo},
        {"ack", "NUMBER",
         "say that somebody is at it: what was still to be told of it is not called out again",
         TAKES(DECIDING), command_ack},
        {"take", "NUMBER",
         "have it in hand: nothing more is begun for it, nor for others under its lock, until it is given "
         "back",
         TAKES(DECIDING), command_take},
        {"give-back", "NUMBER",
         "let the responder go on with what was taken, or is held because a person was seen at it",
         TAKES(DECIDING), command_give_back},
        {"deliveries", NULL, "list the messages that nobody has received, and why; exit 1 when there are any",
         TAKES(ASKING), command_deliveries},
        {"resend", "NUMBER", "send again what nobody has received of an incident", TAKES(DECIDING),
         command_resend},
        {"remediations", NULL, "list how far each remediation goes by itself, its steps and what came of it",
         TAKES(ASKING), command_remediations},
        {"guards", NULL, "tell what each guard says now of each remediation, were its alert to come",
         TAKES(ASKING), command_guards},
        {"run", "REMEDIATION",
         "have a remediation run by hand, for the labels of an alert, guarded and verified as for any alert",
         TAKES(DECIDING, "label"), command_run},
        {"pause", NULL, "pull the kill switch: nothing is begun any more", TAKES(DECIDING), command_pause},
        {"resume", NULL, "end the pause", TAKES(DECIDING), command_resume},
        {"maintenance", NULL,
         "begin a maintenance, in which nothing is begun and Alertmanager silences what the file says: "
         "--for=30m "
         "--reason=…; or --end it",
         TAKES(DECIDING, "for", "end"), command_maintenance},
        {"targets", NULL,
         "tell whether all that it acts on and asks answers, as of a minute ago at most; exit 1 when "
         "something does not",
         TAKES(ASKING), command_targets},
        {"plan", NULL,
         "print what each step would do right now about an alert, what guards would say, and which "
         "remediations it does "
         "not set off; change nothing",
         TAKES(ASKING, "config.file", "alert", "label"), run_plan},
        {"simulate", NULL,
         "rehearse the file on the alerts that were: what would have acted when, and what each guard would "
         "have held; exit 1 when --against another file something differs that is not --expect'ed",
         TAKES("config.file", "since", "limit", "webhooks", "from-journal", "journal", "journal.key", "step",
               "against", "expect", "json"),
         command_simulate},
        {"test", "FILE…",
         "run the tests of files such as remediations_test.yml: what is set off, held, asked and done, "
         "rehearsed; "
         "exit 1 when something comes otherwise",
         TAKES_NOTHING, command_test},
        {"coverage", NULL,
         "tell which alerts, remediations and verifications go with which checks; exit 1 when there is a gap",
         TAKES("config.file", "families", "alerts", "for-person"), command_coverage},
        {"docker-access", NULL,
         "print a configuration for HAProxy: it lets through to Docker's Engine what the steps of the "
         "remediations need, and no other call",
         TAKES("config.file", "listen", "engine"), command_docker_access},
        {"alertmanager-config", NULL,
         "print a configuration for Alertmanager: what the remediations answer to goes to the responder, "
         "whose "
         "page waits "
         "meanwhile, and everything else to a person",
         TAKES("config.file", "url", "token-file"), command_alertmanager_config},
        {"doctor", NULL,
         "try every target, verification and secret, and change nothing; exit 1 when one is broken",
         TAKES("config.file", "journal"), run_doctor},
        {"healthy", NULL,
         "tell by the exit status whether the responder at --url answers, for a container's health check",
         TAKES("url"), command_healthy},
        {"init-access", "DIRECTORY",
         "make users, passwords and a certificate, for who asks from another machine or a container: a new "
         "DIRECTORY with the daemons' web configuration and the lines for Prometheus and Alertmanager",
         TAKES("name", "mounted"), command_init_access},
        {"verify", NULL,
         "check the chain of hashes and the seals of the journal, also while a responder has it open",
         TAKES("journal", "journal.key", "head"), command_verify},
        {"backup", "FILE",
         "copy the journal into a new FILE that stands alone, also while a responder has it open",
         TAKES("journal", "journal.key"), command_backup},
        {"export", NULL,
         "print the journal's incidents whole, oldest first, as JSON lines, and first whether it holds; also "
         "while a responder has it open",
         TAKES("journal", "journal.key", "since", "until"), command_export},
        {"describe", NULL, "print the reference of remediations.yml, in Markdown", TAKES_NOTHING,
         run_describe},
        {"states", NULL, "print the states of an incident and the ways between them, in Markdown",
         TAKES_NOTHING, run_states},
        {"--config.check", NULL, NULL, SERVING, run_check},
        {"", NULL, NULL, SERVING, run_serve},
        {0},
};

static int check_arguments(void *context, struct error *error)
{
        struct responder_arguments *arguments = context;
        daemon_settle_config(&arguments->daemon, INSTALLED, IN_THE_TREE);
        return sandbox_check_mode(arguments->sandbox, error);
}

int main(int argc, char **argv)
{
        struct responder_arguments arguments = {0};
        struct daemon_arguments *to = &arguments.daemon;
        struct remote_arguments *remote = &arguments.remote;
        const struct flag flags[] = {
                {"config.file", FLAG_STRING, &to->config_file, NULL, "FILE",
                 "which alerts set off which steps; " INSTALLED ", or " IN_THE_TREE
                 " where that is not there, when not given"},
                {"web.listen-address", FLAG_STRINGS, &to->listen_addresses, "127.0.0.1:9878", "ADDRESS",
                 "where to take alerts: host:port or unix:/path; loopback, unless there is authentication; "
                 "may be given again"},
                DAEMON_FLAGS(to),
                {"web.operators", FLAG_STRING, &arguments.operators, NULL, "USERS",
                 "who of them may approve, deny, cancel, undo, pause, resume and reload: name,name"},
                {"web.senders", FLAG_STRING, &arguments.senders, NULL, "USERS",
                 "who of them may send alerts: name,name"},
                {"web.tokens", FLAG_STRING, &arguments.tokens, NULL, "DIRECTORY",
                 "the tokens of who is not in a web configuration, made at the first start; \"tokens\" "
                 "beside the journal, when not given"},
                {"web.operator-socket", FLAG_STRING, &arguments.operator_socket, NULL, "FILE",
                 "a unix socket (0660) whose callers may decide, as commands do: the kernel says who they "
                 "are; \"operator.sock\" beside the journal, when not given"},
                {"web.anybody-local-may-act", FLAG_SWITCH, &arguments.anybody_local_may_act, NULL, NULL,
                 "let every process on this machine send alerts and decide, without a token"},
                {"web.external-url", FLAG_STRING, &arguments.external_url, NULL, "URL",
                 "where people reach the pages, when that is a proxy: https://runbook.example; goes before "
                 "external_url: of the file"},
                {"web.enable-lifecycle", FLAG_SWITCH, &arguments.enable_lifecycle, NULL, NULL,
                 "let an operator's POST /-/reload read the files again, as SIGHUP always does"},
                {"journal", FLAG_STRING, &arguments.journal, "var/journal.db", "FILE",
                 "the durable record of incidents"},
                {"journal.key", FLAG_STRING, &arguments.journal_key, NULL, "FILE",
                 "what the journal is sealed by, made at the first start; \"journal.key\" beside the "
                 "journal, when not given: elsewhere it proves more"},
                {"journal.seal-as-it-is", FLAG_SWITCH, &arguments.seal_as_it_is, NULL, NULL,
                 "start with a journal that is not as it was left, or is sealed by another key"},
                {"head", FLAG_STRING, &arguments.head, NULL, "ROWS:DIGEST",
                 "verify: that this row is still there, as a log or a metric has noted it"},
                {"dry-run", FLAG_SWITCH, &arguments.dry_run, NULL, NULL,
                 "plan every step and write the plans down, do nothing"},
                SANDBOX_FLAG(&arguments.sandbox,
                             "give up what remediations never need: auto (as the kernel can), require, or "
                             "off"),
                {"url", FLAG_STRING, &remote->url, NULL, "URL",
                 "of the responder that is asked, http://, https:// or unix:FILE; its unix socket on this "
                 "machine, else http://127.0.0.1:9878, when not given"},
                {"token-file", FLAG_STRING, &remote->token_file, NULL, "FILE",
                 "the token that is shown to it; the operator's beside the journal, when it can be read"},
                {"user", FLAG_STRING, &remote->user, NULL, "NAME", "who asks, by a password"},
                {"password-file", FLAG_STRING, &remote->password_file, NULL, "FILE", "with his password"},
                {"ca-file", FLAG_STRING, &remote->ca_file, NULL, "FILE",
                 "authorities that the responder's certificate is of, instead of the system's"},
                {"cert-file", FLAG_STRING, &remote->cert_file, NULL, "FILE",
                 "the certificate that is shown to it"},
                {"key-file", FLAG_STRING, &remote->key_file, NULL, "FILE", "with its key"},
                {"by", FLAG_STRING, &remote->by, NULL, "NAME",
                 "who decides; the name of this account, when not given, and what the responder knows "
                 "itself goes before"},
                {"reason", FLAG_STRING, &remote->reason, NULL, "TEXT", "why, for the timeline"},
                {"for", FLAG_STRING, &remote->lasts, NULL, "DURATION",
                 "how long a maintenance lasts: 30m, 2h"},
                {"end", FLAG_SWITCH, &remote->ends, NULL, NULL, "it is over"},
                {"plan", FLAG_STRING, &remote->plan, NULL, "DIGEST",
                 "what is agreed to, as `incident` and the message show it: should another plan be asked "
                 "about "
                 "by then, nothing is approved"},
                {"state", FLAG_STRING, &arguments.listing.state, NULL, "STATE",
                 "only what is in this state: healed, failed, …"},
                {"remediation", FLAG_STRING, &arguments.listing.remediation, NULL, "NAME",
                 "only incidents of this remediation"},
                {"since", FLAG_DURATION, &arguments.listing.since, NULL, "DURATION",
                 "only what was opened within it: 12h, 7d"},
                {"until", FLAG_DURATION, &arguments.listing.until, NULL, "DURATION",
                 "export: only what was opened so long ago at least"},
                {"limit", FLAG_STRING, &arguments.listing.limit, "50", "NUMBER", "as many at most"},
                {"webhooks", FLAG_STRING, &arguments.rehearsal.webhooks, NULL, "FILE",
                 "simulate: on these webhooks instead of ALERTS, a line each: {\"at\": TIME, \"webhook\": "
                 "{…}}"},
                {"from-journal", FLAG_SWITCH, &arguments.rehearsal.from_journal, NULL, NULL,
                 "simulate: the history is what the journal has heard of"},
                {"step", FLAG_DURATION, &arguments.rehearsal.step, "30s", "DURATION",
                 "simulate: how closely Prometheus is asked"},
                {"against", FLAG_STRING, &arguments.rehearsal.against, NULL, "FILE",
                 "simulate: the file of before, to tell what the new one does otherwise"},
                {"expect", FLAG_STRINGS, &arguments.rehearsal.expected, NULL, "NAME",
                 "simulate --against: a remediation that may do otherwise; may be given again"},
                {"alert", FLAG_STRING, &arguments.alert, NULL, "FILE",
                 "plan: an alert or a whole webhook as JSON; - is stdin"},
                {"label", FLAG_STRINGS, &arguments.labels, NULL, "NAME=VALUE",
                 "a label of the alert; may be given again"},
                {"families", FLAG_STRING, &arguments.families, NULL, "FILE",
                 "what `runbook_exporter families` prints; - is stdin"},
                {"alerts", FLAG_STRINGS, &arguments.alerts, "rules/prometheus.yml", "FILE",
                 "alerting rules, or the file of Prometheus that names them; may be given again"},
                {"for-person", FLAG_STRING, &arguments.for_person, "for-a-person", "GROUP",
                 "the group of rules that no remediation is to be for"},
                {"html", FLAG_SWITCH, &arguments.html, NULL, NULL, "report: as a page that stands alone"},
                {"json", FLAG_SWITCH, &arguments.json, NULL, NULL, "print JSON, for scripts"},
                DOCKER_ACCESS_FLAGS(&arguments),
                INIT_ACCESS_FLAGS(&arguments),
                PROGRAM_FLAGS(&arguments.program),
                {0},
        };
        const struct program program = {
                .name = PROGRAM,
                .summary = "Alerts set off remediations, which are journaled and verified.",
                .flags = flags,
                .commands = commands,
                .common = &arguments.program,
                .arguments = &arguments,
                .check = check_arguments,
                .help = describe_action_names,
        };
        return program_main(&program, argc, argv);
}
