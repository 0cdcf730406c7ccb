/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/network/inspector.h"
#include "private_network.h"
#include "tracker_double.h"
#include "udp_frame.h"

#define PATIENCE_NS (5 * NS_PER_S)

struct scene {
	struct loop *loop;
	struct inspector *inspector;
	unsigned int starts;
	unsigned int connections;
	unsigned int captures;
	uint64_t last_id;
	uint16_t last_port;
	struct observed_capture capture;
	bool stops_at_start;
	/* ends run_until() */
	bool (*reached)(const struct scene *scene);
	unsigned int goal;
	uint64_t deadline_ns;
	bool late;
};

static bool in_private_network;

static void on_observation(void *context, const struct observation *observation)
{
	struct scene *scene = context;

	switch (observation->kind) {
	case OBSERVATION_START:
		scene->starts++;
		scene->last_id = observation->flow.id;
		scene->last_port = observation->flow.remote_port;
		if (scene->stops_at_start)
			loop_stop(scene->loop, 0);
		break;
	case OBSERVATION_CONNECTION:
		scene->connections++;
		break;
	case OBSERVATION_CAPTURE:
		/* over all inspectors, counters never go back */
		assert_true(observation->capture.packets >= scene->capture.packets);
		assert_true(observation->capture.interrupted >= scene->capture.interrupted);
		scene->capture = observation->capture;
		scene->captures++;
		break;
	default:
		fail_msg("observation of kind %d", (int)observation->kind);
	}
}

static void on_tick(void *context)
{
	struct scene *scene = context;

	if (scene->reached(scene)) {
		loop_stop(scene->loop, 0);
	} else if (clock_monotonic_ns() > scene->deadline_ns) {
		scene->late = true;
		loop_stop(scene->loop, 0);
	}
}

/* Whether it was reached in time. */
static bool run_until(struct scene *scene, bool (*reached)(const struct scene *scene),
		      unsigned int goal, uint64_t patience_ns)
{
	struct loop_source *timer;

	scene->reached = reached;
	scene->goal = goal;
	scene->deadline_ns = clock_monotonic_ns() + patience_ns;
	scene->late = false;
	assert_int_equal(loop_add_timer(scene->loop, NS_PER_MS, on_tick, scene, &timer), 0);
	assert_int_equal(loop_run(scene->loop), 0);
	loop_remove(timer);
	return !scene->late;
}

static bool starts_reached(const struct scene *scene)
{
	return scene->starts >= scene->goal;
}

static bool packets_reached(const struct scene *scene)
{
	return scene->capture.packets >= scene->goal;
}

static bool is_interrupted(const struct scene *scene)
{
	return scene->capture.interrupted;
}

static bool has_other_pid(const struct scene *scene)
{
	int pid = inspector_pid(scene->inspector);

	return pid != 0 && pid != (int)scene->goal;
}

static bool is_without_trouble(const struct scene *scene)
{
	return inspector_pid(scene->inspector) && !inspector_trouble(scene->inspector)[0];
}

static bool has_trouble(const struct scene *scene)
{
	return inspector_trouble(scene->inspector)[0];
}

static bool never(const struct scene *scene)
{
	(void)scene;
	return false;
}

static int start(struct scene *scene, const char *const *interfaces, size_t count,
		 struct error *error)
{
	const struct inspector_config config = {
		.interfaces = interfaces,
		.interface_count = count,
		.subject = {.subject = TRACK_THIS_HOST,
			    .deliver = on_observation,
			    .context = scene},
	};

	return inspector_start(scene->loop, &config, &scene->inspector, error);
}

static void start_on(struct scene *scene, const char *first, const char *second)
{
	const char *const interfaces[] = {first, second};
	struct error error = {0};

	if (start(scene, interfaces, second ? 2 : 1, &error) < 0)
		fail_msg("%s", error.message);
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	if (!scene || loop_new(&scene->loop) < 0)
		return -1;
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	inspector_stop(scene->inspector);
	loop_free(scene->loop);
	free(scene);
	if (in_private_network)
		private_network_clear();
	return 0;
}

