/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "program/arguments.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

enum script_place {
	SCRIPT_NOWHERE,	    /* its arguments name no file of code */
	SCRIPT_FIRST,	    /* the first argument that is no option */
	SCRIPT_FILE_OPTION, /* the value of -f */
};

struct known_program {
	const char *name;
	bool prefix; /* any name that begins so; else only a version may follow */
	enum program_class class;
	enum script_place script;
	const char *code_options;  /* letters: the code is in the arguments, or elsewhere */
	const char *value_options; /* letters that take the next argument */
};

#define SHELL(name)                                                                                \
	{                                                                                          \
		name, false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "cs", "oO"                         \
	}

static const struct known_program known_programs[] = {
	SHELL("sh"),
	SHELL("ash"),
	SHELL("dash"),
	{"bash", true, PROGRAM_INTERPRETER, SCRIPT_FIRST, "cs", "oO"},
	{"ksh", true, PROGRAM_INTERPRETER, SCRIPT_FIRST, "cs", "o"},
	{"mksh", true, PROGRAM_INTERPRETER, SCRIPT_FIRST, "cs", "o"},
	{"zsh", true, PROGRAM_INTERPRETER, SCRIPT_FIRST, "cs", "o"},
	SHELL("rbash"),
	SHELL("hush"),
	SHELL("yash"),
	{"fish", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "c", "Cdfo"},
	{"csh", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "cs", ""},
	{"tcsh", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "cs", ""},
	{"busybox", true, PROGRAM_MULTI_CALL, SCRIPT_NOWHERE, "", ""},
	{"toybox", true, PROGRAM_MULTI_CALL, SCRIPT_NOWHERE, "", ""},
	{"coreutils", true, PROGRAM_MULTI_CALL, SCRIPT_NOWHERE, "", ""},
	{"python", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "cm", "WX"},
	{"pypy", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "cm", "WX"},
	{"micropython", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "cm", "X"},
	{"perl", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "eE", "I"},
	{"ruby", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "e", "CEIr"},
	{"lua", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "e", "l"},
	{"luajit", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "e", "ljO"},
	{"node", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "epi", "rC"},
	{"nodejs", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "epi", "rC"},
	{"php", true, PROGRAM_INTERPRETER, SCRIPT_FIRST, "rBRES", "cdz"},
	{"tclsh", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "", ""},
	{"jimsh", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "e", ""},
	{"wish", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "", ""},
	{"expect", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "c", ""},
	{"guile", false, PROGRAM_INTERPRETER, SCRIPT_FIRST, "c", "Lelx"},
	{"awk", false, PROGRAM_INTERPRETER, SCRIPT_FILE_OPTION, "", ""},
	{"gawk", false, PROGRAM_INTERPRETER, SCRIPT_FILE_OPTION, "", ""},
	{"mawk", false, PROGRAM_INTERPRETER, SCRIPT_FILE_OPTION, "", ""},
	{"nawk", false, PROGRAM_INTERPRETER, SCRIPT_FILE_OPTION, "", ""},
	{"original-awk", false, PROGRAM_INTERPRETER, SCRIPT_FILE_OPTION, "", ""},
	{"sed", false, PROGRAM_INTERPRETER, SCRIPT_FILE_OPTION, "", ""},
	{"java", false, PROGRAM_INTERPRETER, SCRIPT_NOWHERE, "", ""},
	{"mono", false, PROGRAM_INTERPRETER, SCRIPT_NOWHERE, "", ""},
	{"dotnet", false, PROGRAM_INTERPRETER, SCRIPT_NOWHERE, "", ""},
	{"erl", false, PROGRAM_INTERPRETER, SCRIPT_NOWHERE, "", ""},
	{"beam.smp", false, PROGRAM_INTERPRETER, SCRIPT_NOWHERE, "", ""},
	{"gdb", false, PROGRAM_INTERPRETER, SCRIPT_NOWHERE, "", ""},
	{"env", false, PROGRAM_INTERPRETER, SCRIPT_NOWHERE, "", ""},
	{"ld.so", true, PROGRAM_INTERPRETER, SCRIPT_NOWHERE, "", ""},
	{"ld-linux", true, PROGRAM_INTERPRETER, SCRIPT_NOWHERE, "", ""},
	{"ld-musl", true, PROGRAM_INTERPRETER, SCRIPT_NOWHERE, "", ""},
	{"ld-uClibc", true, PROGRAM_INTERPRETER, SCRIPT_NOWHERE, "", ""},
	{"ld-2.", true, PROGRAM_INTERPRETER, SCRIPT_NOWHERE, "", ""},
	{"ld64.so", true, PROGRAM_INTERPRETER, SCRIPT_NOWHERE, "", ""},
	{"qemu-", true, PROGRAM_INTERPRETER, SCRIPT_NOWHERE, "", ""},
};

/* "3", "3.11", "-5.1.0", "5.36-static", ".real": what distributions put behind a name */
static bool is_version(const char *suffix)
{
	if (strcmp(suffix, "-static") == 0)
		return true;
	for (; *suffix; suffix++)
		if (!isdigit((unsigned char)*suffix) && *suffix != '.' && *suffix != '-')
			return false;
	return true;
}

static const struct known_program *find_program(const char *path)
{
	const char *name = path_base_name(path);

	for (size_t i = 0; i < array_length(known_programs); i++) {
		const struct known_program *program = &known_programs[i];
		size_t length = strlen(program->name);

		if (strncmp(name, program->name, length) == 0 &&
		    (program->prefix || is_version(name + length)))
			return program;
	}
	return NULL;
}

