/* SPDX-License-Identifier: Apache-2.0 */
/* What verification has measured, drawn, with the number that it was compared with; where nothing was,
 * nothing is. */
#include <math.h>

#include "responder/web/pages/internal.h"
#include "runbook/bind.h"
#include "runbook/promql.h"

enum { WIDTH = 600, HEIGHT = 140, MARGIN = 10 };

struct chart {
        const cJSON *values; /* of [seconds, value], one at least */
        const cJSON *before; /* likewise, what was measured before these; NULL: not known */
        nsec began;          /* wall: when the seconds count from */
        double from, to;     /* seconds */
        double low, high;    /* of all that is drawn */
        double first, last;  /* values */
        bool limited;
        double limit;
};

static double member(const cJSON *pair, int index)
{
        const cJSON *item = cJSON_GetArrayItem(pair, index);
        return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static void include(struct chart *chart, double value)
{
        chart->low = fmin(chart->low, value); /* NaN, which it begins as, is nothing */
        chart->high = fmax(chart->high, value);
}

/* What is not as it should be was measured by nobody. */
static void include_before(struct chart *chart)
{
        const cJSON *pair;
        cJSON_ArrayForEach(pair, chart->before)
        {
                if (!isfinite(member(pair, 0)) || !isfinite(member(pair, 1)))
                        chart->before = NULL;
                if (!chart->before)
                        return;
                chart->from = fmin(chart->from, member(pair, 0));
                include(chart, member(pair, 1));
        }
}

/* The values of the last verdict; false: none were kept. */
static bool find_values(const cJSON *timeline, struct chart *ret)
{
        const cJSON *event, *pair;
        nsec at = 0;
        double seconds = 0;
        cJSON_ArrayForEach(event, timeline)
        {
                const cJSON *detail = json_get(event, "detail", NULL);
                const cJSON *values = json_get(detail, "values", NULL);
                const char *when = json_string(event, "at");
                if (!cJSON_IsArray(values) || !values->child || !when || time_parse(when, &at, NULL) < 0)
                        continue;
                ret->values = values;
                ret->before = json_get(detail, "before", NULL);
                seconds = json_number(detail, "seconds", 0);
                ret->began = at - (nsec)(seconds * (double)NSEC_PER_SEC);
        }
        if (!ret->values)
                return false;
        ret->from = member(ret->values->child, 0);
        ret->first = member(ret->values->child, 1);
        cJSON_ArrayForEach(pair, ret->values)
        {
                ret->to = member(pair, 0);
                ret->last = member(pair, 1);
                if (!isfinite(ret->to) || !isfinite(ret->last))
                        return false;
                include(ret, ret->last);
        }
        include_before(ret);
        return true;
}

static void find_limit(const cJSON *definition, struct chart *ret)
{
        const char *query = json_string(json_get(definition, "verify", NULL), "query");
        _cleanup_free_ char *filled = query ? bind_fill(query) : NULL;
        if (!filled || promql_limit(filled, &ret->limit, NULL) <= 0 || !isfinite(ret->limit))
                return;
        ret->limited = true;
        include(ret, ret->limit);
}

static double across(const struct chart *chart, double seconds)
{
        double span = chart->to - chart->from;
        return span > 0 ? (seconds - chart->from) / span * (WIDTH - 2 * MARGIN) + MARGIN : WIDTH / 2.0;
}

static double down(const struct chart *chart, double value)
{
        double span = chart->high - chart->low;
        return span > 0 ? (chart->high - value) / span * (HEIGHT - 2 * MARGIN) + MARGIN : HEIGHT / 2.0;
}

static void put_points(const struct chart *chart, const cJSON *points, const char *class, bool apart,
                       struct text *page)
{
        const cJSON *pair;
        char step = 'M';
        text_printf(page, "<path class=\"%s\" d=\"", class);
        cJSON_ArrayForEach(pair, points)
        {
                text_printf(page, "%c%.1f %.1f%s", apart ? 'M' : step, across(chart, member(pair, 0)),
                            down(chart, member(pair, 1)), apart ? "h0" : "");
                step = 'L';
        }
        text_puts(page, "\"/>");
}

static void put_said(const struct chart *chart, struct text *page)
{
        const int count = cJSON_GetArraySize(chart->values);
        text_printf(page, "Measured %d time%s: ", count, count == 1 ? "" : "s");
        if (count > 1)
                text_printf(page, "%.4g at first, %.4g in the end", chart->first, chart->last);
        else
                text_printf(page, "%.4g", chart->last);
        if (chart->limited)
                text_printf(page, "; the limit is %.4g", chart->limit);
        text_puts(page, ".");
}

/* When something happened, as a line from top to bottom; not when that lies beyond what is drawn. */
static void put_mark(const struct chart *chart, nsec wall, const char *what, struct text *page)
{
        double seconds = nsec_to_seconds(wall - chart->began);
        if (wall <= 0 || seconds < chart->from || seconds > chart->to)
                return;
        text_printf(page, "<path class=\"mark\" d=\"M%.1f 0V%d\"><title>", across(chart, seconds), HEIGHT);
        html_put_line(page, what, WORD_MOST);
        text_puts(page, "</title></path>");
}

static void put_drawing(const struct visit *visit, const struct incident *incident, const struct chart *chart,
                        struct text *page)
{
        text_printf(page,
                    "<figure class=\"chart\"><svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" "
                    "role=\"img\" "
                    "aria-label=\"",
                    WIDTH, HEIGHT);
        put_said(chart, page);
        text_puts(page, "\"><title>");
        put_said(chart, page);
        text_puts(page, "</title>");
        if (chart->limited)
                text_printf(page, "<path class=\"limit\" d=\"M0 %.1fH%d\"/>", down(chart, chart->limit),
                            WIDTH);
        if (cJSON_GetArraySize(chart->before) > 0)
                put_points(chart, chart->before, "before", false, page);
        put_points(chart, chart->values, "line", false, page);
        put_points(chart, chart->values, "dots", true, page);
        put_mark(chart, incident->alert.starts_at, "the alert begins", page);
        for (size_t i = 0; i < incident->step_count; i++)
                put_mark(chart, incident->steps[i].started_at, incident->steps[i].action, page);
        text_puts(page, "</svg>\n<div class=\"axis\">");
        html_put_clock(page, chart->began + (nsec)(chart->from * (double)NSEC_PER_SEC), visit->now);
        html_put_clock(page, chart->began + (nsec)(chart->to * (double)NSEC_PER_SEC), visit->now);
        text_puts(page, "</div>\n<figcaption>");
        put_said(chart, page);
        text_puts(page, chart->limited ? " The dashed line is the limit." : "");
        text_puts(page, cJSON_GetArraySize(chart->before) > 0
                                ? " What is without dots Prometheus had from before; upright lines are the "
                                  "begin of the "
                                  "alert and of each step.</figcaption></figure>\n"
                                : "</figcaption></figure>\n");
}

void put_chart(const struct visit *visit, const struct incident *incident, const cJSON *timeline,
               const cJSON *definition, struct text *page)
{
        struct chart chart = {.low = NAN, .high = NAN};
        if (!find_values(timeline, &chart))
                return;
        find_limit(definition, &chart);
        put_drawing(visit, incident, &chart, page);
}