static void need_private_network(void)
{
	if (!in_private_network)
		skip();
}

static void send_udp(const char *interface, unsigned int port)
{
	struct frame *frame = calloc(1, sizeof(*frame));

	assert_non_null(frame);
	put_udp_frame(frame, 40000, port);
	private_network_send(interface, frame->bytes, frame->size);
	free(frame);
}

static void expect_start(struct scene *scene, const char *interface, uint16_t port)
{
	unsigned int before = scene->starts;

	send_udp(interface, port);
	if (!run_until(scene, starts_reached, before + 1, PATIENCE_NS))
		fail_msg("nothing came of port %u; trouble: %s", port,
			 inspector_trouble(scene->inspector));
	assert_int_equal(scene->last_port, port);
}

static int compare_times(const void *a, const void *b)
{
	const uint64_t *first = a;
	const uint64_t *second = b;

	return (*first > *second) - (*first < *second);
}

static void reports_at_once_and_settles_at_the_end(void **state)
{
	struct scene *scene = *state;
	struct frame *frame = calloc(1, sizeof(*frame));
	uint64_t took_ns[20];
	int fd;

	need_private_network();
	private_network_add("one");
	start_on(scene, "one", NULL);
	fd = private_network_open("onep");
	put_udp_frame(frame, 40000, 1000);
	scene->stops_at_start = true;
	for (size_t i = 0; i < array_length(took_ns); i++) {
		uint64_t sent_ns = clock_monotonic_ns();

		assert_int_equal(write(fd, frame->bytes, frame->size), frame->size);
		assert_int_equal(loop_run(scene->loop), 0);
		took_ns[i] = clock_monotonic_ns() - sent_ns;
	}
	scene->stops_at_start = false;
	assert_int_equal(scene->starts, 20);
	(void)close(fd);
	free(frame);
	qsort(took_ns, array_length(took_ns), sizeof(took_ns[0]), compare_times);
	print_message("from the packet to its START: median %.2f ms, worst of 20 %.2f ms\n",
		      (double)took_ns[10] / 1e6, (double)took_ns[19] / 1e6);
	assert_true(took_ns[10] < 2 * NS_PER_MS);
	assert_true(run_until(scene, packets_reached, 20, PATIENCE_NS));
	assert_false(scene->capture.interrupted);
	assert_int_equal(scene->capture.dropped, 0);
	assert_int_equal(scene->connections, 0);
	inspector_stop(scene->inspector);
	scene->inspector = NULL;
	assert_int_equal(scene->connections, 20);
	assert_false(scene->capture.interrupted);
}

static void survives_being_killed(void **state)
{
	struct scene *scene = *state;
	uint64_t before_ns;
	uint64_t first_id;
	int pid;

	need_private_network();
	private_network_add("one");
	start_on(scene, "one", NULL);
	expect_start(scene, "onep", 1);
	expect_start(scene, "onep", 2);
	first_id = scene->last_id;
	pid = inspector_pid(scene->inspector);
	assert_int_equal(kill(pid, SIGKILL), 0);
	before_ns = clock_monotonic_ns();
	assert_true(run_until(scene, has_other_pid, (unsigned int)pid, PATIENCE_NS));
	print_message("started again after %.1f ms\n",
		      (double)(clock_monotonic_ns() - before_ns) / 1e6);
	assert_true(clock_monotonic_ns() - before_ns < 500 * NS_PER_MS);
	assert_true(scene->capture.interrupted);
	assert_int_equal(scene->starts, 2); /* nothing twice */
	expect_start(scene, "onep", 3);
	expect_start(scene, "onep", 4);
	/* the second of the second inspector is not the second of the first */
	assert_true(scene->last_id != first_id);
	/* at least those: what the first had not counted out loud is not known */
	assert_true(run_until(scene, packets_reached, 2, PATIENCE_NS));
}

