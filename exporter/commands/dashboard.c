/* SPDX-License-Identifier: Apache-2.0 */
/* Panels on Grafana's grid of 24 columns, from top to bottom. */
#include "exporter/commands/dashboard.h"

#include <errno.h>
#include <stdio.h>
#include <zlib.h>

#include "exporter/check/result.h"
#include "exporter/commands/promql.h"
#include "runbook/json.h"

#define SCHEMA 36
#define COLUMNS 24
#define HEIGHT 7
#define UID_SIZE 32

/* Where the next panel goes. */
struct grid {
        cJSON *panels;
        int x, y, id;
};

static cJSON *add_object(cJSON *parent, const char *key)
{
        return cJSON_AddObjectToObject(parent, key);
}

static void new_line(struct grid *grid)
{
        if (grid->x > 0)
                grid->y += HEIGHT;
        grid->x = 0;
}

static cJSON *add_panel(struct grid *grid, const char *type, const char *title, int width, int height)
{
        cJSON *panel = cJSON_CreateObject(), *place = add_object(panel, "gridPos");
        if (grid->x + width > COLUMNS)
                new_line(grid);
        cJSON_AddNumberToObject(panel, "id", ++grid->id);
        cJSON_AddStringToObject(panel, "type", type);
        cJSON_AddStringToObject(panel, "title", title);
        cJSON_AddNumberToObject(place, "x", grid->x);
        cJSON_AddNumberToObject(place, "y", grid->y);
        cJSON_AddNumberToObject(place, "w", width);
        cJSON_AddNumberToObject(place, "h", height);
        cJSON_AddItemToArray(grid->panels, panel);
        grid->x += width;
        return panel;
}

static void add_row(struct grid *grid, const char *title)
{
        new_line(grid);
        cJSON_AddBoolToObject(add_panel(grid, "row", title, COLUMNS, 1), "collapsed", false);
        grid->x = 0;
        grid->y += 1;
}

static void add_source(cJSON *holder)
{
        cJSON *source = add_object(holder, "datasource");
        cJSON_AddStringToObject(source, "type", "prometheus");
        cJSON_AddStringToObject(source, "uid", "${source}");
}

static void add_query(cJSON *panel, const char *expression, const char *legend)
{
        cJSON *targets = cJSON_AddArrayToObject(panel, "targets"), *target = cJSON_CreateObject();
        add_source(panel);
        add_source(target);
        cJSON_AddStringToObject(target, "refId", "A");
        cJSON_AddStringToObject(target, "expr", expression);
        cJSON_AddStringToObject(target, "legendFormat", legend);
        cJSON_AddItemToArray(targets, target);
}

static void add_unit(cJSON *panel, enum value_unit unit)
{
        static const char *const names[] = {[UNIT_NUMBER] = "short",
                                            [UNIT_PERCENT] = "percentunit",
                                            [UNIT_SECONDS] = "s",
                                            [UNIT_BYTES] = "bytes"};
        tables_agree(names, VALUE_UNITS);

        cJSON_AddStringToObject(add_object(add_object(panel, "fieldConfig"), "defaults"), "unit",
                                names[unit]);
}

static void add_limit(cJSON *steps, const char *colour, const double *value)
{
        cJSON *step = cJSON_CreateObject();
        cJSON_AddStringToObject(step, "color", colour);
        cJSON_AddItemToObject(step, "value", value ? cJSON_CreateNumber(*value) : cJSON_CreateNull());
        cJSON_AddItemToArray(steps, step);
}

static int compare_limits(const void *a, const void *b)
{
        double first = (*(const struct threshold *const *)a)->limit,
               second = (*(const struct threshold *const *)b)->limit;
        return (first > second) - (first < second);
}

