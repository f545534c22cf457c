/* SPDX-License-Identifier: MIT */

/* Text in columns: see table.h. */

#include "ctl/table.h"

#include "base/text.h"

#define COLUMN_GAP 2

/* Columns on a terminal, taking each character for one. */
static size_t text_width(const char *text)
{
        size_t width = 0;

        for (; *text; text++)
                width += ((uint8_t) *text & 0xc0) != 0x80;
        return width;
}

void table_clear(Table *table)
{
        for (size_t i = 0; i < table->n_cells; i++)
                free(table->cells[i]);
        free(table->cells);
        table->cells = NULL;
        table->n_cells = 0;
}

int table_add(Table *table, const char *text)
{
        char **cells;
        int r;

        cells = reallocarray(table->cells, table->n_cells + 1, sizeof *cells);
        if (!cells)
                return -ENOMEM;
        table->cells = cells;

        r = text_escape(text && *text ? text : "-", &cells[table->n_cells]);
        if (r < 0)
                return r;
        table->n_cells++;
        return 0;
}

int table_addf(Table *table, const char *format, ...)
{
        _cleanup_(freep) char *text = NULL;
        va_list ap;
        int r;

        va_start(ap, format);
        r = text_vformat(&text, format, ap);
        va_end(ap);
        return r < 0 ? r : table_add(table, text);
}

void table_print(const Table *table, FILE *f)
{
        size_t widths[TABLE_COLUMNS_MAX] = {};

        assert(table->n_columns > 0 && table->n_columns <= TABLE_COLUMNS_MAX);

        for (size_t i = 0; i < table->n_cells; i++) {
                size_t column = i % table->n_columns;

                widths[column] = MAX(widths[column], text_width(table->cells[i]));
        }
        for (size_t i = 0; i < table->n_cells; i++) {
                size_t column = i % table->n_columns;
                size_t pad = widths[column] - text_width(table->cells[i]) + COLUMN_GAP;

                fputs(table->cells[i], f);
                if (column + 1 < table->n_columns)
                        fprintf(f, "%*s", (int) pad, "");
                else
                        fputc('\n', f);
        }
}
