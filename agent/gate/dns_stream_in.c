/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/dns_stream_in.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "gate/dns_record.h"

#define PREFIX_SIZE 2

/* Sequence numbers wrap: the difference says before or after (RFC 9293 section 3.4). */
static bool is_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static size_t past_kept(const struct dns_stream_in *stream)
{
	return stream->past_count < DNS_STREAMS_HISTORY ? stream->past_count : DNS_STREAMS_HISTORY;
}

void dns_stream_in_free(struct dns_stream_in *stream)
{
	for (size_t i = 0; i < past_kept(stream); i++)
		free(stream->past[i].record);
	assembly_free(&stream->assembly);
	memset(stream, 0, sizeof(*stream));
}

void dns_stream_in_begin(struct dns_stream_in *stream, uint32_t first)
{
	dns_stream_in_free(stream);
	stream->begun = true;
	stream->base = first;
}

bool dns_stream_in_is_used(const struct dns_stream_in *stream)
{
	return stream->past_count > 0 || stream->assembly.range_count > 0;
}

/* Puts a record behind those that a segment has already. */
static bool add_record(const struct past_answer *past, struct held held[HELD_PER_PACKET],
		       size_t *count)
{
	if (!past->record || *count == HELD_PER_PACKET)
		return false;
	if (*count > 0)
		held[*count] = held[0];
	held[*count].kind = HELD_ANSWER;
	held[*count].rcode = past->record->rcode;
	held[*count].truncated = past->record->truncated;
	held[*count].left_out = past->record->left_out;
	held[*count].edns = past->record->edns;
	held[*count].dns_id = past->record->dns_id;
	held[*count].question_type = past->record->question_type;
	held[*count].address_count = past->record->address_count;
	memcpy(held[*count].asked, past->record->asked, sizeof(past->record->asked));
	memcpy(held[*count].flow.name, past->record->flow.name, sizeof(past->record->flow.name));
	memcpy(held[*count].addresses, past->record->addresses, sizeof(past->record->addresses));
	(*count)++;
	return true;
}

/* The messages that were complete before and that the segment has to do with. False when one of
 * them cannot be read, or it is too long ago to know. */
static bool add_past(const struct dns_stream_in *stream, uint32_t begin, uint32_t end,
		     struct held held[HELD_PER_PACKET], size_t *count)
{
	size_t kept = past_kept(stream);
	uint32_t oldest;

	if (!is_before(begin, stream->base))
		return true;
	if (kept == 0)
		return false;
	oldest = stream->past[(stream->past_count - kept) % DNS_STREAMS_HISTORY].begin;
	if (is_before(begin, oldest))
		return false;
	for (size_t i = stream->past_count - kept; i < stream->past_count; i++) {
		const struct past_answer *past = &stream->past[i % DNS_STREAMS_HISTORY];

		if (is_before(begin, past->end) && is_before(past->judged, end) &&
		    !add_record(past, held, count))
			return false;
	}
	return true;
}

static bool keep(struct dns_stream_in *stream, uint32_t sequence, const uint8_t *bytes, size_t size)
{
	if (is_before(sequence, stream->base)) {
		uint32_t before = stream->base - sequence;

		if (before >= size)
			return true;
		bytes += before;
		size -= before;
		sequence = stream->base;
	}
	return assembly_add(&stream->assembly, DNS_STREAMS_AHEAD, sequence - stream->base, bytes,
			    size) == 0;
}

static void note_answer(struct dns_stream_in *stream, uint32_t segment, const uint8_t *message,
			size_t size, const struct held *like)
{
	struct past_answer *past = &stream->past[stream->past_count % DNS_STREAMS_HISTORY];

	if (stream->past_count >= DNS_STREAMS_HISTORY)
		free(past->record);
	stream->past_count++;
	past->begin = stream->base;
	past->judged = is_before(segment, stream->base) ? segment : stream->base;
	past->end = stream->base + PREFIX_SIZE + (uint32_t)size;
	past->record = malloc(sizeof(*past->record));
	if (!past->record)
		return;
	*past->record = *like;
	if (!dns_record_read(message, size, past->record)) {
		free(past->record);
		past->record = NULL;
	}
}

/* The messages that are complete now. False when one cannot be read or they are too many. */
static bool add_complete(struct dns_stream_in *stream, uint32_t segment,
			 struct held held[HELD_PER_PACKET], size_t *count)
{
	const struct held like = held[0];
	bool readable = true;

	for (;;) {
		size_t there = assembly_contiguous(&stream->assembly);
		const uint8_t *bytes = stream->assembly.bytes;
		size_t size;

		if (there < PREFIX_SIZE)
			break;
		size = be16_at(bytes);
		if (there < PREFIX_SIZE + size)
			break;
		note_answer(stream, segment, bytes + PREFIX_SIZE, size, &like);
		readable &= add_record(
			&stream->past[(stream->past_count - 1) % DNS_STREAMS_HISTORY], held, count);
		assembly_consume(&stream->assembly, PREFIX_SIZE + size);
		stream->base += PREFIX_SIZE + (uint32_t)size;
	}
	/* between answers no memory is kept */
	if (stream->assembly.range_count == 0)
		assembly_free(&stream->assembly);
	return readable;
}

size_t dns_stream_in_take(struct dns_stream_in *stream, uint32_t sequence, const uint8_t *bytes,
			  size_t size, struct held held[HELD_PER_PACKET])
{
	size_t count = 0;
	bool readable = stream->begun &&
			add_past(stream, sequence, sequence + (uint32_t)size, held, &count) &&
			keep(stream, sequence, bytes, size) &&
			add_complete(stream, sequence, held, &count);

	if (!readable || count == 0) {
		dns_record_clear(&held[0], readable ? HELD_PART : HELD_UNREADABLE);
		return 1;
	}
	for (size_t i = 0; i < count; i++)
		held[i].more = i + 1 < count;
	return count;
}
