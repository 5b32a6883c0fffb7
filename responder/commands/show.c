/* SPDX-License-Identifier: Apache-2.0 */
/* What the API's documents say, in words for a person at a terminal. */
#include "responder/commands/show.h"

#include <time.h>

#include "runbook/clock.h"

enum { SENTENCE_MOST = 400, LABELS_MOST = 12 };

static bool read_time(const char *at, nsec *ret)
{
        return at && time_parse(at, ret, NULL) >= 0;
}

void show_age(struct text *text, const char *at)
{
        char age[DURATION_TEXT_MAX];
        nsec when;
        if (!read_time(at, &when))
                return;
        nsec passed = clock_wall() - when;
        passed -= passed % NSEC_PER_SEC;
        if (passed < NSEC_PER_SEC)
                text_puts(text, "just now");
        else
                text_printf(text, "%s ago", duration_format(passed, age));
}

static void put_time(struct text *text, const char *at, const char *format)
{
        char shown[64] = "";
        struct tm parts;
        nsec when;
        if (!read_time(at, &when))
                return;
        const time_t seconds = (time_t)(when / NSEC_PER_SEC);
        if (localtime_r(&seconds, &parts) && strftime(shown, sizeof(shown), format, &parts) > 0)
                text_puts(text, shown);
}

void show_time(struct text *text, const char *at)
{
        put_time(text, at, "%Y-%m-%d %H:%M:%S");
}

void show_string(struct text *text, const cJSON *json, const char *key)
{
        const char *value = json_string(json, key);
        text_put_line(text, value ? value : "", SENTENCE_MOST);
}

void show_alert(struct text *text, const cJSON *alert)
{
        const cJSON *labels = json_get(alert, "labels", NULL), *label;
        size_t shown = 0;
        show_string(text, labels, "alertname");
        cJSON_ArrayForEach(label, labels)
        {
                if (string_equal(label->string, "alertname") || !cJSON_IsString(label))
                        continue;
                if (shown++ == LABELS_MOST) {
                        text_puts(text, " …");
                        break;
                }
                text_putc(text, ' ');
                text_put_line(text, label->string, SENTENCE_MOST);
                text_puts(text, "=\"");
                text_put_line(text, label->valuestring, SENTENCE_MOST);
                text_putc(text, '"');
        }
}

/* "awaiting approval" of "awaiting_approval". */
static void put_words(struct text *text, const char *name)
{
        for (; name && *name; name++) {
                char c = *name == '_' ? ' ' : *name;
                text_put_line(text, (const char[]){c, '\0'}, 1);
        }
}

static bool is_undone(const cJSON *incident)
{
        const cJSON *step;
        cJSON_ArrayForEach(step, json_get(incident, "steps", NULL))
        {
                if (string_equal(json_string(step, "status"), "undone"))
                        return true;
        }
        return false;
}

void show_state(struct text *text, const cJSON *incident)
{
        const char *state = json_string(incident, "state"), *guard = json_string(incident, "guard");
        const char *until = json_string(incident, "guard_until");
        put_words(text, state);
        if (string_equal(state, "held") && guard && *guard) {
                text_puts(text, " by ");
                put_words(text, guard);
                text_puts(text, until ? " until " : "");
                put_time(text, until, "%H:%M:%S");
        }
        /* What a person has set off fires as long as nobody says otherwise. */
        if (json_string(incident, "ended_at") && json_bool(incident, "episode_open", false) &&
            !json_get(incident, "alert", "labels", "runbook_run", NULL))
                text_puts(text, ", still firing");
        if (json_bool(incident, "cancel_requested", false) && !json_string(incident, "ended_at"))
                text_puts(text, ", being cancelled");
        if (is_undone(incident))
                text_puts(text, ", undone");
        if (json_bool(incident, "undo_requested", false))
                text_puts(text, ", being undone");
}

static void put_row(struct text *text, const char *title, const char *value)
{
        if (*value)
                text_printf(text, "  %-12s%s\n", title, value);
}

static void put_when(struct text *text, const cJSON *incident, const char *title, const char *key)
{
        _cleanup_text_ struct text value = {0};
        const char *at = json_string(incident, key);
        show_time(&value, at);
        if (value.length > 0) {
                text_puts(&value, " (");
                show_age(&value, at);
                text_putc(&value, ')');
        }
        put_row(text, title, text_string(&value));
}

static void put_annotation(struct text *text, const cJSON *alert, const char *title, const char *key)
{
        _cleanup_text_ struct text value = {0};
        show_string(&value, json_get(alert, "annotations", NULL), key);
        put_row(text, title, text_string(&value));
}

/* The plans that were made last, before anything ran: what an approval is of. */
static const cJSON *last_plans(const cJSON *timeline)
{
        const cJSON *event, *plans = NULL;
        cJSON_ArrayForEach(event, timeline)
        {
                const cJSON *found = json_get(event, "detail", "plans", NULL);
                plans = found ? found : plans;
        }
        return plans;
}

