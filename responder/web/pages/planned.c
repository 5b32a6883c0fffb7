/* SPDX-License-Identifier: Apache-2.0 */
/* What a remediation would do now, asked before it is run once more. */
#include "responder/incident/planning.h"
#include "responder/incident/question.h"
#include "responder/web/pages/internal.h"

#define NO_INCIDENT "INC-0000-0000"

static void put_row(const cJSON *item, struct text *page)
{
        const char *failure = json_string(item, "error");
        text_printf(page, "<tr><th scope=\"row\">%.0f. <code>", json_number(item, "step", 0));
        html_put_line(page, json_string(item, "action"), WORD_MOST);
        text_puts(page, "</code></th><td class=\"wide\">");
        if (failure)
                text_puts(page, "<span class=\"bad\">cannot be planned:</span> ");
        html_put_line(page, failure ? failure : json_string(json_get(item, "plan", NULL), "summary"),
                      SENTENCE_MOST);
        text_puts(page, "</td></tr>\n");
}

static void put_warning(struct text *page, const char *before, const char *said)
{
        if (!said)
                return;
        text_printf(page, "<p><span class=\"s wait\">%s</span> ", before);
        html_put_line(page, said, SENTENCE_MOST);
        text_puts(page, ".</p>\n");
}

static void put_held(const struct visit *visit, const struct incident *incident, struct text *page)
{
        struct guards_say says = {0};
        if (engine_ask_guards(visit->engine, incident->remediation, &incident->alert, &says, NULL) < 0)
                return;
        for (size_t i = 0; i < says.count; i++) {
                if (!says.items[i].holds)
                        continue;
                text_puts(page, "<p><span class=\"s wait\">It would be held back:</span> ");
                put_guard(page, says.items[i].guard);
                if (says.items[i].until != 0) {
                        text_puts(page, ", until ");
                        html_put_when(page, says.items[i].until, visit->now);
                }
                text_puts(page, ".</p>\n");
        }
        free(says.lock);
}

static void put_approval(const struct visit *visit, const struct remediation *remediation, const cJSON *plans,
                         struct text *page)
{
        _cleanup_free_ char *why = NULL;
        if (question_needed(remediation, visit->parts->set, plans, remediation->name, visit->now, NULL, &why,
                            NULL) >= 0)
                put_warning(page, "A person would be asked first:", why);
}

void put_plan_of_now(const struct visit *visit, const struct incident *incident, struct text *page)
{
        static const char *const columns[] = {"Step", "Would do now", NULL};
        const struct remediation *remediation = remediation_find(visit->parts->set, incident->remediation);
        struct planning planning = {0};
        _cleanup_error_ struct error error = {0};
        const cJSON *item;
        if (!remediation)
                return;
        text_puts(page, "<h2>What it would do now</h2>\n");
        put_held(visit, incident, page);
        if (planning_make(remediation, NULL, &incident->alert, NO_INCIDENT, visit->parts->world, &planning,
                          &error) < 0) {
                put_warning(page, "It cannot be planned:", error_text(&error));
                return;
        }
        put_warning(page, "It would not begin:", planning.failure);
        put_warning(page, "It would end on its way:", planning.stops);
        put_warning(page, "A person would be asked first:", planning.asks);
        put_approval(visit, remediation, planning.plans, page);
        html_table_begin(page, "Steps", columns);
        cJSON_ArrayForEach(item, planning.plans)
        {
                put_row(item, page);
        }
        html_table_end(page);
        planning_release(&planning);
}
