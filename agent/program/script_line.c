/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "program/script_line.h"

#include <stdio.h>
#include <string.h>

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

bool script_line_parse(const char *bytes, size_t size, struct script_line *ret_line)
{
	struct script_line line = {0};
	size_t limit = size < SCRIPT_LINE_SIZE ? size : SCRIPT_LINE_SIZE;
	const char *end;
	size_t at = 2;
	size_t start;

	if (size < 2 || bytes[0] != '#' || bytes[1] != '!')
		return false;
	end = memchr(bytes, '\n', limit);
	if (end)
		limit = (size_t)(end - bytes);
	while (at < limit && is_blank(bytes[at]))
		at++;
	for (start = at; at < limit && !is_blank(bytes[at]) && bytes[at]; at++)
		;
	/* without an end in sight the name may be cut: the kernel refuses it */
	if (at == start || (at == SCRIPT_LINE_SIZE && !end))
		return false;
	memcpy(line.interpreter, bytes + start, at - start);
	while (at < limit && is_blank(bytes[at]))
		at++;
	while (limit > at && is_blank(bytes[limit - 1]))
		limit--;
	if (limit > at)
		memcpy(line.argument, bytes + at,
		       limit - at < SCRIPT_LINE_SIZE ? limit - at : SCRIPT_LINE_SIZE - 1);
	*ret_line = line;
	return true;
}

size_t script_line_env_words(struct script_line *line, char *ret_words[SCRIPT_WORDS])
{
	char *rest = line->argument;
	size_t count = 0;
	char *word;

	if (strncmp(rest, "-S", 2) == 0)
		rest += 2;
	else if (strpbrk(rest, " \t"))
		return 0; /* one word for env, blanks and all: no such program */
	if (strpbrk(rest, "\"'\\$#="))
		return 0;
	while ((word = strsep(&rest, " \t"))) {
		if (!*word)
			continue;
		if (count == SCRIPT_WORDS)
			return 0;
		ret_words[count++] = word;
	}
	return count && ret_words[0][0] != '-' ? count : 0;
}
