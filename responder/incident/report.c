/* SPDX-License-Identifier: Apache-2.0 */
/* What a person is told of an incident, out of what the journal has of it. */
#include "responder/incident/report.h"

#include "responder/incident/question.h"
#include "runbook/assert.h"
#include "runbook/bind.h"

/* Of what others have said: a label, a sentence about a step, all labels together. */
#define VALUE_MOST 200
#define SENTENCE_MOST 400
#define LABELS_MOST 12
#define LINK_MOST 1000

static const char *const titles[] = {
        [REPORT_ALERT] = "Alert", [REPORT_SUMMARY] = "Summary", [REPORT_RUNBOOK] = "Runbook",
        [REPORT_STEPS] = "Steps", [REPORT_UNTIL] = "Until",     [REPORT_STILL] = "Still so",
        [REPORT_NEXT] = "Next",
};
tables_agree(titles, REPORT_PART_COUNT);

/* Where it is reached from outside, as far as anybody has said; else on this machine. */
static const char *outside_url(const struct incident_parts *parts)
{
        return parts->external_url ? parts->external_url : parts->set->external_url;
}

static const char *base_url(const struct incident_parts *parts)
{
        const char *outside = outside_url(parts);
        return outside ? outside : parts->address;
}

static size_t base_length(const char *base)
{
        size_t length = strlen(base);
        while (length > 0 && base[length - 1] == '/')
                length--;
        return length;
}

char *report_link(const struct incident_parts *parts, const char *number)
{
        const char *base = base_url(parts);
        return base ? text_format("%.*s/incidents/%s", (int)base_length(base), base, number) : NULL;
}

/* high_latency service="mcp-server" … */
static void put_alert(const struct incident *incident, struct text *text)
{
        const struct config_map *labels = &incident->alert.labels;
        const char *name = config_map_get(labels, "alertname");
        size_t shown = 0;
        if (name)
                text_put_line(text, name, VALUE_MOST);
        for (size_t i = 0; i < labels->count; i++) {
                if (string_equal(labels->keys[i], "alertname"))
                        continue;
                if (shown++ == LABELS_MOST) {
                        text_printf(text, ", and %zu more labels", labels->count - i);
                        break;
                }
                text_puts(text, text->length > 0 ? " " : "");
                text_put_line(text, labels->keys[i], VALUE_MOST);
                text_puts(text, "=\"");
                text_put_line(text, labels->values[i], VALUE_MOST);
                text_putc(text, '"');
        }
}

/* The first of these annotations that the alert has. */
static void put_annotation(const struct incident *incident, const char *const *names, struct text *text)
{
        const char *value = NULL;
        for (; *names && !value; names++)
                value = config_map_get(&incident->alert.annotations, *names);
        if (value)
                text_put_line(text, value, SENTENCE_MOST);
}

static const char *words_of(enum step_status status)
{
        return status == STEP_WAITING   ? "not run"
               : status == STEP_STARTED ? "begun"
                                        : step_status_name(status);
}

/* What the step would do, or did, as it was planned: before it has begun, by what the timeline has. */
static const char *plan_of(const struct step_record *record, const cJSON *plans)
{
        const cJSON *plan = record->plan, *item;
        cJSON_ArrayForEach(item, plans)
        {
                if (!plan && (size_t)json_number(item, "step", 0) == record->position)
                        plan = cJSON_GetObjectItemCaseSensitive(item, "plan");
        }
        return json_string(plan, "summary");
}

static void put_step(const struct step_record *record, const cJSON *plans, struct text *text)
{
        const char *plan = plan_of(record, plans), *summary = json_string(record->outcome, "summary");
        text_printf(text, "%s%zu. %s: ", text->length > 0 ? "\n" : "", record->position, record->action);
        if (plan) {
                text_put_line(text, plan, SENTENCE_MOST);
                text_puts(text, " → ");
        }
        const char *word = words_of(record->status);
        for (; *word; word++)
                text_putc(text, *word == '_' ? ' ' : *word);
        if (!summary)
                return;
        text_puts(text, ": ");
        text_put_line(text, summary, SENTENCE_MOST);
}

static void put_steps(const struct incident_run *run, struct text *text)
{
        const struct incident *incident = &run->incident;
        _cleanup_json_ cJSON *detail = NULL;
        /* Without a journal, or when it cannot be read: what is known is told. */
        if (run->parts->journal)
                (void)journal_last_detail(run->parts->journal, incident->id, "plans", &detail, NULL);
        for (size_t i = 0; i < incident->step_count; i++)
                put_step(&incident->steps[i], cJSON_GetObjectItemCaseSensitive(detail, "plans"), text);
}

