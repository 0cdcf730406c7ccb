/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interpreters and multi-call binaries: allowed programs that run whatever they are given. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evade.h"

#define PYTHON_CODE "import os; os.symlink('unknown code', os.environ['TRACE'])\n"
#define PERL_CODE   "symlink 'unknown code', $ENV{TRACE};\n"
/* awk cannot make a link; a file will do */
#define AWK_CODE "BEGIN { printf \"\" > ENVIRON[\"TRACE\"] }\n"

/* ln is a program too, which may not be allowed: what a shell can do by itself is make a file. */
#define BUILTIN_CODE ": >\"$TRACE\"\n"

static void shebang(void)
{
	write_text("evil.sh", "#!/bin/sh\n" BUILTIN_CODE, 0755);
	run("./evil.sh", NULL);
}

static void shebang_chain(void)
{
	write_text("second", "#!/bin/sh\n" BUILTIN_CODE, 0755);
	write_text("evil", "#!./second\n", 0755);
	run("./evil", NULL);
}

/* execvp(3) gives what has no "#!" to /bin/sh */
static void no_shebang(void)
{
	write_text("evil", BUILTIN_CODE, 0755);
	run("./evil", NULL);
}

static void shell_file(void)
{
	write_text("evil.sh", BUILTIN_CODE, 0644);
	run("sh", "evil.sh", NULL);
}

static void shell_data_file(void)
{
	write_text("notes.txt", BUILTIN_CODE, 0644);
	run("sh", "notes.txt", NULL);
}

static void with_input(const char *text, const char *path, const char *argument)
{
	int fd;

	write_text("input", text, 0644);
	fd = open("input", O_RDONLY);
	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
		err(2, "input");
	run(path, argument, NULL);
}

static void shell_input(void)
{
	with_input(BUILTIN_CODE, "sh", NULL);
}

static void with_pipe(const char *text, const char *path)
{
	int ends[2];

	if (pipe(ends) || write(ends[1], text, strlen(text)) < 0 || dup2(ends[0], STDIN_FILENO) < 0)
		err(2, "pipe");
	close(ends[1]);
	run(path, NULL);
}

static void shell_pipe(void)
{
	with_pipe(BUILTIN_CODE, "sh");
}

static void shell_command(void)
{
	run("sh", "-c", BUILTIN_CODE, NULL);
}

static void shell_source(void)
{
	write_text("evil.sh", BUILTIN_CODE, 0644);
	run("sh", "-c", ". ./evil.sh", NULL);
}

/* The allowed script reads its settings from the directory that it is started in. */
static void sourced_by_script(void)
{
	write_text("settings", BUILTIN_CODE, 0644);
	run(allowed("allowed.sh"), "with-settings", NULL);
}

static void bash_environment(void)
{
	write_text("settings", BUILTIN_CODE, 0644);
	setenv("BASH_ENV", "./settings", 1);
	run(allowed("allowed.bash"), NULL);
}

static void bash_function(void)
{
	setenv("BASH_FUNC_helper%%", "() { : >\"$TRACE\"; }", 1);
	run(allowed("allowed.bash"), NULL);
}

static void script_extra_option(void)
{
	write_text("settings", BUILTIN_CODE, 0644);
	setenv("ENV", "./settings", 1);
	run("sh", "-i", allowed("allowed.sh"), NULL);
}

static void python_file(void)
{
	write_text("evil.py", PYTHON_CODE, 0644);
	run("python3", "evil.py", NULL);
}

static void python_data_file(void)
{
	write_text("notes.txt", PYTHON_CODE, 0644);
	run("python3", "notes.txt", NULL);
}

static void python_command(void)
{
	run("python3", "-c", PYTHON_CODE, NULL);
}

static void python_module(void)
{
	write_text("evil.py", PYTHON_CODE, 0644);
	run("python3", "-m", "evil", NULL);
}

static void python_directory(void)
{
	if (mkdir("evil", 0755))
		err(2, "mkdir");
	write_text("evil/__main__.py", PYTHON_CODE, 0644);
	run("python3", "evil", NULL);
}

static void python_input(void)
{
	with_pipe(PYTHON_CODE, "python3");
}

/* The allowed script imports a module of the standard library; another one is found first. */
static void python_path(void)
{
	write_text("fnmatch.py", PYTHON_CODE, 0644);
	setenv("PYTHONPATH", ".", 1);
	run("python3", allowed("allowed.py"), "quiet", NULL);
}

static void perl_file(void)
{
	write_text("evil.pl", PERL_CODE, 0644);
	run("perl", "evil.pl", NULL);
}

static void perl_command(void)
{
	run("perl", "-e", PERL_CODE, NULL);
}

static void perl_input(void)
{
	with_pipe(PERL_CODE, "perl");
}

static void perl_library(void)
{
	write_text("Helper.pm", PERL_CODE "1;\n", 0644);
	setenv("PERL5LIB", ".", 1);
	setenv("PERL5OPT", "-MHelper", 1);
	run("perl", allowed("allowed.pl"), "quiet", NULL);
}

