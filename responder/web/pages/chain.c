/* SPDX-License-Identifier: Apache-2.0 */
/* Whom an incident calls one after the other: who was told when, and who is next. */
#include "responder/incident/chain.h"
#include "responder/web/pages/internal.h"

static void put_level(const struct visit *visit, const struct incident *incident, const cJSON *level,
                      bool first, struct text *page)
{
        const char *to = json_string(level, "to"), *after = json_string(level, "after"),
                   *told = json_string(level, "told_at"), *failed = json_string(level, "failed"),
                   *contact = json_string(level, "contact");
        nsec at = 0;
        text_puts(page, "<li><strong>");
        html_put_line(page, to ? to : "?", WORD_MOST);
        text_puts(page, "</strong> ");
        if (contact) {
                text_puts(page, "(");
                html_put_line(page, contact, WORD_MOST);
                text_puts(page, ") ");
        }
        if (told && time_parse(told, &at, NULL) >= 0) {
                text_puts(page, "was told ");
                html_put_when(page, at, visit->now);
        } else if (failed) {
                text_puts(page, "could not be reached: ");
                html_put_line(page, failed, SENTENCE_MOST);
                text_puts(page, incident_climbs(incident) ? "; that is tried again" : "");
        } else if (first) {
                text_puts(page, "is being told");
        } else if (!incident_climbs(incident)) {
                text_puts(page, "was not needed");
        } else {
                text_puts(page, "is told after ");
                html_put_line(page, after ? after : "?", WORD_MOST);
                text_puts(page, json_bool(level, "in_hours", false) ? ", within the hours" : "");
                text_puts(page, ", unless somebody says that he is at it");
        }
        text_puts(page, "</li>\n");
}

void put_chain(const struct visit *visit, const struct incident *incident, struct text *page)
{
        _cleanup_json_ cJSON *chain = NULL;
        const cJSON *level;
        bool first = true;
        if (chain_read(incident, &chain, NULL) < 0 || !chain)
                return;
        text_puts(page, "<h2>Called one after the other</h2>\n<ol>\n");
        cJSON_ArrayForEach(level, chain)
        {
                put_level(visit, incident, level, first, page);
                first = false;
        }
        text_puts(page, "</ol>\n");
}
