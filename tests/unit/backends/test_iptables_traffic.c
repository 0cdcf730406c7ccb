/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "filter_backend.h"
#include "gate/queue.h"
#include "gate/queue_message.h"
#include "rules/render.h"

static const struct backend_type *const type = &backend_iptables;

static void test_members_and_counts(void **state)
{
	struct rule_program *program;
	struct backend *backend;
	struct backend_counts counts = {0};
	struct rule_member members[2] = {filter_backend_member("127.0.0.1", 9999),
					 filter_backend_member("::1", 9999)};
	struct rule_member other = filter_backend_member("127.0.0.1", 9998);

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	backend = filter_backend_open();
	program = filter_scene_small_program(9999);
	assert_int_equal(type->add(backend, FILTER_SCENE_OPEN, members, 2, NULL), -EINVAL);
	filter_backend_apply(backend, program);
	assert_false(filter_scene_send("127.0.0.1", 9999));
	assert_false(filter_scene_send("127.0.0.1", 9999));
	assert_false(filter_scene_send("::1", 9999));
	assert_true(filter_scene_send("127.0.0.1", 9998));
	assert_int_equal(type->counts(backend, &counts, NULL), 0);
	assert_int_equal(counts.refused_out, 3);
	assert_int_equal(counts.refused_in, 0);

	assert_int_equal(type->add(backend, FILTER_SCENE_OPEN, &other, 1, NULL), 0);
	assert_false(filter_scene_send("127.0.0.1", 9999));
	assert_int_equal(type->add(backend, FILTER_SCENE_OPEN, members, 2, NULL), 0);
	assert_true(filter_scene_send("127.0.0.1", 9999));
	assert_true(filter_scene_send("::1", 9999));
	/* renewed, not added twice */
	members[0].timeout_s = 5000;
	assert_int_equal(type->add(backend, FILTER_SCENE_OPEN, members, 1, NULL), 0);
	filter_scene_run("ipset list rtguard-a4-open | "
			 "grep -Eq '^127.0.0.1,udp:9999 timeout (49[0-9][0-9]|5000)$'");
	assert_int_equal(type->remove(backend, FILTER_SCENE_OPEN, members, 2, NULL), 0);
	assert_int_equal(type->remove(backend, FILTER_SCENE_OPEN, members, 2, NULL), 0);
	assert_false(filter_scene_send("127.0.0.1", 9999));
	assert_int_equal(type->add(backend, 2, members, 1, NULL), -EINVAL);
	type->close(backend);
	rule_program_free(program);
}

static void test_full_set(void **state)
{
	struct rule_program *program;
	struct backend *backend;
	struct rule_member member = filter_backend_member("10.0.0.0", 9999);
	struct error error = {0};
	int result = 0;
	size_t added = 0;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	program = filter_scene_small_program(9999);
	backend = filter_backend_open();
	filter_backend_apply(backend, program);
	while (result == 0 && added < 200000) {
		member.address.bytes[1] = (uint8_t)(added >> 16);
		member.address.bytes[2] = (uint8_t)(added >> 8);
		member.address.bytes[3] = (uint8_t)added;
		result = type->add(backend, FILTER_SCENE_OPEN, &member, 1, &error);
		added += result == 0;
	}
	assert_int_equal(result, -ENOSPC);
	assert_in_range(added, render_set_room(&program->sets[FILTER_SCENE_OPEN]),
			2 * render_set_room(&program->sets[FILTER_SCENE_OPEN]));
	assert_int_equal(type->clear(NULL), 0);
	type->close(backend);
	rule_program_free(program);
}

static void test_counts_by_way(void **state)
{
	struct rule_program *program;
	struct backend *backend;
	struct backend_counts counts = {0};

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	program = filter_scene_counting_program();
	backend = filter_backend_open();
	filter_backend_apply(backend, program);
	for (unsigned int i = 0; i < 50; i++) /* more than are reported */
		assert_true(filter_scene_send("127.0.0.1", 9001));
	for (unsigned int i = 0; i < 3; i++)
		assert_true(filter_scene_send("::1", 9002));
	assert_true(filter_scene_send("::1", 9003));
	assert_int_equal(type->counts(backend, &counts, NULL), 0);
	assert_int_equal(counts.refused_out, 50);
	assert_int_equal(counts.refused_in, 3);
	assert_int_equal(counts.refused_forward, 0);
	type->close(backend);
	rule_program_free(program);
}

/* ---- reloads ---- */

struct tally {
	unsigned int sent;
	unsigned int lost;   /* permitted, and refused */
	unsigned int leaked; /* forbidden, and let through */
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* Sends to a permitted and to a forbidden address in turn until it is told to stop. */
static struct tally send_on(void)
{
	struct tally tally = {0};

