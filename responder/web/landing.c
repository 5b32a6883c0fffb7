/* SPDX-License-Identifier: Apache-2.0 */
/* GET /: what a person sees first: is it paused, and what has happened lately. */
#include "responder/web/internal.h"
#include "runbook/html.h"

#define INCIDENTS_SHOWN 50

/* The colours of the states; those that call for nobody's eye have none. */
static const char *const tones[INCIDENT_STATE_COUNT] = {
        [INCIDENT_HELD] = HTML_WAIT,      [INCIDENT_AWAITING_APPROVAL] = HTML_WAIT,
        [INCIDENT_RUNNING] = HTML_BUSY,   [INCIDENT_VERIFYING] = HTML_BUSY,
        [INCIDENT_HEALED] = HTML_GOOD,    [INCIDENT_FAILED] = HTML_BAD,
        [INCIDENT_NOT_HEALED] = HTML_BAD, [INCIDENT_UNVERIFIED] = HTML_BAD,
        [INCIDENT_ESCALATED] = HTML_BAD,  [INCIDENT_EXPIRED] = HTML_BAD,
};

static void put_labels(struct text *page, const struct config_map *labels)
{
        for (size_t i = 0; i < labels->count; i++) {
                text_puts(page, i > 0 ? " <code>" : "<code>");
                html_put(page, labels->keys[i]);
                text_puts(page, "=");
                html_put(page, labels->values[i]);
                text_puts(page, "</code>");
        }
}

static void put_incident(struct text *page, const struct incident *incident)
{
        const char *tone = incident->unreadable ? HTML_BAD : tones[incident->state];
        char time[TIME_TEXT_MAX];
        text_printf(page, "<tr><th scope=\"row\"><a href=\"/api/v1/incidents/%s\">%s</a></th><td>",
                    incident->number, incident->number);
        html_put(page, incident->remediation);
        text_printf(page, "</td><td class=\"s %s\">%s", tone ? tone : "", incident_state_text(incident));
        if (incident->state == INCIDENT_HELD && incident->guard)
                text_printf(page, " by %s", incident->guard);
        if (incident->state == INCIDENT_HELD && incident->guard_until != 0)
                text_printf(page, " until %s", time_format(incident->guard_until, time));
        text_puts(page, "</td><td>");
        put_labels(page, &incident->alert.labels);
        text_puts(page, "</td><td class=\"n\">");
        html_put_time(page, incident->opened_at);
        text_puts(page, "</td><td class=\"n\">");
        html_put_time(page, incident->ended_at);
        text_puts(page, "</td></tr>\n");
}

static void put_incidents(struct text *page, struct journal *journal)
{
        static const char *const columns[] = {"Incident", "Remediation", "State", "Alert",
                                              "Opened",   "Ended",       NULL};
        struct incident_list list = {0};
        _cleanup_error_ struct error error = {0};
        text_puts(page, "<h2>Incidents</h2>\n");
        if (journal_list(journal, INCIDENT_UNCHANGED, 0, INCIDENTS_SHOWN, &list, &error) < 0) {
                text_puts(page, "<p>The journal cannot be read: ");
                html_put(page, error_text(&error));
                text_puts(page, "</p>\n");
                return;
        }
        if (list.count == 0) {
                text_puts(page, "<p>None so far.</p>\n");
        } else {
                html_table_begin(page, "Incidents", columns);
                for (size_t i = 0; i < list.count; i++)
                        put_incident(page, &list.items[i]);
                html_table_end(page);
        }
        incident_list_release(&list);
}

static void put_standing(struct text *page, struct journal *journal)
{
        _cleanup_error_ struct error why = {0};
        if (journal_standing(journal, NULL, &why) == JOURNAL_FINE)
                return;
        text_puts(page, "<p class=\"note\">It cannot act: ");
        html_put(page, error_text(&why));
        text_puts(page, "</p>\n");
}

static void put_remediations(struct text *page, const struct remediation_set *set)
{
        static const char *const columns[] = {"Name", "Steps", NULL};
        text_puts(page, "<h2>Remediations</h2>\n");
        html_table_begin(page, "Remediations", columns);
        for (size_t i = 0; i < set->count; i++) {
                const struct remediation *remediation = &set->remediations[i];
                text_puts(page, "<tr><th scope=\"row\">");
                html_put(page, remediation->name);
                text_puts(page, "</th><td>");
                for (size_t k = 0; k < remediation->step_count; k++)
                        text_printf(page, "%s<code>%s</code>", k > 0 ? " → " : "",
                                    remediation->steps[k].action->name);
                text_puts(page, remediation->approval ? " (after approval)</td></tr>\n" : "</td></tr>\n");
        }
        html_table_end(page);
}

static void put_paused(struct text *page, struct journal *journal)
{
        bool paused = false;
        nsec since = 0;
        _cleanup_free_ char *by = NULL, *reason = NULL;
        if (journal_paused(journal, &paused, &since, NULL) < 0 || !paused)
                return;
        text_puts(page, "<p class=\"note\">Paused since ");
        html_put_time(page, since);
        if (journal_paused_by(journal, since, &by, &reason, NULL) >= 0) {
                text_puts(page, *by ? " by " : "");
                html_put(page, by);
                text_puts(page, *reason ? " (" : "");
                html_put(page, reason);
                text_puts(page, *reason ? ")" : "");
        }
        text_puts(page, ": no remediation begins.</p>\n");
}

void api_landing(struct api *api, struct http_exchange *exchange)
{
        static const struct html_link links[] = {
                {"/api/v1/incidents", "API"}, {"/api/v1/status", "Status"}, {"/metrics", "Metrics"}, {0}};
        _cleanup_(parts_release) const struct incident_parts held = engine_parts(api->options.engine);
        const struct incident_parts *parts = &held;
        struct text page = {0};
        html_begin(&page, "runbook_responder");
        text_puts(&page, "<p>Version " RUNBOOK_VERSION "</p>\n");
        html_put_nav(&page, links);
        if (parts->dry_run)
                text_puts(&page, "<p class=\"note\">Dry run: plans are made and written down, nothing is "
                                 "done.</p>\n");
        put_paused(&page, parts->journal);
        put_standing(&page, parts->journal);
        put_incidents(&page, parts->journal);
        put_remediations(&page, parts->set);
        html_end(&page);
        http_reply(exchange, 200, HTTP_TYPE_HTML, &page);
}
