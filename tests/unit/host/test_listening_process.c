/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "observe/host/listening_process.h"

static int bound(int family)
{
	struct sockaddr_in ipv4 = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result;

	if (fd < 0)
		return -1;
	result = family == AF_INET ? bind(fd, (struct sockaddr *)&ipv4, sizeof(ipv4))
				   : bind(fd, (struct sockaddr *)&ipv6, sizeof(ipv6));
	if (result == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void only_a_listening_socket_counts(int family)
{
	int fd = bound(family);

	if (fd < 0) {
		print_message("SKIPPED: no loopback of family %d here\n", family);
		skip();
	}
	assert_false(process_listens(getpid()));
	assert_int_equal(listen(fd, 1), 0);
	assert_true(process_listens(getpid()));
	(void)close(fd);
	assert_false(process_listens(getpid()));
}

static void ipv4(void **state)
{
	(void)state;
	only_a_listening_socket_counts(AF_INET);
}

static void ipv6(void **state)
{
	(void)state;
	only_a_listening_socket_counts(AF_INET6);
}

/* As sshd's processes for one connection do. */
static void a_child_that_closed_it_does_not_listen(void **state)
{
	int fd = bound(AF_INET);
	int ready[2];
	char byte;
	pid_t child;

	(void)state;
	assert_true(fd >= 0 && listen(fd, 1) == 0);
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(fd);
		(void)!write(ready[1], "r", 1);
		(void)pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_true(process_listens(getpid()));
	assert_false(process_listens(child));
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	assert_false(process_listens(child));
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(a_child_that_closed_it_does_not_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
