/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in a report, part by part. */
#include "responder/report/written.h"

#include "responder/report/dialect.h"

enum { LABELS_MOST = 40, EVENTS_MOST = 400, MEMBERS_SHOWN = 20 };

static nsec time_of(const cJSON *json, const char *key)
{
        nsec at = 0;
        const char *text = json_string(json, key);
        return text && time_parse(text, &at, NULL) >= 0 ? at : 0;
}

static const char *state_of(const cJSON *incident)
{
        const char *state = json_string(incident, "state");
        return state ? state : "not known";
}

/* "awaiting approval" */
static void put_word(const struct writer *writer, const char *word)
{
        _cleanup_free_ char *words = word ? strdup(word) : NULL;
        for (char *c = words; c && *c; c++)
                *c = *c == '_' ? ' ' : *c;
        write_said(writer, words, CELL_MOST);
}

static void put_summary(const struct writer *writer, const cJSON *incident)
{
        const cJSON *labels = json_get(incident, "alert", "labels", NULL);
        write_begin(writer, PIECE_PARAGRAPH);
        write_begin(writer, PIECE_STRONG);
        put_word(writer, state_of(incident));
        write_end(writer, PIECE_STRONG);
        write_words(writer, ": the remediation ");
        write_said(writer, json_string(incident, "remediation"), CELL_MOST);
        write_words(writer, " for the alert ");
        write_said(writer, json_string(labels, "alertname"), CELL_MOST);
        write_words(writer, json_bool(incident, "episode_open", false) ? ", which still fires."
                                                                       : ", which has ended.");
        write_end(writer, PIECE_PARAGRAPH);
}

/* Before anything that might be believed. */
static void put_doubt(const struct writer *writer, const cJSON *incident)
{
        const char *unproven = json_string(incident, "unproven");
        const char *unreadable =
                string_equal(state_of(incident), "unreadable") ? json_string(incident, "reason") : NULL;
        const struct {
                const char *words, *why;
        } doubts[] = {{"It is not proven that this is what was written: ", unproven},
                      {"Nothing of it is shown that could not be believed: ", unreadable}};
        for (size_t i = 0; i < N_ELEMENTS(doubts); i++) {
                if (!doubts[i].why)
                        continue;
                write_begin(writer, PIECE_PARAGRAPH);
                write_begin(writer, PIECE_STRONG);
                write_words(writer, doubts[i].words);
                write_said(writer, doubts[i].why, SENTENCE_MOST);
                write_end(writer, PIECE_STRONG);
                write_end(writer, PIECE_PARAGRAPH);
        }
}

static void put_map(const struct writer *writer, const char *name, const char *value, const cJSON *map)
{
        const char *const columns[] = {name, value, NULL};
        const cJSON *one;
        int shown = 0;
        if (cJSON_GetArraySize(map) == 0)
                return;
        write_table_begin(writer, columns);
        cJSON_ArrayForEach(one, map)
        {
                if (shown++ == LABELS_MOST)
                        break;
                write_begin(writer, PIECE_ROW);
                write_cell(writer, one->string);
                write_begin(writer, PIECE_CELL);
                const char *said = cJSON_GetStringValue(one);
                if (said && string_starts(said, "http"))
                        write_url(writer, said);
                else
                        write_said(writer, said, SENTENCE_MOST);
                write_end(writer, PIECE_CELL);
                write_end(writer, PIECE_ROW);
        }
        write_table_end(writer);
}

static void put_alert(const struct writer *writer, const cJSON *incident)
{
        const cJSON *alert = json_get(incident, "alert", NULL),
                    *members = json_get(incident, "members", NULL);
        const char *generator = json_string(alert, "generatorURL");
        write_heading(writer, "What happened");
        put_map(writer, "label", "value", json_get(alert, "labels", NULL));
        put_map(writer, "annotation", "value", json_get(alert, "annotations", NULL));
        if (generator && *generator) {
                write_begin(writer, PIECE_PARAGRAPH);
                write_words(writer, "It is from ");
                write_url(writer, generator);
                write_end(writer, PIECE_PARAGRAPH);
        }
        if (cJSON_GetArraySize(members) == 0)
                return;
        write_begin(writer, PIECE_PARAGRAPH);
        text_printf(writer->text, "%d more of the same cause:", cJSON_GetArraySize(members));
        write_end(writer, PIECE_PARAGRAPH);
        write_begin(writer, PIECE_LIST);
        for (int i = 0; i < cJSON_GetArraySize(members) && i < MEMBERS_SHOWN; i++) {
                _cleanup_free_ char *labels =
                        json_print(json_get(cJSON_GetArrayItem(members, i), "alert", "labels", NULL));
                write_item(writer, "", labels);
        }
        write_end(writer, PIECE_LIST);
}

