/* SPDX-License-Identifier: Apache-2.0 */
/* What was planned beside what was done, step by step, and what must hold then. */
#include "responder/remediation/definition.h"
#include "responder/web/pages/internal.h"

/* The plans of the last event that has any, and of its step `index`: {step, action, effect, plan | error}. */
static const cJSON *find_plans(const cJSON *timeline)
{
        const cJSON *event, *plans = NULL;
        cJSON_ArrayForEach(event, timeline)
        {
                const cJSON *found = json_get(event, "detail", "plans", NULL);
                plans = cJSON_IsArray(found) ? found : plans;
        }
        return plans;
}

static const cJSON *plan_of(const cJSON *plans, size_t position)
{
        const cJSON *plan;
        cJSON_ArrayForEach(plan, plans)
        {
                if ((size_t)json_number(plan, "step", 0) == position)
                        return plan;
        }
        return NULL;
}

/* Words, numbers and lists of them; what is empty or says where a secret is kept tells a person nothing. */
static bool put_argument(const cJSON *argument, struct text *page)
{
        _cleanup_text_ struct text value = {0};
        const cJSON *item;
        if (cJSON_IsNull(argument) || cJSON_IsObject(argument))
                return false;
        if (!cJSON_IsArray(argument))
                json_put_scalar(&value, argument);
        const cJSON *items = cJSON_IsArray(argument) ? argument : NULL;
        cJSON_ArrayForEach(item, items)
        {
                text_puts(&value, value.length > 0 ? ", " : "");
                json_put_scalar(&value, item);
        }
        if (value.length == 0)
                return false;
        text_puts(page, "<code>");
        html_put_line(page, argument->string, WORD_MOST);
        text_puts(page, ": ");
        html_put_line(page, text_string(&value), SENTENCE_MOST);
        text_puts(page, "</code> ");
        return true;
}

static void put_arguments(const cJSON *definition, size_t position, struct text *page)
{
        const cJSON *step = cJSON_GetArrayItem(json_get(definition, "steps", NULL), (int)position - 1);
        const cJSON *argument;
        size_t count = 0;
        _cleanup_text_ struct text list = {0};
        cJSON_ArrayForEach(argument, json_get(step, "arguments", NULL)) count +=
                put_argument(argument, &list);
        if (count > 0)
                text_printf(page,
                            "<details><summary>As it is asked for</summary><span "
                            "class=\"labels\">%s</span></details>",
                            text_string(&list));
}

static void put_plan(const struct step_record *step, const cJSON *planned, const cJSON *definition,
                     struct text *page)
{
        const char *summary = json_string(step->plan, "summary"), *failure = NULL;
        if (!summary)
                summary = json_string(json_get(planned, "plan", NULL), "summary");
        if (!summary)
                failure = json_string(planned, "error");
        if (failure)
                text_puts(page, "<span class=\"bad\">cannot be planned:</span> ");
        html_put_line(page, summary ? summary : failure ? failure : "not planned yet", SENTENCE_MOST);
        put_arguments(definition, step->position, page);
}

static void put_done(const struct visit *visit, const struct step_record *step, struct text *page)
{
        const char *tone = step_tone(step->status), *summary = json_string(step->outcome, "summary");
        text_printf(page, "<span class=\"s %s\">%s</span>", tone ? tone : "dim", step_phrase(step->status));
        if (step->started_at != 0) {
                text_puts(page, " <small>");
                html_put_clock(page, step->started_at, visit->now);
                if (step->finished_at >= step->started_at) {
                        text_puts(page, ", took ");
                        html_put_duration(page, step->finished_at - step->started_at);
                }
                text_puts(page, "</small>");
        }
        if (summary) {
                text_puts(page, "<br>");
                html_put_line(page, summary, SENTENCE_MOST);
        }
}

static void put_verification(const cJSON *definition, struct text *page)
{
        const cJSON *verify = json_get(definition, "verify", NULL);
        const char *query = json_string(verify, "query"), *check = json_string(verify, "check");
        if (!query && !check) {
                text_puts(page,
                          "<p class=\"dim\">Nothing is verified afterwards: that all steps are done is all "
                          "that will be known.</p>\n");
                return;
        }
        text_printf(page, "<p>Then it is healed when %s <code>",
                    query ? "this holds:" : "this check passes:");
        html_put_line(page, query ? query : check, 2 * SENTENCE_MOST);
        text_puts(page, "</code>");
        const char *within = json_string(verify, "within"), *hold = json_string(verify, "for");
        if (hold && !string_equal(hold, "0s") && !string_equal(hold, "0")) {
                text_puts(page, " for ");
                html_put_line(page, hold, WORD_MOST);
        }
        if (within) {
                text_puts(page, ", within ");
                html_put_line(page, within, WORD_MOST);
        }
        text_puts(page, ".</p>\n");
}

static cJSON *read_definition(const struct incident *incident)
{
        cJSON *definition = NULL;
        if (incident->definition)
                (void)definition_read(incident->definition, &definition, NULL);
        return definition;
}

void put_steps(const struct visit *visit, const struct incident *incident, const cJSON *timeline,
               struct text *page)
{
        static const char *const columns[] = {"Step", "Planned", "Done", NULL};
        _cleanup_json_ cJSON *definition = read_definition(incident);
        const cJSON *plans = find_plans(timeline);
        text_puts(page, "<h2>Plan, and what was done</h2>\n");
        html_table_begin(page, "Steps", columns);
        for (size_t i = 0; i < incident->step_count; i++) {
                const struct step_record *step = &incident->steps[i];
                text_printf(page, "<tr><th scope=\"row\">%zu. <code>", step->position);
                html_put_line(page, step->action, WORD_MOST);
                text_puts(page, "</code></th><td class=\"wide\">");
                put_plan(step, plan_of(plans, step->position), definition, page);
                text_puts(page, "</td><td>");
                put_done(visit, step, page);
                text_puts(page, "</td></tr>\n");
        }
        html_table_end(page);
        if (definition)
                put_verification(definition, page);
        put_chart(visit, incident, timeline, definition, page);
}
