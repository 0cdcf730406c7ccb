/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "observe/host/socket_listeners.h"

#define NOBODYS_INODE 4000000000U

static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, 0};

struct scene {
	struct socket_holder *holder;
	struct socket_listeners *listeners;
	uint64_t now_ns;
	size_t delivered;
	struct observed_listener last;
};

static void on_observation(void *context, const struct observation *observation)
{
	struct scene *scene = context;

	assert_int_equal(observation->kind, OBSERVATION_LISTENER);
	scene->delivered++;
	scene->last = observation->listener;
}

static void open_scene(struct scene *scene)
{
	struct socket_listeners_config config = {.deliver = on_observation, .context = scene};

	*scene = (struct scene){.now_ns = NS_PER_S};
	assert_int_equal(socket_holder_new(NULL, &scene->holder), 0);
	config.holder = scene->holder;
	assert_int_equal(socket_listeners_new(&config, &scene->listeners), 0);
}

static void close_scene(struct scene *scene)
{
	socket_listeners_free(scene->listeners);
	socket_holder_free(scene->holder);
}

/* An inode that nobody holds. */
static struct socket_record make_record(uint8_t protocol, uint16_t port)
{
	return (struct socket_record){
		.protocol = protocol,
		.state = protocol == IPPROTO_TCP ? TCP_LISTEN : TCP_CLOSE,
		.family = 4,
		.local.family = 4,
		.local_port = port,
		.inode = NOBODYS_INODE,
		.cookie = port,
	};
}

static void run_round(struct scene *scene, const struct socket_record *record, uint64_t later_ns)
{
	scene->now_ns += later_ns;
	if (record)
		assert_int_equal(socket_listeners_add(scene->listeners, record, scene->now_ns), 0);
	assert_int_equal(socket_listeners_end_round(scene->listeners, protocols, scene->now_ns), 0);
}

static void says_it_once_a_minute(void **state)
{
	struct socket_record record = make_record(IPPROTO_TCP, 80);
	struct scene scene;

	(void)state;
	open_scene(&scene);
	run_round(&scene, &record, 0);
	assert_int_equal(scene.delivered, 1);
	for (int i = 0; i < 59; i++)
		run_round(&scene, &record, NS_PER_S);
	assert_int_equal(scene.delivered, 1);
	run_round(&scene, &record, NS_PER_S);
	assert_int_equal(scene.delivered, 2);
	for (int i = 0; i < 59; i++)
		run_round(&scene, &record, NS_PER_S);
	assert_int_equal(scene.delivered, 2);
	/* neither do new sockets in the same place make it say more, nor different inodes */
	for (uint32_t i = 0; i < 100; i++) {
		record.inode = NOBODYS_INODE + 1 + i;
		run_round(&scene, &record, NS_PER_MS);
	}
	assert_int_equal(scene.delivered, 2);
	close_scene(&scene);
}

static void tells_places_apart(void **state)
{
	struct socket_record record = make_record(IPPROTO_TCP, 80);
	struct scene scene;

	(void)state;
	open_scene(&scene);
	run_round(&scene, &record, NS_PER_MS);
	record.local_port = 81;
	run_round(&scene, &record, NS_PER_MS);
	record.protocol = IPPROTO_UDP;
	run_round(&scene, &record, NS_PER_MS);
	record.local.bytes[0] = 10;
	run_round(&scene, &record, NS_PER_MS);
	assert_int_equal(scene.delivered, 4);
	record = make_record(IPPROTO_TCP, 82);
	record.family = record.local.family = 6;
	record.v6_only_known = true;
	run_round(&scene, &record, NS_PER_MS);
	assert_int_equal(scene.delivered, 5);
	assert_true(scene.last.dual_stack);
	record.inode = NOBODYS_INODE + 1;
	record.v6_only = true;
	run_round(&scene, &record, NS_PER_MS);
	assert_int_equal(scene.delivered, 6);
	assert_false(scene.last.dual_stack);
	close_scene(&scene);
}

static void claims_closed_sockets_it_never_met(void **state)
{
	struct socket_record record = make_record(IPPROTO_UDP, 69);
	struct scene scene;

	(void)state;
	open_scene(&scene);
	run_round(&scene, &record, 0);
	scene.now_ns += 100 * NS_PER_S;
	assert_int_equal(socket_listeners_closed(scene.listeners, &record, scene.now_ns), 0);
	assert_int_equal(scene.delivered, 1);
	record.local_port = 70;
	record.cookie = 70;
	assert_int_equal(socket_listeners_closed(scene.listeners, &record, scene.now_ns), 0);
	assert_int_equal(scene.delivered, 2);
	assert_null(scene.last.program);
	/* any IPv6 address: whether it took IPv4 was not told */
	record.local_port = 71;
	record.cookie = 71;
	record.family = record.local.family = 6;
	assert_int_equal(socket_listeners_closed(scene.listeners, &record, scene.now_ns), 0);
	assert_int_equal(scene.delivered, 2);
	close_scene(&scene);
}

static void holds_chosen_ports_back(void **state)
{
	struct socket_record record;
	struct scene scene;

	(void)state;
	open_scene(&scene);
	for (uint16_t port = 2000; port < 2100; port++) {
		record = make_record(IPPROTO_UDP, port);
		run_round(&scene, &record, NS_PER_MS);
		run_round(&scene, NULL, NS_PER_MS);
	}
	assert_int_equal(scene.delivered, 4);
	/* what stays is a listener all the same */
	run_round(&scene, &record, NS_PER_MS);
	assert_int_equal(scene.delivered, 4);
	run_round(&scene, &record, 10 * NS_PER_S);
	assert_int_equal(scene.delivered, 5);
	/* as is a port with a meaning */
	record = make_record(IPPROTO_UDP, 123);
	run_round(&scene, &record, NS_PER_MS);
	assert_int_equal(scene.delivered, 6);
	close_scene(&scene);
}

static void leaves_its_own_out(void **state)
{
	struct socket_record record = make_record(IPPROTO_TCP, 80);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct scene scene;
	struct stat status;

	(void)state;
	assert_int_equal(fstat(fd, &status), 0);
	record.inode = (uint32_t)status.st_ino;
	open_scene(&scene);
	run_round(&scene, &record, 0);
	run_round(&scene, &record, 100 * NS_PER_S);
	assert_int_equal(scene.delivered, 0);
	close_scene(&scene);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_it_once_a_minute),
		cmocka_unit_test(tells_places_apart),
		cmocka_unit_test(claims_closed_sockets_it_never_met),
		cmocka_unit_test(holds_chosen_ports_back),
		cmocka_unit_test(leaves_its_own_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