static void awk_command(void)
{
	run("mawk", AWK_CODE, NULL);
}

static void awk_file(void)
{
	write_text("evil.awk", AWK_CODE, 0644);
	run("mawk", "-f", "evil.awk", NULL);
}

static void other_applet(void)
{
	run("busybox", "touch", trace(), NULL);
}

static void applet_shell(void)
{
	run("busybox", "sh", "-c", BUILTIN_CODE, NULL);
}

static void applet_by_link(void)
{
	if (symlink("/bin/busybox", "touch"))
		err(2, "symlink");
	run("./touch", trace(), NULL);
}

/* The kernel is told one name, the program another. */
static void applet_by_argument(void)
{
	char name[] = "touch";
	char *argv[] = {name, strdup(trace()), NULL};

	run_argv("/bin/busybox", argv, NULL);
}

static void copied_multi_call(void)
{
	copy_allowed("/bin/busybox", "touch");
	run("./touch", trace(), NULL);
}

static void copied_shell(void)
{
	copy_allowed("/bin/sh", "mysh");
	run("./mysh", "-c", BUILTIN_CODE, NULL);
}

#define ENVIRONMENT_LIMIT                                                                          \
	"the code is in the environment of an allowed script's shell: no file is opened"
#define ENVIRONMENT_REMEDY "scripts for bash start with \"#!/bin/bash -p\": it imports no functions"

const struct trick tricks_scripts[] = {
	{"shebang", 10, "an unknown script", AS_BOTH, 0, shebang},
	{"shebang-chain", 10, "a script whose interpreter is a script", AS_BOTH, 0, shebang_chain},
	{"no-shebang", 10, "a script without \"#!\"", AS_BOTH, 0, no_shebang},
	{"shell-file", 10, "sh evil.sh", AS_BOTH, 0, shell_file},
	{"shell-data-file", 10, "sh notes.txt", AS_BOTH, 0, shell_data_file},
	{"shell-input", 10, "sh < evil.sh", AS_BOTH, 0, shell_input},
	{"shell-pipe", 10, "… | sh", AS_BOTH, 0, shell_pipe},
	{"shell-command", 10, "sh -c …", AS_BOTH, 0, shell_command},
	{"shell-source", 10, "sh -c \". ./evil.sh\"", AS_BOTH, 0, shell_source},
	{"sourced-by-script", 10, "an allowed script reads another's settings", AS_BOTH, 0,
	 sourced_by_script},
	{"bash-environment", 10, "BASH_ENV for an allowed script", AS_BOTH, 0, bash_environment},
	{"bash-function", 10, "a function in the environment of an allowed script", AS_BOTH, 0,
	 bash_function, .limit = ENVIRONMENT_LIMIT, .remedy = ENVIRONMENT_REMEDY},
	{"shell-option", 10, "an allowed script with \"sh -i\" and ENV", AS_BOTH, 0,
	 script_extra_option},
	{"python-file", 11, "python3 evil.py", AS_BOTH, 0, python_file},
	{"python-data-file", 11, "python3 notes.txt", AS_BOTH, 0, python_data_file},
	{"python-command", 11, "python3 -c …", AS_BOTH, 0, python_command},
	{"python-module", 11, "python3 -m evil", AS_BOTH, 0, python_module},
	{"python-directory", 11, "python3 of a directory", AS_BOTH, 0, python_directory},
	{"python-input", 11, "… | python3", AS_BOTH, 0, python_input},
	{"python-path", 11, "PYTHONPATH for an allowed script", AS_BOTH, 0, python_path},
	{"perl-file", 11, "perl evil.pl", AS_BOTH, 0, perl_file},
	{"perl-command", 11, "perl -e …", AS_BOTH, 0, perl_command},
	{"perl-input", 11, "… | perl", AS_BOTH, 0, perl_input},
	{"perl-library", 11, "PERL5LIB for an allowed script", AS_BOTH, 0, perl_library},
	{"awk-command", 11, "awk 'BEGIN { … }'", AS_BOTH, 0, awk_command},
	{"awk-file", 11, "awk -f evil.awk", AS_BOTH, 0, awk_file},
	{"other-applet", 12, "an applet of busybox that was not learnt", AS_BOTH, 0, other_applet},
	{"applet-shell", 12, "busybox sh -c …", AS_BOTH, 0, applet_shell},
	{"applet-by-link", 12, "an applet by a link's name", AS_BOTH, 0, applet_by_link},
	{"applet-by-argument", 12, "an applet by argv[0]", AS_BOTH, 0, applet_by_argument},
	{"copied-multi-call", 12, "a copy of busybox under an applet's name", AS_BOTH, 0,
	 copied_multi_call},
	{"copied-shell", 12, "a copy of the shell", AS_BOTH, 0, copied_shell},
	{},
};