static void slows_down_when_it_dies_again_and_again(void **state)
{
	struct scene *scene = *state;
	unsigned int deaths = 0;
	uint64_t before_ns;

	need_private_network();
	private_network_add("one");
	start_on(scene, "one", NULL);
	before_ns = clock_monotonic_ns();
	while (clock_monotonic_ns() - before_ns < 2500 * NS_PER_MS) {
		int pid = inspector_pid(scene->inspector);

		if (pid && kill(pid, SIGKILL) == 0)
			deaths++;
		(void)run_until(scene, has_other_pid, (unsigned int)pid, 100 * NS_PER_MS);
	}
	print_message("%u deaths in 2.5 s\n", deaths);
	assert_in_range(deaths, 6, 9); /* five at once, then one a second */
	assert_true(run_until(scene, is_without_trouble, 0, PATIENCE_NS));
	expect_start(scene, "onep", 5);
}

static void ends_one_that_lies(void **state)
{
	struct scene *scene = *state;
	int pid;

	need_private_network();
	private_network_add("one");
	start_on(scene, "one", NULL);
	expect_start(scene, "onep", 1);
	pid = inspector_pid(scene->inspector);
	send_udp("onep", DOUBLE_PORT_LIE);
	assert_true(run_until(scene, has_other_pid, (unsigned int)pid, PATIENCE_NS));
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(scene->starts, 1);
	assert_true(scene->capture.interrupted);
	expect_start(scene, "onep", 2);
}

static void goes_on_without_an_interface_until_it_is_back(void **state)
{
	struct scene *scene = *state;
	int pid;

	need_private_network();
	private_network_add("one");
	private_network_add("two");
	start_on(scene, "one", "two");
	expect_start(scene, "onep", 1);
	expect_start(scene, "twop", 2);
	assert_false(scene->capture.interrupted);
	private_network_remove("one");
	assert_true(run_until(scene, is_interrupted, 0, PATIENCE_NS));
	pid = inspector_pid(scene->inspector);
	assert_non_null(strstr(inspector_trouble(scene->inspector), "one"));
	expect_start(scene, "twop", 3);
	assert_int_equal(inspector_pid(scene->inspector), pid);
	private_network_add("one");
	assert_true(run_until(scene, has_other_pid, (unsigned int)pid, PATIENCE_NS));
	/* what the first inspector had pending was settled when it made room for the second */
	assert_int_equal(scene->connections, 3);
	expect_start(scene, "onep", 4);
	expect_start(scene, "twop", 5);
	assert_string_equal(inspector_trouble(scene->inspector), "");
}

static void waits_for_an_interface_that_is_down(void **state)
{
	struct scene *scene = *state;

	need_private_network();
	private_network_add("one");
	private_network_set_up("one", false);
	start_on(scene, "one", NULL);
	assert_true(run_until(scene, has_trouble, 0, PATIENCE_NS));
	assert_non_null(strstr(inspector_trouble(scene->inspector), "is down"));
	private_network_set_up("one", true);
	assert_true(run_until(scene, is_without_trouble, 0, PATIENCE_NS));
	expect_start(scene, "onep", 1);
	assert_false(scene->capture.interrupted);
	/* down and up again later needs no new inspector */
	private_network_set_up("one", false);
	(void)run_until(scene, never, 0, 50 * NS_PER_MS);
	private_network_set_up("one", true);
	expect_start(scene, "onep", 2);
}

static void sees_all_interfaces_through_any(void **state)
{
	struct scene *scene = *state;

	need_private_network();
	private_network_add("one");
	start_on(scene, "any", NULL);
	private_network_add("two"); /* also those that come later */
	expect_start(scene, "onep", 1);
	(void)run_until(scene, never, 0, 50 * NS_PER_MS);
	assert_int_equal(scene->starts, 2); /* sent on one, received on the other */
	expect_start(scene, "twop", 2);
	private_network_remove("two");
	(void)run_until(scene, never, 0, 50 * NS_PER_MS);
	assert_false(scene->capture.interrupted);
}

