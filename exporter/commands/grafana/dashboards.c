/* SPDX-License-Identifier: Apache-2.0 */
/* Which dashboards there are. */
#include "exporter/commands/grafana/dashboards.h"

#include <errno.h>
#include <sys/stat.h>

#include "exporter/commands/grafana/panels.h"
#include "runbook/file.h"

#define OF_EXPORTER "runbook_check_info"
#define OF_RESPONDER "runbook_paused"

static int add_application(struct document *document, const struct check_set *set);
static int add_business(struct document *document, const struct check_set *set);
static int add_capacity(struct document *document, const struct check_set *set);

static const struct board {
        const char *name, *title; /* of the file, and behind the title of the runbook */
        const char *about;        /* a series that each machine has of which one is chosen */
        const struct panel_rows *panels;
        int (*add)(struct document *document, const struct check_set *set); /* what comes from the file */
        bool by_service;     /* projects and services of Docker can be chosen */
        bool with_incidents; /* marks where the responder has acted */
} boards[] = {
        {.name = "checks", .about = OF_EXPORTER, .add = dashboard_add_checks, .with_incidents = true},
        {.name = "overview",
         .title = "System overview",
         .about = OF_EXPORTER,
         .panels = &panels_overview,
         .by_service = true,
         .with_incidents = true},
        {.name = "application",
         .title = "Application performance",
         .about = OF_EXPORTER,
         .panels = &panels_application,
         .add = add_application,
         .with_incidents = true},
        {.name = "business", .title = "Business metrics", .about = OF_EXPORTER, .add = add_business},
        {.name = "alerting", .title = "Alerting", .about = OF_EXPORTER, .panels = &panels_alerting},
        {.name = "remediations",
         .title = "Remediations",
         .about = OF_RESPONDER,
         .panels = &panels_remediations,
         .with_incidents = true},
        {.name = "capacity",
         .title = "Capacity",
         .about = OF_EXPORTER,
         .panels = &panels_capacity,
         .add = add_capacity},
        {.name = "daemons",
         .title = "The daemons themselves",
         .about = "process_resident_memory_bytes{job=~\"runbook_.*\"}",
         .panels = &panels_daemons},
};

static bool has_kind(const struct check_set *set, const char *kind)
{
        for (size_t i = 0; i < set->count; i++)
                if (strcmp(set->checks[i].kind->name, kind) == 0)
                        return true;
        return false;
}

static void add_rows(struct document *document, const struct panel_rows *rows, const struct check_set *set)
{
        const char *section = NULL;
        for (size_t i = 0; rows && i < rows->count; i++) {
                const struct panel_row *row = &rows->rows[i];
                if (row->kind && !has_kind(set, row->kind))
                        continue;
                if (row->section && !string_equal(row->section, section))
                        document_add_row(document, row->section);
                section = row->section;
                document_add_panel(document, &row->panel);
        }
}

/* A graph of each metric that the operator has defined, below a heading. */
static void add_own(struct document *document, const struct check_set *set, const char *section,
                    bool (*wanted)(const struct check *check, const struct metric_family *family))
{
        bool begun = false;
        for (size_t i = 0; i < set->count; i++) {
                const struct check *check = &set->checks[i];
                const struct metric_family *const *own =
                        check->kind->own_families ? check->kind->own_families(set->states[i]) : NULL;
                for (size_t k = 0; own && own[k]; k++) {
                        if (!wanted(check, own[k]))
                                continue;
                        if (!begun)
                                document_add_row(document, section);
                        begun = true;
                        dashboard_add_own(document, check, own[k]);
                }
        }
}

static bool is_of_capacity(const struct metric_family *family)
{
        return string_starts(family->name, "runbook_capacity_");
}

/* What Prometheus knows is how the services do; what is counted in a database, or by a program, what for. */
static bool is_performance(const struct check *check, const struct metric_family *family)
{
        return strcmp(check->kind->name, "prometheus") == 0 && !is_of_capacity(family);
}

static bool is_business(const struct check *check, const struct metric_family *family)
{
        return strcmp(check->kind->name, "prometheus") != 0 && !is_of_capacity(family);
}

static int add_application(struct document *document, const struct check_set *set)
{
        add_own(document, set, "As Prometheus knows them", is_performance);
        return 0;
}

