/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grafana's dashboard model, as far as ours use it: panels on a grid of 24 columns, from top to bottom, each
 * with its query, its unit and its limits.
 *
 * One thread. Of what there is no memory for, a part of the document is missing.
 */
#ifndef EXPORTER_COMMANDS_GRAFANA_GRAFANA_H
#define EXPORTER_COMMANDS_GRAFANA_GRAFANA_H

#include "exporter/check/check.h"
#include "runbook/json.h"
#include "runbook/text.h"
#include "runbook/units.h"

/* The machines that were chosen at the top of the page; "All" matches a series without the label, too. */
#define OF_CHOSEN "job=~\"$job\",instance=~\"$instance\""
#define OF_SERVICES OF_CHOSEN ",project=~\"$project\",service=~\"$service\""

enum look {
        LOOK_LINES,
        LOOK_NUMBER, /* the latest, large */
        LOOK_STATES, /* words over time */
        LOOK_TABLE,  /* the labels of the latest */
        LOOKS,
};

enum shown {
        SHOWN_NUMBER,
        SHOWN_PERCENT, /* a ratio */
        SHOWN_SECONDS,
        SHOWN_BYTES,
        SHOWN_PER_SECOND,
        SHOWN_BYTES_PER_SECOND,
        SHOWN_LEFT,  /* seconds from now, of days and weeks */
        SHOWN_SINCE, /* a timestamp, as how long ago or until it is */
        SHOWN_GOOD,  /* 1: yes, which is good */
        SHOWN_BAD,   /* 1: yes, which is bad */
        SHOWNS,
};

/* A panel as a row of a table. */
struct panel {
        const char *title;
        enum look look;
        enum shown shown;
        int width, height;      /* of 24 columns, in lines of the grid; 0: a half, and as high as usual */
        const char *expression; /* PromQL */
        const char *legend;     /* one of its series: "{{instance}} {{mountpoint}}" */
};

/* A dashboard that is being made. */
struct document {
        cJSON *json, *panels, *variables;
        int x, y, below; /* where the next panel goes, and the next line of panels */
        int id;
};

/* `name` tells it from all others: it stays the same over imports. */
void document_begin(struct document *document, const char *title, const char *name);
void document_release(struct document *document);
int document_print(const struct document *document, struct text *text);

/* Which of Grafana's schemas a dashboard is written in. */
enum grafana_schema {
        GRAFANA_CLASSIC, /* what all of them read */
        GRAFANA_V2,      /* a resource of its API, from 13 on */
        GRAFANA_SCHEMAS,
};
extern const char *const grafana_schemas[]; /* their words, closed by NULL */

/* Brings what was made into another schema; once, and last. */
void document_bring_into(struct document *document, enum grafana_schema schema);

/* A classic dashboard, in the schema v2: another document, the caller's. */
cJSON *dashboard_as_v2(const cJSON *classic);

/* A choice at the top of the page, of the values of `label` in a series: "runbook_paused{job=~\"$job\"}". */
void document_add_variable(struct document *document, const char *label, const char *title,
                           const char *series);

/* Marks on every graph, where the series of `expression` are not 0; `text` says what a mark means. */
void document_add_annotations(struct document *document, const char *name, const char *expression,
                              const char *text);

void document_add_row(struct document *document, const char *title);
cJSON *document_add_panel(struct document *document, const struct panel *panel);

/* Why one looks at it and where to read on; each may be NULL. */
void panel_describe(cJSON *panel, const char *description, const char *url);

/* How a value is written as a word in a colour. */
struct panel_word {
        double value;
        const char *word, *colour;
};
void panel_name_values(cJSON *panel, const struct panel_word *words, size_t count);

/* Of a table: which labels are no columns, and in which order the others stand. */
void panel_arrange_columns(cJSON *panel, const char *const *hidden, size_t hidden_count,
                           const char *const *shown, size_t shown_count);

/* Of a table: what the column shows in the place of a label's value. */
void panel_name_word(cJSON *panel, const char *column, const char *value, const char *text);

/* A limit as a line across the graph, in the colour of its level; those of one panel in any order. */
void panel_draw_limits(cJSON *panel, const struct threshold **limits, size_t count);

enum shown shown_of(enum value_unit unit);

/* What a metric's name says; and its series of check `check` (NULL: of whichever) as that is shown: a rate of
 * a counter, a timestamp in Grafana's milliseconds. */
enum shown shown_of_metric(const char *metric);
void metric_put_expression(struct text *text, const char *metric, bool is_counter, const char *check);

#endif
