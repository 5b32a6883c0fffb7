/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of panels. */
#include "exporter/commands/grafana/grafana.h"

#include <errno.h>
#include <stdio.h>
#include <zlib.h>

#define SCHEMA 36
#define COLUMNS 24
#define UID_SIZE 40

enum { HEIGHT = 7, HEIGHT_OF_NUMBER = 4 };

static const struct {
        const char *type;
        int height;
} looks[] = {
        [LOOK_LINES] = {"timeseries", HEIGHT},
        [LOOK_NUMBER] = {"stat", HEIGHT_OF_NUMBER},
        [LOOK_STATES] = {"state-timeline", HEIGHT},
        [LOOK_TABLE] = {"table", HEIGHT},
};
tables_agree(looks, LOOKS);

/* What Grafana calls it. */
static const char *const units[] = {
        [SHOWN_NUMBER] = "short",     [SHOWN_PERCENT] = "percentunit",   [SHOWN_SECONDS] = "s",
        [SHOWN_BYTES] = "bytes",      [SHOWN_PER_SECOND] = "cps",        [SHOWN_BYTES_PER_SECOND] = "Bps",
        [SHOWN_LEFT] = "dtdurations", [SHOWN_SINCE] = "dateTimeFromNow", [SHOWN_GOOD] = "bool_yes_no",
        [SHOWN_BAD] = "bool_yes_no",
};
tables_agree(units, SHOWNS);

enum shown shown_of(enum value_unit unit)
{
        static const enum shown of[] = {[UNIT_NUMBER] = SHOWN_NUMBER,
                                        [UNIT_PERCENT] = SHOWN_PERCENT,
                                        [UNIT_SECONDS] = SHOWN_SECONDS,
                                        [UNIT_BYTES] = SHOWN_BYTES};
        tables_agree(of, VALUE_UNITS);
        return of[unit];
}

static bool is_timestamp(const char *metric)
{
        return string_ends(metric, "_timestamp_seconds");
}

enum shown shown_of_metric(const char *metric)
{
        return is_timestamp(metric) ? SHOWN_SINCE : shown_of(unit_of_metric(metric));
}

void metric_put_expression(struct text *text, const char *metric, bool is_counter, const char *check)
{
        text_printf(text, "%s%s%s{", is_counter ? "rate(" : "", is_timestamp(metric) ? "1000 * " : "",
                    metric);
        if (check)
                text_printf(text, "check=\"%s\",", check);
        text_printf(text, OF_CHOSEN "}%s", is_counter ? "[5m])" : "");
}

static cJSON *add_object(cJSON *parent, const char *key)
{
        cJSON *there = cJSON_GetObjectItem(parent, key);
        return there ? there : cJSON_AddObjectToObject(parent, key);
}

static cJSON *add_element(cJSON *list)
{
        cJSON *element = cJSON_CreateObject();
        if (cJSON_AddItemToArray(list, element))
                return element;
        cJSON_Delete(element);
        return NULL;
}

static void add_source(cJSON *holder)
{
        cJSON *source = add_object(holder, "datasource");
        cJSON_AddStringToObject(source, "type", "prometheus");
        cJSON_AddStringToObject(source, "uid", "${source}");
}

void document_begin(struct document *document, const char *title, const char *name)
{
        char uid[UID_SIZE];
        cJSON *json = cJSON_CreateObject();
        *document = (struct document){.json = json};
        snprintf(uid, sizeof(uid), "runbook-%08lx",
                 crc32(0, (const unsigned char *)name, (unsigned)strlen(name)));
        cJSON_AddStringToObject(json, "title", title);
        cJSON_AddStringToObject(json, "uid", uid);
        cJSON_AddItemToArray(cJSON_AddArrayToObject(json, "tags"), cJSON_CreateString("runbook"));
        cJSON_AddNumberToObject(json, "schemaVersion", SCHEMA);
        cJSON_AddStringToObject(json, "refresh", "1m");
        cJSON *time = add_object(json, "time");
        cJSON_AddStringToObject(time, "from", "now-24h");
        cJSON_AddStringToObject(time, "to", "now");
        document->variables = cJSON_AddArrayToObject(add_object(json, "templating"), "list");
        document->panels = cJSON_AddArrayToObject(json, "panels");

        cJSON *variable = add_element(document->variables);
        cJSON_AddStringToObject(variable, "name", "source");
        cJSON_AddStringToObject(variable, "label", "Data source");
        cJSON_AddStringToObject(variable, "type", "datasource");
        cJSON_AddStringToObject(variable, "query", "prometheus");
}

void document_release(struct document *document)
{
        cJSON_Delete(document->json);
        *document = (struct document){0};
}

const char *const grafana_schemas[] = {[GRAFANA_CLASSIC] = "classic", [GRAFANA_V2] = "v2", NULL};
tables_agree(grafana_schemas, GRAFANA_SCHEMAS + 1);

