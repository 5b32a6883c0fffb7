/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same dashboard in Grafana's schema v2: panels by name, and where they stand told apart from what they
 * show.
 *
 * Made of the classic one, so that one place says what is on a dashboard. What ours have not is not carried
 * over.
 */
#include "exporter/commands/grafana/grafana.h"

#define PLUGIN_VERSION "v0"

enum { HEIGHT_OF_HEADING = 1 };

/* Classic keys that go over as they are, under another name where they have one. */
struct moved {
        const char *from, *to;
};

static void move(const cJSON *from, cJSON *to, const struct moved *keys, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                const cJSON *value = cJSON_GetObjectItem(from, keys[i].from);
                if (value)
                        cJSON_AddItemToObject(to, keys[i].to, cJSON_Duplicate(value, true));
        }
}

/* {"kind": kind, "spec": {}}: the spec. */
static cJSON *begin_kind(cJSON *holder, const char *kind)
{
        cJSON_AddStringToObject(holder, "kind", kind);
        return cJSON_AddObjectToObject(holder, "spec");
}

static cJSON *add_kind(cJSON *list, const char *kind)
{
        cJSON *element = cJSON_CreateObject();
        if (!cJSON_AddItemToArray(list, element)) {
                cJSON_Delete(element);
                return NULL;
        }
        return begin_kind(element, kind);
}

/* A question to the data source that was chosen: its spec. */
static cJSON *add_question(cJSON *holder)
{
        cJSON *query = cJSON_AddObjectToObject(holder, "query");
        cJSON *spec = begin_kind(query, "DataQuery");
        cJSON_AddStringToObject(query, "group", "prometheus");
        cJSON_AddStringToObject(query, "version", PLUGIN_VERSION);
        cJSON_AddStringToObject(cJSON_AddObjectToObject(query, "datasource"), "name", "${source}");
        return spec;
}

static void add_annotations(cJSON *spec, const cJSON *classic)
{
        static const struct moved keys[] = {{"enable", "enable"},
                                            {"iconColor", "iconColor"},
                                            {"name", "name"}},
                                  asked[] = {{"expr", "expr"},
                                             {"titleFormat", "titleFormat"},
                                             {"textFormat", "textFormat"}};
        cJSON *list = cJSON_AddArrayToObject(spec, "annotations");
        const cJSON *annotation;
        cJSON_ArrayForEach(annotation, json_get(classic, "annotations", "list", NULL))
        {
                cJSON *added = add_kind(list, "AnnotationQuery");
                move(annotation, added, keys, N_ELEMENTS(keys));
                cJSON_AddBoolToObject(added, "hide", false);
                move(annotation, add_question(added), asked, N_ELEMENTS(asked));
        }
}

/* What all variables say. */
static void describe_variable(cJSON *spec, const cJSON *variable)
{
        static const struct moved keys[] = {{"name", "name"}, {"label", "label"}, {"allValue", "allValue"}};
        move(variable, spec, keys, N_ELEMENTS(keys));
        const cJSON *current = cJSON_GetObjectItem(variable, "current");
        cJSON *chosen = cJSON_AddObjectToObject(spec, "current");
        cJSON_AddStringToObject(chosen, "text", current ? json_string(current, "text") : "");
        cJSON_AddStringToObject(chosen, "value", current ? json_string(current, "value") : "");
        cJSON_AddStringToObject(spec, "regex", "");
        cJSON_AddArrayToObject(spec, "options");
        cJSON_AddBoolToObject(spec, "multi", json_bool(variable, "multi", false));
        cJSON_AddBoolToObject(spec, "includeAll", json_bool(variable, "includeAll", false));
        cJSON_AddStringToObject(spec, "hide", "dontHide");
        cJSON_AddBoolToObject(spec, "skipUrlSync", false);
        cJSON_AddBoolToObject(spec, "allowCustomValue", true);
}

static void add_variables(cJSON *spec, const cJSON *classic)
{
        cJSON *list = cJSON_AddArrayToObject(spec, "variables");
        const cJSON *variable;
        cJSON_ArrayForEach(variable, json_get(classic, "templating", "list", NULL))
        {
                bool of_sources = string_equal(json_string(variable, "type"), "datasource");
                cJSON *added = add_kind(list, of_sources ? "DatasourceVariable" : "QueryVariable");
                describe_variable(added, variable);
                if (of_sources) {
                        cJSON_AddStringToObject(added, "pluginId", json_string(variable, "query"));
                        cJSON_AddStringToObject(added, "refresh", "onDashboardLoad");
                        continue;
                }
                cJSON_AddStringToObject(added, "refresh", "onTimeRangeChanged");
                cJSON_AddStringToObject(added, "sort", "alphabeticalAsc");
                cJSON_AddStringToObject(add_question(added), "__legacyStringValue",
                                        json_string(variable, "query"));
        }
}