/* The limits as lines across the graph, each in the colour of its level; Grafana wants them rising. */
static void add_limits(cJSON *panel, const struct threshold **limits_of_one, size_t count)
{
        cJSON *defaults = cJSON_GetObjectItem(cJSON_GetObjectItem(panel, "fieldConfig"), "defaults");
        cJSON *limits = add_object(defaults, "thresholds");
        cJSON *steps = cJSON_AddArrayToObject(limits, "steps");
        cJSON_AddStringToObject(add_object(add_object(defaults, "custom"), "thresholdsStyle"), "mode",
                                "line");
        cJSON_AddStringToObject(limits, "mode", "absolute");
        add_limit(steps, "transparent", NULL);
        qsort(limits_of_one, count, sizeof(*limits_of_one), compare_limits);
        for (size_t i = 0; i < count; i++)
                add_limit(steps, limits_of_one[i]->level == THRESHOLD_FAIL ? "red" : "orange",
                          &limits_of_one[i]->limit);
}

/* How each check stands, as one number a check that the panel shows by its word. */
static void add_standings(struct grid *grid)
{
        static const char *const colours[] = {[STANDING_NOT_SET_UP] = "transparent",
                                              [STANDING_PASS] = "green",
                                              [STANDING_WARN] = "orange",
                                              [STANDING_UNKNOWN] = "purple",
                                              [STANDING_FAIL] = "red"};
        tables_agree(colours, STANDINGS);
        cJSON *panel = add_panel(grid, "state-timeline", "How the checks stand", 12, HEIGHT);
        cJSON *mapping = cJSON_CreateObject();
        _cleanup_text_ struct text expression = {0};
        cJSON_AddStringToObject(mapping, "type", "value");
        cJSON *options = add_object(mapping, "options");
        text_puts(&expression, "sum by (job, instance, check) (");
        for (enum standing i = 0; i < STANDINGS; i++) {
                char value[8];
                snprintf(value, sizeof(value), "%d", (int)i);
                text_printf(&expression, "%s%s * runbook_check_standing{standing=\"%s\"}",
                            i > 0 ? " or " : "", value, standing_styles[i].word);
                cJSON *option = add_object(options, value);
                cJSON_AddStringToObject(option, "text", standing_styles[i].phrase);
                cJSON_AddStringToObject(option, "color", colours[i]);
        }
        text_putc(&expression, ')');
        add_query(panel, text_string(&expression), "{{check}}");
        cJSON *defaults = add_object(add_object(panel, "fieldConfig"), "defaults");
        cJSON_AddItemToArray(cJSON_AddArrayToObject(defaults, "mappings"), mapping);
}

static void add_overview(struct grid *grid)
{
        add_standings(grid);
        cJSON *panel;
        panel = add_panel(grid, "timeseries", "Series beyond a threshold", 6, HEIGHT);
        add_query(panel, "runbook_check_series_beyond_threshold > 0", "{{check}} {{level}}");
        panel = add_panel(grid, "timeseries", "How long the checks take", 6, HEIGHT);
        add_query(panel, "runbook_check_duration_seconds", "{{check}}");
        add_unit(panel, UNIT_SECONDS);
}

/* One graph of what item `first` looks at, with the limits of all that look at the same: "a > 80%, > 90%". */
static int add_threshold(struct grid *grid, const struct check *check, size_t first)
{
        const struct thresholds *all = &check->thresholds;
        const struct threshold *threshold = &all->items[first];
        _cleanup_free_ const struct threshold **same = calloc(all->count, sizeof(*same));
        _cleanup_text_ struct text expression = {0}, title = {0};
        size_t count = 0;
        if (!same)
                return -ENOMEM;
        for (size_t i = 0; i < all->count; i++) {
                const struct threshold *other = &all->items[i];
                if (strcmp(other->expression, threshold->expression) != 0)
                        continue;
                if (i < first)
                        return 0; /* it has its graph already */
                text_printf(&title, "%s%s", count > 0 ? "," : threshold->expression,
                            other->written + strlen(other->expression));
                same[count++] = other;
        }
        promql_put_value(&expression, threshold, check->name);
        cJSON *panel = add_panel(grid, "timeseries", text_string(&title), 12, HEIGHT);
        add_query(panel, text_string(&expression), "__auto");
        add_unit(panel, threshold->unit);
        add_limits(panel, same, count);
        return 0;
}

