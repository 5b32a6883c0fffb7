/* SPDX-License-Identifier: Apache-2.0 */
#include "responder/commands/alertmanager_config.h"

#include "responder/remediation/remediation.h"
#include <errno.h>

#include "runbook/http_client.h"
#include "runbook/mail.h"
#include "runbook/program.h"

#define PROGRAM "runbook_responder"
#define URL "http://127.0.0.1:9878"
#define TOKEN "../var/tokens/alerts"

/* What amtool refuses: whoever is called has to be written in its place. */
#define TO_BE_FILLED_IN "FILL IN WHO IS CALLED"

/* A page waits this long for its lease: for the act's group_wait or group_interval, one renewal, and then
 * some; and it comes no later than so long after that has ended. */
static const char *const act_waits = "      group_wait: 5s\n      group_interval: 30s\n";
static const char *const page_waits = "      group_by: ['...']  # each page is waited for by itself\n"
                                      "      group_wait: 90s\n      group_interval: 1m\n";

/* A scalar in single quotes, as YAML has them. */
static void put_quoted(struct text *text, const char *value)
{
        text_putc(text, '\'');
        for (; *value; value++)
                text_puts(text, *value == '\'' ? "''" : (const char[]){*value, '\0'});
        text_putc(text, '\'');
}

/* `matchers: [...]` of a remediation, and one more; NULL: none. */
static void put_matchers(struct text *text, const struct remediation *remediation, const char *more)
{
        _cleanup_text_ struct text lines = {0};
        const char *between = "";
        char *rest = NULL;
        matchers_print(&remediation->match, &lines);
        _cleanup_free_ char *copy = strdup(text_string(&lines));
        if (!copy || text_error(&lines) < 0)
                text->error = -ENOMEM;
        text_puts(text, "      matchers: [");
        for (char *line = copy ? strtok_r(copy, "\n", &rest) : NULL; line;
             line = strtok_r(NULL, "\n", &rest)) {
                text_puts(text, between);
                put_quoted(text, line);
                between = ", ";
        }
        if (more) {
                text_puts(text, between);
                put_quoted(text, more);
        }
        text_puts(text, "]\n");
}

/* With twins: who acts, who is paged. Without: as it always was. */
static void put_routes(struct text *text, const struct remediation *remediation)
{
        text_printf(text, "    # %s\n", remediation->name);
        if (remediation_asks_about_stage(remediation)) {
                text_puts(text, "    - receiver: runbook\n");
                put_matchers(text, remediation, NULL);
                return;
        }
        text_puts(text, "    - receiver: runbook\n");
        put_matchers(text, remediation, ALERT_LABEL_STAGE "!=\"" ALERT_STAGE_PAGE "\"");
        text_puts(text, act_waits);
        text_puts(text, "    - receiver: person\n");
        put_matchers(text, remediation, ALERT_LABEL_STAGE "=\"" ALERT_STAGE_PAGE "\"");
        text_puts(text, page_waits);
}

static void put_route(struct text *text, const struct remediation_set *set)
{
        text_puts(
                text,
                "route:\n"
                "  # What no remediation is for, and what tells that the exporter, the responder or a check "
                "is down.\n"
                "  receiver: person\n"
                "  group_by: [alertname, service]\n"
                "  group_wait: 10s\n"
                "  group_interval: 1m\n");
        char repeat[DURATION_TEXT_MAX];
        text_printf(text, "  repeat_interval: %s  # the same figure stands in remediations.yml\n",
                    duration_format(set->targets.repeat_interval, repeat));
        text_puts(text,
                  "  routes:\n"
                  "    # The responder's own word that it is at it: nobody is told, it holds the page back.\n"
                  "    - receiver: nobody\n"
                  "      matchers: ['" ALERT_LABEL_STAGE "=\"" ALERT_STAGE_ACTING "\"']\n");
        for (size_t i = 0; i < set->count; i++)
                put_routes(text, &set->remediations[i]);
        text_puts(text, "    # Nothing answers to it: its twin has reached a person, who is not waited for.\n"
                        "    - receiver: nobody\n"
                        "      matchers: ['" ALERT_LABEL_STAGE "=\"" ALERT_STAGE_ACT "\"']\n\n");
}

/* A key of the person's receiver that is kept in a file, or stands to be filled in. */
static void put_secret(struct text *text, const char *key, const struct secret *secret)
{
        if (secret->file) {
                text_printf(text, "%s_file: ", key);
                put_quoted(text, secret->file);
        } else {
                text_printf(text, "%s: \"" TO_BE_FILLED_IN "\"", key);
        }
        text_putc(text, '\n');
}

/* What the page says: what it is, and where it stands what was tried about it. */
static void put_words(struct text *text, const char *key, const struct remediation_set *set)
{
        _cleanup_text_ struct text url = {0};
        text_printf(text, "        %s: '{{ range .Alerts }}{{ .Annotations.summary }}{{ \"\\n\" }}{{ end }}",
                    key);
        if (set->external_url && !strchr(set->external_url, '\'')) {
                http_put_url(&url, set->external_url, "/incidents?q={{ urlquery .CommonLabels.alertname }}");
                text_printf(text, "What was tried: %s", text_string(&url));
        }
        text_puts(text, "'\n");
}

