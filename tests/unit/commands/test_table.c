/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "commands/table.h"

static const struct table_column columns[] = {
	{"NAME", .shrinks = true},
	{"COUNT", .right = true},
	{"LAST", false, false},
};

static char *printed(const char *const *cells, const struct table_style *style)
{
	struct table *table = table_new(columns, 3);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(table_add(table, cells), 0);
	table_print(table, style, out);
	(void)fclose(out);
	table_free(table);
	return text;
}

static void columns_are_aligned(void **state)
{
	const char *cells[] = {"grüße", "7", NULL};
	struct table_style style = {0};
	char *text = printed(cells, &style);

	(void)state;
	assert_string_equal(text, "NAME   COUNT  LAST\n"
				  "grüße      7  -\n");
	free(text);
}

static void long_cells_lose_their_middle(void **state)
{
	const char *cells[] = {"/usr/lib/über/systemd/systemd-timesyncd", "1", "now"};
	struct table_style style = {.width = 40};
	char *text = printed(cells, &style);

	(void)state;
	assert_string_equal(text, "NAME                         COUNT  LAST\n"
				  "/usr/lib/über…emd-timesyncd      1  now\n");
	free(text);
	/* what does not shrink stays whole, however narrow it is */
	style.width = 5;
	text = printed(cells, &style);
	assert_string_equal(text, "NAME          COUNT  LAST\n"
				  "/usr/…esyncd      1  now\n");
	free(text);
}

static void a_cell_cannot_steer_the_terminal(void **state)
{
	const char *cells[] = {"a\033[2Jb\nc\xff\xc2\x9b", "1", "\a"};
	struct table_style style = {.bold = true};
	char *text = printed(cells, &style);

	(void)state;
	assert_string_equal(text, "\033[1mNAME        COUNT  LAST\033[0m\n"
				  "a?[2Jb?c??      1  ?\n");
	free(text);
}

static void style_is_plain_where_nobody_looks(void **state)
{
	FILE *file = tmpfile();
	struct table_style style;

	(void)state;
	assert_non_null(file);
	(void)setenv("COLUMNS", "40", 1);
	(void)setenv("TERM", "xterm", 1);
	style = table_style_of(file);
	assert_false(style.bold);
	assert_int_equal(style.width, 0);
	(void)fclose(file);
}

static FILE *open_terminal(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY);
	FILE *terminal = fd < 0 ? NULL : fdopen(fd, "r+");

	return terminal;
}

static void style_suits_the_terminal(void **state)
{
	FILE *terminal = open_terminal();
	struct table_style style;

	(void)state;
	if (!terminal) {
		print_message("no pseudo-terminals here: skipped\n");
		skip();
	}
	(void)setenv("COLUMNS", "40", 1);
	(void)setenv("TERM", "xterm", 1);
	(void)unsetenv("NO_COLOR");
	style = table_style_of(terminal);
	assert_true(style.bold);
	assert_int_equal(style.width, 40);
	(void)setenv("NO_COLOR", "1", 1);
	assert_false(table_style_of(terminal).bold);
	(void)unsetenv("NO_COLOR");
	(void)setenv("TERM", "dumb", 1);
	assert_false(table_style_of(terminal).bold);
	(void)setenv("COLUMNS", "many", 1);
	assert_int_equal(table_style_of(terminal).width, 100);
	(void)fclose(terminal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned),
		cmocka_unit_test(long_cells_lose_their_middle),
		cmocka_unit_test(a_cell_cannot_steer_the_terminal),
		cmocka_unit_test(style_is_plain_where_nobody_looks),
		cmocka_unit_test(style_suits_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
