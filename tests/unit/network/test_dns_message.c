/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/nameser.h>

#include <cmocka.h>

#include "frame_builder.h"
#include "observe/network/dns_message.h"
#include "observe/network/dns_service.h"

#define TYPE_HTTPS 65

/* Where things are: the question's name. */
#define QUESTION_NAME 12

static void put_name(struct frame *frame, const char *name)
{
	while (*name) {
		size_t size = strcspn(name, ".");

		put_u8(frame, (unsigned int)size);
		put_bytes(frame, name, size);
		name += size + (name[size] == '.');
	}
	put_u8(frame, 0);
}

/* A response with room for counts, and its question. */
static void put_response(struct frame *frame, const char *question, unsigned int type,
			 unsigned int answers)
{
	put_be16(frame, 0x1234);
	put_be16(frame, 0x8180);
	put_be16(frame, 1);
	put_be16(frame, answers);
	put_be32(frame, 0);
	put_name(frame, question);
	put_be16(frame, type);
	put_be16(frame, ns_c_in);
}

/* Up to the length of the data, which comes next. */
static void put_record(struct frame *frame, const char *owner, unsigned int type, uint32_t ttl_s,
		       unsigned int size)
{
	put_name(frame, owner);
	put_be16(frame, type);
	put_be16(frame, ns_c_in);
	put_be32(frame, ttl_s);
	put_be16(frame, size);
}

static void put_cname(struct frame *frame, const char *owner, uint32_t ttl_s, const char *target)
{
	put_record(frame, owner, ns_t_cname, ttl_s, (unsigned int)strlen(target) + 2);
	put_name(frame, target);
}

static void put_a(struct frame *frame, const char *owner, uint32_t ttl_s, uint32_t address)
{
	put_record(frame, owner, ns_t_a, ttl_s, 4);
	put_be32(frame, address);
}

static int parse(const struct frame *frame, struct dns_message *message)
{
	return dns_message_parse(frame->bytes, frame->size, message);
}

static void assert_address(const struct dns_message *message, size_t at, const char *expected)
{
	char text[IP_TEXT_SIZE], line[IP_TEXT_SIZE + 32];

	assert_true(at < message->address_count);
	ip_format(&message->addresses[at].address, text);
	snprintf(line, sizeof(line), "%s %u%s", text, message->addresses[at].ttl_s,
		 message->addresses[at].hint ? " hint" : "");
	assert_string_equal(line, expected);
}

static void a_query_says_what_is_asked(void **state)
{
	struct frame frame = {.size = 0};
	struct dns_message message;

	(void)state;
	put_response(&frame, "_mqtt._TCP.Example.NET", ns_t_aaaa, 0);
	set_be16(&frame, 2, 0x0100);
	assert_int_equal(parse(&frame, &message), 0);
	assert_int_equal(message.id, 0x1234);
	assert_false(message.is_response || message.truncated);
	assert_int_equal(message.question_type, ns_t_aaaa);
	assert_string_equal(message.question, "_mqtt._tcp.example.net");
	assert_int_equal(message.address_count, 0);
	for (size_t cut = 0; cut < frame.size; cut++)
		assert_int_equal(dns_message_parse(frame.bytes, cut, &message), -EBADMSG);
}

static void aliases_are_followed_in_any_order(void **state)
{
	struct frame frame = {.size = 0};
	struct dns_message message;

	(void)state;
	put_response(&frame, "wWw.eXample.net", ns_t_a, 5);
	put_a(&frame, "END.example.org", 300, 0xc0000201);
	put_cname(&frame, "middle.example.com", 60, "end.EXAMPLE.org");
	put_cname(&frame, "www.example.NET", 20, "Middle.example.com");
	put_a(&frame, "other.example.org", 300, 0xc6336401); /* nobody asked */
	put_a(&frame, "end.example.org", 10, 0xc0000202);
	assert_int_equal(parse(&frame, &message), 0);
	assert_true(message.is_response);
	assert_string_equal(message.question, "www.example.net");
	assert_int_equal(message.address_count, 2);
	assert_address(&message, 0, "192.0.2.1 20");
	assert_address(&message, 1, "192.0.2.2 10");
}

