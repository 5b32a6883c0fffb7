/* SPDX-License-Identifier: Apache-2.0 */
/* The last ninety days of a check, as a picture and in words. */
#include "exporter/web/internal.h"
#include "runbook/html.h"

/* Of a day: how far apart, and where the line begins that is as thick as the bar is high (style.css). */
enum { DAY_WIDTH = 4, DAY_GAP = 1 };

static const struct {
        const char *name; /* its class */
        const char *y;    /* the middle of the bar, which stands on the ground */
        const char *word; /* "12 days …" */
} bars[] = {
        [STANDING_NOT_SET_UP] = {"off", "14", "not set up"},
        [STANDING_PASS] = {"pass", "12", "passed"},
        [STANDING_WARN] = {"warn", "10", "warned"},
        [STANDING_UNKNOWN] = {"unknown", "10", "not known"},
        [STANDING_FAIL] = {"fail", "8", "failed"},
        [HISTORY_NOT_MEASURED] = {"none", "15.5", "not measured"},
};
tables_agree(bars, STANDINGS + 1);

/* All days that were alike are one path. */
static void put_bars(struct text *text, const struct history_view *view, unsigned kind)
{
        const char *before = "<path class=\"";
        for (size_t i = 0, next; i < HISTORY_DAYS; i = next) {
                for (next = i + 1; next < HISTORY_DAYS && view->days[next] == view->days[i];)
                        next++;
                if (view->days[i] != kind)
                        continue;
                if (before)
                        text_printf(text, "%s%s\" d=\"", before, bars[kind].name);
                before = NULL;
                text_printf(text, "M%zu %sH%zu", i * DAY_WIDTH, bars[kind].y, next * DAY_WIDTH - DAY_GAP);
        }
        if (!before)
                text_puts(text, "\"/>");
}

/* "77 passed, 1 failed, 12 not measured", from bad to good. */
static void put_counts(struct text *text, const struct history_view *view)
{
        static const unsigned order[] = {STANDING_FAIL, STANDING_UNKNOWN,    STANDING_WARN,
                                         STANDING_PASS, STANDING_NOT_SET_UP, HISTORY_NOT_MEASURED};
        const char *before = "";
        for (size_t k = 0; k < N_ELEMENTS(order); k++) {
                size_t count = 0;
                for (size_t i = 0; i < HISTORY_DAYS; i++)
                        count += view->days[i] == order[k];
                if (count == 0)
                        continue;
                text_printf(text, "%s%zu %s", before, count, bars[order[k]].word);
                before = ", ";
        }
}

void days_put(struct text *text, const struct history_view *view, nsec now _unused_)
{
        text_printf(text,
                    "<svg class=\"days\" viewBox=\"0 0 %d 16\" preserveAspectRatio=\"none\" "
                    "aria-hidden=\"true\">",
                    HISTORY_DAYS * DAY_WIDTH - DAY_GAP);
        for (unsigned kind = 0; kind < N_ELEMENTS(bars); kind++)
                put_bars(text, view, kind);
        text_puts(text, "</svg><small>");
        put_counts(text, view);
        text_puts(text, "</small>");
}

void trouble_put(struct text *text, const struct history_view *view, nsec now)
{
        if (view->last == 0)
                return;
        text_puts(text, view->goes_on                    ? "<div class=\"dim\">So since "
                        : view->trouble == STANDING_FAIL ? "<div class=\"dim\">Failed last "
                                                         : "<div class=\"dim\">Not known last ");
        html_put_when(text, view->goes_on ? view->since : view->last, now);
        if (!view->goes_on && *view->reason) {
                text_puts(text, ": ");
                html_put(text, view->reason);
        }
        text_puts(text, "</div>");
}
