/* SPDX-License-Identifier: Apache-2.0 */
/* Whether it would act now, and what it acts upon. */
#include "responder/web/pages/internal.h"

/* What it takes to act; the first that is missing is what one has to know. */
struct armed {
        bool paused, dry_run, broken;
        struct maintenance_shown maintenance;
        nsec paused_since;
        char *by, *reason;
        struct error why; /* of `broken` */
        struct target_standing *targets;
        size_t target_count, down;
        size_t planning; /* remediations that only plan, by the file */
};

static void armed_release(struct armed *armed)
{
        free(armed->by);
        free(armed->reason);
        maintenance_shown_release(&armed->maintenance);
        error_clear(&armed->why);
        target_standings_free(armed->targets, armed->target_count);
}

static void find_armed(const struct visit *visit, struct armed *ret)
{
        struct journal *journal = visit->parts->journal;
        ret->dry_run = visit->parts->dry_run;
        for (size_t i = 0; i < visit->parts->set->count; i++)
                ret->planning += visit->parts->set->remediations[i].dry_run;
        ret->broken = journal_standing(journal, NULL, &ret->why) != JOURNAL_FINE;
        if (journal_paused(journal, &ret->paused, &ret->paused_since, ret->broken ? NULL : &ret->why) < 0)
                ret->broken = true;
        if (maintenance_show(journal, &ret->maintenance, ret->broken ? NULL : &ret->why) < 0)
                ret->broken = true;
        const struct world *world = visit->parts->world;
        if (world->standings && world->standings(world->context, &ret->targets, &ret->target_count, NULL) < 0)
                ret->target_count = 0;
        for (size_t i = 0; i < ret->target_count; i++)
                ret->down += ret->targets[i].up == 0;
        if (ret->paused)
                (void)journal_paused_by(journal, ret->paused_since, &ret->by, &ret->reason, NULL);
}

static void put_paused(const struct visit *visit, const struct armed *armed, struct text *page)
{
        text_puts(page, "<p>Paused by ");
        put_actor(page, armed->by);
        text_puts(page, " at ");
        html_put_when(page, armed->paused_since, visit->now);
        if (armed->reason && *armed->reason) {
                text_puts(page, ": “");
                html_put_line(page, armed->reason, SENTENCE_MOST);
                text_puts(page, "”");
        }
        text_puts(page, ". Alerts are taken and written down; no step begins before somebody resumes.</p>\n");
}

static void put_maintenance(const struct visit *visit, const struct maintenance_shown *maintenance,
                            struct text *page)
{
        text_puts(page, "<p>Maintenance, begun by ");
        put_actor(page, maintenance->by);
        if (maintenance->until != 0) {
                text_puts(page, ", until ");
                html_put_when(page, maintenance->until, visit->now);
        }
        if (maintenance->reason && *maintenance->reason) {
                text_puts(page, ": “");
                html_put_line(page, maintenance->reason, SENTENCE_MOST);
                text_puts(page, "”");
        }
        text_printf(page, ". Alerts are taken and written down; no step begins before it is over.%s</p>\n",
                    maintenance->silenced ? " Alertmanager is silenced meanwhile." : "");
}

static void put_fact_begin(struct text *page, const char *name)
{
        text_printf(page, "<div><dt>%s</dt><dd>", name);
}

static void put_fact_end(struct text *page)
{
        text_puts(page, "</dd></div>\n");
}

/* "receiver oncall", "Prometheus". */
static void put_target(struct text *page, const struct target_standing *target)
{
        static const struct {
                const char *kind, *words;
        } words[] = {{"docker", "Docker"},
                     {"prometheus_url", "Prometheus"},
                     {"alertmanager_url", "Alertmanager"},
                     {"exporter_url", "the exporter"},
                     {"evidence_directory", "the evidence's directory"}};
        const char *kind = target->name.kind;
        for (size_t i = 0; i < N_ELEMENTS(words); i++)
                if (string_equal(words[i].kind, kind))
                        kind = words[i].words;
        html_put_line(page, kind, WORD_MOST);
        if (!target->name.name || !*target->name.name || kind != target->name.kind)
                return;
        text_puts(page, " ");
        html_put_line(page, target->name.name, WORD_MOST);
}

static const char *words_of_down(const struct target_standing *target)
{
        return target->of_rights ? "would be refused" : "does not answer";
}

