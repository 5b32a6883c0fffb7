/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table for a terminal: columns as wide as what stands in them, a blank line's worth of nothing around it.
 *
 *     struct table table = {.columns = 2};
 *     table_cell(&table, "NUMBER");
 *     table_cell(&table, "STATE");
 *     …
 *     table_put(&table, text);
 *     table_release(&table);
 */
#ifndef RESPONDER_COMMANDS_TABLE_H
#define RESPONDER_COMMANDS_TABLE_H

#include "runbook/json.h"
#include "runbook/text.h"

struct table {
        size_t columns;
        char **cells;
        size_t count;
        int error; /* the first failure, as of a text; table_put() hands it on */
};

/* The next cell, row by row: shown on one line, cut after a while. NULL is an empty one. */
void table_cell(struct table *table, const char *value);

/* Appends all rows. */
void table_put(const struct table *table, struct text *text);
void table_release(struct table *table);

/* Appends a table of the items of a list, a row or more for each, below its titles, which NULL closes. */
void table_put_list(const char *const *titles, const cJSON *items,
                    void (*put_rows)(struct table *table, const cJSON *item), struct text *text);

#endif