/* Of a question that has a deadline: what follows then. */
static bool put_deadline(const struct incident_run *run, struct text *text)
{
        static const char *const follows[] = {"it expires at", "it is denied at", "it runs as planned at"};
        tables_agree(follows, ON_TIMEOUT_COUNT);
        const struct incident *incident = &run->incident;
        char at[TIME_TEXT_MAX];
        nsec deadline = incident->state == INCIDENT_AWAITING_APPROVAL
                                ? question_deadline(incident, run->remediation)
                                : 0;
        if (deadline == 0)
                return false;
        nsec end = world_wall(run->parts->world) + deadline - journal_steady(run->parts->journal);
        text_printf(text, "%s %s", follows[question_on_timeout(incident, run->remediation)],
                    time_format(end / NSEC_PER_SEC * NSEC_PER_SEC, at));
        return true;
}

/* When it expires, as far as that can be known: while its alert is silenced it does not. */
static void put_until(const struct incident_run *run, struct text *text)
{
        const struct incident *incident = &run->incident;
        bool waits = incident->state == INCIDENT_AWAITING_APPROVAL || incident->state == INCIDENT_HELD;
        char at[TIME_TEXT_MAX];
        if (!waits || !run->remediation || !run->parts->journal)
                return;
        if (incident->state == INCIDENT_HELD && incident->guard_until != 0)
                text_printf(text, "held until %s; ", time_format(incident->guard_until, at));
        nsec left =
                run->remediation->expire - (journal_steady(run->parts->journal) - incident->waiting_steady);
        nsec end = world_wall(run->parts->world) + (left > 0 ? left : 0);
        if (put_deadline(run, text))
                return;
        text_printf(text, "it expires at %s", time_format(end / NSEC_PER_SEC * NSEC_PER_SEC, at));
}

static void begin_line(struct text *text)
{
        if (text->length > 0)
                text_putc(text, '\n');
}

/* What is so while the remediation has not helped, by what it was begun with; else by the file. */
static void put_at_stake(const struct incident_run *run, struct text *text)
{
        const struct remediation *begun = run->remediation,
                                 *file = remediation_find(run->parts->set, run->incident.remediation);
        struct alert_bindings bindings;
        _cleanup_free_ char *sentence = NULL;
        alert_bindings_init(&bindings, &run->incident.alert, run->incident.number);
        if (begun && begun->says)
                sentence = begun->at_stake ? strdup(begun->at_stake) : NULL;
        else if (file && file->at_stake)
                bind_text(file->at_stake, &bindings.bindings, BIND_PLAIN, &sentence, NULL);
        if (!sentence)
                return;
        begin_line(text);
        text_put_line(text, sentence, SENTENCE_MOST);
}

/* What a step has left as it is now; NULL: nothing that has to be said. */
static const char *left_by(const struct step_record *record)
{
        switch (record->status) {
        case STEP_STARTED:
        case STEP_INTERRUPTED: return "was under way: what it did is to be looked at";
        case STEP_UNDOING: return "is being put back";
        case STEP_UNDO_FAILED: return "could not be put back, and is still in force";
        case STEP_FAILED:
                return record->progress ? "had begun, and failed: what it left is to be looked at" : NULL;
        /* Of what cannot be put back it is enough that it was done. */
        case STEP_DONE: return action_undoes(record->action) ? "is in force" : NULL;
        default: return NULL;
        }
}

static void put_left(const struct incident *incident, struct text *text)
{
        bool nothing = true;
        for (size_t i = 0; i < incident->step_count; i++) {
                const struct step_record *record = &incident->steps[i];
                const char *left = action_changes(record->action) ? left_by(record) : NULL;
                nothing &= record->status == STEP_WAITING || record->status == STEP_SKIPPED ||
                           !action_changes(record->action);
                if (!left)
                        continue;
                begin_line(text);
                text_printf(text, "step %zu (%s) %s", record->position, record->action, left);
                const char *plan = json_string(record->plan, "summary");
                text_puts(text, plan ? ": " : "");
                text_put_line(text, plan ? plan : "", SENTENCE_MOST);
        }
        if (nothing) {
                begin_line(text);
                text_puts(text, "nothing was changed");
        }
}

static bool is_over(const struct incident *incident)
{
        return incident->state == INCIDENT_HEALED || incident->state == INCIDENT_DONE ||
               incident->state == INCIDENT_CANCELLED;
}

static void put_still(const struct incident_run *run, struct text *text)
{
        const struct incident *incident = &run->incident;
        if (!is_over(incident)) {
                put_at_stake(run, text);
                begin_line(text);
                text_puts(text, incident->episode_open ? "the alert fires" : "the alert is resolved");
        }
        put_left(incident, text);
}

/*
 * A command for a shell of the responder's machine, and one for any other: what is in them is ours, and the
 * file's. `number` NULL: of the daemon itself.
 */
