/* SPDX-License-Identifier: Apache-2.0 */
/* What every page of the responder begins and ends with. */
#include <errno.h>
#include <stdio.h>

#include "responder/web/pages/internal.h"

static const struct html_link links[] = {{"/", "Now"},
                                         {"/incidents", "History"},
                                         {"/remediations", "Remediations"},
                                         {"/coverage", "Coverage"},
                                         {0}};

/* Who looks; and how to become somebody, or nobody. */
static void put_who(const struct visit *visit, struct text *page)
{
        text_puts(page, "<div class=\"who\">");
        if (visit->who) {
                text_puts(page, "<span>");
                html_put_line(page, visit->who, WORD_MOST);
                text_puts(page, "</span>");
        }
        if (visit->signed_in)
                text_printf(
                        page,
                        "<form method=\"post\" action=\"/logout\"><input type=\"hidden\" name=\"" FIELD_TOKEN
                        "\" value=\"%s\"><button class=\"plain\">Sign out</button></form>",
                        visit->form_token);
        else if (visit->may_sign_in && !string_equal(http_path(visit->exchange), "/login")) {
                text_puts(page, "<a href=\"/login?" FIELD_NEXT "=");
                html_put(page, http_path(visit->exchange));
                text_puts(page, "\">Sign in</a>");
        }
        text_puts(page, "</div>");
}

void page_begin(const struct visit *visit, const char *title, const char *here, unsigned live,
                struct text *page)
{
        char events[64];
        snprintf(events, sizeof(events), PATH_EVENTS "?" PARAMETER_SEEN "=%llu",
                 (unsigned long long)visit->news);
        html_open_listening(page, title, live, events);
        html_put_nav(page, links, here);
        put_who(visit, page);
        html_open_main(page);
}

void page_send(const struct visit *visit, unsigned status, struct text *page)
{
        text_puts(page, "<footer>runbook_responder " RUNBOOK_VERSION " · <a href=\"/metrics\">Metrics</a> · "
                        "<a href=\"/api/v1/status\">JSON</a></footer>\n");
        html_end(page);
        http_reply(visit->exchange, status, HTTP_TYPE_HTML, page);
}

static const struct {
        int code;
        unsigned status;
        const char *title;
} failures[] = {
        {ENOENT, 404, "Not found"},
        {EALREADY, 409, "You have agreed already"},
        {ESTALE, 409, "That can no longer be done"},
        {EINVAL, 400, "Something is missing"},
        {EACCES, 403, "You may not do that"},
        {EAGAIN, 503, "Not now"},
};

void page_fail(const struct visit *visit, int result, const struct error *error)
{
        struct text page = {0};
        unsigned status = 503;
        const char *title = "This cannot be shown";
        for (size_t i = 0; i < N_ELEMENTS(failures); i++)
                if (failures[i].code == -result) {
                        status = failures[i].status;
                        title = failures[i].title;
                }
        page_begin(visit, title, NULL, 0, &page);
        text_printf(&page, "<h1>%s</h1>\n<p class=\"card\">", title);
        html_put_line(&page, error_text(error), SENTENCE_MOST);
        text_puts(&page, "</p>\n");
        if (result == -ESTALE && *http_path_parameter(visit->exchange)) {
                text_puts(&page, "<p><a href=\"/incidents/");
                html_put(&page, http_path_parameter(visit->exchange));
                text_puts(&page, "\">Who has decided, and what came of it</a></p>\n");
        }
        text_puts(&page, "<p><a href=\"/\">What goes on now</a></p>\n");
        page_send(visit, status, &page);
}

void put_unreadable(struct text *page, const struct error *error)
{
        text_puts(page, "<p class=\"note\">The journal cannot be read: ");
        html_put_line(page, error_text(error), SENTENCE_MOST);
        text_puts(page, "</p>\n");
}

void put_more(struct text *page, size_t found, size_t shown)
{
        if (found > shown)
                text_printf(page, "<p class=\"dim\">There are more than these %zu.</p>\n", shown);
}
