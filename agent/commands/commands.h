/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMANDS_COMMANDS_H
#define COMMANDS_COMMANDS_H

/*
 * One table drives dispatch, help and completion: a subcommand is a file with one function of this
 * type and one line in the table in commands.c. argv[0] is the subcommand's name. The function
 * has its options in a table (options.h), prints errors to stderr as "rtguard NAME: message", and
 * returns one of the exit codes of diff(1).
 */
enum exit_code {
	EXIT_FINE = 0,
	EXIT_FINDINGS = 1,
	EXIT_TROUBLE = 2, /* usage, bad input, missing kernel support, refused */
};

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *synopsis; /* what follows the name on the command line */
	const char *summary;  /* half a line for the list of commands */
	const char *help;     /* options and an example, whole lines */
};

extern const struct command commands[];
extern const unsigned int command_count;

int command_learn(int argc, char **argv);
int command_show(int argc, char **argv);
int command_check(int argc, char **argv);
int command_compile(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_enforce(int argc, char **argv);
int command_keygen(int argc, char **argv);
int command_sign(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_status(int argc, char **argv);
int command_events(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_confirm(int argc, char **argv);
int command_reload(int argc, char **argv);
int command_mode(int argc, char **argv);
int command_stop(int argc, char **argv);

/* Prints "rtguard NAME: message" and returns EXIT_TROUBLE. */
int command_trouble(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same for wrong usage: adds how to get help. Returns EXIT_TROUBLE. */
int command_misused(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Writes out what was printed to stdout and returns the code; EXIT_TROUBLE, and why, if not all of
 * it could be written. */
int command_finish(const char *name, int code);

/* Prints the command's help to stdout. Returns EXIT_FINE. */
int command_help(const char *name);

#endif