static void put_command(const struct incident_run *run, const char *what, const char *number,
                        const char *decision, const char *plan, struct text *text)
{
        const char *base = base_url(run->parts);
        begin_line(text);
        text_printf(text, "%s: runbook_responder %s%s%s%s%s", what, decision, number ? " " : "",
                    number ? number : "", *plan ? " --plan=" : "", plan);
        if (!base)
                return;
        const char *shown = outside_url(run->parts) ? run->parts->shown_outside : run->parts->shown_here;
        begin_line(text);
        text_printf(text, "or: curl -X POST %s%s%.*s%s%s/%s -d '{\"by\": \"YOUR NAME\"%s%s%s}'",
                    shown ? shown : "", shown ? " " : "", (int)base_length(base), base,
                    number ? "/api/v1/incidents/" : "/-", number ? number : "", decision,
                    *plan ? ", \"plan\": \"" : "", plan, *plan ? "\"" : "");
}

/* What is agreed to by them is what this message tells of, and nothing that is asked later. */
static void put_approve(const struct incident_run *run, struct text *text)
{
        struct question_shown shown = {0};
        const char *number = run->incident.number;
        (void)question_show(&run->incident, &shown, NULL);
        put_command(run, "approve", number, "approve", shown.plan, text);
        put_command(run, "deny", number, "deny", "", text);
        if (shown.people > 1) {
                begin_line(text);
                text_printf(text, "two people have to agree: %s%s", shown.agreed > 0 ? shown.who : "nobody",
                            " has so far");
        }
        free(shown.who);
}

static void put_next(const struct incident_run *run, struct text *text)
{
        const struct incident *incident = &run->incident;
        const char *number = incident->number;
        if (incident->state == INCIDENT_AWAITING_APPROVAL) {
                put_approve(run, text);
        } else if (incident->state == INCIDENT_HELD) {
                if (string_equal(incident->guard, "paused"))
                        put_command(run, "resume", NULL, "resume", "", text);
                put_command(run, "cancel", number, "cancel", "", text);
        } else if (incident_may_be_undone(incident)) {
                put_command(run, "undo", number, "undo", "", text);
        }
        /* Else the next one is called. */
        const struct escalation_chain *chain = remediation_chain(
                remediation_find(run->parts->set, incident->remediation), &incident->alert.labels);
        if (chain && chain->count > 1 && !is_over(incident) && incident->episode_open &&
            incident->state != INCIDENT_HELD)
                put_command(run, "I am at it", number, "ack", "", text);
}

static void put_part(const struct incident_run *run, enum report_part part, struct text *text)
{
        static const char *const summaries[] = {"summary", "description", "message", NULL};
        static const char *const runbooks[] = {"runbook_url", "runbook", NULL};
        switch (part) {
        case REPORT_ALERT: put_alert(&run->incident, text); break;
        case REPORT_SUMMARY: put_annotation(&run->incident, summaries, text); break;
        case REPORT_RUNBOOK: put_annotation(&run->incident, runbooks, text); break;
        case REPORT_STEPS: put_steps(run, text); break;
        case REPORT_UNTIL: put_until(run, text); break;
        case REPORT_STILL: put_still(run, text); break;
        case REPORT_NEXT: put_next(run, text); break;
        case REPORT_PART_COUNT: break;
        }
}

static int make_parts(const struct incident_run *run, struct report *report, struct error *error)
{
        for (enum report_part part = 0; part < REPORT_PART_COUNT; part++) {
                _cleanup_text_ struct text text = {0};
                put_part(run, part, &text);
                if (text_error(&text) < 0)
                        return error_oom(error);
                if (text.length == 0)
                        continue;
                if (!(report->owned[part] = text_take(&text)))
                        return error_oom(error);
                report->parts[report->part_count++] =
                        (struct message_part){titles[part], report->owned[part]};
        }
        return 0;
}

static cJSON *map_object(const struct config_map *map)
{
        cJSON *object = cJSON_CreateObject();
        for (size_t i = 0; object && i < map->count; i++)
                cJSON_AddStringToObject(object, map->keys[i], map->values[i]);
        return object;
}

static cJSON *steps_array(const struct incident *incident)
{
        cJSON *array = cJSON_CreateArray();
        for (size_t i = 0; array && i < incident->step_count; i++) {
                const struct step_record *record = &incident->steps[i];
                cJSON *item = cJSON_CreateObject();
                cJSON_AddNumberToObject(item, "step", (double)record->position);
                cJSON_AddStringToObject(item, "action", record->action);
                cJSON_AddStringToObject(item, "status", step_status_name(record->status));
                const char *summary = json_string(record->outcome, "summary");
                if (summary)
                        cJSON_AddStringToObject(item, "summary", summary);
                cJSON_AddItemToArray(array, item);
        }
        return array;
}