static void put_moment(const struct writer *writer, const char *what, nsec at, nsec since)
{
        char text[TIME_TEXT_MAX], span[DURATION_TEXT_MAX] = "";
        if (at == 0)
                return;
        if (since != 0 && at >= since)
                duration_format((at - since) / NSEC_PER_MSEC * NSEC_PER_MSEC, span);
        write_begin(writer, PIECE_ROW);
        write_cell(writer, what);
        write_cell(writer, time_format(at, text));
        write_cell(writer, span);
        write_end(writer, PIECE_ROW);
}

static void put_times(const struct writer *writer, const cJSON *incident)
{
        static const char *const columns[] = {"what", "when", "after the alert began", NULL};
        nsec began = time_of(json_get(incident, "alert", NULL), "startsAt");
        nsec detected = time_of(incident, "opened_at"), acted = time_of(incident, "running_at");
        nsec since = began != 0 ? began : detected;
        const char *state = state_of(incident);
        bool healed = string_equal(state, "healed");
        write_heading(writer, "When");
        write_table_begin(writer, columns);
        put_moment(writer, "the alert began", began, 0);
        put_moment(writer, "detected: it came in", detected, since);
        put_moment(writer, "acted: the first step", acted, since);
        put_moment(writer, healed ? "healed" : "ended", time_of(incident, "ended_at"), since);
        write_table_end(writer);
}

static void put_steps(const struct writer *writer, const cJSON *incident)
{
        static const char *const columns[] = {"step",    "action", "planned", "came of it",
                                              "outcome", "from",   "to",      NULL};
        const bool over = json_string(incident, "ended_at") != NULL;
        const cJSON *step;
        write_heading(writer, "What was done");
        write_table_begin(writer, columns);
        cJSON_ArrayForEach(step, json_get(incident, "steps", NULL))
        {
                char position[32];
                snprintf(position, sizeof(position), "%.0f", json_number(step, "position", 0));
                write_begin(writer, PIECE_ROW);
                write_cell(writer, position);
                write_cell(writer, json_string(step, "action"));
                write_cell(writer, json_string(json_get(step, "plan", NULL), "summary"));
                write_begin(writer, PIECE_CELL);
                const char *status = json_string(step, "status");
                put_word(writer, over && string_equal(status, "waiting") ? "not run" : status);
                write_end(writer, PIECE_CELL);
                write_cell(writer, json_string(json_get(step, "outcome", NULL), "summary"));
                write_cell(writer, json_string(step, "started_at"));
                write_cell(writer, json_string(step, "finished_at"));
                write_end(writer, PIECE_ROW);
        }
        write_table_end(writer);
}

/* What the steps had before their eyes, and what they left: each as its action has it. */
static void put_values(const struct writer *writer, const cJSON *incident)
{
        const cJSON *step, *event;
        write_heading(writer, "Values before and after");
        cJSON_ArrayForEach(event, json_get(incident, "timeline", NULL))
        {
                const cJSON *value = json_get(event, "detail", "value", NULL);
                if (!cJSON_IsNumber(value))
                        continue;
                write_begin(writer, PIECE_PARAGRAPH);
                write_words(writer, "The verification saw last ");
                text_put_double(writer->text, value->valuedouble);
                write_words(writer, " (");
                put_word(writer, json_string(event, "event"));
                write_words(writer, ").");
                write_end(writer, PIECE_PARAGRAPH);
        }
        cJSON_ArrayForEach(step, json_get(incident, "steps", NULL))
        {
                const cJSON *plan = json_get(step, "plan", NULL), *outcome = json_get(step, "outcome", NULL);
                _cleanup_free_ char *before =
                        text_format("Step %.0f before, as planned", json_number(step, "position", 0));
                _cleanup_free_ char *after = text_format("Step %.0f after", json_number(step, "position", 0));
                if (cJSON_IsObject(plan) && before)
                        write_document(writer, before, plan);
                if (cJSON_IsObject(outcome) && after)
                        write_document(writer, after, outcome);
        }
}

