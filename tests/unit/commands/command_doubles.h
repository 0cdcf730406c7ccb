/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TEST_COMMAND_DOUBLES_H
#define TEST_COMMAND_DOUBLES_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "commands/commands.h"

/* In place of commands.c, which needs every subcommand: what would be printed is kept. */
static char complaint[1024];

static int complain(const char *name, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
static int complain(const char *name, const char *format, va_list arguments)
{
	int length = snprintf(complaint, sizeof(complaint), "%s: ", name);

	(void)vsnprintf(complaint + length, sizeof(complaint) - (size_t)length, format, arguments);
	return EXIT_TROUBLE;
}

int command_trouble(const char *name, const char *format, ...)
{
	va_list arguments;
	int code;

	va_start(arguments, format);
	code = complain(name, format, arguments);
	va_end(arguments);
	return code;
}

int command_misused(const char *name, const char *format, ...)
{
	va_list arguments;
	int code;

	va_start(arguments, format);
	code = complain(name, format, arguments);
	va_end(arguments);
	return code;
}

int command_finish(const char *name, int code)
{
	(void)name;
	return code;
}

int command_help(const char *name)
{
	(void)snprintf(complaint, sizeof(complaint), "help of %s", name);
	return EXIT_FINE;
}

/* Runs a command and returns all that it wrote to stdout, to be freed. */
static inline char *output_of(int (*run)(int argc, char **argv), const char *const *words,
			      int *ret_code)
{
	char *argv[16] = {0};
	FILE *file = tmpfile();
	int kept = dup(STDOUT_FILENO);
	int argc = 0;
	char *text;
	size_t size;

	assert_non_null(file);
	complaint[0] = '\0';
	for (; words[argc]; argc++)
		argv[argc] = strdup(words[argc]);
	(void)fflush(stdout);
	assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
	*ret_code = run(argc, argv);
	(void)fflush(stdout);
	assert_true(dup2(kept, STDOUT_FILENO) >= 0);
	(void)close(kept);
	size = (size_t)lseek(fileno(file), 0, SEEK_END);
	text = calloc(1, size + 1);
	assert_int_equal(pread(fileno(file), text, size, 0), size);
	(void)fclose(file);
	while (argc > 0)
		free(argv[--argc]);
	return text;
}

#endif