/* Of what is let there is nothing to be said. */
static void put_targets(const struct armed *armed, struct text *page)
{
        size_t unasked = 0, put = 0;
        for (size_t i = 0; i < armed->target_count; i++) {
                const struct target_standing *target = &armed->targets[i];
                const bool down = target->up == 0;
                if (target->of_rights && !down)
                        continue;
                unasked += target->up < 0;
                text_puts(page, put++ > 0 ? ", " : "");
                text_puts(page, down ? "<span class=\"s bad\">" : "");
                put_target(page, target);
                if (down)
                        text_printf(page, " (%s)</span>", words_of_down(target));
        }
        text_puts(page, put == 0 ? "nothing" : "");
        if (unasked > 0)
                text_printf(page, "; %zu %s not asked yet", unasked, unasked == 1 ? "is" : "are");
}

/* Each that does not answer, what it said instead, and when it did the last time. */
static void put_down(const struct visit *visit, const struct armed *armed, struct text *page)
{
        for (size_t i = 0; i < armed->target_count; i++) {
                const struct target_standing *target = &armed->targets[i];
                if (target->up != 0)
                        continue;
                text_puts(page, "<p><span class=\"s bad\">");
                put_target(page, target);
                text_printf(page, " %s</span>", words_of_down(target));
                if (target->up_at > 0) {
                        text_puts(page, target->of_rights ? ", would not at " : ", did at ");
                        html_put_when(page, target->up_at, visit->now);
                }
                text_puts(page, ": ");
                html_put_line(page, target->said, SENTENCE_MOST);
                text_puts(page, "</p>\n");
        }
}

static void put_facts(const struct visit *visit, const struct armed *armed, struct text *page)
{
        text_puts(page, "<dl class=\"facts\">");
        put_fact_begin(page, "Last webhook");
        if (visit->webhook_at != 0) {
                html_put_when(page, visit->webhook_at, visit->now);
        } else {
                text_puts(page, "none since the start, ");
                html_put_when(page, visit->started_at, visit->now);
        }
        put_fact_end(page);
        put_fact_begin(page, "Journal");
        text_puts(page,
                  armed->broken ? "<span class=\"s bad\">cannot be written</span>" : "is written and read");
        put_fact_end(page);
        put_fact_begin(page, "Knows");
        text_printf(page, "%zu remediation%s", visit->parts->set->count,
                    visit->parts->set->count == 1 ? "" : "s");
        if (armed->planning > 0)
                text_printf(page, ", %zu of them plan%s only", armed->planning,
                            armed->planning == 1 ? "s" : "");
        put_fact_end(page);
        text_puts(page, "<div class=\"wide\"><dt>Works with</dt><dd>");
        put_targets(armed, page);
        put_fact_end(page);
        text_puts(page, "</dl>\n");
}

void put_armed(const struct visit *visit, struct text *page)
{
        _cleanup_(armed_release) struct armed armed = {0};
        find_armed(visit, &armed);
        const size_t count = visit->parts->set->count;
        const bool plans = armed.dry_run || (count > 0 && armed.planning == count);
        const char *tone = armed.broken                                                         ? HTML_BAD
                           : armed.paused || armed.maintenance.holds || plans || armed.down > 0 ? HTML_WAIT
                                                                                                : HTML_GOOD;
        const char *lead = armed.broken              ? "It cannot act"
                           : armed.paused            ? "Paused: nothing is run"
                           : armed.maintenance.holds ? "Maintenance: nothing is begun"
                           : plans                   ? "Dry run: it plans, and does nothing"
                           : armed.down > 0          ? "Armed, but not all that it works with answers"
                                                     : "Armed: it acts when an alert comes";
        text_printf(page, "<section class=\"card %s\" aria-label=\"Is it armed?\"><p class=\"lead\">%s</p>\n",
                    tone, lead);
        if (armed.broken) {
                text_puts(page, "<p>");
                html_put_line(page, error_text(&armed.why), SENTENCE_MOST);
                text_puts(page, "</p>\n");
        }
        if (armed.paused)
                put_paused(visit, &armed, page);
        if (armed.maintenance.holds)
                put_maintenance(visit, &armed.maintenance, page);
        if (armed.dry_run)
                text_puts(page, "<p>Plans are made and written down, nothing is done: it was started with "
                                "<code>--dry-run</code>.</p>\n");
        else if (plans)
                text_puts(page,
                          "<p>Plans are made and written down, nothing is done: each remediation of the "
                          "file has <code>dry_run: true</code>, or is trusted to observe.</p>\n");
        put_down(visit, &armed, page);
        put_facts(visit, &armed, page);
        if (visit->may_decide) {
                text_puts(page, "<div class=\"acts\">");
                put_act(visit, armed.paused ? ACT_RESUME : ACT_PAUSE, NULL, armed.paused ? "main" : "", page);
                put_act(visit, armed.maintenance.holds ? ACT_END_MAINTENANCE : ACT_MAINTAIN, NULL, "", page);
                text_puts(page, "</div>\n");
        }
        text_puts(page, "</section>\n");
}
