/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "commands/table.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

#define GAP	       2   /* blanks between columns */
#define SHRUNK_MINIMUM 12  /* characters that a cut column keeps */
#define DEFAULT_WIDTH  100 /* of a terminal that does not say */
#define WIDEST	       10000

struct table {
	const struct table_column *columns;
	size_t column_count;
	char **cells; /* row by row */
	size_t cell_count;
	size_t cell_capacity;
};

static size_t terminal_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t width;

	if (columns && number_parse(columns, WIDEST, &width) == 0 && width > 0)
		return (size_t)width;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return DEFAULT_WIDTH;
}

struct table_style table_style_of(FILE *stream)
{
	const char *terminal = getenv("TERM");
	const char *no_colour = getenv("NO_COLOR");
	int fd = fileno(stream);

	if (fd < 0 || !isatty(fd))
		return (struct table_style){0};
	return (struct table_style){
		.bold = terminal && strcmp(terminal, "dumb") != 0 && !(no_colour && *no_colour),
		.width = terminal_width(fd),
	};
}

struct table *table_new(const struct table_column *columns, size_t column_count)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->columns = columns;
	table->column_count = column_count;
	return table;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->cell_count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

static char *printable_copy(const char *text)
{
	/* what replaces a byte is never longer than it */
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);

	if (copy)
		text_printable(text, copy, size);
	return copy;
}

int table_add(struct table *table, const char *const *cells)
{
	size_t before = table->cell_count;

	for (size_t i = 0; i < table->column_count; i++) {
		char *copy = printable_copy(cells[i] ? cells[i] : "-");

		if (!copy || array_reserve(&table->cells, &table->cell_capacity, table->cell_count,
					   sizeof(*table->cells)) < 0) {
			free(copy);
			while (table->cell_count > before)
				free(table->cells[--table->cell_count]);
			return -ENOMEM;
		}
		table->cells[table->cell_count++] = copy;
	}
	return 0;
}

static bool begins_character(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

static size_t character_count(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += begins_character(*text);
	return count;
}

/* Where the character of that number begins. */
static const char *character_at(const char *text, size_t number)
{
	for (; *text; text++)
		if (begins_character(*text) && number-- == 0)
			break;
	return text;
}

static void measure(const struct table *table, size_t *widths)
{
	for (size_t i = 0; i < table->column_count; i++)
		widths[i] = character_count(table->columns[i].heading);
	for (size_t i = 0; i < table->cell_count; i++) {
		size_t count = character_count(table->cells[i]);

		if (count > widths[i % table->column_count])
			widths[i % table->column_count] = count;
	}
}

/* Takes from the widest column that shrinks, again and again, until the line fits or nothing gives.
 */
static void shrink(const struct table *table, size_t *widths, size_t limit)
{
	size_t total = GAP * (table->column_count - 1);

	for (size_t i = 0; i < table->column_count; i++)
		total += widths[i];
	while (total > limit) {
		size_t widest = table->column_count;

		for (size_t i = 0; i < table->column_count; i++)
			if (table->columns[i].shrinks && widths[i] > SHRUNK_MINIMUM &&
			    (widest == table->column_count || widths[i] > widths[widest]))
				widest = i;
		if (widest == table->column_count)
			return;
		widths[widest]--;
		total--;
	}
}

static void print_blanks(size_t count, FILE *out)
{
	while (count-- > 0)
		(void)fputc(' ', out);
}

/* The end of a path says more than its middle. */
static void print_cut(const char *text, size_t count, size_t width, FILE *out)
{
	size_t head = (width - 1) / 2;
	size_t tail = width - 1 - head;

	(void)fwrite(text, 1, (size_t)(character_at(text, head) - text), out);
	(void)fputs("…", out);
	(void)fputs(character_at(text, count - tail), out);
}

static void print_row(const struct table *table, const char *const *cells, const size_t *widths,
		      FILE *out)
{
	for (size_t i = 0; i < table->column_count; i++) {
		size_t count = character_count(cells[i]);
		size_t blanks = count < widths[i] ? widths[i] - count : 0;
		bool last = i + 1 == table->column_count;

		if (table->columns[i].right)
			print_blanks(blanks, out);
		if (count > widths[i])
			print_cut(cells[i], count, widths[i], out);
		else
			(void)fputs(cells[i], out);
		if (!last)
			print_blanks(GAP + (table->columns[i].right ? 0 : blanks), out);
	}
}

void table_print_title(const char *title, const struct table_style *style, FILE *out)
{
	_cleanup_(freep) char *printable = printable_copy(title);

	(void)fprintf(out, "%s%s%s\n", style->bold ? "\033[1m" : "", printable ? printable : "",
		      style->bold ? "\033[0m" : "");
}

void table_print(const struct table *table, const struct table_style *style, FILE *out)
{
	_cleanup_(freep) size_t *widths = calloc(table->column_count, sizeof(*widths));
	_cleanup_(freep) const char **headings = calloc(table->column_count, sizeof(*headings));

	if (!widths || !headings)
		return;
	measure(table, widths);
	if (style->width)
		shrink(table, widths, style->width);
	for (size_t i = 0; i < table->column_count; i++)
		headings[i] = table->columns[i].heading;
	if (style->bold)
		(void)fputs("\033[1m", out);
	print_row(table, headings, widths, out);
	(void)fputs(style->bold ? "\033[0m\n" : "\n", out);
	for (size_t i = 0; i < table->cell_count; i += table->column_count) {
		print_row(table, (const char *const *)table->cells + i, widths, out);
		(void)fputc('\n', out);
	}
}
