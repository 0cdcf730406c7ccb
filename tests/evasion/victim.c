/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The allowed program, which does allowed things:
 *   victim             nothing
 *   victim trace       leaves the trace: proof that allowed work is not stopped
 *   victim plugin F    loads a plug-in
 *   victim serve       tells where things are in its memory, then calls its hook again and again
 *   victim library     calls its library again and again
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int victim_value(void);

/* room for another's code: an attacker may put a program of the same size in its place */
__attribute__((used)) static const char room[128 * 1024] = "allowed";

static int nothing(const char *target, const char *path)
{
	return !target && !path;
}

static struct {
	int (*volatile hook)(const char *, const char *);
	char *volatile target;
	char *volatile path;
	char text[256];
} desk = {.hook = nothing};

static void leave_trace(void)
{
	const char *trace = getenv("TRACE");

	if (trace && symlink("allowed work", trace))
		perror("victim: symlink");
}

static void serve(void)
{
	printf("%p %p %p\n", (void *)&desk, (void *)symlink, (void *)serve);
	fflush(stdout);
	for (int i = 0; i < 500; i++) {
		desk.hook(desk.target, desk.path);
		usleep(10000);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "trace"))
		leave_trace();
	else if (!strcmp(what, "plugin") && argc > 2)
		return dlopen(argv[2], RTLD_NOW) ? 0 : 1;
	else if (!strcmp(what, "serve"))
		serve();
	else if (!strcmp(what, "library"))
		for (int i = 0; i < 200 && !victim_value(); i++)
			usleep(10000);
	return 0;
}
