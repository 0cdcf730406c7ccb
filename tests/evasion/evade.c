/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *   evade list                 the table of tricks, as JSON
 *   evade prepare              a directory for each trick and user; before any agent runs
 *   evade before               what begins before the agent does
 *   evade run [ID…]            each trick as each user; a JSON line tells how it ended
 *   evade run --calm           those that leave the agent alone
 *   evade become               makes the trace if a set-user-ID bit gave it root's rights
 * The environment: LOOT and ALLOWED (directories), AGENT (the name its processes begin with, or
 * nothing), TRIES.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "evade.h"

#define YARD		"/srv/evasion"
#define TRACES		"/run/evasion"
#define NOBODY		65534
#define SECONDS_A_TRICK 40

static const struct trick *const tables[] = {
	tricks_controls, tricks_files,	   tricks_mounts,    tricks_memory,
	tricks_scripts,	 tricks_libraries, tricks_processes, tricks_agent,
};

static const struct {
	enum who who;
	const char *name;
	uid_t id;
} users[] = {{AS_ROOT, "root", 0}, {AS_NOBODY, "nobody", NOBODY}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef void (*visit_fn)(const struct trick *trick, size_t user, void *context);

static void each(visit_fn visit, void *context)
{
	for (size_t i = 0; i < COUNT(tables); i++)
		for (const struct trick *trick = tables[i]; trick->id; trick++)
			for (size_t user = 0; user < COUNT(users); user++)
				if (trick->who & users[user].who)
					visit(trick, user, context);
}

static const struct trick *find(const char *id)
{
	for (size_t i = 0; i < COUNT(tables); i++)
		for (const struct trick *trick = tables[i]; trick->id; trick++)
			if (!strcmp(trick->id, id))
				return trick;
	errx(2, "no trick %s", id);
}

static void print_text(const char *name, const char *text)
{
	printf(", \"%s\": ", name);
	if (!text) {
		printf("null");
		return;
	}
	putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		if ((unsigned char)*text >= ' ')
			putchar(*text);
		else
			printf("\\u%04x", *text);
	}
	putchar('"');
}

static void print_trick(const struct trick *trick, size_t user, void *context)
{
	(void)context;
	printf("{\"id\": \"%s\", \"user\": \"%s\", \"row\": %d, \"machine\": %s, \"disturbs\": %s, "
	       "\"control\": %s",
	       trick->id, users[user].name, trick->row,
	       trick->flags & NEEDS_MACHINE ? "true" : "false",
	       trick->flags & DISTURBS ? "true" : "false",
	       trick->flags & CONTROL ? "true" : "false");
	print_text("title", trick->title);
	print_text("limit", trick->limit);
	print_text("remedy", trick->remedy);
	print_text("setting", trick->setting);
	printf("}\n");
}

static void prepare_one(const struct trick *trick, size_t user, void *context)
{
	static const char *const names[] = {"victim", "libvictim.so"};
	char path[256];

	(void)context;
	snprintf(path, sizeof(path), YARD "/%s.%s", trick->id, users[user].name);
	if (mkdir(path, 0755) || chdir(path) || chown(path, users[user].id, users[user].id))
		err(2, "%s", path);
	for (size_t i = 0; i < COUNT(names); i++) {
		copy_allowed(names[i], names[i]);
		if (chown(names[i], users[user].id, users[user].id))
			err(2, "%s", names[i]);
	}
}

static void prepare(void)
{
	if (mkdir(YARD, 0755) || mkdir(TRACES, 0755) || chmod(TRACES, 01777))
		err(2, "prepare");
	each(prepare_one, NULL);
}

/* Becomes the user, goes to the trick's place and starts this program anew there, so that nothing
 * of root's is left in it. */
static pid_t begin(const struct trick *trick, size_t user, const char *step, int log)
{
	char text[256];
	pid_t pid = fork();

	if (pid)
		return pid;
	setsid();
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	snprintf(text, sizeof(text), TRACES "/%s.%s", trick->id, users[user].name);
	setenv("TRACE", text, 1);
	snprintf(text, sizeof(text), YARD "/%s.%s", trick->id, users[user].name);
	if (chdir(text))
		err(2, "%s", text);
	if (users[user].id &&
	    (setgroups(0, NULL) || setgid(users[user].id) || setuid(users[user].id)))
		err(2, "setuid");
	execl(getenv("SELF"), "evade", step, trick->id, NULL);
	err(127, "%s", getenv("SELF"));
}

static void begin_before(const struct trick *trick, size_t user, void *context)
{
	(void)context;
	if (trick->flags & BEFORE)
		finish(begin(trick, user, "before-one", open("/dev/null", O_WRONLY | O_CLOEXEC)));
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Waits for the trick, then ends whatever it left behind: all of it are our children by now.
 * Returns the status, -1 when the time was over. */
static int wait_for(pid_t pid)
{
	double end = now() + SECONDS_A_TRICK;
	int status = -1;
	int ended;

	while (waitpid(pid, &ended, WNOHANG) == 0) {
		if (now() > end)
			break;
		usleep(5000);
	}
	if (now() <= end)
		status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
	kill(-pid, SIGKILL);
	end = now() + 2;
	while (now() < end && (waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD)) {
		kill(-pid, SIGKILL);
		usleep(2000);
	}
	return status;
}

struct choice {
	int argc;
	char **argv;
	bool calm;
};

static bool is_chosen(const struct choice *choice, const struct trick *trick)
{
	if (choice->calm)
		return !(trick->flags & DISTURBS);
	for (int i = 0; i < choice->argc; i++)
		if (!strcmp(choice->argv[i], trick->id))
			return true;
	return !choice->argc;
}

static void run_one(const struct trick *trick, size_t user, void *context)
{
	char path[256];
	char said[1024];
	struct stat status;
	FILE *log;
	ssize_t size;
	double started = now();
	int ended;

	if (!is_chosen(context, trick))
		return;
	log = tmpfile();
	if (!log)
		err(2, "tmpfile");
	ended = wait_for(begin(trick, user, "one", fileno(log)));
	snprintf(path, sizeof(path), TRACES "/%s.%s", trick->id, users[user].name);
	size = pread(fileno(log), said, sizeof(said) - 1, 0);
	said[size > 0 ? size : 0] = 0;
	fclose(log);
	printf("{\"id\": \"%s\", \"user\": \"%s\", \"trace\": %s, \"status\": %d, \"seconds\": "
	       "%.2f",
	       trick->id, users[user].name, lstat(path, &status) ? "false" : "true", ended,
	       now() - started);
	print_text("said", said);
	printf("}\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct choice choice = {argc - 2, argv + 2};

	umask(0);
	if (!strcmp(what, "list")) {
		each(print_trick, NULL);
	} else if (!strcmp(what, "prepare")) {
		prepare();
	} else if (!strcmp(what, "before")) {
		setenv("SELF", argv[0], 1);
		each(begin_before, NULL);
	} else if (!strcmp(what, "run")) {
		setenv("SELF", argv[0], 1);
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		choice.calm = choice.argc && !strcmp(choice.argv[0], "--calm");
		each(run_one, &choice);
	} else if (!strcmp(what, "one") && argc == 3) {
		find(argv[2])->run();
	} else if (!strcmp(what, "become")) {
		return getuid() && !geteuid() && symlink("as root", trace());
	} else if (!strcmp(what, "before-one") && argc == 3) {
		find(argv[2])->before();
	} else {
		errx(2, "usage: evade list | prepare | before | run [--calm | ID…]");
	}
	return 0;
}
