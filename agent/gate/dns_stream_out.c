/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate/dns_stream_out.h"

#include <string.h>

#include <sodium.h>

#include "base/bytes.h"
#include "gate/dns_record.h"

_Static_assert(DNS_DIGEST_KEY_SIZE == crypto_shorthash_KEYBYTES, "the digest's key");
_Static_assert(sizeof(uint64_t) == crypto_shorthash_BYTES, "the digest");

#define PREFIX_SIZE 2

/* A segment on its way through the messages: the stream is a copy, which counts only when nothing
 * is wrong up to the end. */
struct walk {
	struct dns_stream_out stream;
	const uint8_t *key;
	uint32_t at;   /* where the message begins that is being looked at */
	size_t offset; /* how much of its prefix is not in the segment */
	struct bytes rest;
	size_t count;
};

void dns_stream_out_begin(struct dns_stream_out *stream, uint32_t first)
{
	memset(stream, 0, sizeof(*stream));
	stream->begun = true;
	stream->first = first;
	stream->next = first;
}

static const struct past_question *find_past(const struct dns_stream_out *stream, uint32_t begin)
{
	size_t count =
		stream->past_count < DNS_STREAMS_HISTORY ? stream->past_count : DNS_STREAMS_HISTORY;

	for (size_t i = 0; i < count; i++)
		if (stream->past[i].begin == begin)
			return &stream->past[i];
	return NULL;
}

/* Where a segment may begin: at a message, or in or behind a prefix that went before it. */
static bool find_begin(struct walk *walk, uint32_t sequence)
{
	const struct dns_stream_out *stream = &walk->stream;

	for (size_t offset = 0; offset <= PREFIX_SIZE; offset++) {
		uint32_t begin = sequence - (uint32_t)offset;

		if ((begin == stream->next && offset <= stream->prefix_size) ||
		    find_past(stream, begin)) {
			walk->at = begin;
			walk->offset = offset;
			return true;
		}
	}
	return false;
}

/* What is known of the length prefix of the message at hand; returns how much. */
static size_t known_prefix(const struct walk *walk, const struct past_question *past,
			   uint8_t prefix[PREFIX_SIZE])
{
	if (!past) {
		memcpy(prefix, walk->stream.prefix, PREFIX_SIZE);
		return walk->stream.prefix_size;
	}
	prefix[0] = (uint8_t)((past->size - PREFIX_SIZE) >> 8);
	prefix[1] = (uint8_t)(past->size - PREFIX_SIZE);
	return PREFIX_SIZE;
}

/* The prefix out of what is known and what the segment has. Returns how much there is of it now,
 * or 0 for one that is not what it was. */
static size_t take_prefix(struct walk *walk, const struct past_question *past,
			  uint8_t prefix[PREFIX_SIZE])
{
	size_t known = known_prefix(walk, past, prefix);
	size_t at;

	for (at = walk->offset; at < PREFIX_SIZE; at++) {
		uint8_t byte;

		if (!bytes_take_u8(&walk->rest, &byte))
			break;
		if (at < known && prefix[at] != byte)
			return 0;
		prefix[at] = byte;
	}
	if (!past && at > known) {
		memcpy(walk->stream.prefix, prefix, at);
		walk->stream.prefix_size = at;
	}
	return at;
}

static uint64_t digest(const struct walk *walk, const uint8_t *message, size_t size)
{
	uint64_t digest;

	(void)crypto_shorthash((unsigned char *)&digest, message, size, walk->key);
	return digest;
}

static void note_question(struct dns_stream_out *stream, const struct past_question *question)
{
	stream->past[stream->past_count++ % DNS_STREAMS_HISTORY] = *question;
	stream->next = question->begin + question->size;
	stream->prefix_size = 0;
}

/* One message, or the prefix at the segment's end. */
static bool take_message(struct walk *walk, struct held held[HELD_PER_PACKET])
{
	const struct past_question *past = find_past(&walk->stream, walk->at);
	struct past_question question = {.begin = walk->at};
	uint8_t prefix[PREFIX_SIZE];
	const uint8_t *message;
	size_t there;

	if (!past && walk->at != walk->stream.next)
		return false;
	there = take_prefix(walk, past, prefix);
	if (there == 0)
		return false;
	if (walk->rest.left == 0)
		return true;
	question.size = PREFIX_SIZE + be16_at(prefix);
	if (walk->count == HELD_PER_PACKET ||
	    !bytes_take(&walk->rest, question.size - PREFIX_SIZE, &message))
		return false;
	question.digest = digest(walk, message, question.size - PREFIX_SIZE);
	if (past && (past->size != question.size || past->digest != question.digest))
		return false;
	if (walk->count > 0)
		held[walk->count] = held[0];
	if (!dns_record_read(message, question.size - PREFIX_SIZE, &held[walk->count]))
		return false;
	walk->count++;
	if (!past)
		note_question(&walk->stream, &question);
	walk->at += question.size;
	walk->offset = 0;
	return true;
}

size_t dns_stream_out_take(struct dns_stream_out *stream, const uint8_t key[DNS_DIGEST_KEY_SIZE],
			   uint32_t sequence, const uint8_t *bytes, size_t size,
			   struct held held[HELD_PER_PACKET])
{
	struct walk walk = {.stream = *stream, .key = key, .rest = {bytes, size}};
	bool readable = stream->begun && find_begin(&walk, sequence);

	while (readable && walk.rest.left > 0)
		readable = take_message(&walk, held);
	if (!readable || walk.count == 0) {
		dns_record_clear(&held[0], readable ? HELD_PART : HELD_UNREADABLE);
		if (readable)
			*stream = walk.stream;
		return 1;
	}
	for (size_t i = 0; i + 1 < walk.count; i++)
		held[i].more = true;
	*stream = walk.stream;
	return walk.count;
}