static void put_mail(struct text *text, const struct receiver *receiver, const struct remediation_set *set)
{
        const char *between = "";
        text_puts(text, "    email_configs:\n      - to: '");
        for (size_t i = 0; i < receiver->to.count; i++) {
                text_printf(text, "%s%s", between, receiver->to.items[i]);
                between = ", ";
        }
        text_puts(text, "'\n        from: ");
        put_quoted(text, receiver->from);
        text_puts(text, "\n        smarthost: ");
        put_quoted(text, receiver->smtp);
        text_printf(text, "\n        require_tls: %s\n",
                    receiver->tls == MAIL_TLS_STARTTLS ? "true" : "false");
        if (receiver->username && *receiver->username) {
                text_puts(text, "        auth_username: ");
                put_quoted(text, receiver->username);
                text_puts(text, "\n        ");
                put_secret(text, "auth_password", &receiver->password);
        }
        text_puts(text, "        send_resolved: true\n"
                        "        html: ''  # as text, whatever it is read with\n");
        put_words(text, "text", set);
}

static void put_person(struct text *text, const struct remediation_set *set)
{
        const struct receiver *receiver = receiver_is_nobody(set->escalate_to)
                                                  ? NULL
                                                  : target_set_receiver(&set->targets, set->escalate_to);
        int format = receiver ? receiver->format : RECEIVER_FORMAT_LOG;
        text_puts(text, "  - name: person\n");
        if (format == RECEIVER_FORMAT_EMAIL) {
                put_mail(text, receiver, set);
                return;
        }
        if (format == RECEIVER_FORMAT_PAGERDUTY) {
                text_puts(text, "    pagerduty_configs:\n      - ");
                put_secret(text, "routing_key", &receiver->routing_key);
                put_words(text, "description", set);
                return;
        }
        /* What of ours Alertmanager has no receiver for is to be filled in, as Slack or anything else. */
        static const struct secret unknown = {0};
        text_puts(text, "    slack_configs:\n      - ");
        put_secret(text, "api_url", format == RECEIVER_FORMAT_SLACK ? &receiver->url : &unknown);
        text_puts(text, "        send_resolved: true\n"
                        "        title: '{{ .Status }}: {{ .CommonLabels.alertname }}'\n");
        put_words(text, "text", set);
}

static void put_receivers(struct text *text, const struct responder_arguments *arguments,
                          const struct remediation_set *set)
{
        text_puts(text,
                  "receivers:\n  - name: nobody\n  - name: runbook\n    webhook_configs:\n      - url: ");
        _cleanup_text_ struct text url = {0};
        http_put_url(&url, arguments->remote.url ? arguments->remote.url : URL, "/api/v1/alerts");
        put_quoted(text, text_string(&url));
        text_puts(
                text,
                "\n        send_resolved: true\n"
                "        max_alerts: 0  # a limit would drop alerts for good\n"
                "        # The responder makes this token at its first start; Alertmanager has to be able to "
                "read it.\n"
                "        http_config: {authorization: {credentials_file: ");
        put_quoted(text, arguments->remote.token_file ? arguments->remote.token_file : TOKEN);
        text_puts(text, "}}\n");
        put_person(text, set);
}

/* The lease holds back the one page that is of the same name, and no other. */
static void put_inhibition(struct text *text, const struct remediation_set *set)
{
        const char *name;
        text_puts(text,
                  "\n# The page waits while the responder is at it.\ninhibit_rules:\n"
                  "  - source_matchers: ['" ALERT_LABEL_STAGE "=\"" ALERT_STAGE_ACTING "\"']\n"
                  "    target_matchers: ['" ALERT_LABEL_STAGE "=\"" ALERT_STAGE_PAGE "\"']\n    equal: [");
        for (size_t i = 0; (name = target_set_twin_label(&set->targets, i)); i++)
                text_printf(text, "%s%s", i == 0 ? "" : i % 10 == 0 ? ",\n            " : ", ", name);
        text_puts(text, "]\n");
}

int command_alertmanager_config(const void *context)
{
        const struct responder_arguments *arguments = context;
        _cleanup_error_ struct error error = {0};
        _cleanup_text_ struct text text = {0};
        struct remediation_set *set = NULL;
        if (remediation_set_load(arguments->daemon.config_file, &set, &error) < 0)
                return program_complain(PROGRAM, &error);
        text_printf(
                &text,
                "# Written by `runbook_responder alertmanager-config` from %s: to be written anew when that\n"
                "# changes. `amtool check-config` says what is still to be filled in.\n",
                arguments->daemon.config_file);
        put_route(&text, set);
        put_receivers(&text, arguments, set);
        put_inhibition(&text, set);
        remediation_set_free(set);
        return program_print(&text);
}
