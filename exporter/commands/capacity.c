/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The capacity report: the rows that `capacity:` of the file names, and the series that belong to each.
 * Averages and projections are rows like the others, of checks that ask Prometheus: an operator can read and
 * change what is meant.
 */
#include "exporter/commands/capacity.h"

#include <errno.h>

#include "runbook/json.h"
#include "runbook/units.h"

#define TITLE_COLUMNS 30
#define NO_ROWS "The file has no `capacity:`, which says what to report."

/* The family that a check may measure for the row; NULL: none. */
static const struct metric_family *family_of(const struct check_set *set, size_t i,
                                             const struct capacity_row *row)
{
        const struct check_kind *kind = set->checks[i].kind;
        const struct metric_family *const *const all[] = {
                kind->families, kind->own_families ? kind->own_families(set->states[i]) : NULL};
        for (size_t k = 0; k < N_ELEMENTS(all); k++)
                for (size_t n = 0; all[k] && all[k][n]; n++)
                        if (strcmp(all[k][n]->name, row->metric) == 0)
                                return all[k][n];
        return NULL;
}

bool capacity_wants(const struct check_set *set, size_t i)
{
        const struct capacity_section *sections = set->capacity.items;
        for (size_t s = 0; s < set->capacity.count; s++) {
                const struct capacity_row *rows = sections[s].rows.items;
                for (size_t n = 0; n < sections[s].rows.count; n++)
                        if (family_of(set, i, &rows[n]))
                                return true;
        }
        return false;
}

/* Calls `each` for every series of the row. How many there are. */
static size_t each_series(const struct once *once, const struct capacity_row *row,
                          void (*each)(const struct check *check, double value, const char *labels,
                                       size_t length, void *context),
                          void *context)
{
        size_t found = 0;
        for (size_t i = 0; i < once->set->count; i++) {
                const struct check_result *result = once->states[i].result;
                const struct metric_family *family = family_of(once->set, i, row);
                for (size_t k = 0; family && result && k < result->samples.count; k++) {
                        const struct sample *sample = &result->samples.samples[k];
                        const char *labels = text_string(&result->samples.arena) + sample->labels_offset;
                        if (sample->family != family || sample->suffix != SAMPLE_PLAIN)
                                continue;
                        each(&once->set->checks[i], sample->value, labels,
                             sample->labels_length - sample->fixed_length, context);
                        found++;
                }
        }
        return found;
}

/* What of a row has no value, and why. */
struct missing {
        struct text why;
        bool wrong; /* somebody has to mend something; otherwise there is nothing to show, or nothing yet */
};

static void missing_release(struct missing *missing)
{
        text_free(&missing->why);
}

static double value_of(const struct sample_set *samples, const char *metric, double otherwise)
{
        for (size_t i = 0; i < samples->count; i++)
                if (strcmp(samples->samples[i].family->name, metric) == 0)
                        return samples->samples[i].value;
        return otherwise;
}

/* The series of a check for which there is too little of the past. */
static void tell_short_history(const struct sample_set *samples, struct text *why)
{
        double needed = value_of(samples, CHECK_HISTORY_NEEDED_METRIC, 0);
        for (size_t i = 0; i < samples->count; i++) {
                const struct sample *sample = &samples->samples[i];
                const char *labels = text_string(&samples->arena) + sample->labels_offset;
                size_t length = sample->labels_length;
                if (strcmp(sample->family->name, CHECK_HISTORY_METRIC) != 0 || sample->value >= needed)
                        continue;
                labels = labels_without_check(labels, &length);
                text_puts(why, why->length > 0 ? "; " : "");
                if (length > 0)
                        text_printf(why, "{%.*s}: ", (int)length, labels);
                unit_put(why, UNIT_SECONDS, sample->value);
                text_puts(why, " of history, and ");
                unit_put(why, UNIT_SECONDS, needed);
                text_puts(why, " is needed");
        }
}

/* Of a row of `found` series: each check that failed, or has too little of the past, or that none tells of
 * it. False when nothing is missing. */
static bool tell_missing(const struct once *once, const struct capacity_row *row, size_t found,
                         struct missing *missing)
{
        struct text *why = &missing->why;
        bool measured = false;
        for (size_t i = 0; i < once->set->count; i++) {
                const struct check_result *result = once->states[i].result;
                if (!family_of(once->set, i, row))
                        continue;
                measured = true;
                if (once->states[i].success && result)
                        tell_short_history(&result->samples, why);
                missing->wrong |= !once->states[i].success;
                /* Checks of one server fail for one reason, which is told once. */
                if (once->states[i].success || strstr(text_string(why), check_state_reason(&once->states[i])))
                        continue;
                text_printf(why, "%s%s: ", why->length > 0 ? "; " : "", once->set->checks[i].name);
                text_put_line(why, check_state_reason(&once->states[i]), SIZE_MAX);
        }
        if (found == 0 && why->length == 0) {
                missing->wrong = !measured;
                text_puts(why, measured ? "there is nothing of it" : "no check in the file measures it");
        }
        return why->length > 0;
}

/* Whether there is none of what the row tells, and a word for that. */
static bool is_absent(const struct capacity_row *row, size_t found, const struct missing *missing)
{
        return row->absent && found == 0 && !missing->wrong;
}

struct printing {
        struct text *text;
        const struct capacity_row *row;
        bool several; /* checks measure it: each series says of which it is */
        size_t printed;
};

