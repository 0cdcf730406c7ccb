/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_DNS_MESSAGE_BUILDER_H
#define TESTS_DNS_MESSAGE_BUILDER_H

#include <arpa/nameser.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* DNS messages one behind the other, as TCP carries them: each behind its length. */
struct stream_bytes {
	uint8_t bytes[65536];
	size_t size;
};

static inline void add_16(struct stream_bytes *stream, unsigned int number)
{
	stream->bytes[stream->size++] = (uint8_t)(number >> 8);
	stream->bytes[stream->size++] = (uint8_t)number;
}

static inline void add_name(struct stream_bytes *stream, const char *name)
{
	while (*name) {
		size_t size = strcspn(name, ".");

		stream->bytes[stream->size++] = (uint8_t)size;
		memcpy(stream->bytes + stream->size, name, size);
		stream->size += size;
		name += size;
		name += *name == '.';
	}
	stream->bytes[stream->size++] = 0;
}

static inline void add_header(struct stream_bytes *stream, uint16_t id, unsigned int flags,
			      unsigned int answers, const char *name, unsigned int type)
{
	add_16(stream, id);
	add_16(stream, flags);
	add_16(stream, 1);
	add_16(stream, answers);
	add_16(stream, 0);
	add_16(stream, 0);
	add_name(stream, name);
	add_16(stream, type);
	add_16(stream, ns_c_in);
}

static inline void end_message(struct stream_bytes *stream, size_t begin)
{
	size_t size = stream->size - begin - 2;

	stream->bytes[begin] = (uint8_t)(size >> 8);
	stream->bytes[begin + 1] = (uint8_t)size;
}

static inline void add_question(struct stream_bytes *stream, uint16_t id, const char *name,
				unsigned int type)
{
	size_t begin = stream->size;

	stream->size += 2;
	add_header(stream, id, 0x0100, 0, name, type);
	end_message(stream, begin);
}

/* A records for 203.0.113.0 and those that follow it. */
static inline void add_answer(struct stream_bytes *stream, uint16_t id, const char *name,
			      unsigned int records)
{
	size_t begin = stream->size;

	stream->size += 2;
	add_header(stream, id, 0x8180, records, name, ns_t_a);
	for (unsigned int i = 0; i < records; i++) {
		add_16(stream, 0xc00c);
		add_16(stream, ns_t_a);
		add_16(stream, ns_c_in);
		add_16(stream, 0);
		add_16(stream, 60);
		add_16(stream, 4);
		add_16(stream, 203 << 8);
		add_16(stream, 113 << 8 | i);
	}
	end_message(stream, begin);
}

#endif