static const cJSON *plan_of(const cJSON *plans, double position)
{
        const cJSON *plan;
        cJSON_ArrayForEach(plan, plans)
        {
                if (json_number(plan, "step", 0) == position)
                        return plan;
        }
        return NULL;
}

/* What came of it or, as long as nothing did, what it would do, or why that cannot be said. */
static void put_said_of_step(struct text *text, const cJSON *step, const cJSON *planned)
{
        const struct {
                const char *before, *said;
        } sayings[] = {
                {": ", json_string(json_get(step, "outcome", NULL), "summary")},
                {": ", json_string(json_get(step, "outcome", NULL), "error")},
                {"; planned: ", json_string(json_get(step, "plan", NULL), "summary")},
                {"; planned: ", json_string(json_get(planned, "plan", NULL), "summary")},
                {"; cannot be planned: ", json_string(planned, "error")},
        };
        for (size_t i = 0; i < N_ELEMENTS(sayings); i++) {
                if (!sayings[i].said)
                        continue;
                text_puts(text, sayings[i].before);
                text_put_line(text, sayings[i].said, SENTENCE_MOST);
                return;
        }
}

static void put_steps(struct text *text, const cJSON *incident)
{
        const cJSON *steps = json_get(incident, "steps", NULL), *step;
        const cJSON *plans = last_plans(json_get(incident, "timeline", NULL));
        const bool over = json_string(incident, "ended_at") != NULL;
        if (cJSON_GetArraySize(steps) == 0)
                return;
        text_puts(text, "\nSteps\n");
        cJSON_ArrayForEach(step, steps)
        {
                text_printf(text, "  %.0f. ", json_number(step, "position", 0));
                show_string(text, step, "action");
                text_puts(text, ": ");
                const char *status = json_string(step, "status");
                put_words(text, over && string_equal(status, "waiting") ? "not run" : status);
                put_said_of_step(text, step, plan_of(plans, json_number(step, "position", 0)));
                text_putc(text, '\n');
        }
}

static void put_timeline(struct text *text, const cJSON *timeline)
{
        const cJSON *event;
        if (cJSON_GetArraySize(timeline) == 0)
                return;
        text_puts(text, "\nTimeline\n");
        cJSON_ArrayForEach(event, timeline)
        {
                double step = json_number(event, "step", 0);
                const char *reason = json_string(json_get(event, "detail", NULL), "reason");
                text_puts(text, "  ");
                put_time(text, json_string(event, "at"), "%H:%M:%S");
                text_puts(text, "  ");
                show_string(text, event, "actor");
                text_puts(text, ": ");
                show_string(text, event, "event");
                if (step > 0)
                        text_printf(text, " (step %.0f)", step);
                if (reason) {
                        text_puts(text, ": ");
                        text_put_line(text, reason, SENTENCE_MOST);
                }
                text_putc(text, '\n');
        }
}

/* What may be decided about it now. */
static void put_decisions(struct text *text, const cJSON *incident)
{
        const char *number = json_string(incident, "number"), *state = json_string(incident, "state");
        if (!number)
                return;
        const cJSON *asked = json_get(incident, "asked", NULL);
        const char *plan = json_string(asked, "plan"),
                   *who = cJSON_GetStringValue(cJSON_GetArrayItem(json_get(asked, "agreed", NULL), 0));
        bool waits = string_equal(state, "awaiting_approval") && !json_bool(incident, "approved", false);
        if (waits && json_number(asked, "people", 1) > 1) {
                text_puts(text, "\nTwo people have to agree to it: ");
                text_put_line(text, who && *who ? who : "nobody", SENTENCE_MOST);
                text_puts(text, " has\n");
        }
        if (waits)
                text_printf(text, "\nIt waits for you: runbook_responder approve %s%s%.12s, or deny %s\n",
                            number, plan && *plan ? " --plan=" : "", plan ? plan : "", number);
        else if (!json_string(incident, "ended_at"))
                text_printf(text, "\nTo end it: runbook_responder cancel %s\n", number);
}

void show_incident(struct text *text, const cJSON *incident)
{
        const cJSON *alert = json_get(incident, "alert", NULL);
        _cleanup_text_ struct text state = {0}, labels = {0}, reason = {0};
        show_string(text, incident, "number");
        text_putc(text, ' ');
        show_string(text, incident, "remediation");
        show_state(&state, incident);
        text_printf(text, ": %s\n", text_string(&state));
        show_alert(&labels, alert);
        put_row(text, "alert", text_string(&labels));
        put_annotation(text, alert, "summary", "summary");
        put_annotation(text, alert, "runbook", "runbook_url");
        show_string(&reason, incident, "reason");
        put_row(text, "reason", text_string(&reason));
        put_when(text, incident, "opened", "opened_at");
        put_when(text, incident, "began", "running_at");
        put_when(text, incident, "ended", "ended_at");
        put_steps(text, incident);
        put_timeline(text, json_get(incident, "timeline", NULL));
        put_decisions(text, incident);
}
