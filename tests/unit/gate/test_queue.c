/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
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
#include "gate/queue_message.h"
#include "gate/refusal.h"

static int queue_fd = -1;

#define PLACES_BEHIND_INTERFACE 2

static const struct place {
	const char *resolver;
	const char *host;
} places[] = {
	{SCENE_RESOLVER_4, SCENE_HOST_4}, {SCENE_RESOLVER_6, SCENE_HOST_6},
	{"127.0.0.53", "127.0.0.1"},	  {"::1", "::1"},
	{SCENE_HOST_4, SCENE_HOST_4},
};

/* ---- the queue's reader ---- */

static uint8_t datagram[QUEUE_DATAGRAM_SIZE];

static void keep_message(void *context, const struct queue_message *message)
{
	*(struct queue_message *)context = *message;
}

/* The next packet of the socket; false when none comes in time. */
static bool next_packet(int fd, int wait_ms, struct queue_message *ret_message)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};

	memset(ret_message, 0, sizeof(*ret_message));
	while (poll(&readable, 1, wait_ms) == 1) {
		ssize_t size = recv(fd, datagram, sizeof(datagram), MSG_DONTWAIT);

		if (size > 0)
			queue_message_each(datagram, (size_t)size, keep_message, ret_message);
		if (ret_message->bytes)
			return true;
	}
	return false;
}

static void expect_packet(uint8_t hook, struct queue_message *ret_message)
{
	if (!next_packet(queue_fd, 1000, ret_message))
		fail_msg("nothing is held");
	assert_int_equal(ret_message->queue, SCENE_QUEUE);
	assert_int_equal(ret_message->hook, hook);
	assert_int_not_equal(ret_message->packet, 0);
}

static void release(const struct scene_backend *backend, const struct queue_message *message)
{
	const uint32_t mark = SCENE_MARK;

	assert_int_equal(queue_answer(queue_fd, SCENE_QUEUE, message->packet,
				      backend->repeats ? QUEUE_REPEAT : QUEUE_ACCEPT,
				      backend->repeats ? &mark : NULL, NULL, 0),
			 0);
}

/* ---- the asker ---- */

struct asker {
	int fd;
	bool is_connected;
	const struct place *place;
	struct held held; /* its question, as a reader would tell it */
};

static uint16_t port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

/* As those do that keep to one interface: the answer comes in over another one. */
static void bind_to_interface(const struct asker *asker)
{
	static const char interface[] = "host";

	assert_int_equal(
		setsockopt(asker->fd, SOL_SOCKET, SO_BINDTODEVICE, interface, sizeof(interface)),
		0);
}

static void start_asker(struct asker *asker, const struct place *place, bool is_connected)
{
	struct sockaddr_storage resolver;
	socklen_t size = scene_address(place->resolver, 53, &resolver);

	memset(asker, 0, sizeof(*asker));
	asker->place = place;
	asker->is_connected = is_connected;
	asker->fd = scene_socket(place->resolver, SOCK_DGRAM, NULL, 0);
	if (is_connected)
		assert_int_equal(connect(asker->fd, (struct sockaddr *)&resolver, size), 0);
}

static void send_question(struct asker *asker, uint16_t id, uint16_t type)
{
	struct held *held = &asker->held;
	struct sockaddr_storage resolver;
	socklen_t size = scene_address(asker->place->resolver, 53, &resolver);
	uint8_t message[NS_PACKETSZ];
	size_t message_size = scene_question(message, id, "EviL.example.org", type, true);

	assert_int_equal(sendto(asker->fd, message, message_size, 0,
				asker->is_connected ? NULL : (struct sockaddr *)&resolver,
				asker->is_connected ? 0 : size),
			 message_size);
	*held = (struct held){
		.kind = HELD_QUESTION, .dns_id = id, .question_type = type, .edns = true};
	held->flow.protocol = IPPROTO_UDP;
	held->flow.local_port = port_of(asker->fd);
	held->flow.remote_port = 53;
	strcpy(held->asked, "EviL.example.org");
	assert_int_equal(ip_parse(asker->place->host, &held->flow.local), 0);
	assert_int_equal(ip_parse(asker->place->resolver, &held->flow.remote), 0);
}

