/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who owns a flow, against the kernel. Needs root. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "socket_scene.h"

#include "base/cleanup.h"
#include "base/clock.h"

static const char *owner(struct scene *scene, const struct observed_flow *flow)
{
	const char *program = "";
	bool left_out = true;

	assert_int_equal(socket_watch_owner(scene->watch, flow, 0, &program, &left_out), 0);
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_owners_of_short_flows),
		cmocka_unit_test(proc_finds_owners_too),
		cmocka_unit_test(never_guesses_between_programs),
		cmocka_unit_test(never_guesses_between_sockets),
		cmocka_unit_test(finds_who_pings_raw),
		cmocka_unit_test(finds_who_pings_unprivileged),
	};

	return run_in_namespace(argc, argv, tests);
}
