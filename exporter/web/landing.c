/* SPDX-License-Identifier: Apache-2.0 */
/* One HTML page without scripts or outside resources, readable by eye and by screen reader, light and dark.
 */
#include "exporter/web/landing.h"

static const char style[] =
        ":root{color-scheme:light "
        "dark;--line:#d0d7de;--dim:#57606a;--good:#116329;--bad:#b3261e;--wait:#6b5900}"
        "@media(prefers-color-scheme:dark){:root{--line:#3d444d;--dim:#9198a1;--good:#3fb950;--bad:#ff7b72;"
        "--wait:#d29922}}"
        "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}"
        "h1{font-size:1.5rem;margin:0}p{color:var(--dim)}nav a{margin-right:1.25rem}"
        ".table{overflow-x:auto}table{border-collapse:collapse;width:100%;margin-top:1rem}"
        "th,td{text-align:left;padding:.5rem .75rem;border-bottom:1px solid var(--line);vertical-align:top}"
        "thead th{color:var(--dim);font-weight:600}tbody th{font-weight:600}"
        "td.n{white-space:nowrap;font-variant-numeric:tabular-nums}small{color:var(--dim);font-weight:400}"
        ".good{color:var(--good)}.bad{color:var(--bad)}.wait{color:var(--wait)}.s{font-weight:600;white-"
        "space:nowrap}thead th{white-space:nowrap}td:last-child{overflow-wrap:anywhere}"
        /* On a telephone a row is a card: its cells one after the other, the reason below them. */
        "@media(max-width:40rem){thead{position:absolute;left:-99rem}tbody tr{display:block;padding:.5rem "
        "0;border-bottom:1px solid var(--line)}tbody th,td{display:inline-block;border:0;padding:0 1rem 0 "
        "0}tbody th,td:last-child{display:block}td:empty{display:none}}";

/* How a check stands, in a word, a sign and a colour: never by colour alone. */
static const struct {
        const char *class, *sign, *word;
} standings[] = {
        [STANDING_PASS] = {"good", "✓", "passes"},
        [STANDING_WARN] = {"wait", "!", "warns"},
        [STANDING_FAIL] = {"bad", "✗", "fails"},
        [STANDING_UNKNOWN] = {"wait", "…", "not run yet"},
};

static void put_age(struct text *text, nsec wall, nsec now)
{
        char time[TIME_TEXT_MAX], age[DURATION_TEXT_MAX];
        nsec seconds = now > wall ? (now - wall) / NSEC_PER_SEC : 0;

        text_printf(text, "<time datetime=\"%s\">%s ago</time>", time_format(wall, time),
                    duration_format(seconds * NSEC_PER_SEC, age));
}

static void put_duration(struct text *text, nsec duration)
{
        if (duration < NSEC_PER_SEC)
                text_printf(text, "%.1f ms", (double)duration / 1e6);
        else
                text_printf(text, "%.2f s", nsec_to_seconds(duration));
}

/* What is shown of one level. */
struct shown {
        struct text *text;
        size_t beyond;
};

/* One series beyond a threshold: its value, and which condition. */
static void put_judgement(const struct judgement *judgement, void *context)
{
        struct shown *shown = context;
        _cleanup_text_ struct text value = {0};

        if (!judgement->beyond || shown->beyond++ >= JUDGEMENTS_SHOWN)
                return;
        judgement_put(&value, judgement);
        text_puts(shown->text, "<div>");
        text_put_html(shown->text, text_string(&value));
        text_printf(shown->text, " <small>%s: ", threshold_levels[judgement->threshold->level]);
        text_put_html(shown->text, judgement->threshold->written);
        text_puts(shown->text, "</small></div>");
}

static void put_beyond(struct text *text, const struct check_state *state)
{
        for (enum threshold_level level = THRESHOLD_LEVELS; level-- > 0;) {
                struct shown shown = {text, 0};

                thresholds_judge(&state->check->thresholds, level, &state->result->samples,
                                 state->result->started_wall, put_judgement, &shown);
                if (shown.beyond > JUDGEMENTS_SHOWN)
                        text_printf(text, "<div>… and %zu more</div>", shown.beyond - JUDGEMENTS_SHOWN);
        }
}

