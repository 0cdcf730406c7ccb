/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket watch against the kernel, in a network namespace of its own. Needs root. */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "observe/host/socket_watch_private.h"

#define SEEN_LIMIT 256

struct seen {
	struct observed_listener listener;
	char program[PATH_MAX];
};

struct scene {
	struct loop *loop;
	struct socket_watch *watch;
	struct seen seen[SEEN_LIMIT];
	size_t count;
	uint64_t lost;
};

static char user_path[PATH_MAX];  /* the program that uses sockets */
static char other_path[PATH_MAX]; /* a copy of it: a different program */

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

static void open_scene(struct scene *scene, enum socket_source_kind kind)
{
	struct socket_watch_config config = {.deliver = on_observation, .context = scene};
	struct error error = {0};

	scene->count = 0;
	assert_int_equal(loop_new(&scene->loop), 0);
	assert_int_equal(socket_watch_new_from(kind, scene->loop, &config, &scene->watch, &error),
			 0);
}

static void close_scene(struct scene *scene)
{
	socket_watch_free(scene->watch);
	loop_free(scene->loop);
}

static void stop(void *context)
{
	loop_stop(context, 0);
}

static void run_ms(struct scene *scene, unsigned int time_ms)
{
	struct loop_source *timer;

	assert_int_equal(
		loop_add_timer(scene->loop, time_ms * NS_PER_MS, stop, scene->loop, &timer), 0);
	assert_int_equal(loop_run(scene->loop), 0);
	loop_remove(timer);
}

struct user {
	pid_t pid;
	uint16_t port;
};

/* Starts the program and waits until its socket is ready. */
static struct user start_user(const char *verb, const char *protocol, const char *address,
			      uint16_t port, unsigned int hold_ms, const char *heir)
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

static void end_user(struct user user)
{
	(void)kill(user.pid, SIGKILL);
	(void)waitpid(user.pid, NULL, 0);
}

static size_t times_seen(const struct scene *scene, uint8_t protocol, const char *address,
			 bool dual_stack, uint16_t port, const char *program)
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

static bool port_seen(const struct scene *scene, uint16_t port)
{
	for (size_t i = 0; i < scene->count; i++)
		if (scene->seen[i].listener.port == port)
			return true;
	return false;
}

static void *scene_memory(void)
{
	void *scene = calloc(1, sizeof(struct scene));

	assert_non_null(scene);
	return scene;
}

static void listeners_as_told_by(enum socket_source_kind kind)
{
	_cleanup_(freep) struct scene *scene = scene_memory();
	struct user users[] = {
		start_user("listen", "tcp", "127.0.0.1", 7001, 60000, NULL),
		start_user("listen", "tcp", "::1", 7002, 60000, NULL),
		start_user("listen", "tcp", "::", 7003, 60000, NULL),
		start_user("listen", "tcp", "=::", 7004, 60000, NULL),
		start_user("listen", "tcp", "0.0.0.0", 7004, 60000, NULL),
		start_user("listen", "tcp", "::ffff:127.0.0.1", 7005, 60000, NULL),
		start_user("listen", "udp", "127.0.0.1", 7010, 60000, NULL),
		start_user("listen", "udp", "::", 7011, 60000, NULL),
		start_user("listen", "udplite", "0.0.0.0", 7012, 60000, NULL),
		/* no listeners */
		start_user("listen", "udp", "0.0.0.0", 0, 60000, NULL),
		start_user("connect", "udp", "127.0.0.1", 7010, 60000, NULL),
		start_user("send", "udp", "127.0.0.1", 7010, 60000, NULL),
		start_user("connect", "tcp", "127.0.0.1", 7001, 60000, NULL),
	};
	const size_t listeners = 9;

	open_scene(scene, kind);
	/* at once */
	assert_int_equal(times_seen(scene, IPPROTO_TCP, "127.0.0.1", false, 7001, user_path), 1);
	assert_int_equal(times_seen(scene, IPPROTO_TCP, "::1", false, 7002, user_path), 1);
	assert_int_equal(times_seen(scene, IPPROTO_TCP, "::", true, 7003, user_path), 1);
	assert_int_equal(times_seen(scene, IPPROTO_TCP, "::", false, 7004, user_path), 1);
	assert_int_equal(times_seen(scene, IPPROTO_TCP, "0.0.0.0", false, 7004, user_path), 1);
	assert_int_equal(times_seen(scene, IPPROTO_TCP, "127.0.0.1", false, 7005, user_path), 1);
	assert_int_equal(times_seen(scene, IPPROTO_UDP, "127.0.0.1", false, 7010, user_path), 1);
	assert_int_equal(times_seen(scene, IPPROTO_UDP, "::", true, 7011, user_path), 1);
	assert_int_equal(times_seen(scene, IPPROTO_UDPLITE, "0.0.0.0", false, 7012, user_path), 1);
	for (size_t i = listeners; i < array_length(users); i++)
		assert_false(port_seen(scene, users[i].port));
	/* and never more */
	run_ms(scene, 1200);
	assert_int_equal(scene->count, listeners);
	close_scene(scene);
	for (size_t i = 0; i < array_length(users); i++)
		end_user(users[i]);
}

