/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Columns with a header; see table.h. */
#include "reference-node/natfwctl/table.h"

#include <string.h>

static void print_cell(FILE *out, const char *text, size_t width, bool is_number, bool is_last)
{
    if (is_number)
        fprintf(out, "%*s", (int)width, text);
    else
        fprintf(out, "%-*s", is_last ? 0 : (int)width, text);
    fputs(is_last ? "\n" : "  ", out);
}

void table_print(FILE *out, const struct table_column *columns, size_t column_count,
    size_t row_count,
    void (*cell)(void *context, size_t row, size_t column, char text[TABLE_CELL_SIZE]),
    void *context)
{
    char text[TABLE_CELL_SIZE];
    size_t widths[TABLE_COLUMNS_MAX];
    for (size_t column = 0; column < column_count; column++) {
        widths[column] = strlen(columns[column].header);
        for (size_t row = 0; row < row_count; row++) {
            cell(context, row, column, text);
            if (strlen(text) > widths[column])
                widths[column] = strlen(text);
        }
    }
    for (size_t column = 0; column < column_count; column++)
        print_cell(out, columns[column].header, widths[column], columns[column].is_number,
            column + 1 == column_count);
    for (size_t row = 0; row < row_count; row++) {
        for (size_t column = 0; column < column_count; column++) {
            cell(context, row, column, text);
            print_cell(
                out, text, widths[column], columns[column].is_number, column + 1 == column_count);
        }
    }
}
