/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "observe/network/hello.h"
#include "observe/network/quic_frames.h"
#include "observe/network/quic_keys.h"

/* RFC 9000 section 17.2 */
#define LONG_HEADER	  0x80
#define FIXED_BIT	  0x40
#define CONNECTION_ID_MAX 20

/* An Initial fills one datagram of an ordinary path; beyond this nobody starts a connection. */
#define PACKET_SIZE_MAX 16384

static const struct quic_version versions[] = {
	/* RFC 9001 section 5.2; drafts 33 and 34 have its salt already */
	{0x00000001,
	 0x00000001,
	 0,
	 {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
	  0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
	 "quic"},
	{0xff000021,
	 0xff000022,
	 0,
	 {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
	  0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
	 "quic"},
	/* RFC 9369 section 3 */
	{0x6b3343cf,
	 0x6b3343cf,
	 1,
	 {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
	  0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
	 "quicv2"},
	/* draft-ietf-quic-tls-29 to -32, section 5.2 */
	{0xff00001d,
	 0xff000020,
	 0,
	 {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
	  0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99},
	 "quic"},
};

/* One packet with a long header, inside a datagram. Offsets are from its first byte. */
struct long_packet {
	const struct quic_version *version;
	bool initial;
	struct bytes destination_id;
	size_t number_offset;
	size_t size;
};

static const struct quic_version *find_version(uint32_t number)
{
	for (size_t i = 0; i < array_length(versions); i++)
		if (number >= versions[i].first && number <= versions[i].last)
			return &versions[i];
	return NULL;
}

static bool take_connection_id(struct bytes *packet, struct bytes *ret_id)
{
	uint8_t size;

	return bytes_take_u8(packet, &size) && size <= CONNECTION_ID_MAX &&
	       bytes_take_part(packet, size, ret_id);
}

/* -ENOMSG: no long header, or of a version that is not known. */
static int parse_version(struct bytes *rest, struct long_packet *packet)
{
	uint32_t version;
	uint8_t first, type;

	if (!bytes_take_u8(rest, &first) || !bytes_take_be32(rest, &version))
		return -ENOMSG;
	if ((first & (LONG_HEADER | FIXED_BIT)) != (LONG_HEADER | FIXED_BIT))
		return -ENOMSG;
	packet->version = find_version(version);
	if (!packet->version)
		return -ENOMSG;
	type = (first >> 4) & 3;
	packet->initial = type == packet->version->initial_type;
	return 0;
}

/* RFC 9000 sections 17.2.2 to 17.2.4. A Retry has another form, but stands alone and is no Initial.
 */
static int parse_long_packet(struct bytes datagram, struct long_packet *packet)
{
	struct bytes rest = datagram;
	struct bytes source_id, token;
	uint64_t size;
	int error = parse_version(&rest, packet);

	if (error < 0)
		return error;
	if (!take_connection_id(&rest, &packet->destination_id) ||
	    !take_connection_id(&rest, &source_id))
		return -EBADMSG;
	if (packet->initial && (!quic_take_number(&rest, &size) || size > rest.left ||
				!bytes_take_part(&rest, (size_t)size, &token)))
		return -EBADMSG;
	if (!quic_take_number(&rest, &size) || size > rest.left)
		return -EBADMSG;
	packet->number_offset = datagram.left - rest.left;
	packet->size = packet->number_offset + (size_t)size;
	return 0;
}

/* Decrypts one Initial and keeps what it carries. -ENOMSG: not for these keys. */
static int collect_initial(const uint8_t *bytes, const struct long_packet *packet,
			   const struct quic_keys *keys, struct quic_stream *stream)
{
	uint8_t plain[PACKET_SIZE_MAX];
	size_t offset, size;

	if (packet->size > sizeof(plain))
		return -ENOMSG;
	if (packet->size - packet->number_offset < QUIC_SAMPLE_OFFSET + QUIC_SAMPLE_SIZE)
		return -EBADMSG;
	memcpy(plain, bytes, packet->size);
	if (quic_packet_open(keys, plain, packet->size, packet->number_offset, &offset, &size) < 0)
		return -ENOMSG;
	return quic_frames_collect(plain + offset, size, stream);
}

/* Walks over the packets of one datagram, RFC 9000 section 12.2. What cannot be read behind a good
 * Initial takes nothing from it. */
static int collect_datagram(struct bytes datagram, struct quic_stream *stream)
{
	struct quic_keys keys;
	bool have_keys = false;
	int result = -ENOMSG;

	while (datagram.left > 0 && (datagram.at[0] & LONG_HEADER)) {
		struct long_packet packet = {0};
		const uint8_t *bytes;
		int error = parse_long_packet(datagram, &packet);

		/* all packets of a datagram have the same connection id */
		if (error == 0 && packet.initial && !have_keys) {
			quic_keys_derive(packet.version, packet.destination_id.at,
					 packet.destination_id.left, &keys);
			have_keys = true;
		}
		if (error == 0 && packet.initial)
			error = collect_initial(datagram.at, &packet, &keys, stream);
		if (error < 0)
			return result < 0 ? error : 0;
		if (packet.initial)
			result = 0;
		bytes_take(&datagram, packet.size, &bytes);
	}
	return result;
}

int quic_server_name(const uint8_t *bytes, size_t size, char ret_name[NAME_SIZE])
{
	struct quic_stream stream;
	int error;

	if (!quic_is_initial(bytes, size))
		return -ENOMSG;
	memset(stream.present, 0, sizeof(stream.present));
	error = collect_datagram((struct bytes){bytes, size}, &stream);
	if (error < 0)
		return error;
	error = quic_stream_name(&stream, ret_name);
	return error == -EAGAIN ? -ENOMSG : error;
}

bool quic_is_initial(const uint8_t *bytes, size_t size)
{
	struct bytes rest = {bytes, size};
	struct long_packet packet = {0};

	return parse_version(&rest, &packet) == 0 && packet.initial;
}
