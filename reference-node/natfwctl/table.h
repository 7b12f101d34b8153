/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Columns with a header, each as wide as its longest cell; the same on a terminal and in a pipe. */
#ifndef NATFWCTL_TABLE_H
#define NATFWCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { TABLE_COLUMNS_MAX = 16, TABLE_CELL_SIZE = 256 };

struct table_column {
    const char *header;
    bool is_number; /* to the right */
};

/* Prints the header and the rows; cell writes the text of one. The last column is not padded. */
void table_print(FILE *out, const struct table_column *columns, size_t column_count,
    size_t row_count,
    void (*cell)(void *context, size_t row, size_t column, char text[TABLE_CELL_SIZE]),
    void *context);

#endif
