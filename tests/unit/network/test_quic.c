/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "observe/network/hello.h"
#include "observe/network/quic_frames.h"
#include "quic_builder.h"

static const struct quic_version version_1 = {
	0x00000001,
	0x00000001,
	0,
	{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
	 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
	"quic",
};
static const struct quic_version version_2 = {
	0x6b3343cf,
	0x6b3343cf,
	1,
	{0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
	 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
	"quicv2",
};

/* RFC 9001 appendix A.2 (and RFC 9369 appendix A.2): the CRYPTO frame of the client's Initial */
static const char crypto_frame[] =
	"060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868"
	"04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578"
	"616d706c652e636f6dff01000100000a00080006001d00170018001000070005"
	"04616c706e000500050100000000003300260024001d00209370b2c9caa47fba"
	"baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400"
	"0d0010000e0403050306030203080408050806002d00020101001c0002400100"
	"3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000"
	"75300901100f088394c8f03e51570806048000ffff";

static void put_hex(struct frame *frame, const char *hex)
{
	size_t size = strlen(hex) / 2;

	assert_int_equal(hex_decode(hex, frame->bytes + frame->size, size), 0);
	frame->size += size;
}

static void put_connection_id(struct frame *frame)
{
	put_hex(frame, "8394c8f03e515708");
}

static void assert_hex(const uint8_t *bytes, const char *hex)
{
	uint8_t expected[64];
	size_t size = strlen(hex) / 2;

	assert_int_equal(hex_decode(hex, expected, size), 0);
	assert_memory_equal(bytes, expected, size);
}

static void keys_are_those_of_the_appendices(void **state)
{
	struct frame id = {.size = 0};
	struct quic_keys keys;

	(void)state;
	put_connection_id(&id);
	/* RFC 9001 A.1 */
	quic_keys_derive(&version_1, id.bytes, id.size, &keys);
	assert_hex(keys.key, "1f369613dd76d5467730efcbe3b1a22d");
	assert_hex(keys.iv, "fa044b2f42a3fd3b46fb255c");
	assert_hex(keys.header_key, "9f50449e04a0e810283a1e9933adedd2");
	/* RFC 9369 A.1 */
	quic_keys_derive(&version_2, id.bytes, id.size, &keys);
	assert_hex(keys.key, "8b1a0bc121284290a29e0971b5cd045d");
	assert_hex(keys.iv, "91f73e2351d8fa91660e909f");
	assert_hex(keys.header_key, "45b95e15235d6f45a6b19cbcb0294ba9");
}

static void the_client_initials_of_the_appendices_are_read(void **state)
{
	struct frame id = {.size = 0}, payload = {.size = 0}, datagram = {.size = 0};
	char name[NAME_SIZE];

	(void)state;
	put_connection_id(&id);
	put_hex(&payload, crypto_frame);
	put_zeros(&payload, 1162 - payload.size);
	put_initial(&datagram, &version_1, &id, 0, 2, &payload);
	/* the protected packet as printed in RFC 9001 A.2: its beginning and its tag */
	assert_int_equal(datagram.size, 1200);
	assert_hex(datagram.bytes,
		   "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11");
	assert_hex(datagram.bytes + 1184, "e221af44860018ab0856972e194cd934");
	assert_true(quic_is_initial(datagram.bytes, datagram.size));
	assert_int_equal(quic_server_name(datagram.bytes, datagram.size, name), 0);
	assert_string_equal(name, "example.com");

	datagram.size = 0;
	memset(name, 0, sizeof(name));
	put_initial(&datagram, &version_2, &id, 0, 2, &payload);
	/* RFC 9369 A.2 */
	assert_hex(datagram.bytes,
		   "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485");
	assert_true(quic_is_initial(datagram.bytes, datagram.size));
	assert_int_equal(quic_server_name(datagram.bytes, datagram.size, name), 0);
	assert_string_equal(name, "example.com");
}

static void put_crypto(struct frame *payload, const struct frame *hello, size_t from, size_t to)
{
	put_u8(payload, 0x06);
	put_be16(payload, 0x4000 | (unsigned int)from);
	put_be16(payload, 0x4000 | (unsigned int)(to - from));
	put_bytes(payload, hello->bytes + from, to - from);
}

static void make_hello(struct frame *hello)
{
	struct frame extensions = {.size = 0};

	put_server_name(&extensions, 0, "quic.example", 12);
	put_grease(&extensions, 500);
	put_client_hello(hello, &extensions);
}

static void pieces_come_in_any_order(void **state)
{
	struct frame id = {.size = 0}, payload = {.size = 0}, datagram = {.size = 0};
	struct frame hello = {.size = 0};
	char name[NAME_SIZE];

	(void)state;
	put_connection_id(&id);
	make_hello(&hello);
	put_crypto(&payload, &hello, 60, 400);
	put_u8(&payload, 0x01);				     /* PING */
	put_hex(&payload, "020502010201010300000000010203"); /* two ACKs, one with ECN */
	put_crypto(&payload, &hello, 10, 70);
	put_zeros(&payload, 3);
	put_crypto(&payload, &hello, 0, 12);
	put_initial(&datagram, &version_1, &id, 70, 0, &payload);
	assert_int_equal(quic_server_name(datagram.bytes, datagram.size, name), 0);
	assert_string_equal(name, "quic.example");

	/* a gap in front of the name */
	payload.size = datagram.size = 0;
	put_crypto(&payload, &hello, 60, 400);
	put_crypto(&payload, &hello, 0, 59);
	put_initial(&datagram, &version_1, &id, 0, 0, &payload);
	assert_int_equal(quic_server_name(datagram.bytes, datagram.size, name), -ENOMSG);
}

static void packets_are_coalesced(void **state)
{
	struct frame id = {.size = 0}, payload = {.size = 0}, datagram = {.size = 0};
	struct frame hello = {.size = 0};
	char name[NAME_SIZE];

	(void)state;
	put_connection_id(&id);
	make_hello(&hello);
	put_crypto(&payload, &hello, 40, 400);
	put_initial(&datagram, &version_1, &id, 0, 0, &payload);
	/* a 0-RTT packet in between */
	put_hex(&datagram, "d000000001088394c8f03e5157080005");
	put_zeros(&datagram, 5);
	payload.size = 0;
	put_crypto(&payload, &hello, 0, 40);
	put_initial(&datagram, &version_1, &id, 0, 1, &payload);
	/* and one with a short header behind, or none that is known */
	for (unsigned int first = 0x40; first <= 0xc0; first += 0x80) {
		memset(name, 0, sizeof(name));
		put_u8(&datagram, first);
		assert_int_equal(quic_server_name(datagram.bytes, datagram.size, name), 0);
		assert_string_equal(name, "quic.example");
		datagram.size--;
	}
}

static void what_is_not_a_first_flight_has_no_name(void **state)
{
	struct frame id = {.size = 0}, payload = {.size = 0}, datagram = {.size = 0}, copy;
	char name[NAME_SIZE] = "untouched";

	(void)state;
	put_connection_id(&id);
	put_hex(&payload, crypto_frame);
	put_initial(&datagram, &version_1, &id, 0, 2, &payload);
	for (size_t size = 0; size < datagram.size; size++)
		assert_true(quic_server_name(datagram.bytes, size, name) < 0);
	/* one bit changed anywhere: the tag does not fit, or it is another kind of packet */
	for (size_t bit = 0; bit < datagram.size * 8; bit++) {
		copy = datagram;
		copy.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(quic_server_name(copy.bytes, copy.size, name) < 0);
	}
	copy = datagram;
	memcpy(copy.bytes + 1, "Q046", 4);
	assert_false(quic_is_initial(copy.bytes, copy.size));
	assert_int_equal(quic_server_name(copy.bytes, copy.size, name), -ENOMSG);
	memset(copy.bytes + 1, 0, 4); /* version negotiation */
	assert_int_equal(quic_server_name(copy.bytes, copy.size, name), -ENOMSG);
	copy = datagram;
	copy.bytes[0] |= 0x20; /* Handshake */
	assert_false(quic_is_initial(copy.bytes, copy.size));
	copy.bytes[0] &= 0x7f; /* short header */
	assert_false(quic_is_initial(copy.bytes, copy.size));
	assert_false(quic_is_initial(copy.bytes, 4));
	assert_string_equal(name, "untouched");
}

/* RFC 9000 section 17.2 */
static void connection_ids_have_at_most_20_bytes(void **state)
{
	struct frame payload = {.size = 0};
	char name[NAME_SIZE];

	(void)state;
	put_hex(&payload, crypto_frame);
	for (size_t size = 0; size <= 21; size++) {
		struct frame id = {.size = 0}, datagram = {.size = 0};

		put_zeros(&id, size);
		put_initial(&datagram, &version_1, &id, 0, 0, &payload);
		assert_int_equal(quic_server_name(datagram.bytes, datagram.size, name),
				 size <= 20 ? 0 : -EBADMSG);
	}
}

static void frames_are_checked(void **state)
{
	static const struct {
		const char *hex;
		int error;
	} cases[] = {
		{"", 0},
		{"000001", 0},
		{"1c000000", 0},
		{"1c00000161", 0},
		{"1c00000261", -EBADMSG},
		{"06000161", 0},
		{"06000261", -EBADMSG},
		{"0600", -EBADMSG},
		{"06ffffffffffffffff0161", 0}, /* beyond every hello */
		{"06bfff0161", -EBADMSG},
		{"0200000000", 0},
		{"02000001000008", 0},
		{"020000ffffffffffffffff00", -EBADMSG},
		{"0300000000010203", 0},
		{"030000000001", -EBADMSG},
		{"08", -EBADMSG}, /* STREAM has no place in an Initial */
		{"1d000000", -EBADMSG},
		{"40", -EBADMSG},
	};
	struct quic_stream stream;

	(void)state;
	memset(&stream, 0, sizeof(stream));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame payload = {.size = 0};

		put_hex(&payload, cases[i].hex);
		if (quic_frames_collect(payload.bytes, payload.size, &stream) != cases[i].error)
			fail_msg("frames %s are judged wrongly", cases[i].hex);
	}
	assert_true(stream.present[0]);
	assert_false(stream.present[1]);
}

static void a_piece_ends_with_the_buffer(void **state)
{
	struct frame payload = {.size = 0};
	struct quic_stream stream;

	(void)state;
	memset(&stream, 0, sizeof(stream));
	put_u8(&payload, 0x06);
	put_be32(&payload, 0x80000000 | (CLIENT_HELLO_MAX - 2));
	put_u8(&payload, 5);
	put_bytes(&payload, "12345", 5);
	assert_int_equal(quic_frames_collect(payload.bytes, payload.size, &stream), 0);
	assert_memory_equal(stream.bytes + CLIENT_HELLO_MAX - 2, "12", 2);
	assert_true(stream.present[CLIENT_HELLO_MAX - 1]);
	assert_false(stream.present[CLIENT_HELLO_MAX - 3]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_those_of_the_appendices),
		cmocka_unit_test(the_client_initials_of_the_appendices_are_read),
		cmocka_unit_test(pieces_come_in_any_order),
		cmocka_unit_test(packets_are_coalesced),
		cmocka_unit_test(what_is_not_a_first_flight_has_no_name),
		cmocka_unit_test(connection_ids_have_at_most_20_bytes),
		cmocka_unit_test(frames_are_checked),
		cmocka_unit_test(a_piece_ends_with_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