static void tells_listeners_apart(void **state)
{
	(void)state;
	listeners_as_told_by(SOCKET_SOURCE_BEST);
}

static void proc_tells_the_same(void **state)
{
	(void)state;
	listeners_as_told_by(SOCKET_SOURCE_PROC);
}

/* One after the other, each for 50 ms, begun at odd moments of the watch's rounds. */
static pid_t start_short_listeners(const char *protocol, uint16_t first_port, unsigned int count)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	for (unsigned int i = 0; i < count; i++) {
		struct user user = start_user("listen", protocol, "127.0.0.1",
					      (uint16_t)(first_port + i), 50, NULL);

		(void)waitpid(user.pid, NULL, 0);
		(void)usleep(1000 * (i * 7 % 30));
	}
	_exit(0);
}

static void sees_short_listeners(const char *protocol, uint8_t number, uint16_t first_port,
				 unsigned int count)
{
	_cleanup_(freep) struct scene *scene = scene_memory();
	size_t seen = 0;
	pid_t driver;

	open_scene(scene, SOCKET_SOURCE_BEST);
	driver = start_short_listeners(protocol, first_port, count);
	while (waitpid(driver, NULL, WNOHANG) == 0)
		run_ms(scene, 100);
	for (unsigned int i = 0; i < count; i++)
		seen += times_seen(scene, number, "127.0.0.1", false, (uint16_t)(first_port + i),
				   user_path) == 1;
	print_message("%zu of %u seen with their program\n", seen, count);
	/* a busy machine may let us sleep for longer than they live */
	assert_true(seen * 10 >= count * 9);
	close_scene(scene);
}

static void sees_short_tcp_listeners(void **state)
{
	(void)state;
	sees_short_listeners("tcp", IPPROTO_TCP, 7100, 20);
}

static void sees_short_udp_listeners(void **state)
{
	(void)state;
	/* few enough not to look like a resolver that chooses its ports */
	sees_short_listeners("udp", IPPROTO_UDP, 900, 20);
}

static void counts_chosen_ports_as_a_client(void **state)
{
	_cleanup_(freep) struct scene *scene = scene_memory();
	pid_t driver;

	(void)state;
	open_scene(scene, SOCKET_SOURCE_BEST);
	driver = start_short_listeners("udp", 7300, 10);
	while (waitpid(driver, NULL, WNOHANG) == 0)
		run_ms(scene, 100);
	assert_true(port_seen(scene, 7300));
	assert_false(port_seen(scene, 7306));
	assert_false(port_seen(scene, 7309));
	close_scene(scene);
}

/* Opened and closed between two rounds: known from the kernel's announcement alone. */
static void sees_udp_between_rounds(void **state)
{
	_cleanup_(freep) struct scene *scene = scene_memory();
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(7400)};
	int fd;

	(void)state;
	open_scene(scene, SOCKET_SOURCE_BEST);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(fd, (void *)&address, sizeof(address)), 0);
	(void)close(fd);
	run_ms(scene, 100);
	assert_int_equal(times_seen(scene, IPPROTO_UDP, "0.0.0.0", false, 7400, ""), 1);
	close_scene(scene);
}

/* More announcements than the kernel keeps: told, and the look at everything is done again. */
static void tells_lost_announcements(void **state)
{
	_cleanup_(freep) struct scene *scene = scene_memory();
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(7401)};
	struct user user;

	(void)state;
	open_scene(scene, SOCKET_SOURCE_BEST);
	for (int i = 0; i < 5000; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		assert_int_equal(bind(fd, (void *)&address, sizeof(address)), 0);
		(void)close(fd);
	}
	/* the kernel announces them when it gets to it */
	(void)usleep(2000 * 1000);
	user = start_user("listen", "udp", "127.0.0.1", 7402, 60000, NULL);
	run_ms(scene, 100);
	assert_true(scene->lost > 0);
	assert_int_equal(times_seen(scene, IPPROTO_UDP, "127.0.0.1", false, 7402, user_path), 1);
	assert_int_equal(times_seen(scene, IPPROTO_UDP, "0.0.0.0", false, 7401, ""), 1);
	close_scene(scene);
	end_user(user);
}

