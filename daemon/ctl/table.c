/* SPDX-License-Identifier: MIT */

/*
 * Text in columns: see table.h. libsmartcols measures characters and lays out the lines. This file escapes:
 * libsmartcols lets characters pass that turn the text around them, and writes "\x1B" as "\x5cx1B". So its
 * own encoding is off. It must never get text that is not escaped: it would pass control characters on, and
 * a byte that is not UTF-8 has it write nothing and never end (2.38 and 2.41).
 */

#include "ctl/table.h"

#include <libsmartcols.h>
#include <locale.h>
#include <stdarg.h>

#include "base/text.h"

#define COLUMN_GAP "  "

int table_open(Table *table, size_t n_columns)
{
        assert(!table->lines);
        assert(n_columns > 0 && n_columns <= TABLE_COLUMNS_MAX);

        table->lines = scols_new_table();
        if (!table->lines)
                return -ENOMEM;
        /* Headings are a line like others: libsmartcols shows none above an empty table. */
        if (scols_table_enable_noheadings(table->lines, 1) < 0 ||
            scols_table_enable_noencoding(table->lines, 1) < 0 ||
            scols_table_set_termforce(table->lines, SCOLS_TERMFORCE_NEVER) < 0 ||
            scols_table_set_column_separator(table->lines, COLUMN_GAP) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < n_columns; i++)
                if (!scols_table_new_column(table->lines, "", 0, 0))
                        return -ENOMEM;
        return 0;
}

void table_clear(Table *table)
{
        scols_unref_table(table->lines);
        *table = (Table) {};
}

static bool line_is_complete(const Table *table)
{
        return !table->line || table->n_cells == scols_table_get_ncols(table->lines);
}

/* Takes the text. */
static int add_escaped(Table *table, char *text)
{
        if (line_is_complete(table)) {
                table->line = scols_table_new_line(table->lines, NULL);
                table->n_cells = 0;
        }
        if (!table->line || scols_line_refer_data(table->line, table->n_cells, text) < 0) {
                free(text);
                return -ENOMEM;
        }
        table->n_cells++;
        return 0;
}

int table_add(Table *table, const char *text)
{
        char *escaped;
        int r;

        assert(table->lines);

        r = text_escape(text && *text ? text : "-", &escaped);
        return r < 0 ? r : add_escaped(table, escaped);
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

int table_add_line(Table *table, const char *const *texts)
{
        size_t n = scols_table_get_ncols(table->lines);
        int r = 0;

        assert(line_is_complete(table));

        for (size_t i = 0; i < n && r >= 0; i++)
                r = table_add(table, texts[i]);
        return r;
}

int table_print(const Table *table, FILE *f)
{
        locale_t utf8, before = (locale_t) 0;
        int r;

        assert(table->lines);
        assert(line_is_complete(table));

        /* What is written is UTF-8 in every locale. Without this one, columns are crooked and nothing worse.
         */
        utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
        if (utf8)
                before = uselocale(utf8);
        r = scols_table_set_stream(table->lines, f);
        if (r >= 0)
                r = scols_print_table(table->lines);
        if (utf8) {
                (void) uselocale(before);
                freelocale(utf8);
        }
        return MIN(r, 0);
}
