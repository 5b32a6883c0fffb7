/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /open: how many incidents are open, by state.
 *
 * A page to start from. It becomes one when this file is responder/web/pages/open.c, `page_still_open` stands
 * beside the other pages in responder/web/pages/pages.h, and its row in the routes of responder/web/web.c:
 *
 *     {"GET", "/open", READING(.shows = page_still_open)},
 *
 * include/runbook/html.h is what pages are made of; what a page may use beside it says tests/rooms.txt.
 */
#include "responder/web/pages/internal.h"

static void put_count(struct text *page, enum incident_state state, size_t count)
{
        const struct incident like = {.state = state};
        text_puts(page, "<tr><th scope=\"row\">");
        put_state(page, &like); /* words, and never a raw state */
        text_printf(page, "</th><td class=\"n\">%zu</td></tr>\n", count);
}

/*
 * On a worker: it may read the journal, which may wait for a disk. What cannot be read is said on the page:
 * it is not 0. The reply takes the text, and answers 500 when there was no memory for it.
 */
void page_still_open(const struct visit *visit)
{
        static const char *const columns[] = {"State", "Incidents", NULL};
        size_t counts[INCIDENT_STATE_COUNT] = {0};
        _cleanup_error_ struct error error = {0};
        struct text page = {0};
        page_begin(visit, "Open incidents", "/open", LIVE_EVERY, &page);
        text_puts(&page, "<h1>Open incidents</h1>\n");
        if (journal_count_open(visit->parts->journal, counts, &error) < 0) {
                put_unreadable(&page, &error);
        } else {
                html_table_begin(&page, "Open incidents", columns);
                for (enum incident_state state = INCIDENT_RECEIVED; state < INCIDENT_STATE_COUNT; state++)
                        if (counts[state] > 0)
                                put_count(&page, state, counts[state]);
                html_table_end(&page);
        }
        page_send(visit, 200, &page);
}