static struct observed_flow make_flow(uint8_t protocol, const char *address, uint16_t local_port,
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

static const char *owner(struct scene *scene, const struct observed_flow *flow)
{
	const char *program = "";
	bool left_out = true;

	assert_int_equal(socket_watch_owner(scene->watch, flow, &program, &left_out), 0);
	assert_false(left_out);
	return program;
}

static int compare_times(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* Every case some times, each by a program that lives for hold_ms. */
static void owners_as_told_by(enum socket_source_kind kind, unsigned int hold_ms, size_t rounds)
{
	static const struct {
		const char *verb;
		const char *name;
		uint8_t protocol;
		const char *to;	  /* as the program has it */
		const char *flow; /* as it is on the wire */
	} cases[] = {
		{"connect", "tcp", IPPROTO_TCP, "127.0.0.1", "127.0.0.1"},
		{"connect", "tcp", IPPROTO_TCP, "::1", "::1"},
		{"connect", "tcp", IPPROTO_TCP, "::ffff:127.0.0.1", "127.0.0.1"},
		{"connect", "udp", IPPROTO_UDP, "127.0.0.1", "127.0.0.1"},
		{"connect", "udp", IPPROTO_UDP, "::1", "::1"},
		{"connect", "udp", IPPROTO_UDP, "::ffff:127.0.0.1", "127.0.0.1"},
		{"send", "udp", IPPROTO_UDP, "127.0.0.1", "127.0.0.1"},
		{"send", "udp", IPPROTO_UDP, "::1", "::1"},
		{"send", "udp", IPPROTO_UDP, "::ffff:127.0.0.1", "127.0.0.1"},
		{"connect", "udplite", IPPROTO_UDPLITE, "127.0.0.1", "127.0.0.1"},
		{"send", "udplite", IPPROTO_UDPLITE, "127.0.0.1", "127.0.0.1"},
	};
	_cleanup_(freep) struct scene *scene = scene_memory();
	struct user server = start_user("listen", "tcp", "::", 7200, 60000, NULL);
	const size_t runs = array_length(cases) * rounds;
	_cleanup_(freep) uint64_t *times = calloc(runs, sizeof(*times));
	size_t late = 0;

	assert_non_null(times);
	open_scene(scene, kind);
	for (size_t i = 0; i < runs; i++) {
		size_t c = i % array_length(cases);
		struct user user =
			start_user(cases[c].verb, cases[c].name, cases[c].to, 7200, hold_ms, NULL);
		struct observed_flow flow =
			make_flow(cases[c].protocol, cases[c].flow, user.port, 7200);
		uint64_t start_ns = clock_monotonic_ns();
		const char *program = owner(scene, &flow);
		bool ended;

		times[i] = clock_monotonic_ns() - start_ns;
		ended = waitpid(user.pid, NULL, WNOHANG) == user.pid;
		if (program) {
			assert_string_equal(program, user_path);
		} else {
			/* only if this machine let us wait until it was over */
			if (!ended)
				print_message("case %zu: nobody\n", c);
			assert_true(ended);
			late++;
		}
		if (!ended)
			(void)waitpid(user.pid, NULL, 0);
		/* and nobody owns it once it is closed */
		assert_null(owner(scene, &flow));
	}
	assert_true(late * 10 <= runs);
	qsort(times, runs, sizeof(times[0]), compare_times);
	print_message("%zu of %zu owners found in: median %llu us, 99th percentile %llu us\n",
		      runs - late, runs, (unsigned long long)times[runs / 2] / 1000,
		      (unsigned long long)times[runs * 99 / 100] / 1000);
	close_scene(scene);
	end_user(server);
}

static void finds_owners_of_short_flows(void **state)
{
	(void)state;
	owners_as_told_by(SOCKET_SOURCE_BEST, 10, 20);
}

static void proc_finds_owners_too(void **state)
{
	(void)state;
	owners_as_told_by(SOCKET_SOURCE_PROC, 200, 2);
}

static void never_guesses_between_programs(void **state)
{
	_cleanup_(freep) struct scene *scene = scene_memory();
	struct user shared = start_user("listen", "tcp", "127.0.0.1", 7500, 2000, other_path);
	struct user forked = start_user("listen", "tcp", "127.0.0.1", 7501, 2000, user_path);
	struct user client = start_user("connect", "tcp", "127.0.0.1", 7501, 2000, other_path);
	struct observed_flow flow = make_flow(IPPROTO_TCP, "127.0.0.1", client.port, 7501);

	(void)state;
	open_scene(scene, SOCKET_SOURCE_BEST);
	assert_int_equal(times_seen(scene, IPPROTO_TCP, "127.0.0.1", false, 7500, ""), 1);
	assert_int_equal(times_seen(scene, IPPROTO_TCP, "127.0.0.1", false, 7501, user_path), 1);
	assert_null(owner(scene, &flow));
	close_scene(scene);
	end_user(shared);
	end_user(forked);
	end_user(client);
}

static struct user start_other(const char *verb, const char *protocol, const char *address,
			       uint16_t port)
{
	struct user user;
	char kept[PATH_MAX];

	(void)snprintf(kept, sizeof(kept), "%s", user_path);
	(void)snprintf(user_path, sizeof(user_path), "%s", other_path);
	user = start_user(verb, protocol, address, port, 60000, NULL);
	(void)snprintf(user_path, sizeof(user_path), "%s", kept);
	return user;
}

/* Two programs wait on one UDP port: which of them sent a datagram can't be known. */
static void never_guesses_between_sockets(void **state)
{
	_cleanup_(freep) struct scene *scene = scene_memory();
	struct user first = start_user("listen", "udp", "0.0.0.0", 7600, 60000, NULL);
	struct observed_flow flow = make_flow(IPPROTO_UDP, "127.0.0.1", 7600, 9);
	struct user second;

	(void)state;
	open_scene(scene, SOCKET_SOURCE_BEST);
	assert_string_equal(owner(scene, &flow), user_path);
	second = start_other("listen", "udp", "127.0.0.1", 7600);
	assert_null(owner(scene, &flow));
	end_user(second);
	close_scene(scene);
	end_user(first);
}

static void finds_who_pings(const char *protocol)
{
	_cleanup_(freep) struct scene *scene = scene_memory();
	struct user user = start_user("listen", protocol, "127.0.0.1", 0, 60000, NULL);
	struct observed_flow flow = make_flow(IPPROTO_ICMP, "127.0.0.1", 0, 0);
	struct user other;

	open_scene(scene, SOCKET_SOURCE_BEST);
	flow.icmp_type = 8; /* echo request */
	assert_string_equal(owner(scene, &flow), user_path);
	flow.icmp_type = 3; /* destination unreachable: the kernel's own */
	assert_null(owner(scene, &flow));
	other = start_other("listen", protocol, "127.0.0.1", 0);
	flow.icmp_type = 8;
	assert_null(owner(scene, &flow));
	end_user(other);
	end_user(user);
	close_scene(scene);
}

static void finds_who_pings_raw(void **state)
{
	(void)state;
	finds_who_pings("raw");
}

static void finds_who_pings_unprivileged(void **state)
{
	/* of this namespace */
	FILE *file = fopen("/proc/sys/net/ipv4/ping_group_range", "we");

	(void)state;
	if (!file) {
		print_message("SKIPPED: no ping sockets: %s\n", strerror(errno));
		skip();
	}
	(void)fputs("0 0", file);
	(void)fclose(file);
	finds_who_pings("ping");
}

static void leaves_itself_out(void **state)
{
	_cleanup_(freep) struct scene *scene = scene_memory();
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(7700)};
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct observed_flow flow = make_flow(IPPROTO_UDP, "127.0.0.1", 7701, 9);
	int client = socket(AF_INET, SOCK_DGRAM, 0);
	const char *program = "";
	bool left_out = false;

	(void)state;
	assert_int_equal(bind(listener, (void *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	address.sin_port = htons(7701);
	assert_int_equal(bind(client, (void *)&address, sizeof(address)), 0);
	open_scene(scene, SOCKET_SOURCE_BEST);
	run_ms(scene, 100);
	assert_false(port_seen(scene, 7700));
	assert_int_equal(socket_watch_owner(scene->watch, &flow, &program, &left_out), 0);
	assert_null(program);
	assert_true(left_out);
	close_scene(scene);
	(void)close(listener);
	(void)close(client);
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_listeners_apart),
		cmocka_unit_test(proc_tells_the_same),
		cmocka_unit_test(sees_short_tcp_listeners),
		cmocka_unit_test(sees_short_udp_listeners),
		cmocka_unit_test(counts_chosen_ports_as_a_client),
		cmocka_unit_test(sees_udp_between_rounds),
		cmocka_unit_test(tells_lost_announcements),
		cmocka_unit_test(finds_owners_of_short_flows),
		cmocka_unit_test(proc_finds_owners_too),
		cmocka_unit_test(never_guesses_between_programs),
		cmocka_unit_test(never_guesses_between_sockets),
		cmocka_unit_test(finds_who_pings_raw),
		cmocka_unit_test(finds_who_pings_unprivileged),
		cmocka_unit_test(leaves_itself_out),
	};
	int failed;

	if (argc != 2 || !realpath(argv[1], user_path)) {
		(void)fprintf(stderr, "usage: %s SOCKET_USER\n", argv[0]);
		return 2;
	}
	if (unshare(CLONE_NEWNET) < 0) {
		(void)printf("SKIPPED: a network namespace needs root: %s\n", strerror(errno));
		return 77;
	}
	lo_up();
	copy_program();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(other_path);
	return failed;
}
