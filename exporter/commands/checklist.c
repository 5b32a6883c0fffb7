/* SPDX-License-Identifier: Apache-2.0 */
/* The checklist, in the order and the signs of the runbook's own. */
#include "exporter/commands/checklist.h"

#include <errno.h>
#include <time.h>

#include "exporter/check/effects.h"
#include "exporter/check/nearest.h"
#include "exporter/check/steps.h"
#include "runbook/json.h"

#define TITLE_COLUMNS 32

/* What is shown, in which order, and of what each of it is an effect. */
struct shown {
        size_t *order, *roots; /* roots: one a check of the set */
        size_t count;
};

static void shown_release(struct shown *shown)
{
        free(shown->order);
        free(shown->roots);
}

static int find_shown(const struct once *once, struct shown *ret)
{
        ret->order = calloc(once->set->count + 1, sizeof(*ret->order));
        ret->roots = calloc(once->set->count + 1, sizeof(*ret->roots));
        if (!ret->order || !ret->roots)
                return -ENOMEM;
        ret->count = check_steps_order(once->set, once->selected, ret->order);
        return check_effects_find(once->set, once->states, ret->roots, ret->order, ret->count);
}

/* The name of the root of check `i`; NULL: it is no effect. */
static const char *root_of(const struct once *once, const struct shown *shown, size_t i)
{
        return shown->roots[i] == NO_ROOT ? NULL : once->set->checks[shown->roots[i]].name;
}

/* Of a check that passes: its value that is nearest to a limit. */
static void put_nearest(struct text *text, const struct check_state *state)
{
        const struct threshold *threshold = nearest_first(&state->check->thresholds);
        _cleanup_text_ struct text words = {0};
        struct judgement nearest;
        if (!threshold || !nearest_find(state, threshold, &nearest))
                return;
        judgement_put(&words, &nearest);
        text_puts(text, " (");
        text_put_line(text, text_string(&words), SIZE_MAX);
        text_putc(text, ')');
}

static size_t columns_of(const char *title)
{
        size_t columns = 0;
        for (; *title; title++)
                columns += (*title & 0xC0) != 0x80;
        return columns;
}

/* Line by line, with an arrow at the first. */
static void put_advice(struct text *text, const char *advice)
{
        const char *indentation = "     → ";
        while (*advice) {
                size_t length = strcspn(advice, "\n");
                _cleanup_free_ char *line = strndup(advice, length);
                text_puts(text, indentation);
                text_put_line(text, line ? line : "", SIZE_MAX);
                text_putc(text, '\n');
                advice += length + (advice[length] == '\n');
                indentation = "       ";
        }
}

static void put_step(struct text *text, const struct check_state *state, const char *root, bool colour)
{
        const struct check *check = state->check;
        enum standing standing = check_state_standing(state);
        struct verdict_lines lines = {text, "     "};
        const struct standing_style *style = &standing_styles[standing];
        if (check->step > 0)
                text_printf(text, "%2lld. ", (long long)check->step);
        else
                text_puts(text, "    ");
        text_put_line(text, check->title, SIZE_MAX);
        text_putc(text, ' ');
        for (size_t column = columns_of(check->title); column < TITLE_COLUMNS; column++)
                text_putc(text, '.');
        text_putc(text, ' ');
        text_printf(text, "%s%s %s%s", colour ? style->escape : "", style->sign, style->label,
                    colour ? "\033[0m" : "");
        if (standing == STANDING_PASS)
                put_nearest(text, state);
        text_putc(text, '\n');
        if (root)
                text_printf(text, "     because %s fails\n", root);
        if (!state->success) {
                text_puts(text, "     ");
                text_put_line(text, check_state_reason(state), SIZE_MAX);
                text_putc(text, '\n');
        }
        check_state_tell(state, verdict_put_line, &lines);
        check_state_tell_skipped(state, verdict_put_line, &lines);
        if (check_state_cut(state) > 0)
                text_printf(text, "     %llu series over max_series were judged, and are on no page\n",
                            (unsigned long long)check_state_cut(state));
        if (check_state_needs_advice(state) && check->advice)
                put_advice(text, check->advice);
        if (check_state_needs_advice(state) && check->runbook_url)
                put_advice(text, check->runbook_url);
}

static void put_local_time(struct text *text, nsec wall)
{
        time_t seconds = (time_t)(wall / NSEC_PER_SEC);
        struct tm parts;
        char words[64];
        if (localtime_r(&seconds, &parts) &&
            strftime(words, sizeof(words), "%Y-%m-%d %H:%M:%S %Z", &parts) > 0)
                text_puts(text, words);
}

/* Those that there are always, and the others where there are some. */
static void put_sum(struct text *text, const size_t of[static STANDINGS])
{
        text_printf(text, "\n=== %zu passed, %zu warned, %zu failed", of[STANDING_PASS], of[STANDING_WARN],
                    of[STANDING_FAIL]);
        if (of[STANDING_UNKNOWN] > 0)
                text_printf(text, ", %zu unknown", of[STANDING_UNKNOWN]);
        if (of[STANDING_NOT_SET_UP] > 0)
                text_printf(text, ", %zu not set up", of[STANDING_NOT_SET_UP]);
        text_puts(text, " ===\n");
}

