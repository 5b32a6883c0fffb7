/* SPDX-License-Identifier: Apache-2.0 */
/* All checks on one page, each with what stands against it. */
#include "exporter/web/landing.h"

#include <errno.h>

#include "exporter/check/effects.h"
#include "runbook/html.h"

/* One thing that is not as it should be, and what it is about. */
static void put_told(const char *what, const char *about, void *context)
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

/* `root`: what it is an effect of, or NULL. */
static void put_check(struct text *text, const struct check_state *state, const struct check *root, nsec now)
{
        const struct standing_style *style = &standing_styles[check_state_standing(state)];
        const struct check_result *result = state->result;
        text_printf(text,
                    "<tr><td class=\"s %s\"><span aria-hidden=\"true\">%s</span> %s</td><th scope=\"row\">",
                    style->tone, style->sign, style->phrase);
        text_puts(text, root ? "<span aria-hidden=\"true\">↳</span> " : "");
        html_put(text, state->check->title);
        text_puts(text, "<br><small><a rel=\"nofollow\" title=\"Run it now, step by step\" "
                        "href=\"/probe?debug=1&amp;check=");
        html_put(text, state->check->name);
        text_puts(text, "\">");
        html_put(text, state->check->name);
        text_printf(text, "</a></small></th><td>%s</td><td class=\"n\">", state->check->kind->name);
        if (result)
                html_put_ago(text, result->started_wall, now);
        else
                text_puts(text, "never");
        text_puts(text, "</td><td class=\"n\">");
        if (result)
                html_put_duration(text, result->duration);
        text_puts(text, "</td><td>");
        html_put(text, check_state_reason(state));
        if (root) {
                text_puts(text, "<div>because <strong>");
                html_put(text, root->name);
                text_puts(text, "</strong> fails</div>");
        }
        check_state_tell(state, put_told, text);
        if (check_state_needs_advice(state))
                put_advice(text, state->check);
        if (check_state_cut(state) > 0)
                text_printf(text, "<div>%llu series over max_series were judged, and are on no page</div>",
                            (unsigned long long)check_state_cut(state));
        text_puts(text, "</td></tr>\n");
}

int landing_render(const struct check_set *set, const struct check_state *states, nsec now, struct text *text)
{
        static const struct html_link links[] = {
                {"/metrics", "Metrics"}, {"/-/healthy", "Healthy"}, {"/-/ready", "Ready"}, {0}};
        static const char *const columns[] = {"State", "Check", "Kind", "Last run", "Took", "Reason", NULL};
        size_t of[STANDINGS] = {0};
        const char *title = set->title;
        const size_t count = set->count;
        _cleanup_free_ size_t *roots = calloc(count + 1, sizeof(*roots)),
                              *order = calloc(count + 1, sizeof(*order));
        _cleanup_text_ struct text heading = {0};
        if (!roots || !order)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++)
                order[i] = i;
        int r = check_effects_find(set, states, roots, order, count);
        if (r < 0)
                return r;
        for (size_t i = 0; i < count; i++)
                of[check_state_standing(&states[i])]++;
        text_printf(&heading, "%s%sRunbook exporter", title ? title : "", title ? ": " : "");
        html_begin(text, text_string(&heading));
        text_printf(
                text,
                "<p>Version %s. %zu checks, %zu of them failing, %zu warning, %zu unknown, %zu not set up. "
                "Checks run when Prometheus asks for <a href=\"/metrics\">metrics</a>.</p>\n",
                RUNBOOK_VERSION, count, of[STANDING_FAIL], of[STANDING_WARN], of[STANDING_UNKNOWN],
                of[STANDING_NOT_SET_UP]);
        html_put_nav(text, links, NULL);
        html_table_begin(text, "Checks", columns);
        for (size_t i = 0; i < count; i++)
                put_check(text, &states[order[i]],
                          roots[order[i]] == NO_ROOT ? NULL : &set->checks[roots[order[i]]], now);
        html_table_end(text);
        html_end(text);
        return text_error(text);
}