/* The lines of a part, for a program. */
static cJSON *lines_array(const char *lines)
{
        cJSON *array = cJSON_CreateArray();
        while (array && lines && *lines) {
                size_t length = strcspn(lines, "\n");
                _cleanup_free_ char *line = strndup(lines, length);
                if (!line || json_append(array, cJSON_CreateString(line)) < 0) {
                        cJSON_Delete(array);
                        return NULL;
                }
                lines += length + (lines[length] == '\n');
        }
        return array;
}

static int make_details(const struct incident_run *run, const char *what, const char *reason,
                        struct report *report, struct error *error)
{
        const struct incident *incident = &run->incident;
        cJSON *details = report->details = cJSON_CreateObject();
        _cleanup_free_ char *failures = run_passed_over(run);
        if (failures && json_put(details, "failed", cJSON_CreateString(failures)) < 0)
                return error_oom(error);
        if (json_put(details, "what", cJSON_CreateString(what)) < 0 ||
            json_put(details, "reason", cJSON_CreateString(reason ? reason : "")) < 0 ||
            json_put(details, "labels", map_object(&incident->alert.labels)) < 0 ||
            json_put(details, "annotations", map_object(&incident->alert.annotations)) < 0 ||
            json_put(details, "steps", steps_array(incident)) < 0 ||
            json_put(details, "still", lines_array(report->owned[REPORT_STILL])) < 0 ||
            json_put(details, "next", lines_array(report->owned[REPORT_NEXT])) < 0 ||
            json_put(details, "link", report->link ? cJSON_CreateString(report->link) : cJSON_CreateNull()) <
                    0)
                return error_oom(error);
        return 0;
}

/* Whoever wrote it, nothing but a link comes of it. */
static bool is_link(const char *url)
{
        static const char taken[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                    "-._~:/?#[]@!$&'()*+,;=%";
        size_t length = url ? strlen(url) : 0;
        return length > 0 && length <= LINK_MOST && url[strspn(url, taken)] == '\0' &&
               (string_starts(url, "http://") || string_starts(url, "https://"));
}

static void add_link(struct report *report, const char *title, const char *url)
{
        if (is_link(url))
                report->links[report->link_count++] = (struct message_link){title, url};
}

/* Borrows from the incident, as the message does. */
static void add_links(const struct incident_run *run, struct report *report)
{
        const struct incident *incident = &run->incident;
        bool waits = incident->state == INCIDENT_AWAITING_APPROVAL;
        const struct config_map *annotations = &incident->alert.annotations;
        add_link(report, waits ? "Approve or deny" : "Open the incident", report->link);
        add_link(report, "Runbook", config_map_get(annotations, "runbook_url"));
        add_link(report, "The check", config_map_get(annotations, "check_url"));
        add_link(report, "Where the alert is from", incident->alert.generator_url);
}

static int fill(const struct incident_run *run, const char *what, const char *reason, struct report *report,
                struct error *error)
{
        const struct incident *incident = &run->incident;
        int r = make_parts(run, report, error);
        if (r < 0)
                return r;
        report->link = report_link(run->parts, incident->number);
        report->text = text_format("%s %s: %s%s%s", incident->number, incident->remediation, what,
                                   reason && *reason ? ": " : "", reason ? reason : "");
        report->key =
                text_format("%s-%lld", incident->number, (long long)(incident->opened_at / NSEC_PER_SEC));
        if (!report->text || !report->key)
                return error_oom(error);
        add_links(run, report);
        return make_details(run, what, reason, report, error);
}

int report_make(const struct incident_run *run, enum message_mood mood, const char *what, const char *reason,
                struct report *ret, struct error *error)
{
        assert_that(run->incident.number && what, "something is told of some incident");
        struct report report = {0};
        int r = fill(run, what, reason, &report, error);
        if (r < 0) {
                report_release(&report);
                return r;
        }
        *ret = report;
        ret->message = (struct message){
                .text = ret->text,
                .incident = run->incident.number,
                .remediation = run->incident.remediation,
                .state = incident_state_name(run->incident.state),
                .key = ret->key,
                .mood = mood,
                .host = run->parts->host,
                .links = ret->links,
                .link_count = ret->link_count,
                .parts = ret->parts,
                .part_count = ret->part_count,
                .details = ret->details,
        };
        return 0;
}

void report_release(struct report *report)
{
        free(report->text);
        free(report->key);
        free(report->link);
        cJSON_Delete(report->details);
        for (size_t i = 0; i < N_ELEMENTS(report->owned); i++)
                free(report->owned[i]);
        *report = (struct report){0};
}
