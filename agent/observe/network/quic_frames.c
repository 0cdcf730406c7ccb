/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/quic_frames.h"

#include <errno.h>
#include <string.h>

/* RFC 9000 table 3: what an Initial may carry */
enum quic_frame {
	FRAME_PADDING = 0x00,
	FRAME_PING = 0x01,
	FRAME_ACK = 0x02,
	FRAME_ACK_ECN = 0x03,
	FRAME_CRYPTO = 0x06,
	FRAME_CONNECTION_CLOSE = 0x1c,
};

bool quic_take_number(struct bytes *bytes, uint64_t *ret_number)
{
	struct bytes after = *bytes;
	uint8_t first;
	const uint8_t *rest;
	size_t rest_size;
	uint64_t number;

	if (!bytes_take_u8(&after, &first))
		return false;
	rest_size = (1U << (first >> 6)) - 1;
	if (!bytes_take(&after, rest_size, &rest))
		return false;
	number = first & 0x3f;
	for (size_t i = 0; i < rest_size; i++)
		number = number << 8 | rest[i];
	*bytes = after;
	*ret_number = number;
	return true;
}

static bool skip_numbers(struct bytes *bytes, uint64_t count)
{
	uint64_t number;

	/* ends with the bytes, whatever count was claimed */
	for (uint64_t i = 0; i < count; i++)
		if (!quic_take_number(bytes, &number))
			return false;
	return true;
}

/* Largest, delay, count of ranges, first range, then two numbers for each; RFC 9000 section 19.3.
 */
static bool skip_ack(struct bytes *payload, uint64_t type)
{
	uint64_t ranges;

	return skip_numbers(payload, 2) && quic_take_number(payload, &ranges) &&
	       ranges <= payload->left && skip_numbers(payload, 1 + 2 * ranges) &&
	       (type == FRAME_ACK || skip_numbers(payload, 3));
}

/* RFC 9000 section 19.6 */
static bool take_crypto(struct bytes *payload, struct quic_stream *stream)
{
	uint64_t offset, size;
	struct bytes piece;

	if (!quic_take_number(payload, &offset) || !quic_take_number(payload, &size) ||
	    size > payload->left || !bytes_take_part(payload, (size_t)size, &piece))
		return false;
	if (offset >= CLIENT_HELLO_MAX)
		return true;
	if (piece.left > CLIENT_HELLO_MAX - offset)
		piece.left = CLIENT_HELLO_MAX - offset;
	memcpy(stream->bytes + offset, piece.at, piece.left);
	memset(stream->present + offset, true, piece.left);
	return true;
}

/* Code, frame type, reason; RFC 9000 section 19.19. */
static bool skip_close(struct bytes *payload)
{
	struct bytes reason;
	uint64_t size;

	return skip_numbers(payload, 2) && quic_take_number(payload, &size) &&
	       size <= payload->left && bytes_take_part(payload, (size_t)size, &reason);
}

int quic_frames_collect(const uint8_t *bytes, size_t size, struct quic_stream *stream)
{
	struct bytes payload = {bytes, size};
	uint64_t type;

	while (payload.left > 0) {
		bool valid = true;

		if (!quic_take_number(&payload, &type))
			return -EBADMSG;
		switch (type) {
		case FRAME_PADDING:
		case FRAME_PING:
			break;
		case FRAME_ACK:
		case FRAME_ACK_ECN:
			valid = skip_ack(&payload, type);
			break;
		case FRAME_CRYPTO:
			valid = take_crypto(&payload, stream);
			break;
		case FRAME_CONNECTION_CLOSE:
			valid = skip_close(&payload);
			break;
		default:
			valid = false;
		}
		if (!valid)
			return -EBADMSG;
	}
	return 0;
}

int quic_stream_name(const struct quic_stream *stream, char ret_name[NAME_SIZE])
{
	size_t size = 0;

	while (size < CLIENT_HELLO_MAX && stream->present[size])
		size++;
	return tls_client_hello_name(stream->bytes, size, ret_name);
}
