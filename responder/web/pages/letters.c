/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that nobody has received: to whom, of what, why, and what becomes of them. */
#include "responder/web/pages/internal.h"

enum { LETTERS_SHOWN = 20 };

static void put_letter(const struct visit *visit, const struct letter *letter, bool named, struct text *page)
{
        text_puts(page, "<li><span>");
        html_put_when(page, letter->since, visit->now);
        if (named && *letter->number) {
                text_puts(page, "<br><a href=\"/incidents/");
                html_put(page, letter->number);
                text_puts(page, "\">");
                html_put(page, letter->number);
                text_puts(page, "</a>");
        }
        text_puts(page, "</span><div class=\"pairs\"><p><strong>");
        html_put_line(page, *letter->receiver ? letter->receiver : "whoever it was for", WORD_MOST);
        text_puts(page, "</strong> has not received “");
        html_put_line(page, letter->what, SENTENCE_MOST);
        text_puts(page, "”: ");
        html_put_line(page, letter->reason, SENTENCE_MOST);
        text_printf(page, ". %s",
                    letter->asked      ? "It is being sent again."
                    : letter->step > 0 ? "It is not sent again by itself."
                    : letter->refused  ? "It is tried again, once a minute, though that may hardly help."
                                       : "It is tried again until it is heard.");
        text_puts(page, "</p>");
        if (named && *letter->number && !letter->asked && visit->may_decide) {
                text_puts(page, "<a class=\"act\" href=\"/incidents/");
                html_put(page, letter->number);
                text_puts(page, "/resend\">Send again …</a>");
        }
        text_puts(page, "</div></li>\n");
}

static void put_list(const struct visit *visit, const struct letter_list *own, const struct letter_list *list,
                     bool named, struct text *page)
{
        const bool any = own->count + list->count > 0;
        text_puts(page, any ? "<h2>Not received</h2>\n<ul class=\"lines\">\n" : "");
        for (size_t i = 0; i < own->count; i++)
                put_letter(visit, &own->items[i], named, page);
        for (size_t i = 0; i < list->count && i < LETTERS_SHOWN; i++)
                put_letter(visit, &list->items[i], named, page);
        text_puts(page, any ? "</ul>\n" : "");
        put_more(page, list->count, LETTERS_SHOWN);
}

void put_letters(const struct visit *visit, const struct incident *incident, struct text *page)
{
        struct letter_list list = {0}, own = {0};
        _cleanup_error_ struct error error = {0};
        int r = incident ? 0 : engine_unheard(visit->engine, &own, &error);
        if (r >= 0)
                r = journal_letters(visit->parts->journal, incident ? incident->id : 0, LETTERS_SHOWN + 1,
                                    &list, &error);
        if (r >= 0)
                put_list(visit, &own, &list, !incident, page);
        else
                put_unreadable(page, &error);
        letter_list_release(&own);
        letter_list_release(&list);
}
