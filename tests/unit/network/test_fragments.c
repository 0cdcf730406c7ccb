/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/nameser.h>
#include <netinet/in.h>

#include <cmocka.h>

#include "base/clock.h"
#include "observe/network/limits.h"
#include "tracker_script.h"

#define UDP_HEADER 8

/* A fragment of the answer in script->buffer, [begin, end) of its size bytes. */
static void feed(struct script *script, uint32_t id, size_t begin, size_t end, size_t size)
{
	struct packet packet = packet_between(IPPROTO_UDP, RESOLVER ":53", STATION ":33333");

	packet.fragment = true;
	packet.fragment_id = id;
	packet.fragment_follows = end < size;
	packet.payload = script->buffer + begin;
	packet.payload_size = end - begin;
	if (begin) {
		packet.fragment_offset = (uint16_t)(begin + UDP_HEADER);
		packet.has_ports = false;
		packet.source_port = packet.destination_port = 0;
	}
	script_packet(script, &packet);
}

static size_t ask(struct script *script)
{
	script_ask(script, 33333, 7, "www.example.com");
	text_free(&script->lines);
	return dns_make_answer(script->buffer, 7, "www.example.com", ns_t_a, "",
			       PUBLIC " 198.51.100.2", 60);
}

static const char answered[] = "name www.example.com 198.51.100.1 60\n"
			       "name www.example.com 198.51.100.2 60\n"
			       "role resolver 192.168.1.1\n";

static void answers_are_put_together(void **state)
{
	struct script script;
	size_t size;

	(void)state;
	script_begin(&script);
	size = ask(&script);
	feed(&script, 1, 0, 24, size);
	feed(&script, 1, 0, 24, size); /* seen on two interfaces */
	feed(&script, 1, 24, 40, size);
	script_expect(&script, "");
	feed(&script, 1, 40, size, size);
	script_expect(&script, answered);
	script_end(&script);

	script_begin(&script);
	size = ask(&script);
	feed(&script, 1, 40, size, size);
	feed(&script, 1, 24, 40, size);
	script_expect(&script, "");
	feed(&script, 1, 0, 24, size);
	script_expect(&script, answered);
	script_end(&script);
}

static void contradiction_ends_the_datagram(void **state)
{
	struct script script;
	size_t size;

	(void)state;
	script_begin(&script);
	size = ask(&script);
	feed(&script, 1, 0, 24, size);
	script.buffer[size - 1] ^= 1;
	feed(&script, 1, 32, size, size);
	script.buffer[size - 1] ^= 1;
	feed(&script, 1, 32, size, size);
	feed(&script, 1, 24, 32, size);
	script_expect(&script, "");
	/* another end than the last fragment's */
	feed(&script, 2, 0, 24, size);
	feed(&script, 2, 32, size, size);
	feed(&script, 2, 24, size - 1, size - 1);
	feed(&script, 2, 24, 32, size);
	script_expect(&script, "");
	script_end(&script);
}

static void pieces_of_different_datagrams_do_not_mix(void **state)
{
	struct script script;
	size_t size;

	(void)state;
	script_begin(&script);
	size = ask(&script);
	feed(&script, 1, 0, 24, size);
	feed(&script, 2, 24, size, size);
	script_expect(&script, "");
	/* the same id half a minute later is another datagram */
	script_wait(&script, 25);
	size = ask(&script);
	script_wait(&script, 6);
	tracker_advance(script.tracker, script.now_ns);
	text_free(&script.lines);
	feed(&script, 1, 24, size, size);
	script_expect(&script, "");
	script_end(&script);
}

static void only_what_was_asked_takes_room(void **state)
{
	struct script script;
	size_t size;

	(void)state;
	script_begin(&script);
	size = dns_make_answer(script.buffer, 7, "www.example.com", ns_t_a, "", PUBLIC, 60);
	for (uint32_t id = 100; id < 200; id++)
		feed(&script, id, 24, size, size);
	assert_int_equal(tracker_evicted(script.tracker), 0);
	size = ask(&script);
	for (uint32_t id = 100; id < 100 + FRAGMENTED_MAX + 5; id++)
		feed(&script, id, 24, size, size);
	assert_int_equal(tracker_evicted(script.tracker), 5);
	script_end(&script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_put_together),
		cmocka_unit_test(contradiction_ends_the_datagram),
		cmocka_unit_test(pieces_of_different_datagrams_do_not_mix),
		cmocka_unit_test(only_what_was_asked_takes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
