/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/network/streams.h"

#include <string.h>

#include "observe/network/limits.h"

static void add(struct stream *stream, uint32_t sequence, const uint8_t *bytes, size_t size)
{
	/* Sequence numbers wrap: the difference says before or after (RFC 9293, 3.4). */
	uint32_t distance = sequence - stream->base;

	if (distance > INT32_MAX) {
		uint32_t before = stream->base - sequence;

		if (before >= size)
			return;
		bytes += before;
		size -= before;
		distance = 0;
	}
	if (distance >= STREAM_SIZE)
		return;
	if (size > STREAM_SIZE - distance)
		size = STREAM_SIZE - distance;
	(void)assembly_add(&stream->assembly, STREAM_SIZE, distance, bytes, size);
}

void stream_begin(struct stream *stream, const struct packet *syn)
{
	stream_free(stream);
	stream->begun = true;
	stream->base = syn->tcp_sequence + 1;
	add(stream, stream->base, syn->payload, syn->payload_size);
}

void stream_add(struct stream *stream, const struct packet *segment)
{
	if (stream->begun)
		add(stream, segment->tcp_sequence, segment->payload, segment->payload_size);
}

const uint8_t *stream_bytes(const struct stream *stream, size_t *ret_size)
{
	*ret_size = assembly_contiguous(&stream->assembly);
	return stream->assembly.bytes;
}

bool stream_is_full(const struct stream *stream)
{
	return assembly_contiguous(&stream->assembly) >= STREAM_SIZE;
}

void stream_consume(struct stream *stream, size_t size)
{
	if (size > assembly_contiguous(&stream->assembly))
		return;
	assembly_consume(&stream->assembly, size);
	stream->base += (uint32_t)size;
}

void stream_free(struct stream *stream)
{
	assembly_free(&stream->assembly);
	memset(stream, 0, sizeof(*stream));
}