int checklist_print(const struct once *once, nsec wall, bool colour, struct text *text)
{
        _cleanup_(shown_release) struct shown shown = {0};
        int r = find_shown(once, &shown);
        if (r < 0)
                return r;
        size_t of[STANDINGS] = {0};
        text_printf(text, "=== %s%sDaily operations checklist ===\n",
                    once->set->title ? once->set->title : "", once->set->title ? ": " : "");
        put_local_time(text, wall);
        text_puts(text, "\n\n");
        for (size_t k = 0; k < shown.count; k++) {
                const size_t i = shown.order[k];
                put_step(text, &once->states[i], root_of(once, &shown, i), colour);
                of[check_state_standing(&once->states[i])]++;
        }
        put_sum(text, of);
        return text_error(text);
}

static void add_value(const struct judgement *judgement, void *context)
{
        cJSON *list = context, *item = cJSON_CreateObject();
        _cleanup_text_ struct text series = {0};
        judgement_put_series(&series, judgement);
        cJSON_AddStringToObject(item, "level", threshold_levels[judgement->threshold->level]);
        cJSON_AddStringToObject(item, "condition", judgement->threshold->written);
        cJSON_AddNumberToObject(item, "limit", judgement->threshold->limit);
        cJSON_AddNumberToObject(item, "value", judgement->value);
        cJSON_AddStringToObject(item, "series", text_string(&series));
        cJSON_AddBoolToObject(item, "beyond", judgement->beyond);
        cJSON_AddItemToArray(list, item);
}

/* What nothing is known of, or was skipped, as in the list. */
static void add_unknown(const char *what, const char *about, void *context)
{
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "reason", what);
        if (about)
                cJSON_AddStringToObject(item, "about", about);
        cJSON_AddItemToArray(context, item);
}

static cJSON *step_json(const struct check_state *state, const char *root)
{
        const struct check *check = state->check;
        cJSON *step = cJSON_CreateObject(), *values;
        _cleanup_text_ struct text reason = {0}; /* a server may have said it, in no encoding */
        if (check->step > 0)
                cJSON_AddNumberToObject(step, "step", (double)check->step);
        cJSON_AddStringToObject(step, "name", check->name);
        cJSON_AddStringToObject(step, "title", check->title);
        cJSON_AddStringToObject(step, "kind", check->kind->name);
        cJSON_AddStringToObject(step, "standing", standing_styles[check_state_standing(state)].word);
        if (root)
                cJSON_AddStringToObject(step, "because", root);
        text_put_line(&reason, check_state_reason(state), SIZE_MAX);
        if (!state->success)
                cJSON_AddStringToObject(step, "reason", text_string(&reason));
        if (check->advice && check_state_needs_advice(state))
                cJSON_AddStringToObject(step, "advice", check->advice);
        if (check->runbook_url && check_state_needs_advice(state))
                cJSON_AddStringToObject(step, "runbook_url", check->runbook_url);
        if (state->result)
                cJSON_AddNumberToObject(step, "duration_seconds", nsec_to_seconds(state->result->duration));
        values = cJSON_AddArrayToObject(step, "values");
        for (size_t i = 0; state->result && i < check->thresholds.count; i++)
                threshold_judge(&check->thresholds.items[i], &state->result->samples,
                                state->result->started_wall, add_value, values);
        if (state->result && state->result->code >= 0 && verdict_count_unknown(&state->result->verdict) > 0)
                verdict_tell_unknown(&state->result->verdict, add_unknown,
                                     cJSON_AddArrayToObject(step, "unknown"));
        cJSON *skipped = cJSON_CreateArray();
        check_state_tell_skipped(state, add_unknown, skipped);
        if (cJSON_GetArraySize(skipped) > 0)
                cJSON_AddItemToObject(step, "skipped", skipped);
        else
                cJSON_Delete(skipped);
        if (check_state_cut(state) > 0)
                cJSON_AddNumberToObject(step, "dropped_series", (double)check_state_cut(state));
        return step;
}

int checklist_print_json(const struct once *once, nsec wall, struct text *text)
{
        _cleanup_json_ cJSON *document = cJSON_CreateObject();
        _cleanup_(shown_release) struct shown shown = {0};
        char time[TIME_TEXT_MAX];
        int r = find_shown(once, &shown);
        if (r < 0)
                return r;
        if (once->set->title)
                cJSON_AddStringToObject(document, "title", once->set->title);
        cJSON_AddStringToObject(document, "time", time_format(wall, time));
        cJSON_AddStringToObject(document, "standing", standing_styles[once_worst(once)].word);
        cJSON *steps = cJSON_AddArrayToObject(document, "steps");
        for (size_t k = 0; k < shown.count; k++) {
                const size_t i = shown.order[k];
                cJSON_AddItemToArray(steps, step_json(&once->states[i], root_of(once, &shown, i)));
        }
        _cleanup_free_ char *printed = json_print(document);
        if (!printed)
                return -ENOMEM;
        text_puts(text, printed);
        text_putc(text, '\n');
        return text_error(text);
}
