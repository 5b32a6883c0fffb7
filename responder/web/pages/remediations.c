/* SPDX-License-Identifier: Apache-2.0 */
/* GET /remediations: what there is, what holds it back now, and how it has fared. */
#include <stdlib.h>

#include "responder/incident/planning.h"
#include "responder/incident/trust.h"
#include "responder/web/pages/internal.h"
#include "runbook/assert.h"

enum { RUNS_LOOKED_AT = 2000, LAST_SHOWN = 5 };

/* How one remediation has fared among the incidents that were looked at. */
struct record {
        size_t well, badly;
        nsec *healed; /* how long each took that was healed */
        size_t healed_count;
        struct {
                char number[32];
                nsec opened_at;
                enum incident_state state;
        } last[LAST_SHOWN];
        size_t last_count;
};

struct records {
        const struct remediation_set *set;
        struct record *items;
};

static void note_run(void *context, const struct journal_run *run)
{
        struct records *records = context;
        const struct remediation *remediation = remediation_find(records->set, run->remediation);
        if (!remediation)
                return;
        struct record *record = &records->items[remediation - records->set->remediations];
        if (record->last_count < LAST_SHOWN) {
                snprintf(record->last[record->last_count].number, sizeof(record->last[0].number), "%s",
                         run->number);
                record->last[record->last_count].opened_at = run->opened_at;
                record->last[record->last_count++].state = run->state;
        }
        if (run->ended_at == 0 || run->running_at == 0)
                return;
        if (incident_went_well(run->state))
                record->well++;
        else if (run->state != INCIDENT_CANCELLED)
                record->badly++;
        if (run->state != INCIDENT_HEALED)
                return;
        nsec *grown = (record->healed_count & (record->healed_count - 1)) == 0
                              ? reallocarray(record->healed, record->healed_count * 2 + 1, sizeof(nsec))
                              : record->healed;
        if (!grown)
                return;
        record->healed = grown;
        grown[record->healed_count++] = run->ended_at - run->opened_at;
}

static int compare(const void *a, const void *b)
{
        const nsec *one = a, *other = b;
        return (*one > *other) - (*one < *other);
}

static const char *const reaches[] = {
        [REACH_PLANS] = "; it is planned, and nothing is run",
        [REACH_ASKS] = "; it is trusted to ask",
        [REACH_HAS_YET_TO_EARN] = "; it has yet to earn to act by itself",
        [REACH_HAS_EARNED] = "; it has earned to act by itself",
        [REACH_ACTS] = "",
};
tables_agree(reaches, REACH_COUNT);

/* What it has come to, and what follows for how far it may go by itself. */
static void put_trust(const struct visit *visit, const struct remediation *remediation, struct text *page)
{
        struct ledger ledger;
        _cleanup_text_ struct text sentence = {0};
        if (ledger_read(visit->parts->journal, remediation->name, &ledger, NULL) < 0)
                return;
        text_puts(page, "<br>Of the last ones ");
        ledger_put(&ledger, &sentence);
        html_put_line(page, text_string(&sentence), SENTENCE_MOST);
        text_printf(page, "%s.", reaches[ledger_reach(&ledger, remediation)]);
}

static void put_record(const struct visit *visit, const struct remediation *remediation,
                       const struct record *record, struct text *page)
{
        const size_t runs = record->well + record->badly;
        text_puts(page, "<div><dt>So far</dt><dd>");
        if (runs == 0)
                text_puts(page, "it has not run");
        else
                text_printf(page, "%zu run%s, %zu %% went well", runs, runs == 1 ? "" : "s",
                            (record->well * 100 + runs / 2) / runs);
        if (record->healed_count > 0) {
                qsort(record->healed, record->healed_count, sizeof(nsec), compare);
                text_puts(page, "; half were healed within ");
                html_put_span(page, record->healed[(record->healed_count - 1) / 2]);
        }
        put_trust(visit, remediation, page);
        for (size_t i = 0; i < record->last_count; i++) {
                const struct incident like = {.state = record->last[i].state};
                text_puts(page, "<br>");
                html_put_when(page, record->last[i].opened_at, visit->now);
                text_printf(page, " <a class=\"num\" href=\"/incidents/%s\">%s</a> %s",
                            record->last[i].number, record->last[i].number, state_phrase(&like));
        }
        text_puts(page, "</dd></div>\n");
}

static void put_matchers(const struct remediation *remediation, struct text *page)
{
        _cleanup_text_ struct text lines = {0};
        matchers_print(&remediation->match, &lines);
        text_puts(page, "<div><dt>For alerts with</dt><dd class=\"labels\">");
        for (const char *at = text_string(&lines); *at;) {
                size_t length = strcspn(at, "\n");
                _cleanup_free_ char *line = strndup(at, length);
                text_puts(page, "<code>");
                html_put_line(page, line, SENTENCE_MOST);
                text_puts(page, "</code><br>");
                at += length + (at[length] == '\n');
        }
        text_puts(page, "</dd></div>\n");
}

static void put_span_of(struct text *page, nsec duration)
{
        char span[DURATION_TEXT_MAX];
        text_puts(page, duration_format(duration, span));
}