/* The answer's rcode and id; negative errno when none comes within a second. */
static int read_answer(const struct asker *asker, uint16_t *ret_id)
{
	uint8_t message[NS_PACKETSZ];
	struct sockaddr_storage from = {0}, resolver;
	socklen_t size = sizeof(from);
	ssize_t received =
		recvfrom(asker->fd, message, sizeof(message), 0, (struct sockaddr *)&from, &size);

	if (received < 0)
		return -errno;
	/* where it seems to come from is what resolvers check */
	size = scene_address(asker->place->resolver, 53, &resolver);
	if (from.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&from)->sin6_scope_id = 0;
	assert_memory_equal(&from, &resolver, size);
	assert_true(received >= NS_HFIXEDSZ);
	*ret_id = (uint16_t)(message[0] << 8 | message[1]);
	return message[3] & 0xf;
}

static void expect_answer(const struct asker *asker, const char *what, uint16_t id, int rcode)
{
	uint16_t got_id = 0;
	int got = read_answer(asker, &got_id);

	if (got < 0)
		fail_msg("%s: %s%s: no answer: %s", what, asker->place->resolver,
			 asker->is_connected ? " (connected)" : "", strerror(-got));
	assert_int_equal(got, rcode);
	assert_int_equal(got_id, id);
}

static void turn_round(const struct asker *asker, const struct queue_message *message,
		       uint8_t rcode)
{
	const uint32_t mark = SCENE_MARK;
	uint8_t packet[REFUSAL_SIZE_MAX];
	size_t size = refusal_build(&asker->held, rcode, packet);

	assert_true(size > 0);
	assert_int_equal(queue_answer(queue_fd, SCENE_QUEUE, message->packet, QUEUE_ACCEPT, &mark,
				      packet, size),
			 0);
}

/* ---- the tests ---- */

static void refused_question_is_answered(const struct scene_backend *backend,
					 const struct place *place, bool is_connected,
					 bool is_bound)
{
	unsigned int before = scene_questions();
	struct queue_message message;
	struct asker asker;
	uint64_t start_ns;

	start_asker(&asker, place, is_connected);
	if (is_bound)
		bind_to_interface(&asker);
	send_question(&asker, 0x5301, ns_t_a);
	expect_packet(NF_INET_LOCAL_OUT, &message);
	start_ns = clock_monotonic_ns();
	turn_round(&asker, &message, ns_r_nxdomain);
	expect_answer(&asker, backend->name, 0x5301, ns_r_nxdomain);
	assert_true(clock_monotonic_ns() - start_ns < NS_PER_S);
	assert_int_equal(scene_questions(), before);
	/* nor is the refusal itself held, or anything else left */
	assert_false(next_packet(queue_fd, 20, &message));
	(void)close(asker.fd);
}

/* On both ways the rules behind the hold decide, too. */
static void released_question_is_answered(const struct scene_backend *backend,
					  const struct place *place)
{
	unsigned int before = scene_questions();
	struct queue_message message;
	struct asker asker;

	start_asker(&asker, place, true);
	send_question(&asker, 0x5302, ns_t_a);
	expect_packet(NF_INET_LOCAL_OUT, &message);
	assert_int_equal(message.mark, 0);
	assert_int_equal(scene_questions(), before);
	release(backend, &message);
	expect_packet(NF_INET_LOCAL_IN, &message);
	assert_int_equal(message.mark, 0);
	assert_int_equal(scene_questions(), before + 1);
	release(backend, &message);
	expect_answer(&asker, backend->name, 0x5302, ns_r_noerror);
	(void)close(asker.fd);
}

/* An answer that must not get in, a refusal in its place. */
static void refused_answer_is_replaced(const struct scene_backend *backend,
				       const struct place *place)
{
	struct queue_message message;
	struct asker asker;

	start_asker(&asker, place, true);
	send_question(&asker, 0x5303, ns_t_a);
	expect_packet(NF_INET_LOCAL_OUT, &message);
	release(backend, &message);
	expect_packet(NF_INET_LOCAL_IN, &message);
	asker.held.kind = HELD_ANSWER;
	turn_round(&asker, &message, ns_r_servfail);
	expect_answer(&asker, backend->name, 0x5303, ns_r_servfail);
	(void)close(asker.fd);
}

