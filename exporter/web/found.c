/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of one check on a page. */
#include <string.h>

#include "exporter/check/nearest.h"
#include "exporter/web/internal.h"
#include "runbook/html.h"

/* One thing that is not as it should be, and what it is about. */
void put_told(const char *what, const char *about, void *context)
{
        struct text *text = context;
        text_puts(text, "<div>");
        html_put(text, what);
        if (about) {
                text_puts(text, " <small>");
                html_put(text, about);
                text_puts(text, "</small>");
        }
        text_puts(text, "</div>");
}

/* What to do, and where that is told: a link only where it is one. */
static void put_advice(struct text *text, const struct check *check)
{
        const char *url = check->runbook_url;
        bool link = url && (string_starts(url, "https://") || string_starts(url, "http://"));
        if (check->advice) {
                text_puts(text, "<div><strong>");
                html_put(text, check->advice);
                text_puts(text, "</strong></div>");
        }
        if (!url)
                return;
        text_puts(text, link ? "<div><a href=\"" : "<div>");
        html_put(text, url);
        if (link) {
                text_puts(text, "\">");
                html_put(text, url);
                text_puts(text, "</a>");
        }
        text_puts(text, "</div>");
}

/* The first condition over the same values tells of all of them. */
static bool is_told_before(const struct thresholds *thresholds, size_t i)
{
        for (size_t k = 0; k < i; k++)
                if (string_equal(thresholds->items[k].expression, thresholds->items[i].expression))
                        return true;
        return false;
}

/* " warn > 80%, fail > 95%" */
static void put_limits(struct text *text, const struct thresholds *thresholds, const char *expression)
{
        const char *before = " ";
        for (size_t i = 0; i < thresholds->count; i++) {
                const struct threshold *threshold = &thresholds->items[i];
                if (!string_equal(threshold->expression, expression))
                        continue;
                text_printf(text, "%s%s", before, threshold_levels[threshold->level]);
                html_put(text, threshold->written + strlen(expression));
                before = ", ";
        }
}

/* What was measured beside its limits: of the series within a limit the one that is nearest to it. */
static void put_values(struct text *text, const struct check_state *state)
{
        const struct thresholds *thresholds = &state->check->thresholds;
        for (size_t i = 0; i < thresholds->count; i++) {
                struct judgement nearest;
                _cleanup_text_ struct text words = {0};
                const struct threshold *threshold = &thresholds->items[i];
                if (is_told_before(thresholds, i) || !nearest_find(state, threshold, &nearest))
                        continue;
                judgement_put(&words, &nearest);
                text_puts(text, "<div>");
                html_put_line(text, text_string(&words), SIZE_MAX);
                text_puts(text, " <small title=\"");
                html_put(text, threshold->expression);
                text_puts(text, "\">");
                put_limits(text, thresholds, threshold->expression);
                text_puts(text, "</small></div>");
        }
}

void put_standing(struct text *text, const struct check_state *state)
{
        const struct standing_style *style = &standing_styles[check_state_standing(state)];
        text_printf(text, "<td class=\"s %s\"><span aria-hidden=\"true\">%s</span> %s</td>", style->tone,
                    style->sign, style->phrase);
}

void put_title(struct text *text, const struct check_state *state, const struct check *root)
{
        text_puts(text,
                  root ? "<th scope=\"row\"><span aria-hidden=\"true\">↳</span> " : "<th scope=\"row\">");
        html_put(text, state->check->title);
        text_puts(text, "<br><small><a rel=\"nofollow\" title=\"Run it now, step by step\" "
                        "href=\"/probe?debug=1&amp;check=");
        html_put(text, state->check->name);
        text_puts(text, "\">");
        html_put(text, state->check->name);
        text_printf(text, "</a> %s</small></th>", state->check->kind->name);
}

void put_found(struct text *text, const struct check_state *state, const struct check *root)
{
        html_put(text, check_state_reason(state));
        if (root) {
                text_puts(text, "<div>because <strong>");
                html_put(text, root->name);
                text_puts(text, "</strong> fails</div>");
        }
        check_state_tell(state, put_told, text);
        check_state_tell_skipped(state, put_told, text);
        put_values(text, state);
        if (check_state_needs_advice(state))
                put_advice(text, state->check);
        if (check_state_cut(state) > 0)
                text_printf(text, "<div>%llu series over max_series were judged, and are on no page</div>",
                            (unsigned long long)check_state_cut(state));
}
