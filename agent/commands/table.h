/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_TABLE_H
#define COMMANDS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Rows in aligned columns for a person. Cells are shown without control characters, whatever they
 * hold. Widths are counted in characters. */
struct table;

struct table_column {
	const char *heading;
	bool right;   /* for numbers */
	bool shrinks; /* cut in the middle where the line gets too long */
};

/* How a stream is to be written to. */
struct table_style {
	bool bold;    /* headings */
	size_t width; /* of a line; 0: as long as it gets */
};

/* Bold on a terminal that is not dumb unless NO_COLOR is set; the width of the terminal ($COLUMNS
 * goes before what it says itself), 0 where there is none. */
struct table_style table_style_of(FILE *stream);

/* The columns are borrowed until table_free(). NULL when memory is out. */
struct table *table_new(const struct table_column *columns, size_t column_count);
void table_free(struct table *table);

/* One cell a column, copied; NULL is shown as "-". 0 or -ENOMEM. */
int table_add(struct table *table, const char *const *cells);

void table_print(const struct table *table, const struct table_style *style, FILE *out);

/* A line of its own in the headings' style, printable. */
void table_print_title(const char *title, const struct table_style *style, FILE *out);

#endif
