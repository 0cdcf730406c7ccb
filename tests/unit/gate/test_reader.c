/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "dns_scene.h"
#include "gate/queue.h"
#include "gate/reader.h"
#include "privilege/channel.h"
#include "rules/program.h"

enum { RECORDS_MAX = 1024, CLIENT_LIMIT_S = 10 };

/* What a gate has, and what it was told during one client's life. */
static struct {
	const struct scene_backend *backend;
	int queues;
	int log;
	struct worker *reader;
	size_t count;
	struct held records[RECORDS_MAX];
} gate;

/* ---- the gate: every record is checked, every packet answered ---- */

static void start_reader(void)
{
	const struct reader_config config = {
		.queues = gate.queues, .log = gate.log, .first_queue = SCENE_QUEUE};
	struct error error = {0};

	if (reader_start(&config, &gate.reader, &error) < 0)
		fail_msg("%s", error.message);
}

static void release(const struct held *held)
{
	const uint32_t mark = SCENE_MARK;

	assert_int_equal(queue_answer(gate.queues, (uint16_t)(SCENE_QUEUE + held->queue),
				      held->packet,
				      gate.backend->repeats ? QUEUE_REPEAT : QUEUE_ACCEPT,
				      gate.backend->repeats ? &mark : NULL, NULL, 0),
			 0);
}

static void drop(const struct held *held)
{
	assert_int_equal(queue_answer(gate.queues, (uint16_t)(SCENE_QUEUE + held->queue),
				      held->packet, QUEUE_DROP, NULL, NULL, 0),
			 0);
}

/* Takes what there is within a time; permits: which packets go on, NULL for all. */
static void take_records(int wait_ms, bool (*permits)(const struct held *held))
{
	static struct held batch[HELD_PER_MESSAGE];
	struct pollfd readable = {.fd = worker_channel(gate.reader), .events = POLLIN};
	int count;

	if (poll(&readable, 1, wait_ms) != 1)
		return;
	count = channel_receive(worker_channel(gate.reader), batch, sizeof(batch[0]),
				HELD_PER_MESSAGE, false, NULL);
	assert_in_range(count, 1, HELD_PER_MESSAGE);
	for (int i = 0; i < count; i++) {
		assert_true(held_is_valid(&batch[i]));
		assert_true(gate.count < RECORDS_MAX);
		gate.records[gate.count++] = batch[i];
		if (batch[i].kind == HELD_REFUSED || batch[i].more)
			continue;
		if (!permits || permits(&batch[i]))
			release(&batch[i]);
		else
			drop(&batch[i]);
	}
}

/* Runs a client in a process of its own, and the gate until it is done. What it returned. */
static int serve(int (*client)(void), bool (*permits)(const struct held *held))
{
	pid_t pid;
	int status;

	gate.count = 0;
	pid = fork();
	if (pid == 0) {
		(void)alarm(CLIENT_LIMIT_S);
		_exit(client());
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		take_records(10, permits);
	while (gate.count == 0)
		take_records(1000, permits);
	take_records(50, permits);
	take_records(50, permits);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static size_t count_of(enum held_kind kind, enum held_way way)
{
	size_t count = 0;

	for (size_t i = 0; i < gate.count; i++)
		count += gate.records[i].kind == (uint32_t)kind && gate.records[i].way == way;
	return count;
}

static const struct held *first_of(enum held_kind kind)
{
	for (size_t i = 0; i < gate.count; i++)
		if (gate.records[i].kind == (uint32_t)kind)
			return &gate.records[i];
	fail_msg("no record of kind %d among %zu", kind, gate.count);
	return NULL;
}

/* Connections of the test before may still be trying, or closing. */
static void forget_streams(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < gate.count; i++)
		if (gate.records[i].flow.protocol == IPPROTO_UDP)
			gate.records[kept++] = gate.records[i];
	gate.count = kept;
}

/* ---- clients: 0 when they got what they wanted ---- */

static int open_stream(const char *resolver)
{
	struct sockaddr_storage address;
	socklen_t size = scene_address(resolver, 53, &address);
	int fd = scene_socket(resolver, SOCK_STREAM, NULL, 0);
	const int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (struct sockaddr *)&address, size) < 0)
		_exit(10);
	return fd;
}

