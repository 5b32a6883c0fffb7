/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts of the last day that set nothing off, and why. */
#include "responder/incident/meters.h"
#include "responder/web/pages/internal.h"

#define BACK (24 * 3600 * NSEC_PER_SEC)
enum { SHOWN = 20 };

/* The remediation of which the fewest matchers refuse the alert, among those of which one takes it. */
static const struct remediation *find_nearest(const struct remediation_set *set, const struct alert *alert,
                                              struct text *why)
{
        const struct remediation *nearest = NULL;
        size_t fewest = SIZE_MAX;
        for (size_t i = 0; i < set->count; i++) {
                const struct remediation *remediation = &set->remediations[i];
                size_t missed = matchers_missed(&remediation->match, &alert->labels, 0, NULL);
                if (missed >= remediation->match.count || missed >= fewest)
                        continue;
                fewest = missed;
                nearest = remediation;
        }
        if (nearest)
                matchers_missed(&nearest->match, &alert->labels, 1, why);
        return nearest;
}

static void put_why(const struct visit *visit, const struct episode *episode, struct text *page)
{
        _cleanup_text_ struct text why = {0};
        if (episode->unreadable) {
                text_puts(page, "it cannot be read: ");
                html_put_line(page, episode->unreadable, SENTENCE_MOST);
                return;
        }
        const struct remediation *nearest = find_nearest(visit->parts->set, &episode->alert, &why);
        if (!nearest) {
                text_puts(page, "no remediation is for it, nor for one that is near.");
        } else if (why.length == 0) {
                text_puts(page, "by now it would set off <strong>");
                html_put_line(page, nearest->name, WORD_MOST);
                text_puts(page, "</strong>; when it came, it did not.");
        } else {
                text_puts(page, "no remediation is for it. Nearest is <strong>");
                html_put_line(page, nearest->name, WORD_MOST);
                text_puts(page, "</strong>, but ");
                html_put_line(page, text_string(&why), SENTENCE_MOST);
                text_puts(page, ".");
        }
}

static void put_episode(const struct visit *visit, const struct episode *episode, struct text *page)
{
        const char *name = alert_label(&episode->alert, "alertname");
        text_puts(page, "<li><span>");
        html_put_when(page, episode->last_seen_at, visit->now);
        text_puts(page, "</span><div class=\"pairs\"><p>");
        put_subject(page, name ? name : "(no name)", &episode->alert);
        text_puts(page, ": ");
        put_why(visit, episode, page);
        text_puts(page, episode->open ? " It still fires.</p><p>" : "</p><p>");
        put_labels(page, &episode->alert.labels, "alertname");
        text_puts(page, "</p></div></li>\n");
}

/* "Since the start: 3 matched, 12 repeated." with what each means in its title. */
static void put_outcomes(const struct visit *visit, struct text *page)
{
        double counts[OUTCOME_COUNT];
        bool some = false;
        alert_outcomes_count(visit->parts->meters, visit->parts->journal, counts);
        for (enum alert_outcome outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
                if (counts[outcome] <= 0)
                        continue;
                text_puts(page, some ? ", " : "<p class=\"dim\">Alerts since the start, ");
                if (!some) {
                        html_put_when(page, visit->started_at, visit->now);
                        text_puts(page, ": ");
                }
                text_printf(page, "<span title=\"%s\">%.0f ", alert_outcome_words(outcome), counts[outcome]);
                for (const char *c = alert_outcome_name(outcome); *c; c++)
                        text_putc(page, *c == '_' ? ' ' : *c);
                text_puts(page, "</span>");
                some = true;
        }
        text_puts(page, some ? ".</p>\n" : "");
}

void put_passed_over(const struct visit *visit, struct text *page)
{
        struct episode_list list = {0};
        _cleanup_error_ struct error error = {0};
        text_puts(page, "<h2>Came in and set nothing off</h2>\n");
        if (journal_passed_over(visit->parts->journal, visit->now - BACK, SHOWN + 1, &list, &error) < 0) {
                put_unreadable(page, &error);
                return;
        }
        if (list.count == 0) {
                text_puts(page, "<p class=\"dim\">Nothing in the last day.</p>\n");
        } else {
                text_puts(page, "<ul class=\"lines\">\n");
                for (size_t i = 0; i < list.count && i < SHOWN; i++)
                        put_episode(visit, &list.items[i], page);
                text_puts(page, "</ul>\n");
        }
        put_more(page, list.count, SHOWN);
        put_outcomes(visit, page);
        episode_list_release(&list);
}