static void alias_loops_end(void **state)
{
	struct frame frame = {.size = 0};
	struct dns_message message;
	char owner[32], target[32];

	(void)state;
	put_response(&frame, "a.example", ns_t_a, 4);
	put_cname(&frame, "a.example", 60, "b.example");
	put_cname(&frame, "b.example", 50, "a.example");
	put_cname(&frame, "b.example", 40, "b.example");
	put_a(&frame, "b.example", 300, 0xc0000201);
	assert_int_equal(parse(&frame, &message), 0);
	assert_int_equal(message.address_count, 1);
	assert_address(&message, 0, "192.0.2.1 60");

	/* a chain longer than anybody's is followed as far as the table goes */
	for (unsigned int length = DNS_ALIASES_MAX; length <= DNS_ALIASES_MAX + 1; length++) {
		frame.size = 0;
		put_response(&frame, "h0.example", ns_t_a, length + 1);
		for (unsigned int i = 0; i < length; i++) {
			snprintf(owner, sizeof(owner), "h%u.example", i);
			snprintf(target, sizeof(target), "h%u.example", i + 1);
			put_cname(&frame, owner, 60, target);
		}
		put_a(&frame, target, 300, 0xc0000201);
		assert_int_equal(parse(&frame, &message), 0);
		assert_int_equal(message.address_count, length == DNS_ALIASES_MAX);
	}
}

static void huge_times_to_live_are_none(void **state)
{
	struct frame frame = {.size = 0};
	struct dns_message message;

	(void)state;
	put_response(&frame, "a.example", ns_t_a, 2);
	put_a(&frame, "a.example", 0x80000000, 0xc0000201);
	put_a(&frame, "a.example", 0x7fffffff, 0xc0000202);
	assert_int_equal(parse(&frame, &message), 0);
	assert_address(&message, 0, "192.0.2.1 0");
	assert_address(&message, 1, "192.0.2.2 2147483647");
}

static void more_addresses_than_fit_are_said(void **state)
{
	struct frame frame = {.size = 0};
	struct dns_message message;

	(void)state;
	put_response(&frame, "a.example", ns_t_a, DNS_ADDRESSES_MAX + 1);
	for (unsigned int i = 0; i < DNS_ADDRESSES_MAX; i++)
		put_a(&frame, "a.example", 60, 0xc0000200 + i);
	put_a(&frame, "a.example", 30, 0xc0000200); /* again */
	assert_int_equal(parse(&frame, &message), 0);
	assert_int_equal(message.address_count, DNS_ADDRESSES_MAX);
	assert_false(message.addresses_left_out);
	assert_address(&message, 0, "192.0.2.0 30");
	frame.bytes[frame.size - 4] = 10; /* another address */
	assert_int_equal(parse(&frame, &message), 0);
	assert_true(message.addresses_left_out);
}

static void only_one_question_about_a_host_is_of_interest(void **state)
{
	struct frame frame = {.size = 0};
	struct dns_message message;

	(void)state;
	put_response(&frame, "a.example", ns_t_a, 0);
	set_be16(&frame, 4, 0);
	frame.size = 12;
	assert_int_equal(parse(&frame, &message), -ENOMSG);

	frame.size = 0;
	put_response(&frame, "a.example", ns_t_a, 0);
	set_be16(&frame, frame.size - 2, ns_c_chaos);
	assert_int_equal(parse(&frame, &message), -ENOMSG);
	set_be16(&frame, frame.size - 2, 0x8001); /* mDNS, RFC 6762 section 5.4 */
	assert_int_equal(parse(&frame, &message), -ENOMSG);

	set_be16(&frame, frame.size - 2, ns_c_in);
	set_be16(&frame, 2, 0xa800); /* UPDATE */
	assert_int_equal(parse(&frame, &message), -ENOMSG);

	set_be16(&frame, 2, 0x8180);
	frame.bytes[QUESTION_NAME + 1] = '*';
	assert_int_equal(parse(&frame, &message), -ENOMSG);
	frame.bytes[QUESTION_NAME + 1] = '.'; /* a dot inside a label is no dot */
	assert_int_equal(parse(&frame, &message), -ENOMSG);
	frame.bytes[QUESTION_NAME + 1] = 0;
	assert_int_equal(parse(&frame, &message), -ENOMSG);

	frame.size = 0;
	put_response(&frame, "", ns_t_ns, 0);
	assert_int_equal(parse(&frame, &message), -ENOMSG);

	frame.size = 0;
	put_response(&frame, "a.example", ns_t_a, 0);
	set_be16(&frame, 4, 2);
	put_name(&frame, "b.example");
	put_be32(&frame, ns_t_a << 16 | ns_c_in);
	assert_int_equal(parse(&frame, &message), -ENOMSG);
}