/* What to do, and where that is told: a link only where it is one. */
static void put_advice(struct text *text, const struct check *check)
{
        const char *url = check->runbook_url;
        bool link = url && (string_starts(url, "https://") || string_starts(url, "http://"));

        if (check->advice) {
                text_puts(text, "<div><strong>");
                text_put_html(text, check->advice);
                text_puts(text, "</strong></div>");
        }
        if (!url)
                return;
        text_puts(text, link ? "<div><a href=\"" : "<div>");
        text_put_html(text, url);
        if (link) {
                text_puts(text, "\">");
                text_put_html(text, url);
                text_puts(text, "</a>");
        }
        text_puts(text, "</div>");
}

static void put_check(struct text *text, const struct check_state *state, nsec now)
{
        enum standing standing = check_state_standing(state);
        const struct check_result *result = state->result;

        text_printf(text,
                    "<tr><td class=\"s %s\"><span aria-hidden=\"true\">%s</span> %s</td><th scope=\"row\">",
                    standings[standing].class, standings[standing].sign, standings[standing].word);
        text_put_html(text, state->check->title);
        text_puts(text, "<br><small><a rel=\"nofollow\" title=\"Run it now, step by step\" "
                        "href=\"/probe?debug=1&amp;check=");
        text_put_html(text, state->check->name);
        text_puts(text, "\">");
        text_put_html(text, state->check->name);
        text_printf(text, "</a></small></th><td>%s</td><td class=\"n\">", state->check->kind->name);
        if (result)
                put_age(text, result->started_wall, now);
        else
                text_puts(text, "never");
        text_puts(text, "</td><td class=\"n\">");
        if (result)
                put_duration(text, result->duration);
        text_puts(text, "</td><td>");
        text_put_html(text, check_state_reason(state));
        if (result)
                put_beyond(text, state);
        if (standing == STANDING_WARN || standing == STANDING_FAIL)
                put_advice(text, state->check);
        if (result && result->samples.dropped > 0)
                text_printf(text, "<div>%llu series over max_series were left out</div>",
                            (unsigned long long)result->samples.dropped);
        text_puts(text, "</td></tr>\n");
}

static void put_heading(struct text *text, const char *title)
{
        if (title) {
                text_put_html(text, title);
                text_puts(text, ": ");
        }
        text_puts(text, "Runbook exporter");
}

void page_render(const char *title, const struct check_state *states, size_t count, nsec now,
                 struct text *text)
{
        size_t of[N_ELEMENTS(standings)] = {0};
        _cleanup_text_ struct text heading = {0};

        for (size_t i = 0; i < count; i++)
                of[check_state_standing(&states[i])]++;
        put_heading(&heading, title);

        text_printf(
                text,
                "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                "<title>%s</title><style>%s</style></head>\n<body><main><h1>%s</h1>\n"
                "<p>Version %s. %zu checks, %zu of them failing, %zu warning. Checks run when Prometheus "
                "asks for "
                "<a href=\"/metrics\">metrics</a>.</p>\n"
                "<nav aria-label=\"Pages\"><a href=\"/metrics\">Metrics</a><a href=\"/-/healthy\">Healthy</a>"
                "<a href=\"/-/ready\">Ready</a></nav>\n"
                "<div class=\"table\" role=\"region\" aria-label=\"Checks\" tabindex=\"0\"><table><thead><tr>"
                "<th scope=\"col\">State</th><th scope=\"col\">Check</th><th scope=\"col\">Kind</th>"
                "<th scope=\"col\">Last run</th><th scope=\"col\">Took</th><th scope=\"col\">Reason</th>"
                "</tr></thead><tbody>\n",
                text_string(&heading), style, text_string(&heading), RUNBOOK_VERSION, count,
                of[STANDING_FAIL], of[STANDING_WARN]);
        for (size_t i = 0; i < count; i++)
                put_check(text, &states[i], now);
        text_puts(text, "</tbody></table></div></main></body></html>\n");
}