/* As libc asks: for both families from one socket at once, before the first is answered. */
static void both_families_are_answered(const struct scene_backend *backend,
				       const struct place *place)
{
	struct queue_message message;
	struct asker asker;
	uint16_t ids[2] = {0};
	uint32_t packets[2];

	start_asker(&asker, place, true);
	for (unsigned int i = 0; i < 2; i++) {
		send_question(&asker, (uint16_t)(0x5304 + i), i ? ns_t_aaaa : ns_t_a);
		expect_packet(NF_INET_LOCAL_OUT, &message);
		packets[i] = message.packet;
	}
	for (unsigned int i = 0; i < 2; i++) {
		message.packet = packets[i];
		release(backend, &message);
	}
	for (unsigned int i = 0; i < 2; i++) {
		expect_packet(NF_INET_LOCAL_IN, &message);
		release(backend, &message);
	}
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(read_answer(&asker, &ids[i]), ns_r_noerror);
	assert_int_equal(ids[0] + ids[1], 0x5304 + 0x5305);
	(void)close(asker.fd);
}

static void dropped_question_is_gone(const struct scene_backend *backend, const struct place *place)
{
	unsigned int before = scene_questions();
	struct queue_message message;
	struct asker asker;

	(void)backend;
	start_asker(&asker, place, true);
	send_question(&asker, 0x5306, ns_t_a);
	expect_packet(NF_INET_LOCAL_OUT, &message);
	assert_int_equal(
		queue_answer(queue_fd, SCENE_QUEUE, message.packet, QUEUE_DROP, NULL, NULL, 0), 0);
	/* a number that is not there is no error, nor is one twice */
	assert_int_equal(
		queue_answer(queue_fd, SCENE_QUEUE, message.packet, QUEUE_ACCEPT, NULL, NULL, 0),
		0);
	send_question(&asker, 0x5307, ns_t_a);
	send_question(&asker, 0x5308, ns_t_a);
	assert_int_equal(queue_drop_all(queue_fd, SCENE_QUEUE), 0);
	while (next_packet(queue_fd, 0, &message))
		assert_int_equal(queue_answer(queue_fd, SCENE_QUEUE, message.packet, QUEUE_ACCEPT,
					      NULL, NULL, 0),
				 0);
	(void)usleep(50000);
	assert_int_equal(scene_questions(), before);
	(void)close(asker.fd);
}

static void turns_questions_round(void **state)
{
	const struct scene_backend *backend = *state;

	for (size_t i = 0; i < array_length(places); i++) {
		refused_question_is_answered(backend, &places[i], false, false);
		refused_question_is_answered(backend, &places[i], true, false);
	}
	for (size_t i = 0; i < PLACES_BEHIND_INTERFACE; i++) {
		refused_question_is_answered(backend, &places[i], false, true);
		refused_question_is_answered(backend, &places[i], true, true);
	}
}

/* The first two places have a resolver, of either family. */
#define FOR_BOTH(function)                                                                         \
	function(backend, &places[0]);                                                             \
	function(backend, &places[1])

static void releases_questions_and_answers(void **state)
{
	const struct scene_backend *backend = *state;

	FOR_BOTH(released_question_is_answered);
	FOR_BOTH(both_families_are_answered);
}

static void replaces_answers(void **state)
{
	const struct scene_backend *backend = *state;

	FOR_BOTH(refused_answer_is_replaced);
}

static void drops_what_is_refused(void **state)
{
	const struct scene_backend *backend = *state;

	FOR_BOTH(dropped_question_is_gone);
}