static size_t put_question(uint8_t *bytes, uint16_t id, const char *name, uint16_t type)
{
	size_t size = scene_question(bytes + 2, id, name, type, true);

	bytes[0] = (uint8_t)(size >> 8);
	bytes[1] = (uint8_t)size;
	return size + 2;
}

/* One answer behind its length; returns its records, or ends the client. */
static unsigned int read_stream_answer(int fd, uint16_t id)
{
	uint8_t bytes[65536];
	size_t size;

	if (recv(fd, bytes, 2, MSG_WAITALL) != 2)
		_exit(11);
	size = (size_t)bytes[0] << 8 | bytes[1];
	if (recv(fd, bytes, size, MSG_WAITALL) != (ssize_t)size)
		_exit(12);
	if (bytes[0] != id >> 8 || bytes[1] != (id & 0xff))
		_exit(13);
	return (unsigned int)(bytes[6] << 8 | bytes[7]);
}

static int ask_by_datagram(void)
{
	static const char *const resolvers[] = {SCENE_RESOLVER_4, SCENE_RESOLVER_6};
	uint8_t message[NS_PACKETSZ];

	for (size_t i = 0; i < array_length(resolvers); i++) {
		struct sockaddr_storage address;
		socklen_t address_size = scene_address(resolvers[i], 53, &address);
		int fd = scene_socket(resolvers[i], SOCK_DGRAM, NULL, 0);
		size_t size = scene_question(message, 0x77, "Www.Example.org", ns_t_aaaa, true);

		if (sendto(fd, message, size, 0, (struct sockaddr *)&address, address_size) < 0 ||
		    recv(fd, message, sizeof(message), 0) < NS_HFIXEDSZ)
			return 1;
		(void)close(fd);
	}
	return 0;
}

static int ask_for_much(const char *resolver)
{
	uint8_t bytes[NS_PACKETSZ];
	int fd = open_stream(resolver);
	size_t size = put_question(bytes, 0x88, "big.example.org", ns_t_aaaa);

	if (send(fd, bytes, size, 0) != (ssize_t)size)
		return 1;
	return read_stream_answer(fd, 0x88) == SCENE_BIG ? 0 : 2;
}

static int ask_for_much_4(void)
{
	return ask_for_much(SCENE_RESOLVER_4);
}

static int ask_for_much_6(void)
{
	return ask_for_much(SCENE_RESOLVER_6);
}

/* As some do: the length on its own, then the rest; and then many at once. */
static int ask_in_odd_ways(void)
{
	uint8_t bytes[4096];
	int fd = open_stream(SCENE_RESOLVER_4);
	size_t size = put_question(bytes, 1, "one.example.org", ns_t_a);

	if (send(fd, bytes, 2, 0) != 2 || usleep(20000) < 0 ||
	    send(fd, bytes + 2, size - 2, 0) != (ssize_t)size - 2 || read_stream_answer(fd, 1) != 1)
		return 1;
	size = 0;
	for (uint16_t i = 0; i < 20; i++)
		size += put_question(bytes + size, i, "many.example.org", ns_t_a);
	if (send(fd, bytes, size, 0) != (ssize_t)size)
		return 2;
	for (uint16_t i = 0; i < 20; i++)
		if (read_stream_answer(fd, i) != 1)
			return 3;
	return 0;
}

static int ask_in_pieces(void)
{
	uint8_t bytes[NS_PACKETSZ];
	int fd = open_stream(SCENE_RESOLVER_4);
	size_t size = put_question(bytes, 1, "secret.example.org", ns_t_a);

	if (send(fd, bytes, 20, 0) != 20 || usleep(20000) < 0 ||
	    send(fd, bytes + 20, size - 20, 0) != (ssize_t)size - 20)
		return 1;
	return recv(fd, bytes, 2, MSG_WAITALL) < 0 ? 0 : 2;
}

/* Asks for TCP to a port of the resolver's that nobody has. */
static int knock(uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t size = scene_address(SCENE_RESOLVER_4, port, &address);
	int fd = scene_socket(SCENE_RESOLVER_4, SOCK_STREAM, NULL, 0);

	return connect(fd, (struct sockaddr *)&address, size) < 0 ? 0 : 1;
}

static int knock_at_8080(void)
{
	return knock(8080);
}

static int knock_at_refused(void)
{
	return knock(8081) | knock(8082);
}

/* ---- the tests ---- */

