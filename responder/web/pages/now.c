/* SPDX-License-Identifier: Apache-2.0 */
/* GET /: what whoever is woken sees first. Is it armed, what goes on, what happened, what set nothing off. */
#include "responder/web/pages/internal.h"

enum { OPEN_SHOWN = 50, LEFT_SHOWN = 20, ENDED_SHOWN = 15 };

static void put_card(const struct visit *visit, const struct incident *incident, struct text *page)
{
        const char *tone = state_tone(incident);
        text_printf(page, "<article class=\"card %s\"><div class=\"head\">", tone ? tone : "");
        put_number(page, incident);
        put_state(page, incident);
        text_puts(page, "<small>since ");
        html_put_when(page, incident->opened_at, visit->now);
        text_puts(page, "</small></div>\n<p>");
        put_sentence(visit, incident, page);
        text_puts(page, "</p>\n");
        put_acts(visit, incident, page);
        text_puts(page, "</article>\n");
}

typedef int list_function(struct journal *journal, size_t limit, struct incident_list *ret,
                          struct error *error);

static int list_open(struct journal *journal, size_t limit, struct incident_list *ret, struct error *error)
{
        return journal_list_open(journal, 0, limit, ret, error);
}

/* A card for each; how many there were. */
static size_t put_cards(const struct visit *visit, list_function *list_them, size_t limit, struct text *page)
{
        struct incident_list list = {0};
        _cleanup_error_ struct error error = {0};
        if (list_them(visit->parts->journal, limit + 1, &list, &error) < 0) {
                put_unreadable(page, &error);
                return 1;
        }
        const size_t count = list.count;
        for (size_t i = 0; i < count && i < limit; i++)
                put_card(visit, &list.items[i], page);
        incident_list_release(&list);
        put_more(page, count, limit);
        return count;
}

static void put_lately(const struct visit *visit, struct text *page)
{
        struct incident_list list = {0};
        _cleanup_error_ struct error error = {0};
        text_puts(page, "<h2>Happened lately</h2>\n");
        if (journal_list_ended(visit->parts->journal, ENDED_SHOWN, &list, &error) < 0) {
                put_unreadable(page, &error);
                return;
        }
        text_puts(page,
                  list.count == 0 ? "<p class=\"dim\">Nothing so far.</p>\n" : "<ul class=\"lines\">\n");
        for (size_t i = 0; i < list.count; i++) {
                const struct incident *incident = &list.items[i];
                text_puts(page, "<li><span>");
                html_put_when(page, incident->ended_at, visit->now);
                text_puts(page, "<br>");
                put_number(page, incident);
                text_puts(page, "</span><p>");
                put_sentence(visit, incident, page);
                text_puts(page, "</p></li>\n");
        }
        text_puts(page, list.count == 0 ? "" : "</ul>\n");
        incident_list_release(&list);
}

void page_now(const struct visit *visit)
{
        struct text page = {0};
        page_begin(visit, "Now", "/", LIVE_EVERY, &page);
        text_puts(&page, "<h1>Now</h1>\n");
        put_armed(visit, &page);
        text_puts(&page, "<h2>Goes on</h2>\n");
        size_t count = put_cards(visit, journal_list_left, LEFT_SHOWN, &page);
        count += put_cards(visit, list_open, OPEN_SHOWN, &page);
        if (count == 0)
                text_puts(&page, "<p class=\"dim\">Nothing goes on, and nothing waits for anybody.</p>\n");
        put_letters(visit, NULL, &page);
        put_lately(visit, &page);
        put_passed_over(visit, &page);
        page_send(visit, 200, &page);
}
