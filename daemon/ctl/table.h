/* SPDX-License-Identifier: MIT */
#pragma once

/* Text in columns, as systemctl lists units. */

#include <stdio.h>

#include "base/util.h"

#define TABLE_COLUMNS_MAX 16

typedef struct Table {
        size_t n_columns;
        char **cells; /* escaped; rows one after the other */
        size_t n_cells;
} Table;

/* A table starts as { .n_columns = … }; frees its cells. */
void table_clear(Table *table);

/*
 * Adds the next cell, row by row; the text is copied and escaped. NULL and "" are shown as "-". 0 or
 * -ENOMEM.
 */
int table_add(Table *table, const char *text);

/* The same from a format. */
int table_addf(Table *table, const char *format, ...) _printf_(2, 3);

/* Writes it, each column as wide as its widest cell, two spaces between, nothing behind the last. */
void table_print(const Table *table, FILE *f);
