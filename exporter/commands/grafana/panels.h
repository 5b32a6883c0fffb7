/* SPDX-License-Identifier: Apache-2.0 */
/* The panels that are the same for whatever file. */
#ifndef EXPORTER_COMMANDS_GRAFANA_PANELS_H
#define EXPORTER_COMMANDS_GRAFANA_PANELS_H

#include "exporter/commands/grafana/grafana.h"

/* It is shown where the file has a check of the kind; NULL: always. */
struct panel_row {
        const char *section; /* another one than the row's before: under a heading of its own */
        const char *kind;
        struct panel panel;
};

struct panel_rows {
        const struct panel_row *rows;
        size_t count;
};

extern const struct panel_rows panels_overview, panels_application, panels_alerting, panels_remediations,
        panels_capacity, panels_daemons;

#endif
