/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allowed work: under every agent it must succeed, or nothing that was stopped proves anything. */
#include <err.h>
#include <fcntl.h>
#include <unistd.h>

#include "evade.h"

static void program(void)
{
	run("./victim", "trace", NULL);
}

static void shell_script(void)
{
	run(allowed("allowed.sh"), NULL);
}

static void python_script(void)
{
	run("python3", allowed("allowed.py"), NULL);
}

static void perl_script(void)
{
	run(allowed("allowed.pl"), NULL);
}

static void applet(void)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) || dup2(ends[0], STDIN_FILENO) < 0)
		err(2, "pipe");
	pid = start("busybox", "tee", trace(), NULL);
	usleep(300000); /* long enough to be seen by who learns */
	close(ends[1]);
	finish(pid);
}

static void library(void)
{
	run("./victim", "plugin", "./libvictim.so", NULL);
	run("./victim", "trace", NULL);
}

const struct trick tricks_controls[] = {
	{"allowed-program", 0, "an allowed program", AS_BOTH, CONTROL, program},
	{"allowed-script", 0, "an allowed shell script", AS_BOTH, CONTROL, shell_script},
	{"allowed-python", 0, "an allowed Python script", AS_BOTH, CONTROL, python_script},
	{"allowed-perl", 0, "an allowed Perl script", AS_BOTH, CONTROL, perl_script},
	{"allowed-applet", 0, "an allowed applet of busybox", AS_BOTH, CONTROL, applet},
	{"allowed-library", 0, "an allowed plug-in", AS_BOTH, CONTROL, library},
	{},
};
