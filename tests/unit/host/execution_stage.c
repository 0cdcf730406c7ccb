/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "execution_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <spawn.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define STAGE_TIMEOUT_S 60

extern char **environ;

struct watcher {
	const struct stage *stage;
	const char *directory;
	struct loop *loop;
	struct execution_watch *watch;
	struct sightings sightings;
};

static void keep(char *target, size_t size, const char *text)
{
	(void)snprintf(target, size, "%s", text ? text : "");
}

static void describe_execution(struct sighting *item, const struct observed_execution *execution)
{
	keep(item->path, sizeof(item->path), execution->path);
	if (execution->sha256)
		hex_encode(execution->sha256, 32, item->sha256);
	keep(item->user, sizeof(item->user), execution->user);
	keep(item->parent, sizeof(item->parent), execution->parent);
	keep(item->applet, sizeof(item->applet), execution->applet);
	keep(item->unreadable, sizeof(item->unreadable), execution->unreadable);
	keep(item->arguments, sizeof(item->arguments), execution->arguments ? "" : "-");
	for (size_t i = 0; execution->arguments && execution->arguments[i]; i++) {
		size_t used = strlen(item->arguments);

		(void)snprintf(item->arguments + used, sizeof(item->arguments) - used, "%s%s",
			       i ? "|" : "", execution->arguments[i]);
	}
	item->pins_arguments = execution->pins_arguments;
	item->source = execution->source;
}

static void deliver(void *context, const struct observation *observation)
{
	struct watcher *watcher = context;
	struct sightings *all = &watcher->sightings;
	struct sighting *item;

	CHECK(array_reserve(&all->items, &all->capacity, all->count, sizeof(*all->items)) == 0);
	item = &all->items[all->count++];
	*item = (struct sighting){.kind = observation->kind};
	switch (observation->kind) {
	case OBSERVATION_EXECUTION:
		describe_execution(item, &observation->execution);
		break;
	case OBSERVATION_SCRIPT:
		keep(item->path, sizeof(item->path), observation->script.path);
		hex_encode(observation->script.sha256, 32, item->sha256);
		keep(item->interpreter, sizeof(item->interpreter), observation->script.interpreter);
		break;
	case OBSERVATION_LIBRARY:
		keep(item->path, sizeof(item->path), observation->library.path);
		hex_encode(observation->library.sha256, 32, item->sha256);
		break;
	case OBSERVATION_READ:
		keep(item->path, sizeof(item->path), observation->read.path);
		keep(item->program, sizeof(item->program), observation->read.program);
		item->is_new = observation->read.is_new;
		break;
	case OBSERVATION_LOSS:
		keep(item->path, sizeof(item->path), observation->loss.source);
		item->seen = observation->loss.seen;
		item->lost = observation->loss.lost;
		break;
	default:
		CHECK(!"an observation of another kind");
	}
}

const struct sighting *find_sighting(const struct sightings *sightings, enum observation_kind kind,
				     const char *path, size_t *from)
{
	for (size_t i = from ? *from : 0; i < sightings->count; i++) {
		if (sightings->items[i].kind != kind || strcmp(sightings->items[i].path, path) != 0)
			continue;
		if (from)
			*from = i + 1;
		return &sightings->items[i];
	}
	return NULL;
}

static void acted(void *context, int fd, uint32_t events)
{
	struct watcher *watcher = context;

	(void)fd;
	(void)events;
	execution_watch_drain(watcher->watch);
	loop_stop(watcher->loop, 0);
}

/* The watching process: ready is told when it watches, done tells that the other has acted. */
static void watch(const struct stage *stage, const char *directory, int ready, int done)
{
	struct watcher watcher = {.stage = stage, .directory = directory};
	struct execution_watch_config config = {
		.include_session = stage->machine, .deliver = deliver, .context = &watcher};
	struct error error = {0};

	(void)alarm(STAGE_TIMEOUT_S);
	if (stage->before_watch)
		stage->before_watch();
	CHECK(loop_new(&watcher.loop) == 0);
	if (execution_watch_new(watcher.loop, &config, &watcher.watch, &error) < 0) {
		fprintf(stderr, "%s: %s\n", stage->name, error.message);
		_exit(1);
	}
	watcher.sightings.layers = execution_watch_layers(watcher.watch);
	CHECK(loop_add_fd(watcher.loop, done, EPOLLIN, acted, &watcher, NULL) == 0);
	CHECK(write(ready, "r", 1) == 1);
	CHECK(loop_run(watcher.loop) == 0);
	stage->check(&watcher.sightings, directory);
	execution_watch_free(watcher.watch);
	loop_free(watcher.loop);
	free(watcher.sightings.items);
	exit(0); /* with exit handlers: a leak checker has its say */
}