void document_bring_into(struct document *document, enum grafana_schema schema)
{
        if (schema != GRAFANA_V2)
                return;
        cJSON *made = dashboard_as_v2(document->json);
        document_release(document);
        document->json = made;
}

int document_print(const struct document *document, struct text *text)
{
        _cleanup_free_ char *printed = cJSON_Print(document->json);
        if (!printed)
                return -ENOMEM;
        text_puts(text, printed);
        text_putc(text, '\n');
        return text_error(text);
}

void document_add_variable(struct document *document, const char *label, const char *title,
                           const char *series)
{
        _cleanup_free_ char *asked = text_format("label_values(%s, %s)", series, label);
        cJSON *variable = add_element(document->variables);
        cJSON_AddStringToObject(variable, "name", label);
        cJSON_AddStringToObject(variable, "label", title);
        cJSON_AddStringToObject(variable, "type", "query");
        add_source(variable);
        cJSON_AddStringToObject(variable, "query", asked ? asked : "");
        cJSON_AddNumberToObject(variable, "refresh", 2); /* whenever the time that is shown changes */
        cJSON_AddNumberToObject(variable, "sort", 1);
        cJSON_AddBoolToObject(variable, "multi", true);
        cJSON_AddBoolToObject(variable, "includeAll", true);
        cJSON_AddStringToObject(variable, "allValue", ".*");
        cJSON *current = add_object(variable, "current");
        cJSON_AddStringToObject(current, "text", "All");
        cJSON_AddStringToObject(current, "value", "$__all");
}

void document_add_annotations(struct document *document, const char *name, const char *expression,
                              const char *text)
{
        cJSON *list = cJSON_AddArrayToObject(add_object(document->json, "annotations"), "list");
        cJSON *annotation = add_element(list);
        add_source(annotation);
        cJSON_AddStringToObject(annotation, "name", name);
        cJSON_AddBoolToObject(annotation, "enable", true);
        cJSON_AddStringToObject(annotation, "iconColor", "blue");
        cJSON_AddStringToObject(annotation, "expr", expression);
        cJSON_AddStringToObject(annotation, "titleFormat", name);
        cJSON_AddStringToObject(annotation, "textFormat", text);
}

/* A line of panels is as high as the highest of them. */
static cJSON *place_panel(struct document *document, const char *type, const char *title, int width,
                          int height)
{
        cJSON *panel = add_element(document->panels), *place = add_object(panel, "gridPos");
        if (document->x + width > COLUMNS) {
                document->x = 0;
                document->y = document->below;
        }
        cJSON_AddNumberToObject(panel, "id", ++document->id);
        cJSON_AddStringToObject(panel, "type", type);
        cJSON_AddStringToObject(panel, "title", title);
        cJSON_AddNumberToObject(place, "x", document->x);
        cJSON_AddNumberToObject(place, "y", document->y);
        cJSON_AddNumberToObject(place, "w", width);
        cJSON_AddNumberToObject(place, "h", height);
        document->x += width;
        if (document->below < document->y + height)
                document->below = document->y + height;
        return panel;
}

void document_add_row(struct document *document, const char *title)
{
        document->x = COLUMNS;
        cJSON_AddBoolToObject(place_panel(document, "row", title, COLUMNS, 1), "collapsed", false);
}

static cJSON *defaults_of(cJSON *panel)
{
        return add_object(add_object(panel, "fieldConfig"), "defaults");
}

/* Where some columns are shown in another way; empty where none is. */
static cJSON *overrides_of(cJSON *panel)
{
        cJSON *config = add_object(panel, "fieldConfig"), *there = cJSON_GetObjectItem(config, "overrides");
        return there ? there : cJSON_AddArrayToObject(config, "overrides");
}

static void add_query(cJSON *panel, const struct panel *what)
{
        cJSON *target = add_element(cJSON_AddArrayToObject(panel, "targets"));
        add_source(panel);
        add_source(target);
        cJSON_AddStringToObject(target, "refId", "A");
        cJSON_AddStringToObject(target, "expr", what->expression);
        cJSON_AddStringToObject(target, "legendFormat", what->legend);
        if (what->look == LOOK_TABLE) {
                cJSON_AddBoolToObject(target, "instant", true);
                cJSON_AddStringToObject(target, "format", "table");
        }
}

cJSON *document_add_panel(struct document *document, const struct panel *what)
{
        static const struct panel_word good[] = {{0, "no", "red"}, {1, "yes", "green"}},
                                       bad[] = {{0, "no", "green"}, {1, "yes", "red"}};
        cJSON *panel = place_panel(document, looks[what->look].type, what->title,
                                   what->width > 0 ? what->width : COLUMNS / 2,
                                   what->height > 0 ? what->height : looks[what->look].height);
        add_query(panel, what);
        cJSON_AddStringToObject(defaults_of(panel), "unit", units[what->shown]);
        overrides_of(panel);
        if (what->shown == SHOWN_GOOD || what->shown == SHOWN_BAD)
                panel_name_values(panel, what->shown == SHOWN_GOOD ? good : bad, N_ELEMENTS(good));
        return panel;
}

