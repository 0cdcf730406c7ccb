/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which listeners the socket watch sees, against the kernel. Needs root. */
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
	assert_int_equal(socket_watch_owner(scene->watch, &flow, 0, &program, &left_out), 0);
	assert_null(program);
	assert_true(left_out);
	close_scene(scene);
	(void)close(listener);
	(void)close(client);
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
		cmocka_unit_test(leaves_itself_out),
	};

	return run_in_namespace(argc, argv, tests);
}