static void add_own(struct grid *grid, const struct check *check, const struct metric_family *family)
{
        _cleanup_text_ struct text expression = {0};
        bool counter = family->type == METRIC_COUNTER;
        text_printf(&expression, "%s%s{check=\"%s\"}%s", counter ? "rate(" : "", family->name, check->name,
                    counter ? "[5m])" : "");
        cJSON *panel = add_panel(grid, "timeseries", family->help, 12, HEIGHT);
        add_query(panel, text_string(&expression), "__auto");
        add_unit(panel, unit_of_metric(family->name));
}

static int add_check(struct grid *grid, const struct check *check, void *state)
{
        const struct metric_family *const *own =
                check->kind->own_families ? check->kind->own_families(state) : NULL;
        if (check->thresholds.count == 0 && !(own && own[0]))
                return 0;
        add_row(grid, check->title);
        for (size_t i = 0; i < check->thresholds.count; i++)
                if (add_threshold(grid, check, i) < 0)
                        return -ENOMEM;
        for (size_t i = 0; own && own[i]; i++)
                add_own(grid, check, own[i]);
        return 0;
}

/* Grafana puts what is chosen here into every query: instance="…" shows one machine of several. */
static void add_filters(cJSON *list)
{
        cJSON *variable = cJSON_CreateObject();
        cJSON_AddStringToObject(variable, "name", "filters");
        cJSON_AddStringToObject(variable, "label", "Filters");
        cJSON_AddStringToObject(variable, "type", "adhoc");
        add_source(variable);
        cJSON_AddItemToArray(list, variable);
}

static void add_variables(cJSON *document)
{
        cJSON *list = cJSON_AddArrayToObject(add_object(document, "templating"), "list");
        cJSON *variable = cJSON_CreateObject();
        cJSON_AddStringToObject(variable, "name", "source");
        cJSON_AddStringToObject(variable, "label", "Data source");
        cJSON_AddStringToObject(variable, "type", "datasource");
        cJSON_AddStringToObject(variable, "query", "prometheus");
        cJSON_AddItemToArray(list, variable);
        add_filters(list);
}

/* Grafana knows a dashboard by this: it stays over imports, and is another one for another runbook. */
static const char *uid_of(const char *title, char ret[static UID_SIZE])
{
        snprintf(ret, UID_SIZE, "runbook-%08lx",
                 crc32(0, (const unsigned char *)title, (unsigned)strlen(title)));
        return ret;
}

int dashboard_print(const struct check_set *set, struct text *text)
{
        _cleanup_json_ cJSON *document = cJSON_CreateObject();
        struct grid grid = {0};
        const char *title = set->title ? set->title : "Runbook";
        char uid[UID_SIZE];

        cJSON_AddStringToObject(document, "title", title);
        cJSON_AddStringToObject(document, "uid", uid_of(title, uid));
        cJSON_AddNumberToObject(document, "schemaVersion", SCHEMA);
        cJSON_AddStringToObject(document, "refresh", "1m");
        cJSON_AddStringToObject(add_object(document, "time"), "from", "now-24h");
        cJSON_AddStringToObject(cJSON_GetObjectItem(document, "time"), "to", "now");
        add_variables(document);
        grid.panels = cJSON_AddArrayToObject(document, "panels");
        add_overview(&grid);
        for (size_t i = 0; i < set->count; i++)
                if (add_check(&grid, &set->checks[i], set->states[i]) < 0)
                        return -ENOMEM;
        _cleanup_free_ char *printed = cJSON_Print(document);
        if (!printed)
                return -ENOMEM;
        text_puts(text, printed);
        text_putc(text, '\n');
        return text_error(text);
}
