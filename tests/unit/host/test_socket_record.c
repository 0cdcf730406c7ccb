/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "observe/host/socket_record.h"

/* A message as the kernel lays it out: the structure, then length, type and value of each
 * attribute, padded to four bytes. */
struct message {
	uint8_t bytes[256];
	size_t size;
};

static struct message make_message(uint8_t family, uint8_t state, const char *local, uint16_t port)
{
	struct inet_diag_msg body = {
		.idiag_family = family,
		.idiag_state = state,
		.id.idiag_sport = htons(port),
		.id.idiag_cookie = {7, 1},
		.idiag_inode = 4711,
	};
	struct message message = {.size = sizeof(body)};

	assert_int_equal(inet_pton(family, local, body.id.idiag_src), 1);
	memcpy(message.bytes, &body, sizeof(body));
	return message;
}

static void append_attribute(struct message *message, uint16_t type, uint16_t length, uint8_t value)
{
	memcpy(message->bytes + message->size, &length, 2);
	memcpy(message->bytes + message->size + 2, &type, 2);
	message->bytes[message->size + 4] = value;
	message->size += 8;
}

static int parse(const struct message *message, struct socket_record *ret_record)
{
	return socket_record_parse(message->bytes, message->size, IPPROTO_TCP, ret_record);
}

static void assert_address(const struct ip_address *address, const char *expected)
{
	char text[IP_TEXT_SIZE];

	ip_format(address, text);
	assert_string_equal(text, expected);
}

static void reads_messages(void **state)
{
	struct message message = make_message(AF_INET, TCP_LISTEN, "192.0.2.1", 8080);
	struct socket_record record;

	(void)state;
	assert_int_equal(parse(&message, &record), 0);
	assert_int_equal(record.protocol, IPPROTO_TCP);
	assert_int_equal(record.state, TCP_LISTEN);
	assert_int_equal(record.family, 4);
	assert_address(&record.local, "192.0.2.1");
	assert_int_equal(record.local_port, 8080);
	assert_int_equal(record.remote_port, 0);
	assert_int_equal(record.inode, 4711);
	assert_int_equal(record.cookie, UINT64_C(1) << 32 | 7);
	assert_false(record.v6_only_known);
}

static void reads_attributes(void **state)
{
	struct message message = make_message(AF_INET6, TCP_LISTEN, "::", 80);
	struct socket_record record;

	(void)state;
	append_attribute(&message, INET_DIAG_SHUTDOWN, 5, 0);
	append_attribute(&message, 999, 5, 1); /* of a kernel to come */
	append_attribute(&message, INET_DIAG_SKV6ONLY, 5, 1);
	append_attribute(&message, INET_DIAG_PROTOCOL, 5, IPPROTO_UDP);
	assert_int_equal(parse(&message, &record), 0);
	assert_int_equal(record.family, 6);
	assert_true(record.v6_only_known);
	assert_true(record.v6_only);
	assert_int_equal(record.protocol, IPPROTO_UDP);
	message = make_message(AF_INET6, TCP_LISTEN, "::ffff:192.0.2.1", 80);
	append_attribute(&message, INET_DIAG_SKV6ONLY, 5, 0);
	assert_int_equal(parse(&message, &record), 0);
	assert_false(record.v6_only);
	assert_int_equal(record.family, 6);
	assert_address(&record.local, "192.0.2.1");
}

static void refuses_broken_messages(void **state)
{
	struct message message = make_message(AF_INET6, TCP_LISTEN, "::", 80);
	struct socket_record record;
	size_t size = message.size;

	(void)state;
	for (message.size = 0; message.size < size; message.size++)
		assert_int_equal(parse(&message, &record), -EBADMSG);
	/* an attribute without its value */
	append_attribute(&message, INET_DIAG_SKV6ONLY, 4, 0);
	assert_int_equal(parse(&message, &record), -EBADMSG);
	/* one that claims to be longer or shorter than it is: left alone */
	message.size = size;
	append_attribute(&message, INET_DIAG_SKV6ONLY, 4000, 1);
	assert_int_equal(parse(&message, &record), 0);
	assert_false(record.v6_only_known);
	message.size = size;
	append_attribute(&message, INET_DIAG_SKV6ONLY, 1, 1);
	assert_int_equal(parse(&message, &record), 0);
	assert_false(record.v6_only_known);
	/* cut within an attribute's head */
	message.size = size + 3;
	assert_int_equal(parse(&message, &record), 0);
	/* neither IPv4 nor IPv6 */
	message.size = size;
	message.bytes[0] = AF_UNIX;
	assert_int_equal(parse(&message, &record), -EBADMSG);
}