static void put_evidence(const struct writer *writer, const cJSON *incident)
{
        static const char *const columns[] = {"of", "file", "SHA-256", "bytes", NULL};
        const cJSON *step, *file;
        bool any = false;
        cJSON_ArrayForEach(step, json_get(incident, "steps", NULL))
        {
                cJSON_ArrayForEach(file, json_get(step, "outcome", "files", NULL))
                {
                        char bytes[32];
                        if (!any) {
                                write_heading(writer, "Evidence");
                                write_table_begin(writer, columns);
                        }
                        any = true;
                        snprintf(bytes, sizeof(bytes), "%.0f", json_number(file, "bytes", 0));
                        write_begin(writer, PIECE_ROW);
                        write_cell(writer, json_string(file, "container"));
                        write_cell(writer, json_string(file, "path"));
                        write_cell(writer, json_string(file, "sha256"));
                        write_cell(writer, bytes);
                        write_end(writer, PIECE_ROW);
                }
        }
        if (any)
                write_table_end(writer);
}

static const char *sentence_of(const cJSON *event)
{
        const cJSON *detail = json_get(event, "detail", NULL);
        const char *reason = json_string(detail, "reason"), *summary = json_string(detail, "summary");
        return reason ? reason : summary ? summary : json_string(detail, "what");
}

/* Whoever was no machine. */
static void put_decisions(const struct writer *writer, const cJSON *incident)
{
        const cJSON *event;
        bool any = false;
        write_heading(writer, "Who decided, and who was told");
        write_begin(writer, PIECE_LIST);
        cJSON_ArrayForEach(event, json_get(incident, "timeline", NULL))
        {
                const char *person = actor_person(json_string(event, "actor")), *why = sentence_of(event);
                const char *to = json_string(json_get(event, "detail", NULL), "to");
                if (!person && !to)
                        continue;
                any = true;
                write_begin(writer, PIECE_ITEM);
                write_said(writer, json_string(event, "at"), CELL_MOST);
                write_words(writer, " ");
                write_said(writer, json_string(event, "event"), CELL_MOST);
                write_words(writer, person ? " by " : " to ");
                write_said(writer, person ? person : to, CELL_MOST);
                write_words(writer, why ? ": " : "");
                write_said(writer, why, SENTENCE_MOST);
                write_end(writer, PIECE_ITEM);
        }
        if (!any)
                write_item(writer, "Nobody: the responder went by its file.", NULL);
        write_end(writer, PIECE_LIST);
}

static void put_timeline(const struct writer *writer, const cJSON *incident)
{
        static const char *const columns[] = {"when", "who", "what", "step", "state", "why", NULL};
        const cJSON *event, *timeline = json_get(incident, "timeline", NULL);
        int shown = 0;
        write_heading(writer, "Timeline");
        write_table_begin(writer, columns);
        cJSON_ArrayForEach(event, timeline)
        {
                char step[32] = "";
                if (shown++ == EVENTS_MOST)
                        break;
                if (json_number(event, "step", 0) > 0)
                        snprintf(step, sizeof(step), "%.0f", json_number(event, "step", 0));
                write_begin(writer, PIECE_ROW);
                write_cell(writer, json_string(event, "at"));
                write_cell(writer, json_string(event, "actor"));
                write_cell(writer, json_string(event, "event"));
                write_cell(writer, step);
                write_begin(writer, PIECE_CELL);
                put_word(writer, json_string(event, "state"));
                write_end(writer, PIECE_CELL);
                write_cell(writer, sentence_of(event));
                write_end(writer, PIECE_ROW);
        }
        write_table_end(writer);
        const cJSON *last = cJSON_GetArrayItem(timeline, cJSON_GetArraySize(timeline) - 1);
        write_begin(writer, PIECE_PARAGRAPH);
        text_printf(writer->text, "%d entries; the hash of the last is ", cJSON_GetArraySize(timeline));
        write_said(writer, json_string(last, "hash"), CELL_MOST);
        write_words(writer, ".");
        write_end(writer, PIECE_PARAGRAPH);
}

