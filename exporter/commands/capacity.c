/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of the capacity report, and the series that belong to each.
 *
 * The averages and projections are queries to Prometheus that stand in checks.yml, so that an operator can
 * read and change what is meant by them; here they are only rows like the others.
 */
#include "exporter/commands/capacity.h"

#include <errno.h>

#include "runbook/json.h"
#include "runbook/units.h"

#define TITLE_COLUMNS 30
#define PROJECTION "Projection: in 30 days, by the growth of the last 7"

static const struct row {
        const char *section, *title, *metric;
} rows[] = {
        {"System resources", "CPU cores", "runbook_system_cpu_cores"},
        {"System resources", "CPU used, last hour", "runbook_capacity_cpu_used_ratio"},
        {"System resources", "Load average", "runbook_system_load_average"},
        {"System resources", "Memory", "runbook_system_memory_total_bytes"},
        {"System resources", "Memory available", "runbook_system_memory_available_bytes"},
        {"Containers", "CPUs used, last hour", "runbook_capacity_container_cpu_cores"},
        {"Containers", "Memory", "runbook_docker_container_memory_usage_bytes"},
        {"Containers", "Limit of memory", "runbook_docker_container_memory_limit_bytes"},
        {"Redis", "Memory", "runbook_redis_memory_used_bytes"},
        {"Redis", "Limit of memory", "runbook_redis_memory_max_bytes"},
        {"Database growth", "Size", "runbook_postgres_database_size_bytes"},
        {"Database growth", "Rows", "runbook_postgres_table_rows"},
        {"Storage usage", "Size", "runbook_disk_size_bytes"},
        {"Storage usage", "Available", "runbook_disk_available_bytes"},
        {"Storage usage", "Used", "runbook_disk_used_ratio"},
        {PROJECTION, "CPU used", "runbook_capacity_projected_cpu_used_ratio"},
        {PROJECTION, "Memory used", "runbook_capacity_projected_memory_used_bytes"},
        {PROJECTION, "Storage used", "runbook_capacity_projected_storage_used_bytes"},
        {PROJECTION, "Database", "runbook_capacity_projected_database_bytes"},
};

/* The family that a check may measure for the row; NULL: none. */
static const struct metric_family *family_of(const struct check_set *set, size_t i, const struct row *row)
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
        for (size_t n = 0; n < N_ELEMENTS(rows); n++)
                if (family_of(set, i, &rows[n]))
                        return true;
        return false;
}

/* ---- the series of one row ---- */

/* Calls `each` for every series of the row. How many there are. */
static size_t each_series(const struct once *once, const struct row *row,
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
                        each(&once->set->checks[i], sample->value, labels, sample->labels_length, context);
                        found++;
                }
        }
        return found;
}

/* What is missing in a row of `found` series, and why: each check that failed, or that none tells of it.
 * False when nothing is. */
static bool tell_missing(const struct once *once, const struct row *row, size_t found, struct text *text)
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

/* ---- for people ---- */

struct printing {
        struct text *text;
        const struct row *row;
        bool several; /* checks measure it: each series says of which it is */
        size_t printed;
};

static bool is_of_several(const struct once *once, const struct row *row)
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
        humane_put(&words, humane_unit_of(printing->row->metric), value);
        text_printf(printing->text, "%12s", text_string(&words));
        text_clear(&words);
        if (length > 0)
                text_printf(&words, "  {%.*s}", (int)length, labels);
        text_put_line(printing->text, text_string(&words), SIZE_MAX);
        text_putc(printing->text, '\n');
}

size_t capacity_print(const struct once *once, nsec wall, struct text *text)
{
        char time[TIME_TEXT_MAX];
        size_t missing = 0;

        text_printf(text, "=== %s%sCapacity report ===\n%s\n", once->set->title ? once->set->title : "",
                    once->set->title ? ": " : "", time_format(wall, time));
        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                struct printing printing = {text, &rows[i], is_of_several(once, &rows[i]), 0};

                if (i == 0 || strcmp(rows[i].section, rows[i - 1].section) != 0)
                        text_printf(text, "\n## %s\n", rows[i].section);
                _cleanup_text_ struct text reason = {0};
                size_t found = each_series(once, &rows[i], put_series, &printing);
                if (!tell_missing(once, &rows[i], found, &reason))
                        continue;
                missing++;
                put_title(text, found > 0 ? "" : rows[i].title);
                text_printf(text, "%12s  (%s: %s)\n", "-", rows[i].metric, text_string(&reason));
        }
        return missing;
}

/* ---- for programs ---- */

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

ssize_t capacity_print_json(const struct once *once, nsec wall, struct text *text)
{
        _cleanup_json_ cJSON *document = cJSON_CreateObject();
        char time[TIME_TEXT_MAX];
        ssize_t missing = 0;

        if (once->set->title)
                cJSON_AddStringToObject(document, "title", once->set->title);
        cJSON_AddStringToObject(document, "time", time_format(wall, time));
        cJSON *list = cJSON_AddArrayToObject(document, "rows");
        for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
                cJSON *row = cJSON_CreateObject(), *values;

                cJSON_AddStringToObject(row, "section", rows[i].section);
                cJSON_AddStringToObject(row, "title", rows[i].title);
                cJSON_AddStringToObject(row, "metric", rows[i].metric);
                values = cJSON_AddArrayToObject(row, "values");
                _cleanup_text_ struct text reason = {0};
                size_t found = each_series(once, &rows[i], add_series, values);
                if (tell_missing(once, &rows[i], found, &reason)) {
                        cJSON_AddStringToObject(row, "missing", text_string(&reason));
                        missing++;
                }
                cJSON_AddItemToArray(list, row);
        }
        _cleanup_free_ char *printed = json_print(document);
        if (!printed)
                return -ENOMEM;
        text_puts(text, printed);
        text_putc(text, '\n');
        return text_error(text) < 0 ? text_error(text) : missing;
}
