/* SPDX-License-Identifier: Apache-2.0 */
/* What all pages look like, and the pieces that they are made of. */
#include "runbook/html.h"

#include <errno.h>
#include <string.h>

#include "runbook/mask.h"
#include "runbook/utf8.h"

static void put_escaped(struct text *page, const char *string)
{
        size_t length = 1;
        for (; string && *string; string += length > 0 ? length : 1) {
                length = utf8_length(string);
                switch (*string) {
                case '&': text_puts(page, "&amp;"); break;
                case '<': text_puts(page, "&lt;"); break;
                case '>': text_puts(page, "&gt;"); break;
                case '"': text_puts(page, "&quot;"); break;
                case '\'': text_puts(page, "&#39;"); break;
                default:
                        if (length > 0)
                                text_append(page, string, length);
                        else
                                text_puts(page, UTF8_REPLACEMENT);
                }
        }
}

/* Before it is escaped or cut: a part of a secret is not known as one. Sets the page's error. */
static char *mask(struct text *page, const char *string)
{
        char *shown = strdup(string);
        if (!shown)
                page->error = -ENOMEM;
        mask_string(shown, MASK_LABEL); /* a secret of ours, which whoever said it may repeat */
        return shown;
}

void html_put(struct text *page, const char *string)
{
        _cleanup_free_ char *shown = string ? mask(page, string) : NULL;
        if (shown)
                put_escaped(page, shown);
}

void html_put_line(struct text *page, const char *string, size_t limit)
{
        _cleanup_text_ struct text line = {0};
        _cleanup_free_ char *shown = string ? mask(page, string) : NULL;
        if (!shown)
                return;
        text_put_line(&line, shown, limit);
        if (text_error(&line) < 0)
                page->error = -ENOMEM;
        put_escaped(page, text_string(&line));
}

void html_put_url(struct text *page, const char *url, const char *name, size_t limit)
{
        if (!url || !(string_starts(url, "https://") || string_starts(url, "http://"))) {
                html_put_line(page, url, limit);
                return;
        }
        text_puts(page, "<a rel=\"noreferrer\" href=\"");
        html_put(page, url);
        text_puts(page, "\">");
        html_put_line(page, name ? name : url, limit);
        text_puts(page, "</a>");
}

static void put_asset(struct text *page, const char *before, const char *name, const char *after)
{
        const struct html_asset *asset = html_asset_find(name);
        if (asset)
                text_printf(page, "%s" HTML_ASSETS "/%s?v=%s%s", before, name, asset->version, after);
}

void html_open(struct text *page, const char *title, unsigned live)
{
        html_open_listening(page, title, live, NULL);
}

void html_open_listening(struct text *page, const char *title, unsigned live, const char *events)
{
        text_puts(page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
        html_put(page, title);
        text_puts(page, "</title>");
        put_asset(page, "<link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"", "style.css",
                  "\">");
        if (live > 0) {
                text_printf(page, "<noscript><meta http-equiv=\"refresh\" content=\"%u\"></noscript>",
                            live > 15 ? live : 15);
                put_asset(page, "<script defer src=\"", "live.js", "\"></script>");
        }
        text_puts(page, "</head>\n<body");
        if (live > 0)
                text_printf(page, " data-live=\"%u\"", live);
        if (live > 0 && events) {
                text_puts(page, " data-events=\"");
                html_put(page, events);
                text_puts(page, "\"");
        }
        text_puts(page, "><a class=\"skip\" href=\"#main\">To the content</a>"
                        "<header class=\"top\"><a class=\"brand\" href=\"/\">Runbook</a>");
}

void html_open_main(struct text *page)
{
        text_puts(page, "</header>\n<main id=\"main\">\n");
}

void html_begin(struct text *page, const char *title)
{
        html_open(page, title, 0);
        html_open_main(page);
        text_puts(page, "<h1>");
        html_put(page, title);
        text_puts(page, "</h1>\n");
}

void html_end(struct text *page)
{
        text_puts(page, "</main></body></html>\n");
}

void html_put_nav(struct text *page, const struct html_link *links, const char *here)
{
        text_puts(page, "<nav aria-label=\"Pages\">");
        for (; links->path; links++)
                text_printf(page, "<a href=\"%s\"%s>%s</a>", links->path,
                            string_equal(links->path, here) ? " aria-current=\"page\"" : "", links->name);
        text_puts(page, "</nav>\n");
}

void html_table_begin(struct text *page, const char *label, const char *const *columns)
{
        text_printf(
                page,
                "<div class=\"table\" role=\"region\" aria-label=\"%s\" tabindex=\"0\"><table><thead><tr>",
                label);
        for (; *columns; columns++)
                text_printf(page, "<th scope=\"col\">%s</th>", *columns);
        text_puts(page, "</tr></thead><tbody>\n");
}

void html_table_end(struct text *page)
{
        text_puts(page, "</tbody></table></div>\n");
}
