/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "gate/flow_owner.h"

#define CHILDREN 4

/* A process with a socket of its own, connected or not, to a port of this one. */
struct client {
	pid_t pid;
	struct observed_flow flow;
};

struct place {
	struct flow_owner *owner;
	int listener;
	uint16_t port;
	struct client clients[CHILDREN];
	size_t client_count;
	char own_program[PATH_MAX];
};

static int setup(void **state)
{
	static struct place place;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	ssize_t length;

	memset(&place, 0, sizeof(place));
	assert_int_equal(flow_owner_new(&place.owner), 0);
	place.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(place.listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(place.listener, 16), 0);
	assert_int_equal(getsockname(place.listener, (struct sockaddr *)&address, &size), 0);
	place.port = ntohs(address.sin_port);
	length = readlink("/proc/self/exe", place.own_program, sizeof(place.own_program) - 1);
	assert_true(length > 0);
	place.own_program[length] = '\0';
	*state = &place;
	return 0;
}

static void end(struct client *client)
{
	if (client->pid > 0) {
		(void)kill(client->pid, SIGKILL);
		(void)waitpid(client->pid, NULL, 0);
	}
	client->pid = 0;
}

static int teardown(void **state)
{
	struct place *place = *state;

	for (size_t i = 0; i < place->client_count; i++)
		end(&place->clients[i]);
	(void)close(place->listener);
	flow_owner_free(place->owner);
	return 0;
}

/* In the child. with_sleep: another program holds it too. */
static void __attribute__((noreturn))
hold_socket(const struct place *place, int type, bool connects, bool with_sleep, int report)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(place->port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in own = {.sin_family = AF_INET};
	socklen_t size = sizeof(own);
	int fd = socket(AF_INET, type, 0);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (connects ? connect(fd, (struct sockaddr *)&address, size) < 0
		     : bind(fd, (struct sockaddr *)&own, size) < 0)
		_exit(1);
	if (getsockname(fd, (struct sockaddr *)&own, &size) < 0)
		_exit(1);
	if (with_sleep && fork() == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)execl("/bin/sleep", "sleep", "100", (char *)NULL);
		_exit(1);
	}
	if (with_sleep)
		(void)usleep(200000);
	if (write(report, &own.sin_port, sizeof(own.sin_port)) != sizeof(own.sin_port))
		_exit(1);
	for (;;)
		(void)pause();
}

static struct client *start(struct place *place, int type, bool connects, bool with_sleep)
{
	struct client *client = &place->clients[place->client_count++];
	const uint8_t loopback[4] = {127, 0, 0, 1};
	uint16_t port;
	int report[2];

	assert_int_equal(pipe(report), 0);
	client->pid = fork();
	assert_true(client->pid >= 0);
	if (client->pid == 0)
		hold_socket(place, type, connects, with_sleep, report[1]);
	(void)close(report[1]);
	assert_int_equal(read(report[0], &port, sizeof(port)), sizeof(port));
	(void)close(report[0]);
	client->flow = (struct observed_flow){
		.local = ip_from_ipv4(loopback),
		.remote = ip_from_ipv4(loopback),
		.protocol = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP,
		.local_port = ntohs(port),
		.remote_port = place->port,
	};
	return client;
}

static void assert_owner(struct place *place, const struct client *client)
{
	struct flow_program found;

	assert_int_equal(flow_owner_find(place->owner, &client->flow, &found), 0);
	assert_non_null(found.program);
	assert_string_equal(found.program, place->own_program);
	assert_int_equal(found.pid, client->pid);
	assert_int_equal(found.user, geteuid());
	flow_program_clear(&found);
}

static void assert_nobody(struct place *place, const struct observed_flow *flow)
{
	struct flow_program found;

	assert_int_equal(flow_owner_find(place->owner, flow, &found), 0);
	assert_null(found.program);
	assert_int_equal(found.user, UINT32_MAX);
	flow_program_clear(&found);
}

static void connected_sockets_are_found(void **state)
{
	assert_owner(*state, start(*state, SOCK_STREAM, true, false));
	assert_owner(*state, start(*state, SOCK_DGRAM, true, false));
}

static void a_datagram_socket_need_not_be_connected(void **state)
{
	assert_owner(*state, start(*state, SOCK_DGRAM, false, false));
}

static void a_socket_that_is_gone_is_nobodys(void **state)
{
	struct client *client = start(*state, SOCK_DGRAM, true, false);
	struct observed_flow flow = client->flow;

	end(client);
	assert_nobody(*state, &flow);
}

static void a_socket_of_two_programs_is_neithers(void **state)
{
	struct client *client = start(*state, SOCK_DGRAM, true, true);

	assert_nobody(*state, &client->flow);
}

static void many_are_found_in_one_pass(void **state)
{
	struct place *place = *state;
	struct observed_flow flows[CHILDREN];
	struct flow_program found[CHILDREN];

	for (size_t i = 0; i < CHILDREN; i++)
		flows[i] = start(place, i % 2 ? SOCK_STREAM : SOCK_DGRAM, true, i == 2)->flow;
	assert_int_equal(flow_owner_find_all(place->owner, flows, CHILDREN, found), 0);
	for (size_t i = 0; i < CHILDREN; i++) {
		if (i == 2) {
			assert_null(found[i].program);
		} else {
			assert_non_null(found[i].program);
			assert_int_equal(found[i].pid, place->clients[i].pid);
		}
		flow_program_clear(&found[i]);
	}
	assert_int_equal(flow_owner_find_all(place->owner, NULL, 0, NULL), 0);
}

/* Searches one after the other all succeed: an owner that is not found is a packet that is dropped.
 */
static void there_is_time_for_many(void **state)
{
	struct place *place = *state;
	struct client *client = start(place, SOCK_STREAM, true, false);
	uint64_t begun_ns = clock_monotonic_ns();
	unsigned int count = 500;

	for (unsigned int i = 0; i < count; i++)
		assert_owner(place, client);
	print_message("%u look-ups of one socket: %llu us each\n", count,
		      (unsigned long long)((clock_monotonic_ns() - begun_ns) / count / 1000));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(connected_sockets_are_found),
		TEST(a_datagram_socket_need_not_be_connected),
		TEST(a_socket_that_is_gone_is_nobodys),
		TEST(a_socket_of_two_programs_is_neithers),
		TEST(many_are_found_in_one_pass),
		TEST(there_is_time_for_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