static void tells_datagrams(void **state)
{
	const struct held *held;

	(void)state;
	assert_int_equal(serve(ask_by_datagram, NULL), 0);
	forget_streams();
	assert_int_equal(gate.count, 4);
	held = &gate.records[0];
	assert_int_equal(held->kind, HELD_QUESTION);
	assert_int_equal(held->way, HELD_OUT);
	assert_int_equal(held->queue, RULE_QUEUE_NAMES);
	assert_int_equal(held->dns_id, 0x77);
	assert_int_equal(held->question_type, ns_t_aaaa);
	assert_true(held->edns);
	assert_false(held->over_tcp);
	assert_string_equal(held->asked, "Www.Example.org");
	assert_string_equal(held->flow.name, "www.example.org");
	assert_int_equal(held->flow.local.family, 4);
	held = &gate.records[1];
	assert_int_equal(held->kind, HELD_ANSWER);
	assert_int_equal(held->way, HELD_IN);
	assert_int_equal(held->address_count, 1);
	assert_int_equal(held->addresses[0].ttl_s, 60);
	assert_false(held->edns);
	assert_int_equal(held->flow.local_port, gate.records[0].flow.local_port);
	assert_true(ip_equal(&held->flow.remote, &gate.records[0].flow.remote));
	assert_int_equal(gate.records[2].kind, HELD_QUESTION);
	assert_int_equal(gate.records[2].flow.local.family, 6);
	assert_int_equal(gate.records[3].kind, HELD_ANSWER);
}

static void much_arrives(int (*client)(void))
{
	size_t parts;

	assert_int_equal(serve(client, NULL), 0);
	/* on a slow machine TCP repeats itself */
	assert_true(count_of(HELD_QUESTION, HELD_OUT) >= 1);
	assert_true(count_of(HELD_ANSWER, HELD_IN) >= 1);
	assert_int_equal(first_of(HELD_ANSWER)->address_count, DNS_ADDRESSES_MAX);
	assert_true(first_of(HELD_ANSWER)->left_out);
	assert_true(first_of(HELD_ANSWER)->over_tcp);
	assert_int_equal(count_of(HELD_UNREADABLE, HELD_IN), 0);
	assert_int_equal(count_of(HELD_UNREADABLE, HELD_OUT), 0);
	/* 8429 bytes in segments that fit the network, though they came as one (offload) */
	parts = count_of(HELD_PART, HELD_IN);
	assert_in_range(parts, 6, 40);
}

static void tells_streams_in_segments(void **state)
{
	(void)state;
	much_arrives(ask_for_much_4);
	much_arrives(ask_for_much_6);
}

static void tells_many_questions_of_one_segment(void **state)
{
	size_t more = 0;

	(void)state;
	assert_int_equal(serve(ask_in_odd_ways, NULL), 0);
	assert_true(count_of(HELD_QUESTION, HELD_OUT) >= 21);
	assert_true(count_of(HELD_ANSWER, HELD_IN) >= 21);
	assert_int_equal(count_of(HELD_UNREADABLE, HELD_OUT), 0);
	for (size_t i = 0; i < gate.count; i++)
		more += gate.records[i].way == HELD_OUT && gate.records[i].more;
	assert_true(more >= 19);
}

static bool permits_parts(const struct held *held)
{
	return held->kind == HELD_PART;
}

/* TCP may put the pieces together when it tries again: then it is a question as any other. */
static void keeps_questions_in_pieces(void **state)
{
	unsigned int before = scene_questions();

	(void)state;
	assert_int_equal(serve(ask_in_pieces, permits_parts), 0);
	assert_true(count_of(HELD_UNREADABLE, HELD_OUT) > 0);
	assert_int_equal(scene_questions(), before);
}

static bool permits_the_second_time(const struct held *held)
{
	return (held->kind != HELD_ANSWER && held->kind != HELD_QUESTION) ||
	       count_of(held->kind, held->way) > 1;
}

/* Whatever is dropped comes again, and is told again. */
static void tells_again_what_comes_again(void **state)
{
	(void)state;
	assert_int_equal(serve(ask_for_much_4, permits_the_second_time), 0);
	assert_true(count_of(HELD_QUESTION, HELD_OUT) >= 2);
	assert_true(count_of(HELD_ANSWER, HELD_IN) >= 2);
	assert_int_equal(count_of(HELD_UNREADABLE, HELD_IN), 0);
}

