/* SPDX-License-Identifier: Apache-2.0 */
/* GET /: what a person sees first: is it paused, and what has happened lately. Plain HTML, nothing else. */
#include "responder/web/internal.h"

#define INCIDENTS_SHOWN 50

static const char head[] =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>runbook_responder</title>\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n<style>\n"
        "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 "
        "1rem;color:#1d2329}\n"
        "h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}\n"
        "table{border-collapse:collapse;width:100%}\n"
        "th,td{text-align:left;padding:.35rem .8rem .35rem 0;border-bottom:1px solid "
        "#dfe3e8;vertical-align:top}\n"
        "th{font-weight:600}code{font-size:.9em}nav a{margin-right:1rem}\n"
        ".banner{padding:.6rem 1rem;margin:1rem 0;border-radius:6px;background:#fff3d6;border:1px solid "
        "#e0b040}\n"
        ".healed{color:#176f3d}.escalated,.failed,.not_healed,.expired{color:#b3261e}\n"
        ".held,.awaiting_approval{color:#8a5a00}.running,.verifying{color:#1257a8}\n"
        "</style></head><body>\n<h1>runbook_responder</h1>\n";

static void put_labels(struct text *page, const struct config_map *labels)
{
        for (size_t i = 0; i < labels->count; i++) {
                text_puts(page, i > 0 ? " <code>" : "<code>");
                text_put_html(page, labels->keys[i]);
                text_puts(page, "=");
                text_put_html(page, labels->values[i]);
                text_puts(page, "</code>");
        }
}

static void put_time(struct text *page, nsec wall)
{
        char time[TIME_TEXT_MAX];
        text_puts(page, "<td>");
        if (wall != 0)
                text_puts(page, time_format(wall, time));
        text_puts(page, "</td>");
}

static void put_incident(struct text *page, const struct incident *incident)
{
        const char *state = incident_state_name(incident->state);
        char time[TIME_TEXT_MAX];
        text_printf(page, "<tr><td><a href=\"/api/v1/incidents/%s\">%s</a></td><td>", incident->number,
                    incident->number);
        text_put_html(page, incident->remediation);
        text_printf(page, "</td><td class=\"%s\">%s", state, state);
        if (incident->state == INCIDENT_HELD && incident->guard)
                text_printf(page, " by %s", incident->guard);
        if (incident->state == INCIDENT_HELD && incident->guard_until != 0)
                text_printf(page, " until %s", time_format(incident->guard_until, time));
        text_puts(page, "</td><td>");
        put_labels(page, &incident->alert.labels);
        text_puts(page, "</td>");
        put_time(page, incident->opened_at);
        put_time(page, incident->ended_at);
        text_puts(page, "</tr>\n");
}

static void put_incidents(struct text *page, struct journal *journal)
{
        struct incident_list list = {0};
        _cleanup_error_ struct error error = {0};
        text_puts(page, "<h2>Incidents</h2>\n");
        if (journal_list(journal, INCIDENT_UNCHANGED, 0, INCIDENTS_SHOWN, &list, &error) < 0) {
                text_puts(page, "<p>The journal cannot be read: ");
                text_put_html(page, error_text(&error));
                text_puts(page, "</p>\n");
                return;
        }
        if (list.count == 0)
                text_puts(page, "<p>None so far.</p>\n");
        else
                text_puts(page, "<table><tr><th>Incident</th><th>Remediation</th><th>State</th><th>Alert</th>"
                                "<th>Opened</th><th>Ended</th></tr>\n");
        for (size_t i = 0; i < list.count; i++)
                put_incident(page, &list.items[i]);
        if (list.count > 0)
                text_puts(page, "</table>\n");
        incident_list_release(&list);
}

static void put_remediations(struct text *page, const struct remediation_set *set)
{
        text_puts(page, "<h2>Remediations</h2>\n<table><tr><th>Name</th><th>Steps</th></tr>\n");
        for (size_t i = 0; i < set->count; i++) {
                const struct remediation *remediation = &set->remediations[i];
                text_puts(page, "<tr><td>");
                text_put_html(page, remediation->name);
                text_puts(page, "</td><td>");
                for (size_t k = 0; k < remediation->step_count; k++)
                        text_printf(page, "%s<code>%s</code>", k > 0 ? " → " : "",
                                    remediation->steps[k].action->name);
                text_puts(page, remediation->approval ? " (after approval)</td></tr>\n" : "</td></tr>\n");
        }
        text_puts(page, "</table>\n");
}

void api_landing(struct api *api, struct http_exchange *exchange)
{
        const struct incident_parts *parts = &api->options.parts;
        struct text page = {0};
        bool paused = false;
        nsec since = 0;
        char time[TIME_TEXT_MAX];

        text_puts(&page, head);
        text_puts(&page, "<p>Version " RUNBOOK_VERSION "</p>\n<nav><a href=\"/api/v1/incidents\">API</a>"
                         "<a href=\"/api/v1/status\">Status</a><a href=\"/metrics\">Metrics</a></nav>\n");
        if (parts->dry_run)
                text_puts(&page, "<p class=\"banner\">Dry run: plans are made and written down, nothing is "
                                 "done.</p>\n");
        if (journal_paused(parts->journal, &paused, &since, NULL) >= 0 && paused)
                text_printf(&page, "<p class=\"banner\">Paused since %s: no remediation begins.</p>\n",
                            time_format(since, time));
        put_incidents(&page, parts->journal);
        put_remediations(&page, parts->set);
        text_puts(&page, "</body></html>\n");
        if (text_error(&page) < 0) {
                text_free(&page);
                http_reply_text(exchange, 500, "out of memory");
                return;
        }
        http_reply(exchange, 200, HTTP_TYPE_HTML, &page);
}