static bool is_of_several(const struct once *once, const struct capacity_row *row)
{
        size_t measuring = 0;
        for (size_t i = 0; i < once->set->count; i++)
                measuring += family_of(once->set, i, row) != NULL;
        return measuring > 1;
}

static void put_title(struct text *text, const char *title)
{
        text_printf(text, "  %-*s ", TITLE_COLUMNS, title);
}

static void put_series(const struct check *check _unused_, double value, const char *labels, size_t length,
                       void *context)
{
        struct printing *printing = context;
        _cleanup_text_ struct text words = {0};
        if (!printing->several)
                labels = labels_without_check(labels, &length);
        put_title(printing->text, printing->printed++ ? "" : printing->row->title);
        if (value == 0 && printing->row->absent)
                text_put_line(&words, printing->row->absent, SIZE_MAX);
        else
                unit_put(&words, unit_of_metric(printing->row->metric), value);
        text_printf(printing->text, "%12s", text_string(&words));
        text_clear(&words);
        if (length > 0)
                text_printf(&words, "  {%.*s}", (int)length, labels);
        text_put_line(printing->text, text_string(&words), SIZE_MAX);
        text_putc(printing->text, '\n');
}

/* True when something of the row is wrong. */
static bool put_row(const struct once *once, const struct capacity_row *row, struct text *text)
{
        struct printing printing = {text, row, is_of_several(once, row), 0};
        _cleanup_(missing_release) struct missing missing = {0};
        size_t found = each_series(once, row, put_series, &printing);
        if (!tell_missing(once, row, found, &missing))
                return false;
        put_title(text, found > 0 ? "" : row->title);
        if (is_absent(row, found, &missing))
                text_printf(text, "%12s\n", row->absent);
        else
                text_printf(text, "%12s  (%s: %s)\n", missing.wrong ? "-" : "unknown", row->metric,
                            text_string(&missing.why));
        return missing.wrong;
}

size_t capacity_print(const struct once *once, nsec wall, struct text *text)
{
        const struct config_list *capacity = &once->set->capacity;
        const struct capacity_section *sections = capacity->items;
        char time[TIME_TEXT_MAX];
        size_t wrong = capacity->count == 0;
        text_printf(text, "=== %s%sCapacity report ===\n%s\n", once->set->title ? once->set->title : "",
                    once->set->title ? ": " : "", time_format(wall, time));
        if (capacity->count == 0)
                text_printf(text, "\n%s\n", NO_ROWS);
        for (size_t s = 0; s < capacity->count; s++) {
                const struct capacity_row *rows = sections[s].rows.items;
                text_printf(text, "\n## %s\n", sections[s].title);
                for (size_t i = 0; i < sections[s].rows.count; i++)
                        wrong += put_row(once, &rows[i], text);
        }
        return wrong;
}

static void add_series(const struct check *check, double value, const char *labels, size_t length,
                       void *context)
{
        cJSON *list = context, *item = cJSON_CreateObject();
        _cleanup_text_ struct text series = {0};
        labels = labels_without_check(labels, &length);
        if (length > 0)
                text_printf(&series, "{%.*s}", (int)length, labels);
        cJSON_AddStringToObject(item, "check", check->name);
        cJSON_AddStringToObject(item, "series", text_string(&series));
        cJSON_AddNumberToObject(item, "value", value);
        cJSON_AddItemToArray(list, item);
}

/* True when something of the row is wrong. */
static bool add_row(const struct once *once, const char *section, const struct capacity_row *row, cJSON *list)
{
        cJSON *item = cJSON_CreateObject();
        _cleanup_(missing_release) struct missing missing = {0};
        cJSON_AddStringToObject(item, "section", section);
        cJSON_AddStringToObject(item, "title", row->title);
        cJSON_AddStringToObject(item, "metric", row->metric);
        cJSON *values = cJSON_AddArrayToObject(item, "values");
        size_t found = each_series(once, row, add_series, values);
        bool told = tell_missing(once, row, found, &missing);
        if (told && is_absent(row, found, &missing))
                cJSON_AddStringToObject(item, "absent", row->absent);
        else if (told)
                cJSON_AddStringToObject(item, "missing", text_string(&missing.why));
        cJSON_AddBoolToObject(item, "wrong", missing.wrong);
        cJSON_AddItemToArray(list, item);
        return missing.wrong;
}

ssize_t capacity_print_json(const struct once *once, nsec wall, struct text *text)
{
        const struct config_list *capacity = &once->set->capacity;
        const struct capacity_section *sections = capacity->items;
        _cleanup_json_ cJSON *document = cJSON_CreateObject();
        char time[TIME_TEXT_MAX];
        ssize_t wrong = capacity->count == 0;
        if (once->set->title)
                cJSON_AddStringToObject(document, "title", once->set->title);
        cJSON_AddStringToObject(document, "time", time_format(wall, time));
        if (capacity->count == 0)
                cJSON_AddStringToObject(document, "missing", NO_ROWS);
        cJSON *list = cJSON_AddArrayToObject(document, "rows");
        for (size_t s = 0; s < capacity->count; s++) {
                const struct capacity_row *rows = sections[s].rows.items;
                for (size_t i = 0; i < sections[s].rows.count; i++)
                        wrong += add_row(once, sections[s].title, &rows[i], list);
        }
        _cleanup_free_ char *printed = json_print(document);
        if (!printed)
                return -ENOMEM;
        text_puts(text, printed);
        text_putc(text, '\n');
        return text_error(text) < 0 ? text_error(text) : wrong;
}