static void malformed_messages_are_refused(void **state)
{
	struct dns_message message = {.id = 7};
	struct frame frame = {.size = 0};
	size_t data;

	(void)state;
	/* a name that points at itself */
	put_response(&frame, "", ns_t_a, 0);
	frame.size = QUESTION_NAME;
	put_be16(&frame, 0xc000 | QUESTION_NAME);
	put_be32(&frame, ns_t_a << 16 | ns_c_in);
	assert_int_equal(parse(&frame, &message), -EBADMSG);

	/* counts without records */
	frame.size = 0;
	put_response(&frame, "a.example", ns_t_a, 1);
	assert_int_equal(parse(&frame, &message), -EBADMSG);
	set_be16(&frame, 6, 0);
	set_be16(&frame, 10, 3);
	assert_int_equal(parse(&frame, &message), -EBADMSG);

	/* addresses of the wrong size, an alias that does not fill its record */
	frame.size = 0;
	put_response(&frame, "a.example", ns_t_a, 1);
	put_record(&frame, "a.example", ns_t_a, 60, 5);
	put_zeros(&frame, 5);
	assert_int_equal(parse(&frame, &message), -EBADMSG);
	frame.size = 0;
	put_response(&frame, "a.example", ns_t_a, 1);
	put_record(&frame, "a.example", ns_t_aaaa, 60, 4);
	put_zeros(&frame, 4);
	assert_int_equal(parse(&frame, &message), -EBADMSG);
	frame.size = 0;
	put_response(&frame, "a.example", ns_t_a, 1);
	put_record(&frame, "a.example", ns_t_cname, 60, 11);
	data = frame.size;
	put_name(&frame, "b.exampl");
	put_u8(&frame, 0);
	assert_int_equal(parse(&frame, &message), -EBADMSG);
	set_be16(&frame, data - 2, 10);
	frame.size--;
	assert_int_equal(parse(&frame, &message), 0);
	message.id = 7;

	/* the data reaches beyond the message */
	frame.size = 0;
	put_response(&frame, "a.example", ns_t_a, 1);
	put_a(&frame, "a.example", 60, 1);
	for (size_t cut = 0; cut < frame.size; cut++)
		assert_int_equal(dns_message_parse(frame.bytes, cut, &message), -EBADMSG);
	assert_int_equal(message.id, 7);
}

static void truncation_and_codes_are_told(void **state)
{
	struct frame frame = {.size = 0};
	struct dns_message message;

	(void)state;
	put_response(&frame, "a.example", ns_t_a, 0);
	set_be16(&frame, 2, 0x8383);
	assert_int_equal(parse(&frame, &message), 0);
	assert_true(message.truncated);
	assert_int_equal(message.rcode, ns_r_nxdomain);
	assert_int_equal(message.opcode, 0);
}

static void put_https(struct frame *frame, const char *parameters, size_t size)
{
	put_record(frame, "a.example", TYPE_HTTPS, 60, 3 + (unsigned int)size);
	put_be16(frame, 1);
	put_u8(frame, 0); /* the owner itself */
	put_bytes(frame, parameters, size);
}

#define HTTPS_CASE(text, count)                                                                    \
	{                                                                                          \
		text, sizeof(text) - 1, count                                                      \
	}

static void hints_are_read_strictly(void **state)
{
	static const struct {
		const char *parameters;
		size_t size;
		size_t hints;
	} cases[] = {
		HTTPS_CASE("", 0),
		HTTPS_CASE("\0\4\0\4\1\2\3\4", 1),
		HTTPS_CASE("\0\4\0\x08\1\2\3\4\5\6\7\x08", 2),
		HTTPS_CASE("\0\1\0\3\2h3\0\4\0\4\1\2\3\4\0\6\0\x10"
			   "0123456789abcdef",
			   2),
		HTTPS_CASE("\0\0\0\2\0\4\0\4\0\4\1\2\3\4", 1),
		HTTPS_CASE("\0\1\0\3\2h3\0\2\0\0\0\4\0\4\1\2\3\4", 1),
		HTTPS_CASE("\0\4\0\4\1\2\3\4\x12\x34\0\1x", 1),
		/* mandatory: missing, itself, twice, odd, empty */
		HTTPS_CASE("\0\0\0\2\0\3\0\4\0\4\1\2\3\4", 0),
		HTTPS_CASE("\0\0\0\2\0\0\0\4\0\4\1\2\3\4", 0),
		HTTPS_CASE("\0\0\0\4\0\4\0\4\0\4\0\4\1\2\3\4", 0),
		HTTPS_CASE("\0\0\0\1\0\0\4\0\4\1\2\3\4", 0),
		HTTPS_CASE("\0\0\0\0\0\4\0\4\1\2\3\4", 0),
		/* alpn: empty, empty id, id too long; no-default-alpn alone, or with a value */
		HTTPS_CASE("\0\1\0\0\0\4\0\4\1\2\3\4", 0),
		HTTPS_CASE("\0\1\0\1\0\0\4\0\4\1\2\3\4", 0),
		HTTPS_CASE("\0\1\0\2\2h\0\4\0\4\1\2\3\4", 0),
		HTTPS_CASE("\0\2\0\0\0\4\0\4\1\2\3\4", 0),
		HTTPS_CASE("\0\1\0\3\2h3\0\2\0\1x\0\4\0\4\1\2\3\4", 0),
		/* port of three bytes */
		HTTPS_CASE("\0\3\0\3\1\1\1\0\4\0\4\1\2\3\4", 0),
		/* hints: empty, no whole address, beyond the end */
		HTTPS_CASE("\0\4\0\0", 0),
		HTTPS_CASE("\0\4\0\5\1\2\3\4\5", 0),
		HTTPS_CASE("\0\6\0\4\1\2\3\4", 0),
		HTTPS_CASE("\0\4\0\x08\1\2\3\4", 0),
		HTTPS_CASE("\0\4\0\4\1\2\3\4\0", 0),
		/* keys twice, or descending */
		HTTPS_CASE("\0\4\0\4\1\2\3\4\0\4\0\4\1\2\3\4", 0),
		HTTPS_CASE("\0\4\0\4\1\2\3\4\0\3\0\2\1\1", 0),
	};
	struct dns_message message;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame frame = {.size = 0};

		put_response(&frame, "a.example", TYPE_HTTPS, 1);
		put_https(&frame, cases[i].parameters, cases[i].size);
		assert_int_equal(parse(&frame, &message), 0);
		if (message.address_count != cases[i].hints)
			fail_msg("case %zu: %zu hints", i, message.address_count);
	}
}

