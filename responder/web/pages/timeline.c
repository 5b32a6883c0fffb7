/* SPDX-License-Identifier: Apache-2.0 */
/* The timeline of an incident: what happened, when, and who it was. */
#include "responder/web/pages/internal.h"

enum { SHOWN = 300 };

/* Events that are of no matter to a person: what they say stands beside them already. */
static bool is_noise(const char *event)
{
        return string_equal(event, "progress") || string_equal(event, "step settled");
}

static void put_detail(const cJSON *detail, struct text *page)
{
        const char *reason = json_string(detail, "reason"), *summary = json_string(detail, "summary");
        const char *to = json_string(detail, "to"), *what = json_string(detail, "what");
        const char *failed = json_string(detail, "error");
        const char *guard = json_string(detail, "guard"), *holder = json_string(detail, "holder");
        if (what) {
                text_puts(page, ": ");
                html_put_line(page, what, SENTENCE_MOST);
        }
        if (to) {
                text_puts(page, ", to ");
                html_put_line(page, to, WORD_MOST);
        }
        if (guard) {
                text_puts(page, ": ");
                put_guard(page, guard);
        }
        if (holder && *holder) {
                text_puts(page, " (");
                html_put_line(page, holder, WORD_MOST);
                text_puts(page, ")");
        }
        const char *why = reason ? reason : summary ? summary : failed;
        if (why) {
                text_puts(page, ": ");
                html_put_line(page, why, SENTENCE_MOST);
        }
}

static void put_event(const struct visit *visit, const cJSON *event, struct text *page)
{
        const char *at = json_string(event, "at"), *actor = json_string(event, "actor");
        nsec wall = 0;
        text_puts(page, "<li><span>");
        if (at && time_parse(at, &wall, NULL) >= 0)
                html_put_clock(page, wall, visit->now);
        text_puts(page, "</span><p><strong>");
        html_put_line(page, json_string(event, "event"), WORD_MOST);
        text_puts(page, "</strong>");
        int step = (int)json_number(event, "step", 0);
        if (step > 0)
                text_printf(page, " (step %d)", step);
        if (actor && !string_equal(actor, "engine")) {
                text_puts(page, " by ");
                put_actor(page, actor);
        }
        put_detail(json_get(event, "detail", NULL), page);
        text_puts(page, "</p></li>\n");
}

void put_timeline(const struct visit *visit, const cJSON *timeline, struct text *page)
{
        const cJSON *event;
        size_t shown = 0;
        text_puts(page, "<h2>Timeline</h2>\n<ol class=\"lines\">\n");
        cJSON_ArrayForEach(event, timeline)
        {
                if (is_noise(json_string(event, "event")))
                        continue;
                if (shown++ == SHOWN) {
                        text_puts(page, "<li><span></span><p>And more, which the JSON below has.</p></li>\n");
                        break;
                }
                put_event(visit, event, page);
        }
        text_puts(page, "</ol>\n");
}