static void leaves_the_middle_of_connections_in_the_kernel(void **state)
{
	struct frame *data = calloc(1, sizeof(*data));
	struct scene *scene = *state;

	need_private_network();
	private_network_add("one");
	start_on(scene, "one", NULL);
	put_udp_frame(data, 40000, 5000);
	data->bytes[23] = IPPROTO_TCP; /* and a header of 20 bytes, ACK, with data */
	set_be16(data, 16, 1000);
	put_zeros(data, 2000);
	data->bytes[46] = 5 << 4;
	data->bytes[47] = 0x10;
	for (int i = 0; i < 100; i++)
		private_network_send("onep", data->bytes, 14 + 1000);
	expect_start(scene, "onep", 1);
	assert_true(run_until(scene, packets_reached, 1, PATIENCE_NS));
	assert_int_equal(scene->capture.packets, 1);
	/* with a SYN it passes, tagged too */
	data->bytes[47] = 0x02;
	private_network_send("onep", data->bytes, 14 + 1000);
	assert_true(run_until(scene, starts_reached, 2, PATIENCE_NS));
	memmove(data->bytes + 16, data->bytes + 12, 1004);
	set_be16(data, 12, 0x8100);
	set_be16(data, 14, 7);
	private_network_send("onep", data->bytes, 18 + 1000);
	assert_true(run_until(scene, starts_reached, 3, PATIENCE_NS));
	free(data);
}

static void assert_start_fails(struct scene *scene, const char *interface, int code,
			       const char *text)
{
	const char *const interfaces[] = {interface};
	struct error error = {0};
	int result = start(scene, interfaces, 1, &error);

	if (result != -code || !strstr(error.message, text) || !strstr(error.message, interface))
		fail_msg("%d: %s", result, error.message);
	assert_null(scene->inspector);
}

static void knows_an_interface_that_is_not_there(void **state)
{
	need_private_network();
	assert_start_fails(*state, "eth77", ENODEV, "no such interface");
	assert_start_fails(*state, "nflog", ENODEV, "no such interface");
}

/* As a kernel without CONFIG_PACKET answers. */
static int forbid_packet_sockets(void)
{
	struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_PACKET, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {.len = array_length(instructions),
					   .filter = instructions};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static int lose_rights(void)
{
	return setresuid(65534, 65534, 65534);
}

/* In a child, whose rights are changed for good. */
static void assert_start_fails_after(struct scene *scene, int (*change)(void), int code,
				     const char *text)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		const char *const interfaces[] = {"lo"};
		struct error error = {0};
		int result = change() < 0 ? 1 : start(scene, interfaces, 1, &error);
		bool good = result == -code && strstr(error.message, text) &&
			    strstr(error.message, "lo:");

		if (!good)
			print_message("%d: %s\n", result, error.message);
		_exit(good ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void says_what_the_kernel_lacks(void **state)
{
	need_private_network();
	assert_start_fails_after(*state, forbid_packet_sockets, EAFNOSUPPORT, "CONFIG_PACKET");
}

static void says_what_right_is_missing(void **state)
{
	need_private_network();
	assert_start_fails_after(*state, lose_rights, EPERM, "CAP_NET_RAW");
}

static void wants_a_sensible_number_of_interfaces(void **state)
{
	const char *many[33];
	struct error error = {0};

	for (size_t i = 0; i < array_length(many); i++)
		many[i] = "lo";
	assert_int_equal(start(*state, many, 0, &error), -EINVAL);
	assert_int_equal(start(*state, many, array_length(many), &error), -EINVAL);
}

#define scene_test(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(reports_at_once_and_settles_at_the_end),
		scene_test(survives_being_killed),
		scene_test(slows_down_when_it_dies_again_and_again),
		scene_test(ends_one_that_lies),
		scene_test(goes_on_without_an_interface_until_it_is_back),
		scene_test(waits_for_an_interface_that_is_down),
		scene_test(sees_all_interfaces_through_any),
		scene_test(leaves_the_middle_of_connections_in_the_kernel),
		scene_test(knows_an_interface_that_is_not_there),
		scene_test(says_what_the_kernel_lacks),
		scene_test(says_what_right_is_missing),
		scene_test(wants_a_sensible_number_of_interfaces),
	};

	in_private_network = private_network_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
