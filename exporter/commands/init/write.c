/* SPDX-License-Identifier: Apache-2.0 */
/* The files, from what was found. */
#include <string.h>

#include "exporter/commands/init/init.h"

#define COMMENT_MAX 400 /* of what peers have said: the rest is cut */

static void put_comment(struct text *text, const char *indent, const char *comment)
{
        _cleanup_text_ struct text line = {0};
        text_put_line(&line, comment, COMMENT_MAX);
        for (char *c = line.data; c && *c; c++) /* a tab is none of YAML's blanks */
                if (*c == '\t')
                        *c = ' ';
        text_printf(text, "%s# %s\n", indent, text_string(&line));
}

static void put_indented(struct text *text, const char *indent, const char *lines)
{
        while (*lines) {
                size_t length = strcspn(lines, "\n") + 1;
                text_puts(text, indent);
                text_append(text, lines, length);
                lines += length;
        }
}

void init_put_check(const struct proposal *one, struct text *text)
{
        put_comment(text, "  ", one->why);
        text_printf(text, "  - name: %s\n", one->name);
        put_indented(text, "    ", one->body);
}

void init_put_checks(const struct proposals *proposals, struct text *text)
{
        const char *topic = "";
        text_puts(text, "# Written by `runbook_exporter init` from what it found here. It is yours: it is "
                        "never written again, and\n"
                        "# `runbook_exporter init --diff` tells what has come and gone since. What each key "
                        "takes: docs/checks.md.\n"
                        "defaults:\n"
                        "  timeout: 5s\n\n"
                        "checks:\n");
        for (size_t i = 0; i < proposals->count; i++) {
                const struct proposal *one = &proposals->items[i];
                if (one->dropped)
                        continue;
                if (!string_equal(topic, one->topic))
                        text_printf(text, "  # ---- %s ----\n\n", topic = one->topic);
                init_put_check(one, text);
                text_putc(text, '\n');
        }
}

static void put_url(struct text *text, const char *key, const char *url)
{
        if (!url)
                return;
        text_printf(text, "%s: ", key);
        text_put_json(text, url);
        text_putc(text, '\n');
}

static bool has_check(const struct proposals *proposals, const char *name)
{
        for (size_t i = 0; i < proposals->count; i++)
                if (!proposals->items[i].dropped && string_equal(proposals->items[i].name, name))
                        return true;
        return false;
}

void init_put_remediations(const struct proposals *proposals, struct text *text)
{
        const struct surroundings *around = &proposals->around;
        text_puts(text, "# Written by `runbook_exporter init` from what it found here. It is yours: it is "
                        "never written again.\n"
                        "# Nothing is done by it yet: each incident says what would have been done. Take "
                        "`dry_run: true`\n"
                        "# away from the remediations that you have come to trust, or write `approval: true` "
                        "there, and be asked.\n");
        if (around->project && has_check(proposals, "services")) {
                text_puts(text, "docker: {host: ");
                text_put_json(text, around->docker_host);
                text_puts(text, ", project: ");
                text_put_json(text, around->project);
                text_puts(text, "}\n");
        }
        text_puts(text, "\n# Who is told: the log, until you name somebody who reads it at night "
                        "(docs/actions.md has the formats).\n"
                        "receivers:\n"
                        "  - {name: oncall, format: log}\n"
                        "escalate_to: oncall\n\n");
        put_url(text, "prometheus_url", around->prometheus_url);
        put_url(text, "exporter_url", "http://localhost:9877");
        put_url(text, "alertmanager_url", around->alertmanager_url);
        text_puts(text, "\nremediations:\n");
        if (!around->project || !has_check(proposals, "services")) {
                text_puts(text, "  # No services of Compose were found. This one only looks how much memory "
                                "is free.\n"
                                "  - name: memory\n"
                                "    dry_run: true\n"
                                "    match: ['alertname=\"system_warns\"']\n"
                                "    steps:\n"
                                "      - host.memory: {}\n");
                return;
        }
        text_puts(text, "  # A service of which nothing runs: its logs are kept, and it is started anew, "
                        "once in a quarter of an hour.\n"
                        "  # The alert is the one that alerts.yml has of the check `services`.\n"
                        "  - name: service_down\n"
                        "    dry_run: true\n"
                        "    match: ['alertname=\"services_beyond_limit\"', 'service=~\"");
        text_puts(text, text_string(&around->services));
        text_puts(text,
                  "\"']\n"
                  "    cooldown: 15m\n"
                  "    limit: 3 per 1d\n"
                  "    lock: service/${labels.service}\n"
                  "    steps:\n"
                  "      - docker.logs: {services: [\"${labels.service}\"], tail: 1000}\n"
                  "        essential: no\n"
                  "      - docker.restart: {service: \"${labels.service}\", wait_healthy: 60s}\n"
                  "        timeout: 2m\n"
                  "      - notify: {to: oncall, text: \"${labels.service} was down, and was restarted\"}\n"
                  "        essential: no\n");
        if (around->prometheus_url)
                text_puts(text, "    verify:\n"
                                "      query: "
                                "runbook_docker_service_replicas_running{service=\"${labels.service}\"} > 0\n"
                                "      for: 30s\n"
                                "      within: 5m\n");
}