/* What the record itself leaves open. */
static void put_open(const struct writer *writer, const cJSON *incident)
{
        static const struct {
                const char *word, *question;
        } states[] =
                {
                        {"escalated", "A person was called: what did they find, and what did they do?"},
                        {"failed", "It failed, and nobody was to be called: how does it stand now?"},
                        {"not_healed", "It was done and did not help: what is the cause?"},
                        {"unverified", "Nobody could say whether it helped: does it hold now, and why was "
                                       "there no answer?"},
                        {"done", "Nothing verifies this remediation: did it help?"},
                        {"expired",
                         "It waited too long for somebody, or for its turn: who should have decided?"},
                },
          steps[] = {
                  {"failed", "A step failed: "},
                  {"interrupted", "A step was interrupted, and what it did is to be looked at: "},
                  {"undo_failed", "A step could not be put back, and is still in force: "},
          };
        const cJSON *step;
        write_heading(writer, "Open questions");
        write_begin(writer, PIECE_LIST);
        for (size_t i = 0; i < N_ELEMENTS(states); i++)
                if (string_equal(states[i].word, state_of(incident)))
                        write_item(writer, states[i].question, NULL);
        if (json_string(incident, "ended_at") == NULL)
                write_item(writer, "It has not ended: this is how it stood when the report was written.",
                           NULL);
        if (json_bool(incident, "episode_open", false))
                write_item(writer, "The alert still fires: why?", NULL);
        cJSON_ArrayForEach(step, json_get(incident, "steps", NULL))
        {
                for (size_t i = 0; i < N_ELEMENTS(steps); i++)
                        if (string_equal(steps[i].word, json_string(step, "status")))
                                write_item(writer, steps[i].question,
                                           json_string(json_get(step, "outcome", NULL), "summary"));
        }
        write_item(writer, "How often has this alert come back since, and does it want a cure of its cause?",
                   NULL);
        write_end(writer, PIECE_LIST);
}

/* The runbook's own form for after an incident: for people to fill in. */
static void put_form(const struct writer *writer)
{
        static const char *const rows[] = {
                "Severity (P1 critical, P2 high, P3 medium, P4 low)",
                "Who was affected, and how",
                "Root cause",
                "Workaround in place",
                "What went well",
                "What went badly",
                "Lessons learned",
                "To be done, by whom, until when",
                "Runbook and documents to be changed",
                "Written by, reviewed by",
        };
        static const char *const columns[] = {"for people to fill in", "&nbsp;", NULL};
        write_heading(writer, "Review");
        write_table_begin(writer, columns);
        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                write_begin(writer, PIECE_ROW);
                write_cell(writer, rows[i]);
                write_cell(writer, "");
                write_end(writer, PIECE_ROW);
        }
        write_table_end(writer);
}

void report_write(const cJSON *incident, enum report_format format, struct text *text)
{
        const struct writer writer = {format == REPORT_HTML ? &dialect_html : &dialect_markdown, text};
        const char *number = json_string(incident, "number"), *name = json_string(incident, "remediation");
        _cleanup_free_ char *title = text_format("Incident %s: %s", number ? number : "", name ? name : "");
        write_open(&writer, title ? title : "Incident");
        put_doubt(&writer, incident);
        put_summary(&writer, incident);
        put_alert(&writer, incident);
        put_times(&writer, incident);
        put_steps(&writer, incident);
        put_values(&writer, incident);
        put_evidence(&writer, incident);
        put_decisions(&writer, incident);
        put_open(&writer, incident);
        put_timeline(&writer, incident);
        put_form(&writer);
        write_close(&writer);
}
