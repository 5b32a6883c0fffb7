/* SPDX-License-Identifier: Apache-2.0 */
/* GET /incidents/{id}: one incident, whole. */
#include "responder/web/pages/internal.h"

enum { MEMBERS_SHOWN = 20 };

static void put_heading(const struct visit *visit, const struct incident *incident, struct text *page)
{
        const char *tone = state_tone(incident);
        text_puts(page, "<div class=\"head\"><h1>");
        html_put(page, incident->number);
        text_puts(page, "</h1>");
        put_state(page, incident);
        text_printf(page,
                    "</div>\n<section class=\"card %s\" aria-label=\"In a sentence\"><p class=\"lead\">",
                    tone ? tone : "");
        put_sentence(visit, incident, page);
        text_puts(page, "</p>\n<p class=\"dim\">Opened ");
        html_put_when(page, incident->opened_at, visit->now);
        if (incident->running_at != 0) {
                text_puts(page, " · begun ");
                html_put_when(page, incident->running_at, visit->now);
        }
        if (incident->ended_at != 0) {
                text_puts(page, " · ended ");
                html_put_when(page, incident->ended_at, visit->now);
        }
        text_puts(page, "</p>\n");
        if (incident->cancel_requested)
                text_puts(page, "<p>It is to be cancelled at the end of its step.</p>\n");
        if (incident->undo_requested)
                text_puts(page, "<p>It is to be undone.</p>\n");
        put_acts(visit, incident, page);
        text_puts(page, "</section>\n");
}

static void put_annotations(const struct alert *alert, struct text *page)
{
        for (size_t i = 0; i < alert->annotations.count; i++) {
                text_puts(page, "<div><dt>");
                html_put_line(page, alert->annotations.keys[i], WORD_MOST);
                text_puts(page, "</dt><dd>");
                html_put_url(page, alert->annotations.values[i], NULL, 4 * SENTENCE_MOST);
                text_puts(page, "</dd></div>\n");
        }
}

static void put_alert(const struct visit *visit, const struct incident *incident, struct text *page)
{
        const struct alert *alert = &incident->alert;
        const char *name = alert_label(alert, "alertname");
        text_puts(page, "<h2>Alert</h2>\n<section class=\"card\"><p><strong>");
        html_put_line(page, name ? name : "(no name)", WORD_MOST);
        text_puts(page,
                  incident->episode_open ? "</strong> fires, since " : "</strong> has ended; it fired from ");
        html_put_when(page, alert->starts_at, visit->now);
        text_puts(page, ".</p>\n<p>");
        put_labels(page, &alert->labels, "alertname");
        text_puts(page, "</p>\n<dl class=\"facts\">");
        put_annotations(alert, page);
        if (alert->generator_url && *alert->generator_url) {
                text_puts(page, "<div><dt>Where it comes from</dt><dd>");
                html_put_url(page, alert->generator_url, "The expression in Prometheus", WORD_MOST);
                text_puts(page, "</dd></div>\n");
        }
        text_puts(page, "</dl></section>\n");
}

static void put_members(const struct visit *visit, const cJSON *members, struct text *page)
{
        const cJSON *member, *label;
        const int found = cJSON_GetArraySize(members), count = found < MEMBERS_SHOWN ? found : MEMBERS_SHOWN;
        int shown = 0;
        if (count == 0)
                return;
        text_printf(page, "<details><summary>%s%d more alert%s of the same cause</summary><ul>\n",
                    found > count ? "At least " : "", found, found == 1 ? "" : "s");
        cJSON_ArrayForEach(member, members)
        {
                nsec joined = 0;
                if (shown++ == count)
                        break;
                text_puts(page, "<li><span class=\"labels\">");
                cJSON_ArrayForEach(label, json_get(member, "alert", "labels", NULL))
                {
                        text_puts(page, "<code>");
                        html_put_line(page, label->string, WORD_MOST);
                        text_puts(page, "=");
                        html_put_line(page, cJSON_GetStringValue(label), WORD_MOST);
                        text_puts(page, "</code> ");
                }
                text_puts(page, json_bool(member, "firing", false) ? "</span> fires" : "</span> has ended");
                const char *at = json_string(member, "joined_at");
                if (at && time_parse(at, &joined, NULL) >= 0) {
                        text_puts(page, ", joined ");
                        html_put_clock(page, joined, visit->now);
                }
                text_puts(page, "</li>\n");
        }
        text_puts(page, "</ul>");
        put_more(page, (size_t)found, (size_t)count);
        text_puts(page, "</details>\n");
}

static void put_whole(const struct visit *visit, const struct incident *incident, const cJSON *timeline,
                      const cJSON *members, struct text *page)
{
        put_heading(visit, incident, page);
        if (incident->unreadable)
                return;
        put_chain(visit, incident, page);
        put_letters(visit, incident, page);
        put_alert(visit, incident, page);
        put_members(visit, members, page);
        put_steps(visit, incident, timeline, page);
        put_evidence(visit, incident, page);
        put_timeline(visit, timeline, page);
        text_puts(page, "<p class=\"dim\"><a href=\"/api/v1/incidents/");
        html_put(page, incident->number);
        text_puts(page, "\">All of it as JSON</a> · <a href=\"/api/v1/incidents/");
        html_put(page, incident->number);
        text_puts(page, "/report?format=html\">Report</a></p>\n");
}

void page_incident(const struct visit *visit)
{
        struct incident incident = {0};
        _cleanup_json_ cJSON *timeline = NULL, *members = NULL;
        _cleanup_error_ struct error error = {0};
        int r = read_whole(visit, &incident, &timeline, &error);
        if (r >= 0)
                r = journal_members(visit->parts->journal, incident.id, MEMBERS_SHOWN + 1, &members, &error);
        if (r < 0) {
                page_fail(visit, r, &error);
        } else {
                struct text page = {0};
                page_begin(visit, incident.number, NULL, LIVE_EVERY, &page);
                put_whole(visit, &incident, timeline, members, &page);
                page_send(visit, 200, &page);
        }
        incident_release(&incident);
}
