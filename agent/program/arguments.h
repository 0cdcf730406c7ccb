/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROGRAM_ARGUMENTS_H
#define PROGRAM_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "program/file_key.h"

/* Programs whose checksum alone says nothing: what they do stands in their arguments. */
enum program_class {
	PROGRAM_ORDINARY,
	PROGRAM_INTERPRETER, /* runs what its arguments name */
	PROGRAM_MULTI_CALL,  /* many programs in one file, told apart by argv[0] */
};

/* By the base name of its file: "python3.11" and "busybox.nosuid" are known, versions included. */
enum program_class program_class_by_name(const char *path);

/* Whether argv[0] shows a multi-call binary: its base name is no part of the file's ("python3" of
 * "python3.11" is), and a link of that name in one of the usual directories leads to the same file.
 * root: "" or "/proc/PID/root". */
bool is_linked_applet(const char *root, const char *path, const struct file_key *file,
		      const char *argv0);

#define ARGUMENTS_LIMIT	    64
#define ARGUMENT_SIZE_LIMIT 4096

/* An argument vector. */
struct arguments {
	char *bytes;	     /* owned */
	const char **vector; /* owned; NULL-terminated, argv[0] included */
	size_t count;
	bool is_cut; /* these are the leading ones of more (process/command_line.h) */
};

/* The content of /proc/PID/cmdline. Returns 0, -ENOENT when it is empty, -E2BIG beyond the limits,
 * -EILSEQ when it is not well-formed UTF-8, -ENOMEM. */
int arguments_parse(const char *bytes, size_t size, struct arguments *ret_arguments);
void arguments_clear(struct arguments *arguments);

/* Whether that name is the file's own or a shorter form of it ("python3" of "python3.11"), which
 * shows no applet. */
bool is_own_name(const char *path, const char *name);

/* Whether it is an interpreter whose arguments say which file it runs: script_argument() answers
 * for it. env, java and ld.so are interpreters and no such. */
bool takes_script_argument(const char *path);

/* Whether what follows the script still is the interpreter's own (awk -f, sed -f) and not the
 * script's. */
bool script_is_option(const char *path);

/* The file that an interpreter was told to run ("sh -e script"): one of the arguments, or NULL when
 * there is none (code on the command line, standard input, a module) or the program is not known as
 * an interpreter of files. */
const char *script_argument(const char *path, const struct arguments *arguments);

#endif