	(void)signal(SIGTERM, stop);
	while (!stopped) {
		tally.lost += !filter_scene_send("127.0.0.1", 9999);
		tally.leaked += filter_scene_send("127.0.0.2", 9999);
		tally.lost += !filter_scene_send("::1", 9999);
		tally.sent++;
	}
	return tally;
}

/* Large and small programs in turn, under traffic: each has what is permitted in a set of its own.
 */
static void test_reload_under_traffic(void **state)
{
	struct rule_member members[] = {filter_backend_member("127.0.0.1", 9999),
					filter_backend_member("::1", 9999)};
	struct rule_program *programs[2];
	struct tally tally = {0};
	struct backend *backend;
	int results[2];
	pid_t child;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	for (size_t i = 0; i < array_length(programs); i++) {
		programs[i] = filter_scene_large_program(9999, i * 10000);
		for (size_t j = 0; j < array_length(members); j++)
			assert_int_equal(
				rule_set_add(&programs[i]->sets[FILTER_SCENE_OPEN], &members[j]),
				0);
		rule_set_sort(&programs[i]->sets[FILTER_SCENE_OPEN]);
	}
	backend = filter_backend_open();
	filter_backend_apply(backend, programs[0]);
	assert_int_equal(pipe(results), 0);
	child = fork();
	if (child == 0) {
		tally = send_on();
		_exit(write(results[1], &tally, sizeof(tally)) == sizeof(tally) ? 0 : 1);
	}
	for (size_t i = 1; i <= 20; i++)
		filter_backend_apply(backend, programs[i % 2]);
	assert_int_equal(kill(child, SIGTERM), 0);
	assert_int_equal(read(results[0], &tally, sizeof(tally)), sizeof(tally));
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(tally.sent > 1000);
	assert_int_equal(tally.lost, 0);
	assert_int_equal(tally.leaked, 0);
	type->close(backend);
	for (size_t i = 0; i < array_length(programs); i++)
		rule_program_free(programs[i]);
	(void)close(results[0]);
	(void)close(results[1]);
}

/* ---- held packets ---- */

struct held_packet {
	unsigned int count;
	uint16_t queue;
	uint32_t packet;
	uint32_t mark;
};

static void take(void *context, const struct queue_message *message)
{
	struct held_packet *held = context;

	held->count++;
	held->queue = message->queue;
	held->packet = message->packet;
	held->mark = message->mark;
}

/* What comes within a tenth of a second. */
static struct held_packet receive_held(int queue)
{
	static uint8_t datagram[QUEUE_DATAGRAM_SIZE];
	struct held_packet held = {0};
	struct pollfd wait = {.fd = queue, .events = POLLIN};

	while (poll(&wait, 1, 100) == 1) {
		ssize_t size = recv(queue, datagram, sizeof(datagram), 0);

		assert_true(size > 0);
		queue_message_each(datagram, (size_t)size, take, &held);
	}
	return held;
}

static bool arrived(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char byte;

	return poll(&wait, 1, 100) == 1 && recv(fd, &byte, 1, 0) == 1;
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in own = {.sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	return fd;
}

/* Held, sent round again with the release mark, not held again, and without the mark after us. */
static void test_released_by_mark(void **state)
{
	struct rule_program *program;
	struct backend *backend;
	struct held_packet held;
	_cleanup_(closep) int queue = -1;
	_cleanup_(closep) int listener = -1;
	uint32_t mark;

	(void)state;
	filter_scene_require();
	filter_scene_clear();
	filter_scene_run("iptables-legacy -A OUTPUT -m mark ! --mark 0 -j DROP");
	program = filter_scene_holding_program(9999);
	backend = filter_backend_open();
	filter_backend_apply(backend, program);
	assert_int_equal(queue_open(program->first_queue, RULE_QUEUE_COUNT, 64, &queue, NULL), 0);
	listener = listen_on(9999);

	assert_true(filter_scene_send("127.0.0.1", 9999));
	held = receive_held(queue);
	assert_int_equal(held.count, 1);
	assert_int_equal(held.queue, program->first_queue + RULE_QUEUE_FLOWS);
	assert_int_equal(held.mark, 0);
	assert_false(arrived(listener));
	mark = type->release_mark(backend);
	assert_int_equal(queue_answer(queue, held.queue, held.packet, QUEUE_REPEAT, &mark, NULL, 0),
			 0);
	assert_int_equal(receive_held(queue).count, 0);
	assert_true(arrived(listener));

	/* another mark is none */
	assert_true(filter_scene_send("127.0.0.1", 9999));
	held = receive_held(queue);
	mark ^= 0x00010000;
	assert_int_equal(queue_answer(queue, held.queue, held.packet, QUEUE_REPEAT, &mark, NULL, 0),
			 0);
	held = receive_held(queue);
	assert_int_equal(held.count, 1);
	assert_int_equal(held.mark, mark);
	assert_int_equal(queue_answer(queue, held.queue, held.packet, QUEUE_DROP, NULL, NULL, 0),
			 0);
	assert_false(arrived(listener));
	assert_int_equal(type->clear(NULL), 0);
	type->close(backend);
	rule_program_free(program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_and_counts),
		cmocka_unit_test(test_full_set),
		cmocka_unit_test(test_counts_by_way),
		cmocka_unit_test(test_reload_under_traffic),
		cmocka_unit_test(test_released_by_mark),
	};

	return cmocka_run_group_tests(tests, filter_backend_set_up, filter_backend_tear_down);
}
