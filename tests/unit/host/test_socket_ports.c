/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "observe/host/socket_events.h"
#include "observe/host/socket_ports.h"

static void reads_settings(void **state)
{
	static struct socket_ports ports;

	(void)state;
	socket_ports_parse(&ports, "1000\t2000", "1500,1600-1602,70000,1999");
	assert_false(socket_port_is_ephemeral(&ports, 999));
	assert_true(socket_port_is_ephemeral(&ports, 1000));
	assert_true(socket_port_is_ephemeral(&ports, 2000));
	assert_false(socket_port_is_ephemeral(&ports, 2001));
	assert_true(socket_port_is_ephemeral(&ports, 1499));
	assert_false(socket_port_is_ephemeral(&ports, 1500));
	assert_false(socket_port_is_ephemeral(&ports, 1600));
	assert_false(socket_port_is_ephemeral(&ports, 1602));
	assert_true(socket_port_is_ephemeral(&ports, 1603));
	assert_false(socket_port_is_ephemeral(&ports, 1999));
}

static void keeps_defaults_for_nonsense(void **state)
{
	static const char *const ranges[] = {"", "5", "x y", "9 3", "1 99999", "-4 5"};
	static struct socket_ports ports;

	(void)state;
	for (size_t i = 0; i < array_length(ranges); i++) {
		socket_ports_parse(&ports, ranges[i], ",,-5-,99999-");
		assert_int_equal(ports.low, 32768);
		assert_int_equal(ports.high, 60999);
	}
}

static void knows_listeners(void **state)
{
	static const struct {
		uint8_t protocol;
		uint8_t state;
		uint16_t local_port;
		uint16_t remote_port;
		bool listens;
	} cases[] = {
		{IPPROTO_TCP, TCP_LISTEN, 80, 0, true},
		{IPPROTO_TCP, TCP_LISTEN, 40000, 0, true},
		{IPPROTO_TCP, TCP_CLOSE, 80, 0, false},
		{IPPROTO_TCP, TCP_ESTABLISHED, 80, 4000, false},
		{IPPROTO_SCTP, TCP_LISTEN, 80, 0, true},
		{IPPROTO_UDP, TCP_CLOSE, 53, 0, true},
		{IPPROTO_UDP, TCP_CLOSE, 32767, 0, true},
		{IPPROTO_UDP, TCP_CLOSE, 32768, 0, false},
		{IPPROTO_UDP, TCP_CLOSE, 60999, 0, false},
		{IPPROTO_UDP, TCP_CLOSE, 61000, 0, true},
		{IPPROTO_UDP, TCP_CLOSE, 0, 0, false},
		{IPPROTO_UDP, TCP_ESTABLISHED, 53, 4000, false},
		{IPPROTO_UDPLITE, TCP_CLOSE, 5000, 0, true},
		{IPPROTO_UDPLITE, TCP_CLOSE, 40000, 0, false},
		{IPPROTO_RAW, TCP_CLOSE, 1, 0, false},
	};
	static struct socket_ports ports;

	(void)state;
	socket_ports_parse(&ports, "", "");
	for (size_t i = 0; i < array_length(cases); i++) {
		struct socket_record record = {
			.protocol = cases[i].protocol,
			.state = cases[i].state,
			.local_port = cases[i].local_port,
			.remote_port = cases[i].remote_port,
		};

		assert_int_equal(socket_is_listener(&ports, &record), cases[i].listens);
	}
}

/* Lets the kernel run the filter over a message, through a pair of sockets. */
static bool passes(int ends[2], uint16_t local_port, uint16_t remote_port)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_msg body;
	} message = {
		.body.id.idiag_sport = htons(local_port),
		.body.id.idiag_dport = htons(remote_port),
	};
	char received[sizeof(message)];

	assert_int_equal(send(ends[0], &message, sizeof(message), 0), sizeof(message));
	return recv(ends[1], received, sizeof(received), MSG_DONTWAIT) > 0;
}

static void filters_clients_in_the_kernel(void **state)
{
	struct sock_filter filter[SOCKET_EVENTS_FILTER_SIZE];
	struct sock_fprog program = {.len = SOCKET_EVENTS_FILTER_SIZE, .filter = filter};
	static struct socket_ports ports;
	int ends[2];

	(void)state;
	socket_ports_parse(&ports, "", "");
	socket_events_filter(&ports, filter);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	assert_int_equal(
		setsockopt(ends[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), 0);
	assert_true(passes(ends, 53, 0));
	assert_true(passes(ends, 32767, 0));
	assert_true(passes(ends, 61000, 0));
	assert_false(passes(ends, 32768, 0));
	assert_false(passes(ends, 60999, 0));
	assert_false(passes(ends, 0, 0));
	assert_false(passes(ends, 53, 1));
	assert_false(passes(ends, 40000, 53));
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_settings),
		cmocka_unit_test(keeps_defaults_for_nonsense),
		cmocka_unit_test(knows_listeners),
		cmocka_unit_test(filters_clients_in_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
