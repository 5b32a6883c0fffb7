/* SPDX-License-Identifier: Apache-2.0 */
/* All checks on one page, each with what stands against it. */
#include "exporter/web/landing.h"

#include <errno.h>

#include "exporter/check/effects.h"
#include "exporter/web/internal.h"
#include "runbook/html.h"

/* Of a strip: checks, and bytes of why. */
enum { STRIP_MOST = 20, REASON_SHOWN = 400 };

/* How often the page is shown anew, while somebody looks at it: seconds. */
enum { LIVE_EVERY = 10 };

static void put_last_run(struct text *text, const struct check_result *result, nsec now)
{
        text_puts(text, "<td class=\"n\">");
        if (result) {
                html_put_ago(text, result->started_wall, now);
                text_puts(text, " <br><small>took <span>");
                html_put_duration(text, result->duration);
                text_puts(text, "</span></small>");
        } else {
                text_puts(text, "never");
        }
        text_puts(text, "</td>");
}

/* `root`: what it is an effect of, or NULL. */
static void put_check(struct text *text, const struct check_state *state, const struct check *root, nsec now)
{
        struct history_view view;
        history_box_view(state->check->history, now, &view);
        text_printf(text, "<tr id=\"check-%s\">", state->check->name);
        put_standing(text, state);
        put_title(text, state, root);
        text_puts(text, "<td class=\"wide\">");
        put_found(text, state, root);
        trouble_put(text, &view, now);
        text_puts(text, "</td>");
        put_last_run(text, state->result, now);
        text_puts(text, "<td>");
        days_put(text, &view, now);
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

void page_open(const struct landing *landing, const char *path, const char *title, struct text *text)
{
        static const struct html_link links[] = {
                {"/", "Checks"}, {"/checklist", "Checklist"}, {"/metrics", "Metrics"}, {0}};
        const struct check_set *set = landing->set;
        const struct {
                const char *url, *name;
        } others[] = {{set->links.responder_url, "Responder"},
                      {set->links.prometheus_url, "Prometheus"},
                      {set->links.grafana_url, "Grafana"}};
        _cleanup_text_ struct text heading = {0};
        text_printf(&heading, "%s%s%s", set->title ? set->title : "", set->title ? ": " : "", title);
        html_open(text, text_string(&heading), LIVE_EVERY);
        html_put_nav(text, links, path);
        text_puts(text, "<div class=\"who\">");
        for (size_t i = 0; i < N_ELEMENTS(others); i++)
                if (others[i].url)
                        html_put_url(text, others[i].url, others[i].name, 400);
        text_puts(text, "</div>");
        html_open_main(text);
        text_puts(text, "<h1>");
        html_put(text, text_string(&heading));
        text_puts(text, "</h1>\n");
}

static void put_version(const struct landing *landing, const size_t *of, struct text *text)
{
        text_printf(text,
                    "<p class=\"dim\">Version %s. %zu checks, %zu of them failing, %zu warning, %zu unknown, "
                    "%zu not set up. Checks run when Prometheus asks for <a href=\"/metrics\">metrics</a>.%s"
                    "</p>\n",
                    RUNBOOK_VERSION, landing->set->count, of[STANDING_FAIL], of[STANDING_WARN],
                    of[STANDING_UNKNOWN], of[STANDING_NOT_SET_UP],
                    landing->history_kept ? ""
                                          : " What was before the last start is not kept: there is no "
                                            "<code>--state.directory</code>.");
}

/* What the filter lets through, effects behind their roots. */
static void put_table(const struct landing *landing, const size_t *order, const size_t *roots,
                      struct text *text)
{
        static const char *const columns[] = {"State", "Check", "Found", "Last run", "Last 90 days", NULL};
        const struct check_set *set = landing->set;
        size_t shown = 0;
        for (size_t i = 0; i < set->count; i++)
                shown += filter_shows(&landing->filter, &landing->states[i]);
        if (filter_is_set(&landing->filter))
                text_printf(text, "<p>%zu of %zu checks. <a href=\"/\">Show all</a></p>\n", shown,
                            set->count);
        if (shown == 0)
                return;
        html_table_begin(text, "Checks", columns);
        for (size_t k = 0; k < set->count; k++) {
                const size_t i = order[k];
                if (filter_shows(&landing->filter, &landing->states[i]))
                        put_check(text, &landing->states[i],
                                  roots[i] == NO_ROOT ? NULL : &set->checks[roots[i]], landing->now);
        }
        html_table_end(text);
}

int landing_render(const struct landing *landing, struct text *text)
{
        size_t of[STANDINGS] = {0};
        const struct check_state *states = landing->states;
        const size_t count = landing->set->count;
        _cleanup_free_ size_t *roots = calloc(count + 1, sizeof(*roots)),
                              *order = calloc(count + 1, sizeof(*order));
        if (!roots || !order)
                return -ENOMEM;
        for (size_t i = 0; i < count; i++)
                order[i] = i;
        int r = check_effects_find(landing->set, states, roots, order, count);
        if (r < 0)
                return r;
        for (size_t i = 0; i < count; i++)
                of[check_state_standing(&states[i])]++;
        page_open(landing, "/", "Runbook exporter", text);
        text_puts(text, "<div data-part>\n");
        put_strips(text, states, roots, count, of);
        put_version(landing, of, text);
        text_puts(text, "</div>\n");
        filter_put(&landing->filter, text);
        text_puts(text, "<div data-part>\n");
        put_table(landing, order, roots, text);
        text_puts(text, "</div>\n");
        html_end(text);
        return text_error(text);
}
