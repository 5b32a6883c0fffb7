/* SPDX-License-Identifier: Apache-2.0 */
/* What every page of the responder begins and ends with. */
#include <errno.h>

#include "responder/web/pages/internal.h"

static const struct html_link links[] = {{"/", "Now"}, {0}};

void page_begin(const struct visit *visit _unused_, const char *title, const char *here, unsigned live,
                struct text *page)
{
        html_open(page, title, live);
        html_put_nav(page, links, here);
        html_open_main(page);
}

void page_send(const struct visit *visit, unsigned status, struct text *page)
{
        text_puts(page, "<footer>runbook_responder " RUNBOOK_VERSION " · <a href=\"/metrics\">Metrics</a> · "
                        "<a href=\"/api/v1/status\">JSON</a></footer>\n");
        html_end(page);
        http_reply(visit->exchange, status, HTTP_TYPE_HTML, page);
}

void page_fail(const struct visit *visit, int result, const struct error *error)
{
        struct text page = {0};
        bool absent = result == -ENOENT;
        page_begin(visit, absent ? "Not found" : "This cannot be shown", NULL, 0, &page);
        text_printf(&page, "<h1>%s</h1>\n<p>", absent ? "Not found" : "This cannot be shown");
        html_put_line(&page, error_text(error), SENTENCE_MOST);
        text_puts(&page, "</p>\n<p><a href=\"/\">What goes on now</a></p>\n");
        page_send(visit, absent ? 404 : 503, &page);
}

void put_unreadable(struct text *page, const struct error *error)
{
        text_puts(page, "<p class=\"note\">The journal cannot be read: ");
        html_put_line(page, error_text(error), SENTENCE_MOST);
        text_puts(page, "</p>\n");
}
