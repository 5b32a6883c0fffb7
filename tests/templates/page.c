/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /open: how many incidents are open, by state.
 *
 * A page to start from. It becomes one when this file is responder/web/open.c, `api_open` stands beside the
 * other pages in responder/web/internal.h, and its row in the routes of responder/web/web.c:
 *
 *     {"GET", "/open", READING(.page = api_open)},
 *
 * include/runbook/html.h is what pages are made of; what a page may use beside it says tests/rooms.txt.
 */
#include "responder/web/internal.h"
#include "runbook/html.h"

static void put_state(struct text *page, enum incident_state state, size_t count)
{
        text_puts(page, "<tr><th scope=\"row\">");
        html_put(page, incident_state_name(state));
        text_printf(page, "</th><td class=\"n\">%zu</td></tr>\n", count);
}

/*
 * On a worker: it may read the journal, which may wait for a disk. What cannot be read is said on the page:
 * it is not 0. The reply takes the text, and answers 500 when there was no memory for it.
 */
void api_open(struct api *api, struct http_exchange *exchange)
{
        static const char *const columns[] = {"State", "Incidents", NULL};
        size_t counts[INCIDENT_STATE_COUNT] = {0};
        _cleanup_error_ struct error error = {0};
        struct text page = {0};
        html_begin(&page, "Open incidents");
        if (journal_count_open(api->options.parts.journal, counts, &error) < 0) {
                text_puts(&page, "<p>The journal cannot be read: ");
                html_put(&page, error_text(&error)); /* others' words never go in as they are */
                text_puts(&page, "</p>\n");
        } else {
                html_table_begin(&page, "Open incidents", columns);
                for (enum incident_state state = INCIDENT_RECEIVED; state < INCIDENT_STATE_COUNT; state++)
                        if (counts[state] > 0)
                                put_state(&page, state, counts[state]);
                html_table_end(&page);
        }
        html_end(&page);
        http_reply(exchange, 200, HTTP_TYPE_HTML, &page);
}