static void reads_lines(void **state)
{
	static const char tcp[] =
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000"
		"  1000        0 1592 1 0000000053178a5b 100 0 0 10 0";
	static const char udp6[] =
		" 1234: 0000000000000000FFFF00000100007F:0035 B80D01200000000000000000010000"
		"00:C000 07 00000000:00000000 00:00000000 00000000   101        0 4294967295 2 "
		"00000000abcdef00 0";
	struct socket_record record;

	(void)state;
	/* words are written as the machine stores them */
	if (htonl(1) == 1)
		skip();
	assert_int_equal(socket_record_parse_line(tcp, 4, IPPROTO_TCP, &record), 0);
	assert_int_equal(record.protocol, IPPROTO_TCP);
	assert_address(&record.local, "127.0.0.1");
	assert_int_equal(record.local_port, 8080);
	assert_int_equal(record.state, TCP_LISTEN);
	assert_int_equal(record.inode, 1592);
	assert_int_equal(socket_record_parse_line(udp6, 6, IPPROTO_UDP, &record), 0);
	assert_int_equal(record.family, 6);
	assert_address(&record.local, "127.0.0.1");
	assert_address(&record.remote, "2001:db8::1");
	assert_int_equal(record.local_port, 53);
	assert_int_equal(record.remote_port, 0xc000);
	assert_int_equal(record.inode, UINT32_MAX);
}

static void refuses_other_lines(void **state)
{
	static const char *const lines[] = {
		"",
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt",
		"   0: 0100007F:1F90",
		/* an address too short, too long, and not of digits */
		"   0: 0100007:1F90 00000000:0000 0A 00000000:00000000 00:00000000 0 0 0 1592 1",
		"   0: 0100007F0:1F90 00000000:0000 0A 00000000:00000000 00:00000000 0 0 0 1592 1",
		"   0: 0100007Fx:1F90 00000000:0000 0A 00000000:00000000 00:00000000 0 0 0 1592 1",
		"   0: 01000x7F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 0 0 0 1592 1",
		/* IPv6 where IPv4 is read */
		"   0: 00000000000000000000000000000000:1F90 0000000000000000000000000000:0000 0A "
		"0",
		/* cut before the inode */
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 "
		"0",
	};
	struct socket_record record;

	(void)state;
	for (size_t i = 0; i < array_length(lines); i++)
		assert_int_equal(socket_record_parse_line(lines[i], 4, IPPROTO_TCP, &record),
				 -EBADMSG);
}

static void reads_sctp_lines(void **state)
{
	static const char heading[] = " ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS\n";
	static const char line[] = "ffff8800 ffff8801 1   10  29   5060     0 7788 192.0.2.1 "
				   "2001:0db8:0000:0000:0000:0000:0000:0001 \n";
	struct socket_record records[4];

	(void)state;
	assert_int_equal(socket_record_parse_sctp_line(heading, records, 4), -EBADMSG);
	assert_int_equal(socket_record_parse_sctp_line(line, records, 4), 2);
	assert_int_equal(records[0].protocol, IPPROTO_SCTP);
	assert_int_equal(records[0].state, TCP_LISTEN);
	assert_int_equal(records[0].local_port, 5060);
	assert_int_equal(records[0].inode, 7788);
	assert_address(&records[0].local, "192.0.2.1");
	assert_int_equal(records[1].family, 6);
	assert_address(&records[1].local, "2001:db8::1");
	assert_int_equal(socket_record_parse_sctp_line(line, records, 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_messages),	   cmocka_unit_test(reads_attributes),
		cmocka_unit_test(refuses_broken_messages), cmocka_unit_test(reads_lines),
		cmocka_unit_test(refuses_other_lines),	   cmocka_unit_test(reads_sctp_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
