/* SPDX-License-Identifier: MIT */
#pragma once

/* Text in columns, as systemctl lists units: libsmartcols lays it out, whatever it is written to. */

#include <stdio.h>

#include "base/util.h"

#define TABLE_COLUMNS_MAX 16

/* A table starts as {}. */
typedef struct Table {
        struct libscols_table *lines;
        struct libscols_line *line; /* the last one; NULL for none */
        size_t n_cells;             /* in that line */
} Table;

/* Gives a table its columns, 1 to TABLE_COLUMNS_MAX. 0 or -ENOMEM; the caller clears it in any case. */
int table_open(Table *table, size_t n_columns);

/* Frees what is in it. */
void table_clear(Table *table);

/*
 * Adds the next cell, line by line. The text is copied and escaped (text_escape()). NULL and "" are shown as
 * "-". 0 or -ENOMEM.
 */
int table_add(Table *table, const char *text);

/* The same from a format. */
int table_addf(Table *table, const char *format, ...) _printf_(2, 3);

/* Adds a whole line, such as headings: as many cells as there are columns. Every line before is complete. */
int table_add_line(Table *table, const char *const *texts);

/*
 * Writes the table: each column as wide as its widest cell, two spaces between, nothing behind the last.
 * Every line is complete. 0 or -errno.
 */
int table_print(const Table *table, FILE *f);