pid_t start_program(const char *path, const char *const *argv, bool wait)
{
	pid_t pid;

	/* the interface is older than const */
	CHECK(posix_spawn(&pid, path, NULL, NULL, (char *const *)(uintptr_t)argv, environ) == 0);
	if (wait)
		wait_for(pid);
	return pid;
}

bool ended_well(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void wait_for(pid_t pid)
{
	CHECK(ended_well(pid));
}

static pid_t fork_checked(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static void await(int fd)
{
	char byte;

	CHECK(read(fd, &byte, 1) == 1);
}

/* init - daemon - shell - watcher, as under sshd; the shell acts after the watcher is ready. */
static void session_shell(const struct stage *stage, const char *directory, int ready[2], int done)
{
	pid_t watcher;
	int own_ready[2];

	CHECK(pipe(own_ready) == 0);
	watcher = fork_checked();
	if (watcher == 0)
		watch(stage, directory, own_ready[1], done);
	await(own_ready[0]);
	stage->act_in_session(directory);
	CHECK(write(ready[1], "r", 1) == 1);
	wait_for(watcher);
	_exit(0);
}

static pid_t start_watcher(const struct stage *stage, const char *directory, int ready[2],
			   int done[2])
{
	pid_t pid = fork_checked();

	if (pid > 0)
		return pid;
	(void)close(done[1]);
	if (!stage->within_session)
		watch(stage, directory, ready[1], done[0]);
	(void)setsid();
	pid = fork_checked();
	if (pid == 0)
		session_shell(stage, directory, ready, done[0]);
	wait_for(pid);
	_exit(0);
}

static void perform(const struct stage *stage, const char *directory)
{
	int ready[2];
	int done[2];
	pid_t watcher;

	CHECK(pipe2(ready, O_CLOEXEC) == 0 && pipe2(done, O_CLOEXEC) == 0);
	if (stage->prepare)
		stage->prepare(directory);
	watcher = start_watcher(stage, directory, ready, done);
	(void)close(ready[1]);
	await(ready[0]);
	stage->act(directory);
	CHECK(write(done[1], "d", 1) == 1);
	wait_for(watcher);
	_exit(0);
}

static void enter_namespaces(const char *directory)
{
	pid_t init;

	CHECK(unshare(CLONE_NEWNS | CLONE_NEWPID) == 0);
	init = fork_checked();
	if (init > 0) {
		wait_for(init);
		_exit(0);
	}
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
	CHECK(mount("rtguard-test", directory, "tmpfs", 0, "size=256m") == 0);
}

bool stage_run(const struct stage *stage)
{
	char directory[] = "/var/tmp/rtguard-test.XXXXXX";
	char command[64];
	int status = -1;
	pid_t pid;

	CHECK(mkdtemp(directory) && chmod(directory, 0755) == 0);
	pid = fork_checked();
	if (pid == 0) {
		(void)alarm(STAGE_TIMEOUT_S);
		if (!stage->machine)
			enter_namespaces(directory);
		perform(stage, directory);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	(void)snprintf(command, sizeof(command), "rm -rf %s", directory);
	CHECK(system(command) == 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void copy_with_trailer(const char *source, const char *target, const char *trailer)
{
	_cleanup_(freep) char *bytes = NULL;
	_cleanup_(closep) int fd = -1;
	size_t size;

	CHECK(file_read(source, 64 * 1024 * 1024, &bytes, &size, NULL) == 0);
	fd = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	CHECK(fd >= 0 && write_all(fd, bytes, size) == 0);
	CHECK(write_all(fd, trailer, strlen(trailer)) == 0);
}

void sha256_of(const char *path, char hex[65])
{
	_cleanup_(freep) char *bytes = NULL;
	unsigned char digest[crypto_hash_sha256_BYTES];
	size_t size;

	CHECK(file_read(path, 64 * 1024 * 1024, &bytes, &size, NULL) == 0);
	(void)crypto_hash_sha256(digest, (unsigned char *)bytes, size);
	hex_encode(digest, sizeof(digest), hex);
}
