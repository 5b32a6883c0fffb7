/* SPDX-License-Identifier: Apache-2.0 */
/* GET /login: where a token is shown once, for a session. */
#include "responder/web/pages/internal.h"

void page_login(const struct visit *visit)
{
        struct text page = {0};
        _cleanup_free_ char *posted = http_form_value(visit->exchange, FIELD_NEXT);
        const char *next = posted ? posted : http_query(visit->exchange, FIELD_NEXT);
        page_begin(visit, "Sign in", NULL, 0, &page);
        text_puts(&page, "<h1>Sign in</h1>\n");
        if (visit->complaint) {
                text_puts(&page, "<p class=\"note\" role=\"alert\">");
                html_put_line(&page, visit->complaint, SENTENCE_MOST);
                text_puts(&page, "</p>\n");
        }
        if (!visit->may_sign_in) {
                text_puts(
                        &page,
                        "<p class=\"card\">There is nothing to sign in to: who you are is known already, or "
                        "does not matter here.</p>\n");
                page_send(visit, 200, &page);
                return;
        }
        text_printf(&page,
                    "<section class=\"card\"><form method=\"post\" action=\"/login\"><input type=\"hidden\" "
                    "name=\"" FIELD_TOKEN "\" value=\"%s\"><input type=\"hidden\" name=\"" FIELD_NEXT
                    "\" value=\"",
                    visit->form_token);
        html_put(&page, next);
        text_puts(&page,
                  "\">\n<label for=\"by\">Your name <small>(it stands beside each decision)</small></label>"
                  "<input id=\"by\" name=\"" FIELD_NAME
                  "\" maxlength=\"100\" required autocomplete=\"username\">\n"
                  "<label for=\"token\">");
        text_puts(&page, visit->by_password
                                 ? "Password</label>"
                                 : "Token <small>(the content of the file <code>operator</code> beside the "
                                   "journal, in <code>tokens</code>)</small></label>");
        text_puts(&page,
                  "<input id=\"token\" name=\"" FIELD_SECRET
                  "\" type=\"password\" required autocomplete=\"current-password\">\n"
                  "<div class=\"acts\"><button class=\"main\">Sign in</button></div></form></section>\n"
                  "<p class=\"dim\">It lasts for twelve hours, or until the responder is restarted.</p>\n");
        page_send(visit, visit->complaint ? visit->status : 200, &page);
}
