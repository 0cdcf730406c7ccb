/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "socket_scene.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"

char user_path[PATH_MAX];
char other_path[PATH_MAX];

static void on_observation(void *context, const struct observation *observation)
{
	struct scene *scene = context;
	struct seen *seen = &scene->seen[scene->count];

	if (observation->kind == OBSERVATION_LOSS) {
		assert_string_equal(observation->loss.source, "socket events");
		scene->lost = observation->loss.lost;
	}
	if (observation->kind != OBSERVATION_LISTENER)
		return;
	assert_true(scene->count < SEEN_LIMIT);
	scene->count++;
	seen->listener = observation->listener;
	(void)snprintf(seen->program, sizeof(seen->program), "%s",
		       observation->listener.program ? observation->listener.program : "");
}

void open_scene(struct scene *scene, enum socket_source_kind kind)
{
	struct socket_watch_config config = {.deliver = on_observation, .context = scene};
	struct error error = {0};

	scene->count = 0;
	assert_int_equal(loop_new(&scene->loop), 0);
	assert_int_equal(socket_watch_new_from(kind, scene->loop, &config, &scene->watch, &error),
			 0);
}

void close_scene(struct scene *scene)
{
	socket_watch_free(scene->watch);
	loop_free(scene->loop);
}

static void stop(void *context)
{
	loop_stop(context, 0);
}

void run_ms(struct scene *scene, unsigned int time_ms)
{
	struct loop_source *timer;

	assert_int_equal(
		loop_add_timer(scene->loop, time_ms * NS_PER_MS, stop, scene->loop, &timer), 0);
	assert_int_equal(loop_run(scene->loop), 0);
	loop_remove(timer);
}

/* Starts the program and waits until its socket is ready. */
struct user start_user(const char *verb, const char *protocol, const char *address, uint16_t port,
		       unsigned int hold_ms, const char *heir)
{
	struct user user;
	char port_text[8], hold_text[16], answer[16] = {0};
	int ends[2];

	(void)snprintf(port_text, sizeof(port_text), "%u", port);
	(void)snprintf(hold_text, sizeof(hold_text), "%u", hold_ms);
	assert_int_equal(pipe(ends), 0);
	user.pid = fork();
	assert_true(user.pid >= 0);
	if (user.pid == 0) {
		/* none is left behind when a test fails */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)close(ends[0]);
		(void)close(ends[1]);
		(void)execl(user_path, user_path, verb, protocol, address, port_text, hold_text,
			    heir, (char *)NULL);
		_exit(127);
	}
	(void)close(ends[1]);
	assert_true(read(ends[0], answer, sizeof(answer) - 1) > 0);
	(void)close(ends[0]);
	user.port = (uint16_t)atoi(answer);
	return user;
}

void end_user(struct user user)
{
	(void)kill(user.pid, SIGKILL);
	(void)waitpid(user.pid, NULL, 0);
}

size_t times_seen(const struct scene *scene, uint8_t protocol, const char *address, bool dual_stack,
		  uint16_t port, const char *program)
{
	struct ip_address wanted;
	size_t times = 0;

	assert_int_equal(ip_parse(address, &wanted), 0);
	for (size_t i = 0; i < scene->count; i++)
		times += scene->seen[i].listener.protocol == protocol &&
			 ip_equal(&scene->seen[i].listener.address, &wanted) &&
			 scene->seen[i].listener.dual_stack == dual_stack &&
			 scene->seen[i].listener.port == port &&
			 !strcmp(scene->seen[i].program, program);
	return times;
}

bool port_seen(const struct scene *scene, uint16_t port)
{
	for (size_t i = 0; i < scene->count; i++)
		if (scene->seen[i].listener.port == port)
			return true;
	return false;
}

void *scene_memory(void)
{
	void *scene = calloc(1, sizeof(struct scene));

	assert_non_null(scene);
	return scene;
}

struct user start_other(const char *verb, const char *protocol, const char *address, uint16_t port)
{
	struct user user;
	char kept[PATH_MAX];

	(void)snprintf(kept, sizeof(kept), "%s", user_path);
	(void)snprintf(user_path, sizeof(user_path), "%s", other_path);
	user = start_user(verb, protocol, address, port, 60000, NULL);
	(void)snprintf(user_path, sizeof(user_path), "%s", kept);
	return user;
}

struct observed_flow make_flow(uint8_t protocol, const char *address, uint16_t local_port,
			       uint16_t remote_port)
{
	struct observed_flow flow = {
		.protocol = protocol,
		.local_port = local_port,
		.remote_port = remote_port,
	};

	assert_int_equal(ip_parse(address, &flow.local), 0);
	flow.remote = flow.local;
	return flow;
}

static void lo_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	(void)close(fd);
}

static void copy_program(void)
{
	_cleanup_(freep) char *bytes = NULL;
	struct error error = {0};
	size_t size;

	(void)snprintf(other_path, sizeof(other_path), "%s.copy-%d", user_path, (int)getpid());
	assert_int_equal(file_read(user_path, 64 << 20, &bytes, &size, &error), 0);
	assert_int_equal(file_replace(other_path, bytes, size, &error), 0);
	assert_int_equal(chmod(other_path, 0700), 0);
}

int enter_namespace(int argc, char **argv)
{
	if (argc != 2 || !realpath(argv[1], user_path)) {
		(void)fprintf(stderr, "usage: %s SOCKET_USER\n", argv[0]);
		exit(2);
	}
	if (unshare(CLONE_NEWNET) < 0) {
		(void)printf("SKIPPED: a network namespace needs root: %s\n", strerror(errno));
		return -1;
	}
	lo_up();
	copy_program();
	return 0;
}

int leave_namespace(int failed)
{
	(void)unlink(other_path);
	return failed;
}