enum program_class program_class_by_name(const char *path)
{
	const struct known_program *program = find_program(path);

	return program ? program->class : PROGRAM_ORDINARY;
}

static bool leads_to(const char *root, const char *directory, size_t length, const char *name,
		     const struct file_key *file)
{
	char path[PATH_MAX];
	struct stat status;

	if (snprintf(path, sizeof(path), "%s%.*s/%s", root, (int)length, directory, name) >=
	    (int)sizeof(path))
		return false;
	return stat(path, &status) == 0 && status.st_dev == file->device &&
	       status.st_ino == file->inode;
}

/* "gcc" in "x86_64-linux-gnu-gcc-12", "nc" in "nc.openbsd": a shorter name for the same, no applet.
 */
static bool is_part_of(const char *name, const char *file_name)
{
	size_t length = strlen(name);

	for (const char *at = file_name; (at = strstr(at, name)); at++) {
		bool begins = at == file_name || !isalnum((unsigned char)at[-1]);

		if (begins && !isalpha((unsigned char)at[length]))
			return true;
	}
	return false;
}

bool is_own_name(const char *path, const char *name)
{
	return *name && is_part_of(name, path_base_name(path));
}

bool is_linked_applet(const char *root, const char *path, const struct file_key *file,
		      const char *argv0)
{
	static const char *const directories[] = {"/bin",      "/sbin",		 "/usr/bin",
						  "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"};
	const char *name = path_base_name(argv0);

	if (*name == '-') /* a login shell */
		name++;
	if (!*name || is_part_of(name, path_base_name(path)))
		return false;
	if (leads_to(root, path, (size_t)(path_base_name(path) - path), name, file))
		return true;
	if (argv0[0] == '/' &&
	    leads_to(root, argv0, (size_t)(path_base_name(argv0) - argv0), name, file))
		return true;
	for (size_t i = 0; i < array_length(directories); i++)
		if (leads_to(root, directories[i], strlen(directories[i]), name, file))
			return true;
	return false;
}

int arguments_parse(const char *bytes, size_t size, struct arguments *ret_arguments)
{
	struct arguments arguments = {0};
	const char *at;

	if (!size)
		return -ENOENT;
	if (!utf8_is_valid(bytes, size))
		return -EILSEQ;
	arguments.bytes = malloc(size + 1);
	arguments.vector = calloc(ARGUMENTS_LIMIT + 1, sizeof(*arguments.vector));
	if (!arguments.bytes || !arguments.vector) {
		arguments_clear(&arguments);
		return -ENOMEM;
	}
	memcpy(arguments.bytes, bytes, size);
	arguments.bytes[size] = '\0';
	for (at = arguments.bytes; at < arguments.bytes + size; at += strlen(at) + 1) {
		if (arguments.count == ARGUMENTS_LIMIT || strlen(at) > ARGUMENT_SIZE_LIMIT) {
			arguments_clear(&arguments);
			return -E2BIG;
		}
		arguments.vector[arguments.count++] = at;
	}
	*ret_arguments = arguments;
	return 0;
}

void arguments_clear(struct arguments *arguments)
{
	free(arguments->bytes);
	free(arguments->vector);
	*arguments = (struct arguments){0};
}

static const char *file_option(const struct arguments *arguments)
{
	for (size_t i = 1; i < arguments->count; i++) {
		const char *argument = arguments->vector[i];

		if (strncmp(argument, "-f", 2) == 0)
			return argument[2] ? argument + 2 : arguments->vector[i + 1];
		if (strcmp(argument, "--") == 0)
			return NULL;
	}
	return NULL;
}

/* What an option word means for the search: the letters after one '-' or '+'. */
static const char *first_file(const struct known_program *program,
			      const struct arguments *arguments, size_t start)
{
	for (size_t i = start; i < arguments->count; i++) {
		const char *word = arguments->vector[i];

		if (strcmp(word, "--") == 0)
			return arguments->vector[i + 1];
		if (strcmp(word, "-") == 0)
			return NULL; /* standard input */
		if (word[0] != '-' && word[0] != '+')
			return word;
		if (word[1] == '-')
			continue;
		for (const char *letter = word + 1; *letter; letter++) {
			if (word[0] == '-' && strchr(program->code_options, *letter))
				return NULL;
			if (strchr(program->value_options, *letter)) {
				if (!letter[1])
					i++; /* its value is the next word, else the rest of this */
				break;
			}
		}
	}
	return NULL;
}

const char *script_argument(const char *path, const struct arguments *arguments)
{
	const struct known_program *program = find_program(path);
	size_t start = 1;

	if (!program || !arguments->count)
		return NULL;
	if (program->class == PROGRAM_MULTI_CALL) {
		const char *applet = path_base_name(arguments->vector[0]);

		if (*applet == '-')
			applet++;
		if (find_program(applet) == program && arguments->count > 1)
			applet = arguments->vector[start++]; /* busybox sh script */
		program = find_program(applet);
		if (!program)
			return NULL;
	}
	if (program->script == SCRIPT_FILE_OPTION)
		return file_option(arguments);
	return program->script == SCRIPT_FIRST ? first_file(program, arguments, start) : NULL;
}

bool takes_script_argument(const char *path)
{
	const struct known_program *program = find_program(path);

	return program && program->script != SCRIPT_NOWHERE;
}

bool script_is_option(const char *path)
{
	const struct known_program *program = find_program(path);

	return program && program->script == SCRIPT_FILE_OPTION;
}