static bool permits_all_but_every_third(const struct held *held)
{
	static unsigned int seen;

	return held->way == HELD_OUT || ++seen % 3 != 0;
}

/* Parts that are lost on the way come out of order. */
static void puts_lost_parts_in_order(void **state)
{
	(void)state;
	assert_int_equal(serve(ask_for_much_6, permits_all_but_every_third), 0);
	assert_int_equal(count_of(HELD_UNREADABLE, HELD_IN), 0);
	assert_true(count_of(HELD_ANSWER, HELD_IN) >= 1);
}

static void tells_first_packets(void **state)
{
	const struct held *held;

	(void)state;
	assert_int_equal(serve(knock_at_8080, NULL), 0);
	held = first_of(HELD_FLOW);
	assert_int_equal(held->queue, RULE_QUEUE_FLOWS);
	assert_int_equal(held->way, HELD_OUT);
	assert_int_equal(held->flow.protocol, IPPROTO_TCP);
	assert_int_equal(held->flow.remote_port, 8080);
	assert_int_not_equal(held->flow.local_port, 0);
}

static void tells_what_was_refused(void **state)
{
	unsigned int found = 0;

	(void)state;
	assert_int_equal(serve(knock_at_refused, NULL), 0);
	for (size_t i = 0; i < gate.count; i++) {
		const struct held *held = &gate.records[i];

		/* of connections before this one */
		if (held->kind != HELD_REFUSED)
			continue;
		/* the prefix says so; else the hook */
		if (held->flow.remote_port == 8081)
			assert_int_equal(held->way, HELD_FORWARD);
		else
			assert_int_equal(held->way, HELD_OUT);
		found |= held->flow.remote_port == 8081 ? 1 : 2;
	}
	assert_int_equal(found, 3);
}

/* It dies; what it left is dropped, and another one goes on. */
static void is_replaced(void **state)
{
	char text[WORKER_END_TEXT_SIZE];

	(void)state;
	assert_int_equal(kill(worker_pid(gate.reader), SIGKILL), 0);
	worker_end(gate.reader, 1000, text);
	assert_non_null(strstr(text, "killed by signal 9"));
	assert_int_equal(queue_drop_all(gate.queues, SCENE_QUEUE), 0);
	assert_int_equal(queue_drop_all(gate.queues, SCENE_QUEUE + 1), 0);
	start_reader();
	assert_int_equal(serve(ask_by_datagram, NULL), 0);
	forget_streams();
	assert_int_equal(gate.count, 4);
}

static void leaves_with_the_gate(void **state)
{
	char text[WORKER_END_TEXT_SIZE];

	(void)state;
	assert_int_equal(shutdown(worker_channel(gate.reader), SHUT_RDWR), 0);
	worker_end(gate.reader, 2000, text);
	assert_string_equal(text, "ended");
	start_reader();
}

static int run_with(const struct scene_backend *backend)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_datagrams),
		cmocka_unit_test(tells_streams_in_segments),
		cmocka_unit_test(tells_many_questions_of_one_segment),
		cmocka_unit_test(keeps_questions_in_pieces),
		cmocka_unit_test(tells_again_what_comes_again),
		cmocka_unit_test(puts_lost_parts_in_order),
		cmocka_unit_test(tells_first_packets),
		cmocka_unit_test(tells_what_was_refused),
		cmocka_unit_test(is_replaced),
		cmocka_unit_test(leaves_with_the_gate),
	};

	gate.backend = backend;
	return cmocka_run_group_tests_name(backend->name, tests, NULL, NULL);
}

int main(void)
{
	struct error error = {0};
	int failed = 0;
	int result;

	(void)alarm(100);
	if (!scene_enter())
		return 77;
	result = queue_open(SCENE_QUEUE, 2, SCENE_QUEUE_LENGTH, &gate.queues, &error);
	if (result == 0)
		result = queue_open_log(SCENE_LOG_GROUP, &gate.log, &error);
	if (result < 0) {
		print_message("%s\n", error.message);
		scene_leave();
		return result == -EOPNOTSUPP ? 77 : 1;
	}
	start_reader();
	for (size_t i = 0; i < SCENE_BACKENDS; i++) {
		if (!scene_apply(&scene_backends[i]))
			continue;
		failed += run_with(&scene_backends[i]);
		scene_run("%s", scene_backends[i].remove);
	}
	worker_end(gate.reader, 0, NULL);
	scene_leave();
	return failed;
}