void panel_describe(cJSON *panel, const char *description, const char *url)
{
        if (description)
                cJSON_AddStringToObject(panel, "description", description);
        if (!url)
                return;
        cJSON *link = add_element(cJSON_AddArrayToObject(panel, "links"));
        cJSON_AddStringToObject(link, "title", "Runbook");
        cJSON_AddStringToObject(link, "url", url);
        cJSON_AddBoolToObject(link, "targetBlank", true);
}

void panel_name_values(cJSON *panel, const struct panel_word *words, size_t count)
{
        cJSON *mapping = add_element(cJSON_AddArrayToObject(defaults_of(panel), "mappings"));
        cJSON_AddStringToObject(mapping, "type", "value");
        cJSON *options = add_object(mapping, "options");
        for (size_t i = 0; i < count; i++) {
                char value[24];
                snprintf(value, sizeof(value), "%g", words[i].value);
                cJSON *option = add_object(options, value);
                cJSON_AddStringToObject(option, "text", words[i].word);
                cJSON_AddStringToObject(option, "color", words[i].colour);
                cJSON_AddNumberToObject(option, "index", (double)i);
        }
}

void panel_arrange_columns(cJSON *panel, const char *const *hidden, size_t hidden_count,
                           const char *const *shown, size_t shown_count)
{
        cJSON *transformation = add_element(cJSON_AddArrayToObject(panel, "transformations"));
        cJSON_AddStringToObject(transformation, "id", "organize");
        cJSON *options = add_object(transformation, "options");
        cJSON *exclude = add_object(options, "excludeByName"), *order = add_object(options, "indexByName");
        for (size_t i = 0; i < hidden_count; i++)
                cJSON_AddBoolToObject(exclude, hidden[i], true);
        for (size_t i = 0; i < shown_count; i++)
                cJSON_AddNumberToObject(order, shown[i], (double)i);
}

/* The properties of a column, which are all in one mapping. */
static cJSON *mapping_of_column(cJSON *panel, const char *column)
{
        cJSON *overrides = overrides_of(panel);
        const cJSON *override;
        cJSON_ArrayForEach(override, overrides)
        {
                const cJSON *property = cJSON_GetArrayItem(cJSON_GetObjectItem(override, "properties"), 0);
                if (string_equal(json_string(json_get(override, "matcher", NULL), "options"), column))
                        return cJSON_GetObjectItem(
                                cJSON_GetArrayItem(cJSON_GetObjectItem(property, "value"), 0), "options");
        }
        cJSON *added = add_element(overrides);
        cJSON *matcher = add_object(added, "matcher");
        cJSON_AddStringToObject(matcher, "id", "byName");
        cJSON_AddStringToObject(matcher, "options", column);
        cJSON *property = add_element(cJSON_AddArrayToObject(added, "properties"));
        cJSON_AddStringToObject(property, "id", "mappings");
        cJSON *mapping = add_element(cJSON_AddArrayToObject(property, "value"));
        cJSON_AddStringToObject(mapping, "type", "value");
        return add_object(mapping, "options");
}

void panel_name_word(cJSON *panel, const char *column, const char *value, const char *text)
{
        cJSON_AddStringToObject(add_object(mapping_of_column(panel, column), value), "text", text);
}

static void add_limit(cJSON *steps, const char *colour, const double *value)
{
        cJSON *step = add_element(steps);
        cJSON_AddStringToObject(step, "color", colour);
        cJSON_AddItemToObject(step, "value", value ? cJSON_CreateNumber(*value) : cJSON_CreateNull());
}

static int compare_limits(const void *a, const void *b)
{
        double first = (*(const struct threshold *const *)a)->limit,
               second = (*(const struct threshold *const *)b)->limit;
        return (first > second) - (first < second);
}

/* Grafana wants them rising. */
void panel_draw_limits(cJSON *panel, const struct threshold **limits, size_t count)
{
        cJSON *defaults = defaults_of(panel), *thresholds = add_object(defaults, "thresholds");
        cJSON *steps = cJSON_AddArrayToObject(thresholds, "steps");
        cJSON_AddStringToObject(add_object(add_object(defaults, "custom"), "thresholdsStyle"), "mode",
                                "line");
        cJSON_AddStringToObject(thresholds, "mode", "absolute");
        add_limit(steps, "transparent", NULL);
        qsort(limits, count, sizeof(*limits), compare_limits);
        for (size_t i = 0; i < count; i++)
                add_limit(steps, limits[i]->level == THRESHOLD_FAIL ? "red" : "orange", &limits[i]->limit);
}