static void one_malformed_service_record_condemns_the_set(void **state)
{
	static const char good[] = "\0\4\0\4\1\2\3\4";
	static const char bad[] = "\0\3\0\1x";
	struct frame frame = {.size = 0};
	struct dns_message message;

	(void)state;
	put_response(&frame, "a.example", TYPE_HTTPS, 3);
	put_https(&frame, good, sizeof(good) - 1);
	put_a(&frame, "a.example", 60, 0xc0000201);
	put_https(&frame, bad, sizeof(bad) - 1);
	assert_int_equal(parse(&frame, &message), 0);
	assert_int_equal(message.address_count, 1);
	assert_address(&message, 0, "192.0.2.1 60");
}

static void a_hint_that_is_an_answer_is_an_answer(void **state)
{
	static const char hint[] = "\0\4\0\4\xc0\0\2\1";
	struct frame frame = {.size = 0};
	struct dns_message message;

	(void)state;
	put_response(&frame, "a.example", TYPE_HTTPS, 2);
	put_https(&frame, hint, sizeof(hint) - 1);
	assert_int_equal(parse(&frame, &message), -EBADMSG); /* two were announced */
	put_a(&frame, "a.example", 300, 0xc0000201);
	assert_int_equal(parse(&frame, &message), 0);
	assert_int_equal(message.address_count, 1);
	assert_address(&message, 0, "192.0.2.1 60");

	/* an alias has no parameters: RFC 9460 section 2.4.2 */
	frame.size = 0;
	put_response(&frame, "a.example", TYPE_HTTPS, 1);
	put_https(&frame, hint, sizeof(hint) - 1);
	set_be16(&frame, frame.size - sizeof(hint) - 2, 0);
	assert_int_equal(parse(&frame, &message), 0);
	assert_int_equal(message.address_count, 0);
}

static void the_target_is_written_out(void **state)
{
	struct dns_service service;
	struct frame frame = {.size = 0};

	(void)state;
	/* a compressed name */
	put_be16(&frame, 1);
	put_bytes(&frame, "\1a\xc0", 3);
	put_zeros(&frame, 0xc1);
	assert_int_equal(dns_service_parse(frame.bytes, frame.size, &service), -EBADMSG);
	/* 255 bytes, and one more */
	for (unsigned int last = 61; last <= 62; last++) {
		frame.size = 2;
		for (unsigned int i = 0; i < 3; i++) {
			put_u8(&frame, 63);
			put_zeros(&frame, 63);
		}
		put_u8(&frame, last);
		put_zeros(&frame, last + 1);
		assert_int_equal(dns_service_parse(frame.bytes, frame.size, &service),
				 last == 61 ? 0 : -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_says_what_is_asked),
		cmocka_unit_test(aliases_are_followed_in_any_order),
		cmocka_unit_test(alias_loops_end),
		cmocka_unit_test(huge_times_to_live_are_none),
		cmocka_unit_test(more_addresses_than_fit_are_said),
		cmocka_unit_test(only_one_question_about_a_host_is_of_interest),
		cmocka_unit_test(malformed_messages_are_refused),
		cmocka_unit_test(truncation_and_codes_are_told),
		cmocka_unit_test(hints_are_read_strictly),
		cmocka_unit_test(the_target_is_written_out),
		cmocka_unit_test(one_malformed_service_record_condemns_the_set),
		cmocka_unit_test(a_hint_that_is_an_answer_is_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
