/* SPDX-License-Identifier: Apache-2.0 */
/* A table for a terminal. */
#include "responder/commands/table.h"

#include <errno.h>
#include <stdlib.h>

enum { CELL_MOST = 200, BETWEEN = 2 };

void table_cell(struct table *table, const char *value)
{
        _cleanup_text_ struct text cell = {0};
        char **cells = reallocarray(table->cells, table->count + 1, sizeof(*cells));
        text_put_line(&cell, value ? value : "", CELL_MOST);
        if (cells)
                table->cells = cells;
        char *shown = cells ? text_take(&cell) : NULL;
        if (shown)
                table->cells[table->count++] = shown;
        else if (table->error == 0)
                table->error = -ENOMEM;
}

/* In characters, taking each for as wide as any other. */
static size_t width_of(const char *cell)
{
        size_t width = 0;
        for (; *cell; cell++)
                width += ((unsigned char)*cell & 0xc0) != 0x80;
        return width;
}

static size_t width_of_column(const struct table *table, size_t column)
{
        size_t widest = 0;
        for (size_t i = column; i < table->count; i += table->columns) {
                size_t width = width_of(table->cells[i]);
                widest = width > widest ? width : widest;
        }
        return widest;
}

void table_put(const struct table *table, struct text *text)
{
        if (table->error < 0)
                text->error = table->error;
        for (size_t i = 0; i < table->count; i++) {
                const size_t column = i % table->columns;
                bool last = column + 1 == table->columns;
                text_puts(text, table->cells[i]);
                size_t width = width_of(table->cells[i]);
                size_t blanks = last ? 0 : width_of_column(table, column) + BETWEEN - width;
                text_printf(text, "%*s%s", (int)blanks, "", last ? "\n" : "");
        }
}

void table_release(struct table *table)
{
        for (size_t i = 0; i < table->count; i++)
                free(table->cells[i]);
        free(table->cells);
        *table = (struct table){0};
}

void table_put_list(const char *const *titles, const cJSON *items,
                    void (*put_rows)(struct table *table, const cJSON *item), struct text *text)
{
        struct table table = {0};
        const cJSON *item;
        while (titles[table.columns])
                table_cell(&table, titles[table.columns++]);
        cJSON_ArrayForEach(item, items)
        {
                put_rows(&table, item);
        }
        table_put(&table, text);
        table_release(&table);
}
