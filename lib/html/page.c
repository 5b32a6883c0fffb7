/* SPDX-License-Identifier: Apache-2.0 */
/* What all pages look like, and the pieces that they are made of. */
#include "runbook/html.h"

#include "runbook/utf8.h"

static const char style[] =
        ":root{color-scheme:light "
        "dark;--line:#d0d7de;--dim:#57606a;--good:#116329;--bad:#b3261e;--wait:#6b5900;"
        "--busy:#1257a8;--note:#fff3d6}"
        "@media(prefers-color-scheme:dark){:root{--line:#3d444d;--dim:#9198a1;--good:#3fb950;--bad:#ff7b72;"
        "--wait:#d29922;--busy:#58a6ff;--note:#3a2f12}}"
        "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}"
        "h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 0}p{color:var(--dim)}"
        "nav a{margin-right:1.25rem}code{font-size:.9em}"
        ".note{padding:.6rem 1rem;color:inherit;background:var(--note);border:1px solid var(--wait)}"
        ".table{overflow-x:auto}table{border-collapse:collapse;width:100%;margin-top:1rem}"
        "th,td{text-align:left;padding:.5rem .75rem;border-bottom:1px solid var(--line);vertical-align:top}"
        "thead th{color:var(--dim);white-space:nowrap}th{font-weight:600}"
        "td.n{white-space:nowrap;font-variant-numeric:tabular-nums}small{color:var(--dim);font-weight:400}"
        ".good{color:var(--good)}.bad{color:var(--bad)}.wait{color:var(--wait)}.busy{color:var(--busy)}"
        ".dim{color:var(--dim)}.s{font-weight:600;white-space:nowrap}td:last-child{overflow-wrap:anywhere}"
        /* On a telephone a row is a card: its cells one after the other, the last one below them. */
        "@media(max-width:40rem){thead{position:absolute;left:-99rem}tbody tr{display:block;padding:.5rem "
        "0;border-bottom:1px solid var(--line)}tbody th,td{display:inline-block;border:0;padding:0 1rem 0 "
        "0}tbody th,td:last-child{display:block}td:empty{display:none}}";

void html_put(struct text *page, const char *string)
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

void html_begin(struct text *page, const char *title)
{
        text_puts(page, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
        html_put(page, title);
        text_printf(page, "</title><style>%s</style></head>\n<body><main><h1>", style);
        html_put(page, title);
        text_puts(page, "</h1>\n");
}

void html_end(struct text *page)
{
        text_puts(page, "</main></body></html>\n");
}

void html_put_nav(struct text *page, const struct html_link *links)
{
        text_puts(page, "<nav aria-label=\"Pages\">");
        for (; links->path; links++)
                text_printf(page, "<a href=\"%s\">%s</a>", links->path, links->name);
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

void html_put_time(struct text *page, nsec wall)
{
        char time[TIME_TEXT_MAX];
        if (wall != 0)
                text_printf(page, "<time>%s</time>", time_format(wall, time));
}

void html_put_ago(struct text *page, nsec wall, nsec now)
{
        char time[TIME_TEXT_MAX], age[DURATION_TEXT_MAX];
        nsec seconds = now > wall ? (now - wall) / NSEC_PER_SEC : 0;
        text_printf(page, "<time datetime=\"%s\">%s ago</time>", time_format(wall, time),
                    duration_format(seconds * NSEC_PER_SEC, age));
}

void html_put_duration(struct text *page, nsec duration)
{
        if (duration < NSEC_PER_SEC)
                text_printf(page, "%.1f ms", (double)duration / 1e6);
        else
                text_printf(page, "%.2f s", nsec_to_seconds(duration));
}
