/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "observe/host/socket_counts.h"

static void reads_numbers(void **state)
{
	static const char text[] = "sockets: used 90\n"
				   "TCP: inuse 5 orphan 0 tw 2 alloc 5 mem 0\n"
				   "UDP: inuse 17 mem 2\n"
				   "UDPLITE: inuse 3\n"
				   "RAW: in";

	(void)state;
	assert_int_equal(socket_counts_parse(text, "UDP"), 17);
	assert_int_equal(socket_counts_parse(text, "UDPLITE"), 3);
	assert_int_equal(socket_counts_parse(text, "TCP"), 5);
	assert_int_equal(socket_counts_parse(text, "UDP6"), -1);
	assert_int_equal(socket_counts_parse(text, "sockets"), -1);
	assert_int_equal(socket_counts_parse(text, "RAW"), -1);
	assert_int_equal(socket_counts_parse("", "UDP"), -1);
}

static void notices_new_sockets(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct socket_counts *counts;
	bool changed = false;

	(void)state;
	assert_int_equal(socket_counts_new(&counts), 0);
	socket_counts_read(counts);
	assert_true(socket_counts_changed(counts, IPPROTO_UDP));
	/* others on this machine may close one in the same moment, though not every time */
	for (int i = 0; i < 10 && !changed; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		socket_counts_read(counts);
		assert_int_equal(bind(fd, (void *)&address, sizeof(address)), 0);
		socket_counts_read(counts);
		changed = socket_counts_changed(counts, IPPROTO_UDP);
		(void)close(fd);
	}
	assert_true(changed);
	socket_counts_free(counts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(notices_new_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