static void add_queries(cJSON *panel, const cJSON *classic)
{
        static const struct moved keys[] = {{"expr", "expr"},
                                            {"legendFormat", "legendFormat"},
                                            {"instant", "instant"},
                                            {"format", "format"}};
        cJSON *group = begin_kind(cJSON_AddObjectToObject(panel, "data"), "QueryGroup");
        cJSON *queries = cJSON_AddArrayToObject(group, "queries"),
              *transformations = cJSON_AddArrayToObject(group, "transformations");
        const cJSON *one;
        cJSON_ArrayForEach(one, cJSON_GetObjectItem(classic, "targets"))
        {
                cJSON *added = add_kind(queries, "PanelQuery");
                cJSON_AddStringToObject(added, "refId", json_string(one, "refId"));
                cJSON_AddBoolToObject(added, "hidden", false);
                move(one, add_question(added), keys, N_ELEMENTS(keys));
        }
        cJSON_ArrayForEach(one, cJSON_GetObjectItem(classic, "transformations"))
        {
                cJSON *added = cJSON_CreateObject();
                cJSON *spec = begin_kind(added, "Transformation");
                cJSON_AddStringToObject(added, "group", json_string(one, "id"));
                move(one, spec, &(struct moved){"options", "options"}, 1);
                if (!cJSON_AddItemToArray(transformations, added))
                        cJSON_Delete(added);
        }
        cJSON_AddObjectToObject(group, "queryOptions");
}

static void add_panel(cJSON *elements, const char *name, const cJSON *classic)
{
        static const struct moved keys[] = {
                {"id", "id"}, {"title", "title"}, {"description", "description"}, {"links", "links"}};
        cJSON *panel = begin_kind(cJSON_AddObjectToObject(elements, name), "Panel");
        move(classic, panel, keys, N_ELEMENTS(keys));
        if (!cJSON_GetObjectItem(panel, "links"))
                cJSON_AddArrayToObject(panel, "links");
        add_queries(panel, classic);
        cJSON *look = cJSON_AddObjectToObject(panel, "vizConfig");
        cJSON *spec = begin_kind(look, "VizConfig");
        cJSON_AddStringToObject(look, "group", json_string(classic, "type"));
        cJSON_AddStringToObject(look, "version", "");
        cJSON_AddObjectToObject(spec, "options");
        move(classic, spec, &(struct moved){"fieldConfig", "fieldConfig"}, 1);
}

/* A row of the layout: the list of what stands in it. */
static cJSON *add_row(cJSON *rows, const char *title)
{
        cJSON *row = add_kind(rows, "RowsLayoutRow");
        if (title)
                cJSON_AddStringToObject(row, "title", title);
        cJSON_AddBoolToObject(row, "collapse", false);
        cJSON_AddBoolToObject(row, "hideHeader", !title);
        cJSON *grid = begin_kind(cJSON_AddObjectToObject(row, "layout"), "GridLayout");
        return cJSON_AddArrayToObject(grid, "items");
}

/* Where a panel stands: in its row, below whose heading y begins anew. */
static void place(cJSON *items, const char *name, const cJSON *panel, double above)
{
        static const struct moved keys[] = {{"x", "x"}, {"w", "width"}, {"h", "height"}};
        const cJSON *position = cJSON_GetObjectItem(panel, "gridPos");
        cJSON *item = add_kind(items, "GridLayoutItem");
        move(position, item, keys, N_ELEMENTS(keys));
        cJSON_AddNumberToObject(item, "y", json_number(position, "y", 0) - above);
        cJSON *element = cJSON_AddObjectToObject(item, "element");
        cJSON_AddStringToObject(element, "kind", "ElementReference");
        cJSON_AddStringToObject(element, "name", name);
}

static void add_panels(cJSON *spec, const cJSON *classic)
{
        cJSON *elements = cJSON_AddObjectToObject(spec, "elements");
        cJSON *rows = cJSON_AddArrayToObject(
                begin_kind(cJSON_AddObjectToObject(spec, "layout"), "RowsLayout"), "rows");
        cJSON *items = NULL;
        double above = 0;
        const cJSON *panel;
        cJSON_ArrayForEach(panel, cJSON_GetObjectItem(classic, "panels"))
        {
                bool is_heading = string_equal(json_string(panel, "type"), "row");
                if (is_heading)
                        above = json_number(json_get(panel, "gridPos", NULL), "y", 0) + HEIGHT_OF_HEADING;
                if (is_heading || !items)
                        items = add_row(rows, is_heading ? json_string(panel, "title") : NULL);
                if (is_heading)
                        continue;
                _cleanup_free_ char *name = text_format("panel-%g", json_number(panel, "id", 0));
                add_panel(elements, name ? name : "panel", panel);
                place(items, name ? name : "panel", panel, above);
        }
}

cJSON *dashboard_as_v2(const cJSON *classic)
{
        cJSON *json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "apiVersion", "dashboard.grafana.app/v2");
        cJSON *spec = begin_kind(json, "Dashboard");
        cJSON_AddStringToObject(cJSON_AddObjectToObject(json, "metadata"), "name",
                                json_string(classic, "uid"));
        static const struct moved keys[] = {{"title", "title"}, {"tags", "tags"}};
        move(classic, spec, keys, N_ELEMENTS(keys));
        cJSON_AddStringToObject(spec, "cursorSync", "Off");
        cJSON_AddBoolToObject(spec, "preload", false);
        cJSON_AddBoolToObject(spec, "editable", true);
        cJSON_AddArrayToObject(spec, "links");
        cJSON *time = cJSON_AddObjectToObject(spec, "timeSettings");
        static const struct moved times[] = {{"from", "from"}, {"to", "to"}};
        move(cJSON_GetObjectItem(classic, "time"), time, times, N_ELEMENTS(times));
        move(classic, time, &(struct moved){"refresh", "autoRefresh"}, 1);
        cJSON_AddArrayToObject(time, "autoRefreshIntervals");
        cJSON_AddBoolToObject(time, "hideTimepicker", false);
        cJSON_AddNumberToObject(time, "fiscalYearStartMonth", 0);
        add_annotations(spec, classic);
        add_variables(spec, classic);
        add_panels(spec, classic);
        return json;
}
