/* SPDX-License-Identifier: Apache-2.0 */
/* GET /checklist: the morning checklist, step by step, as it stands. */
#include <errno.h>

#include "exporter/check/effects.h"
#include "exporter/check/steps.h"
#include "exporter/web/internal.h"
#include "runbook/html.h"

static void put_step(const struct landing *landing, const struct check_state *state, const struct check *root,
                     struct text *text)
{
        text_puts(text, "<tr>");
        put_standing(text, state);
        text_puts(text, "<td class=\"n\">");
        if (state->check->step > 0)
                text_printf(text, "%lld.", (long long)state->check->step);
        text_puts(text, "</td>");
        put_title(text, state, root);
        text_puts(text, "<td class=\"n\">");
        if (state->result)
                html_put_ago(text, state->result->started_wall, landing->now);
        else
                text_puts(text, "never");
        text_puts(text, "</td><td class=\"wide\">");
        put_found(text, state, root);
        text_puts(text, "</td></tr>\n");
}

/* "9 passed, 1 warned, 0 failed", as the command says it. */
static void put_sum(struct text *text, const size_t of[static STANDINGS])
{
        const char *tone = of[STANDING_FAIL] > 0                          ? HTML_BAD
                           : of[STANDING_WARN] + of[STANDING_UNKNOWN] > 0 ? HTML_WAIT
                                                                          : HTML_GOOD;
        text_printf(text, "<section class=\"card %s\"><p class=\"lead\">%zu passed, %zu warned, %zu failed",
                    tone, of[STANDING_PASS], of[STANDING_WARN], of[STANDING_FAIL]);
        if (of[STANDING_UNKNOWN] > 0)
                text_printf(text, ", %zu unknown", of[STANDING_UNKNOWN]);
        if (of[STANDING_NOT_SET_UP] > 0)
                text_printf(text, ", %zu not set up", of[STANDING_NOT_SET_UP]);
        text_puts(text, "</p></section>\n");
}

int checklist_render(const struct landing *landing, struct text *text)
{
        static const char *const columns[] = {"State", "Step", "Check", "Last run", "Found", NULL};
        const struct check_set *set = landing->set;
        size_t of[STANDINGS] = {0};
        _cleanup_free_ bool *selected = calloc(set->count + 1, sizeof(*selected));
        _cleanup_free_ size_t *order = calloc(set->count + 1, sizeof(*order)),
                              *roots = calloc(set->count + 1, sizeof(*roots));
        if (!selected || !order || !roots)
                return -ENOMEM;
        for (size_t i = 0; i < set->count; i++)
                selected[i] = check_is_step(set, i);
        size_t count = check_steps_order(set, selected, order);
        int r = check_effects_find(set, landing->states, roots, order, count);
        if (r < 0)
                return r;
        for (size_t k = 0; k < count; k++)
                of[check_state_standing(&landing->states[order[k]])]++;
        page_open(landing, "/checklist", "Daily operations checklist", text);
        text_puts(text, "<div data-part>\n");
        put_sum(text, of);
        text_puts(text, "<p class=\"dim\">As it was measured last, ");
        html_put_clock(text, landing->now, landing->now);
        text_puts(text, ". <code>runbook_exporter checklist</code> runs each step now.</p>\n");
        html_table_begin(text, "Steps", columns);
        for (size_t k = 0; k < count; k++) {
                const size_t i = order[k];
                put_step(landing, &landing->states[i], roots[i] == NO_ROOT ? NULL : &set->checks[roots[i]],
                         text);
        }
        html_table_end(text);
        text_puts(text, "</div>\n");
        html_end(text);
        return text_error(text);
}
