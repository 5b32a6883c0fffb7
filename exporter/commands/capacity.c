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

/* What is missing in a row of `found` series, and why: each check that failed, or that none tells of it.
 * False when nothing is. */
static bool tell_missing(const struct once *once, const struct capacity_row *row, size_t found,
                         struct text *text)
{
        bool measured = false;
        for (size_t i = 0; i < once->set->count; i++) {
                if (!family_of(once->set, i, row))
                        continue;
                measured = true;
                /* Checks of one server fail for one reason, which is told once. */
                if (once->states[i].success ||
                    strstr(text_string(text), check_state_reason(&once->states[i])))
                        continue;
                text_printf(text, "%s%s: ", text->length > 0 ? "; " : "", once->set->checks[i].name);
                text_put_line(text, check_state_reason(&once->states[i]), SIZE_MAX);
        }
        if (found == 0 && text->length == 0)
                text_puts(text, measured ? "there is nothing of it" : "no check in the file measures it");
        return text->length > 0;
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
        unit_put(&words, unit_of_metric(printing->row->metric), value);
        text_printf(printing->text, "%12s", text_string(&words));
        text_clear(&words);
        if (length > 0)
                text_printf(&words, "  {%.*s}", (int)length, labels);
        text_put_line(printing->text, text_string(&words), SIZE_MAX);
        text_putc(printing->text, '\n');
}

/* True when something of the row is missing. */
static bool put_row(const struct once *once, const struct capacity_row *row, struct text *text)
{
        struct printing printing = {text, row, is_of_several(once, row), 0};
        _cleanup_text_ struct text reason = {0};
        size_t found = each_series(once, row, put_series, &printing);
        if (!tell_missing(once, row, found, &reason))
                return false;
        put_title(text, found > 0 ? "" : row->title);
        text_printf(text, "%12s  (%s: %s)\n", "-", row->metric, text_string(&reason));
        return true;
}

size_t capacity_print(const struct once *once, nsec wall, struct text *text)
{
        const struct config_list *capacity = &once->set->capacity;
        const struct capacity_section *sections = capacity->items;
        char time[TIME_TEXT_MAX];
        size_t missing = capacity->count == 0;
        text_printf(text, "=== %s%sCapacity report ===\n%s\n", once->set->title ? once->set->title : "",
                    once->set->title ? ": " : "", time_format(wall, time));
        if (capacity->count == 0)
                text_printf(text, "\n%s\n", NO_ROWS);
        for (size_t s = 0; s < capacity->count; s++) {
                const struct capacity_row *rows = sections[s].rows.items;
                text_printf(text, "\n## %s\n", sections[s].title);
                for (size_t i = 0; i < sections[s].rows.count; i++)
                        missing += put_row(once, &rows[i], text);
        }
        return missing;
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

/* True when something of the row is missing. */
static bool add_row(const struct once *once, const char *section, const struct capacity_row *row, cJSON *list)
{
        cJSON *item = cJSON_CreateObject();
        _cleanup_text_ struct text reason = {0};
        cJSON_AddStringToObject(item, "section", section);
        cJSON_AddStringToObject(item, "title", row->title);
        cJSON_AddStringToObject(item, "metric", row->metric);
        cJSON *values = cJSON_AddArrayToObject(item, "values");
        size_t found = each_series(once, row, add_series, values);
        bool missing = tell_missing(once, row, found, &reason);
        if (missing)
                cJSON_AddStringToObject(item, "missing", text_string(&reason));
        cJSON_AddItemToArray(list, item);
        return missing;
}

ssize_t capacity_print_json(const struct once *once, nsec wall, struct text *text)
{
        const struct config_list *capacity = &once->set->capacity;
        const struct capacity_section *sections = capacity->items;
        _cleanup_json_ cJSON *document = cJSON_CreateObject();
        char time[TIME_TEXT_MAX];
        ssize_t missing = capacity->count == 0;
        if (once->set->title)
                cJSON_AddStringToObject(document, "title", once->set->title);
        cJSON_AddStringToObject(document, "time", time_format(wall, time));
        if (capacity->count == 0)
                cJSON_AddStringToObject(document, "missing", NO_ROWS);
        cJSON *list = cJSON_AddArrayToObject(document, "rows");
        for (size_t s = 0; s < capacity->count; s++) {
                const struct capacity_row *rows = sections[s].rows.items;
                for (size_t i = 0; i < sections[s].rows.count; i++)
                        missing += add_row(once, sections[s].title, &rows[i], list);
        }
        _cleanup_free_ char *printed = json_print(document);
        if (!printed)
                return -ENOMEM;
        text_puts(text, printed);
        text_putc(text, '\n');
        return text_error(text) < 0 ? text_error(text) : missing;
}