/* When a person is asked, how many, and what follows when nobody answers. */
static void put_approval(const struct approval *approval, struct text *page)
{
        static const char *const follows[] = {"a person is called", "it is denied", "it runs"};
        tables_agree(follows, ON_TIMEOUT_COUNT);
        const char *before = "";
        if (!approval->wanted) {
                text_puts(page, ".");
                return;
        }
        text_printf(page, ", and %s each", approval->people > 1 ? "two people approve" : "a person approves");
        if (approval->more_than > 0) {
                text_printf(page, " that would change more than %lld targets",
                            (long long)approval->more_than);
                before = ", or";
        }
        if (approval->outside_hours) {
                text_printf(page, "%s outside of the hours in which people are there", before);
                before = ", or";
        }
        if (approval->after.count > 0) {
                text_printf(page, "%s once it has run %lld time%s in ", before,
                            (long long)approval->after.count, approval->after.count == 1 ? "" : "s");
                put_span_of(page, approval->after.period);
        }
        if (approval->deadline > 0) {
                text_puts(page, "; when nobody has within ");
                put_span_of(page, approval->deadline);
                text_printf(page, ", %s", follows[approval->on_timeout]);
        }
        text_puts(page, ".");
}

static void put_guards(const struct remediation *remediation, struct text *page)
{
        text_puts(page, "<div><dt>Held back</dt><dd>One at a time under the lock <code>");
        html_put_line(page, remediation->lock ? remediation->lock : remediation->name, WORD_MOST);
        text_puts(page, "</code>");
        if (remediation->cooldown > 0) {
                text_puts(page, ", ");
                put_span_of(page, remediation->cooldown);
                text_puts(page, " after the last run");
        }
        if (remediation->limit.count > 0) {
                text_printf(page, ", %lld time%s in ", (long long)remediation->limit.count,
                            remediation->limit.count == 1 ? "" : "s");
                put_span_of(page, remediation->limit.period);
        }
        put_approval(&remediation->approval, page);
        text_puts(page, "</dd></div>\n");
}

static void put_verification(const struct remediation *remediation, struct text *page)
{
        const struct verification *verify = &remediation->verify;
        text_puts(page, "<div class=\"wide\"><dt>Healed when</dt><dd>");
        if (verify->query || verify->check) {
                text_puts(page, verify->query ? "<code>" : "the check <code>");
                html_put_line(page, verify->query ? verify->query : verify->check, 2 * SENTENCE_MOST);
                text_puts(page, verify->query ? "</code> holds, within " : "</code> passes, within ");
                put_span_of(page, verify->within);
        } else {
                text_puts(page, "nothing says so: it is done when its steps are");
        }
        text_puts(page, "</dd></div>\n");
}

static const char *undo_words(const struct step *step)
{
        if (step->action->effect == EFFECT_READ_ONLY)
                return "changes nothing";
        if (!step->action->undo)
                return "cannot be undone";
        return step->undo == UNDO_WHEN_RESOLVED ? "is undone when the alert has ended" : "can be undone";
}

static void put_step_list(const struct remediation *remediation, struct text *page)
{
        text_puts(page, "<ol>");
        for (size_t i = 0; i < remediation->step_count; i++) {
                const struct step *step = &remediation->steps[i];
                text_printf(page, "<li><code>%s</code> <small>%s%s</small></li>", step->action->name,
                            undo_words(step), step->essential ? "" : "; the rest does not depend on it");
        }
        text_puts(page, "</ol>\n");
}

static void put_remediation(const struct visit *visit, const struct remediation *remediation,
                            const struct record *record, struct text *page)
{
        text_puts(page, "<article class=\"card\" id=\"remediation-");
        html_put(page, remediation->name);
        text_puts(page, "\"><h2>");
        html_put_line(page, remediation->name, WORD_MOST);
        text_puts(page, "</h2>\n");
        put_step_list(remediation, page);
        text_puts(page, "<dl class=\"facts\">");
        put_matchers(remediation, page);
        put_guards(remediation, page);
        put_record(visit, remediation, record, page);
        put_verification(remediation, page);
        text_puts(page, "</dl>\n<p><a href=\"/incidents?remediation=");
        html_put(page, remediation->name);
        text_puts(page, "\">All its incidents</a></p></article>\n");
}

void page_remediations(const struct visit *visit)
{
        const struct remediation_set *set = visit->parts->set;
        struct records records = {set, calloc(set->count + 1, sizeof(*records.items))};
        _cleanup_error_ struct error error = {0};
        int r = records.items
                        ? journal_runs(visit->parts->journal, RUNS_LOOKED_AT, note_run, &records, &error)
                        : error_oom(&error);
        if (r < 0) {
                page_fail(visit, r, &error);
        } else {
                assert_that(records.items, "what is counted has its place");
                struct text page = {0};
                page_begin(visit, "Remediations", "/remediations", 0, &page);
                text_printf(&page,
                            "<h1>Remediations</h1>\n<p class=\"dim\">As the file has them; of how they have "
                            "fared, the last %d incidents are counted.</p>\n",
                            RUNS_LOOKED_AT);
                put_matrix(visit, &page);
                for (size_t i = 0; i < set->count; i++)
                        put_remediation(visit, &set->remediations[i], &records.items[i], &page);
                page_send(visit, 200, &page);
        }
        for (size_t i = 0; records.items && i < set->count; i++)
                free(records.items[i].healed);
        free(records.items);
}
