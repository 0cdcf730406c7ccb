/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROGRAM_SCRIPT_LINE_H
#define PROGRAM_SCRIPT_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* BINPRM_BUF_SIZE of linux/binfmts.h: the kernel looks no further for a "#!" line. */
#define SCRIPT_LINE_SIZE 256

/* A "#!" line as fs/binfmt_script.c takes it: the interpreter, and all the rest as one argument. */
struct script_line {
	char interpreter[SCRIPT_LINE_SIZE];
	char argument[SCRIPT_LINE_SIZE]; /* "" for none */
};

/* The first bytes of a file. False: no "#!", or no interpreter that the kernel would start. */
bool script_line_parse(const char *bytes, size_t size, struct script_line *ret_line);

#define SCRIPT_WORDS 8

/* What env(1) makes of such an argument: "python3", "-S python3 -u", with the program first. Words
 * lie in the line's argument, which is cut up. Returns how many; 0 where that takes more than
 * blanks to tell: other options, assignments, quotes, variables. */
size_t script_line_env_words(struct script_line *line, char *ret_words[SCRIPT_WORDS]);

#endif