static int add_business(struct document *document, const struct check_set *set)
{
        add_own(document, set, "What is counted", is_business);
        return 0;
}

/* What the metric is compared with in the file, whichever check does. */
static int draw_limits(cJSON *panel, const char *metric, const struct check_set *set)
{
        size_t most = 0, count = 0;
        for (size_t i = 0; i < set->count; i++)
                most += set->checks[i].thresholds.count;
        _cleanup_free_ const struct threshold **limits = calloc(most + 1, sizeof(*limits));
        if (!limits)
                return -ENOMEM;
        for (size_t i = 0; i < set->count; i++)
                for (size_t k = 0; k < set->checks[i].thresholds.count; k++) {
                        const struct threshold *threshold = &set->checks[i].thresholds.items[k];
                        if (threshold->operand_count == 1 &&
                            string_equal(threshold->operands[0].metric, metric))
                                limits[count++] = threshold;
                }
        if (count > 0)
                panel_draw_limits(panel, limits, count);
        return 0;
}

static int add_capacity(struct document *document, const struct check_set *set)
{
        const struct capacity_section *sections = set->capacity.items;
        for (size_t s = 0; s < set->capacity.count; s++) {
                const struct capacity_row *rows = sections[s].rows.items;
                document_add_row(document, sections[s].title);
                for (size_t i = 0; i < sections[s].rows.count; i++) {
                        _cleanup_text_ struct text expression = {0};
                        metric_put_expression(&expression, rows[i].metric, false, NULL);
                        cJSON *panel = document_add_panel(
                                document,
                                &(struct panel){
                                        rows[i].title, LOOK_LINES, shown_of_metric(rows[i].metric), 0, 0,
                                        text_string(&expression),
                                        "{{instance}} {{service}} {{mountpoint}} {{database}} {{table}} "
                                        "{{window}}"});
                        if (draw_limits(panel, rows[i].metric, set) < 0)
                                return -ENOMEM;
                }
        }
        return 0;
}

static void add_variables(struct document *document, const struct board *board, const struct check_set *set)
{
        document_add_variable(document, "job", "Job", board->about);
        document_add_variable(document, "instance", "Machine", board->about);
        if (!board->by_service || !has_kind(set, "docker"))
                return;
        document_add_variable(document, "project", "Project",
                              "runbook_docker_service_containers{" OF_CHOSEN "}");
        document_add_variable(document, "service", "Service",
                              "runbook_docker_service_containers{" OF_CHOSEN ",project=~\"$project\"}");
}

static int print_board(const struct board *board, const struct check_set *set, enum grafana_schema schema,
                       struct text *text)
{
        struct document document;
        const char *whose = set->title ? set->title : "Runbook";
        _cleanup_free_ char *title =
                board->title ? text_format("%s: %s", whose, board->title) : strdup(whose);
        if (!title)
                return -ENOMEM;
        document_begin(&document, title, title);
        add_variables(&document, board, set);
        if (board->with_incidents)
                document_add_annotations(&document, "Remediation",
                                         "sum by (job, instance, remediation, outcome) (increase("
                                         "runbook_incidents_total[1m])) > 0",
                                         "{{remediation}}: {{outcome}}");
        add_rows(&document, board->panels, set);
        int r = board->add ? board->add(&document, set) : 0;
        document_bring_into(&document, schema);
        if (r >= 0)
                r = document_print(&document, text);
        document_release(&document);
        return r;
}

int dashboard_print(const struct check_set *set, struct text *text)
{
        return print_board(&boards[0], set, GRAFANA_CLASSIC, text);
}

int dashboards_write(const struct check_set *set, enum grafana_schema schema, const char *directory,
                     struct text *told, struct error *error)
{
        for (size_t i = 0; i < N_ELEMENTS(boards); i++) {
                _cleanup_text_ struct text text = {0};
                _cleanup_free_ char *path = text_format("%s/runbook-%s.json", directory, boards[i].name);
                if (!path || print_board(&boards[i], set, schema, &text) < 0)
                        return error_oom(error);
                int r = file_replace(path, text.data, text.length, 0644, error);
                if (r < 0)
                        return r;
                text_printf(told, "%s\n", path);
        }
        return 0;
}