/* Nobody listens, or too slowly: nothing gets out. */
static void never_fails_open(void **state)
{
	unsigned int before = scene_questions();
	struct queue_message message;
	struct error error = {0};
	unsigned int held_count = 0;
	struct asker asker;

	(void)state;
	start_asker(&asker, &places[0], true);
	for (uint16_t i = 0; i < 3 * SCENE_QUEUE_LENGTH; i++)
		send_question(&asker, i, ns_t_a);
	while (next_packet(queue_fd, 20, &message))
		held_count++;
	assert_int_equal(held_count, SCENE_QUEUE_LENGTH);
	(void)close(queue_fd);
	send_question(&asker, 1, ns_t_a);
	(void)usleep(50000);
	assert_int_equal(scene_questions(), before);
	assert_int_equal(queue_open(SCENE_QUEUE, 2, SCENE_QUEUE_LENGTH, &queue_fd, &error), 0);
	(void)close(asker.fd);
}

/* A socket without room loses packets, counts them, and goes on as soon as there is some. */
static void counts_what_is_lost(void **state)
{
	const struct scene_backend *backend = *state;
	const int small = 1;
	int large = 1 << 20;
	unsigned int before = scene_questions();
	unsigned int held_count = 0;
	struct queue_message message;
	struct asker asker;

	assert_int_equal(queue_lost(queue_fd), 0);
	assert_int_equal(setsockopt(queue_fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	start_asker(&asker, &places[0], true);
	for (uint16_t i = 0; i < SCENE_QUEUE_LENGTH; i++)
		send_question(&asker, i, ns_t_a);
	assert_int_equal(setsockopt(queue_fd, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof(large)),
			 0);
	send_question(&asker, 0x5309, ns_t_a);
	while (next_packet(queue_fd, 20, &message))
		held_count++;
	assert_in_range(held_count, 2, SCENE_QUEUE_LENGTH - 1);
	assert_int_equal(queue_lost(queue_fd), SCENE_QUEUE_LENGTH + 1 - held_count);
	assert_int_equal(scene_questions(), before);
	assert_int_equal(queue_drop_all(queue_fd, SCENE_QUEUE), 0);
	(void)close(asker.fd);
	released_question_is_answered(backend, &places[0]);
}

static void is_alone_on_its_queues(void **state)
{
	struct error error = {0};
	int fd = -1;
	int log_fd = -1;

	(void)state;
	assert_int_equal(queue_open(SCENE_QUEUE + 1, 1, 1, &fd, &error), -EBUSY);
	assert_non_null(strstr(error.message, "4712"));
	assert_int_equal(fd, -1);
	assert_int_equal(queue_open_log(SCENE_LOG_GROUP, &log_fd, &error), 0);
	assert_int_equal(queue_open_log(SCENE_LOG_GROUP, &fd, &error), -EBUSY);
	assert_int_equal(fd, -1);
	(void)close(log_fd);
}

static void needs_its_capability(void **state)
{
	struct error error = {0};
	pid_t child = fork();
	int status = 0;

	(void)state;
	if (child == 0) {
		int fd = -1;

		if (setresuid(65534, 65534, 65534) < 0)
			_exit(2);
		_exit(queue_open(9, 1, 1, &fd, &error) == -EPERM &&
				      queue_open_log(9, &fd, &error) == -EPERM
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static int run_with(const struct scene_backend *backend)
{
	void *state = (void *)(uintptr_t)backend;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(turns_questions_round, state),
		cmocka_unit_test_prestate(releases_questions_and_answers, state),
		cmocka_unit_test_prestate(replaces_answers, state),
		cmocka_unit_test_prestate(drops_what_is_refused, state),
		cmocka_unit_test_prestate(never_fails_open, state),
		cmocka_unit_test_prestate(counts_what_is_lost, state),
		cmocka_unit_test_prestate(is_alone_on_its_queues, state),
		cmocka_unit_test_prestate(needs_its_capability, state),
	};

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
	result = queue_open(SCENE_QUEUE, 2, SCENE_QUEUE_LENGTH, &queue_fd, &error);
	if (result < 0) {
		print_message("%s\n", error.message);
		scene_leave();
		return result == -EOPNOTSUPP ? 77 : 1;
	}
	for (size_t i = 0; i < SCENE_BACKENDS; i++) {
		if (!scene_apply(&scene_backends[i]))
			continue;
		failed += run_with(&scene_backends[i]);
		scene_run("%s", scene_backends[i].remove);
	}
	scene_leave();
	return failed;
}
