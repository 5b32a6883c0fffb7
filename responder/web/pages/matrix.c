/* SPDX-License-Identifier: Apache-2.0 */
/* What each guard says now of each remediation, were its alert to come: a table for the page Remediations. */
#include "responder/engine/guard.h"
#include "responder/web/pages/internal.h"

enum { COLUMNS_MOST = 16 };

/* A guard as the head of a column; one that is not here has its own name. */
static const struct {
        const char *guard, *words;
} heads[] = {
        {"paused", "Kill switch"},      {"human", "A person"},
        {"maintenance", "Maintenance"}, {"lock", "One at a time"},
        {"cooldown", "Cooldown"},       {"limit", "Limit"},
        {"limit_all", "Limit of all"},  {"freshness", "Prometheus' data"},
        {"breaker", "Breaker"},         {"storm", "Storm"},
};

static const char *head_of(const char *guard)
{
        for (size_t i = 0; i < N_ELEMENTS(heads); i++)
                if (string_equal(heads[i].guard, guard))
                        return heads[i].words;
        return guard;
}

static void put_says(const struct visit *visit, const struct guard_says *says, struct text *page)
{
        if (!says->holds) {
                text_puts(page, "<td class=\"lets\" title=\"");
                html_put_line(page, *says->reason ? says->reason : "lets it begin", SENTENCE_MOST);
                text_puts(page, "\"></td>");
                return;
        }
        text_printf(page, "<td data-of=\"%s\" title=\"", head_of(says->guard));
        html_put_line(page, says->reason, SENTENCE_MOST);
        text_printf(page, "\"><span class=\"s wait\">%s</span>", says->asks ? "asks a person" : "holds");
        if (*says->holder)
                text_printf(page, " for <a href=\"/incidents/%s\">%s</a>", says->holder, says->holder);
        if (says->until != 0) {
                text_puts(page, " until ");
                html_put_when(page, says->until, visit->now);
        }
        text_puts(page, "</td>");
}

static void put_row(const struct visit *visit, const struct guards_asked *asked,
                    const struct remediation *remediation, size_t columns, struct text *page)
{
        struct guards_say says = {0};
        _cleanup_error_ struct error error = {0};
        int r = guards_ask_any(asked, remediation, &says, &error);
        text_puts(page, "<tr><th scope=\"row\">");
        html_put_line(page, remediation->name, WORD_MOST);
        text_puts(page, "</th>");
        if (r < 0)
                text_printf(page,
                            "<td class=\"dim\" colspan=\"%zu\">by its alert: its lock has the alert's "
                            "labels</td>",
                            columns);
        for (size_t i = 0; r >= 0 && i < says.count; i++)
                put_says(visit, &says.items[i], page);
        text_puts(page, "</tr>\n");
        free(says.lock);
}

void put_matrix(const struct visit *visit, struct text *page)
{
        const struct remediation_set *set = visit->parts->set;
        const char *columns[COLUMNS_MOST + 2] = {"Remediation"};
        struct guards_asked *asked = NULL;
        _cleanup_error_ struct error error = {0};
        size_t count = 0;
        for (; count < COLUMNS_MOST && guard_name(count); count++)
                columns[1 + count] = head_of(guard_name(count));
        if (set->count == 0)
                return;
        text_puts(page, "<h2>What holds it back now</h2>\n");
        if (guards_asked_new(visit->engine, &asked, &error) < 0) {
                text_puts(page, "<p><span class=\"s bad\">It cannot be told:</span> ");
                html_put_line(page, error_text(&error), SENTENCE_MOST);
                text_puts(page, "</p>\n");
                return;
        }
        html_table_begin(page, "What holds it back now", columns);
        for (size_t i = 0; i < set->count; i++)
                put_row(visit, asked, &set->remediations[i], count, page);
        html_table_end(page);
        guards_asked_free(asked);
}
