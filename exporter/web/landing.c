/* SPDX-License-Identifier: Apache-2.0 */
/* All checks on one page, each with what stands against it. */
#include "exporter/web/landing.h"

#include <errno.h>

#include "exporter/check/effects.h"
#include "runbook/html.h"

/* Of a strip: checks, and bytes of why. */
enum { STRIP_MOST = 20, REASON_SHOWN = 400 };

/* How often the page is shown anew, while somebody looks at it: seconds. */
enum { LIVE_EVERY = 10 };

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
                    "<tr id=\"check-%s\"><td class=\"s %s\"><span aria-hidden=\"true\">%s</span> %s</td><th "
                    "scope=\"row\">",
                    state->check->name, style->tone, style->sign, style->phrase);
        text_puts(text, root ? "<span aria-hidden=\"true\">↳</span> " : "");
        html_put(text, state->check->title);
        text_puts(text, "<br><small><a rel=\"nofollow\" title=\"Run it now, step by step\" "
                        "href=\"/probe?debug=1&amp;check=");
        html_put(text, state->check->name);
        text_puts(text, "\">");
        html_put(text, state->check->name);
        text_printf(text, "</a></small></th><td class=\"n\">%s</td><td class=\"n\">", state->check->kind->name);
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

/* What a strip says of a check: only what is no effect of another one that is there as well. */
static void put_first(struct text *text, const struct check_state *state)
{
        const char *reason = check_state_reason(state);
        text_puts(text, "<li><a href=\"#check-");
        html_put(text, state->check->name);
        text_puts(text, "\">");
        html_put(text, state->check->title);
        text_puts(text, reason && *reason ? "</a>: " : "</a>");
        html_put_line(text, reason, REASON_SHOWN);
        check_state_tell(state, put_told, text);
        text_puts(text, "</li>\n");
}

/* Those that stand like this, before everything else: "2 fail", with why. */
static void put_strip(struct text *text, const struct check_state *states, const size_t *roots, size_t count,
                      enum standing standing, const char *one, const char *many)
{
        size_t like_it = 0, effects = 0, shown = 0;
        for (size_t i = 0; i < count; i++)
                if (check_state_standing(&states[i]) == standing) {
                        like_it++;
                        effects += roots[i] != NO_ROOT;
                }
        if (like_it == 0)
                return;
        text_printf(text, "<section class=\"card %s\"><p class=\"lead\">%zu %s</p><ul>\n",
                    standing_styles[standing].tone, like_it, like_it == 1 ? one : many);
        for (size_t i = 0; i < count && shown < STRIP_MOST; i++)
                if (check_state_standing(&states[i]) == standing && roots[i] == NO_ROOT) {
                        put_first(text, &states[i]);
                        shown++;
                }
        text_puts(text, "</ul>\n");
        if (like_it > shown + effects)
                text_printf(text, "<p class=\"dim\">And %zu more, below.</p>\n", like_it - shown - effects);
        if (effects > 0)
                text_printf(text, "<p class=\"dim\">%zu of them only for what %s need%s.</p>\n", effects,
                            effects == 1 ? "it" : "they", effects == 1 ? "s" : "");
        text_puts(text, "</section>\n");
}

static void put_strips(struct text *text, const struct check_state *states, const size_t *roots, size_t count,
                       const size_t *of)
{
        put_strip(text, states, roots, count, STANDING_FAIL, "fails", "fail");
        put_strip(text, states, roots, count, STANDING_WARN, "warns", "warn");
        put_strip(text, states, roots, count, STANDING_UNKNOWN, "is not known", "are not known");
        if (of[STANDING_PASS] > 0 && of[STANDING_PASS] + of[STANDING_NOT_SET_UP] == count)
                text_printf(text,
                            "<section class=\"card good\"><p class=\"lead\">All is well: %zu check%s pass%s"
                            "</p></section>\n",
                            of[STANDING_PASS], of[STANDING_PASS] == 1 ? "" : "s",
                            of[STANDING_PASS] == 1 ? "es" : "");
}

int landing_render(const struct check_set *set, const struct check_state *states, nsec now, struct text *text)
{
        static const struct html_link links[] = {{"/", "Checks"}, {"/metrics", "Metrics"}, {0}};
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
        html_open(text, text_string(&heading), LIVE_EVERY);
        html_put_nav(text, links, "/");
        html_open_main(text);
        text_puts(text, "<h1>");
        html_put(text, text_string(&heading));
        text_puts(text, "</h1>\n");
        put_strips(text, states, roots, count, of);
        text_printf(text,
                    "<p class=\"dim\">Version %s. %zu checks, %zu of them failing, %zu warning, %zu unknown, "
                    "%zu not set "
                    "up. Checks run when Prometheus asks for <a href=\"/metrics\">metrics</a>.</p>\n",
                    RUNBOOK_VERSION, count, of[STANDING_FAIL], of[STANDING_WARN], of[STANDING_UNKNOWN],
                    of[STANDING_NOT_SET_UP]);
        html_table_begin(text, "Checks", columns);
        for (size_t i = 0; i < count; i++)
                put_check(text, &states[order[i]],
                          roots[order[i]] == NO_ROOT ? NULL : &set->checks[roots[order[i]]], now);
        html_table_end(text);
        html_end(text);
        return text_error(text);
}
