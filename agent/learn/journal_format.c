/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "learn/journal_format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32.h"
#include "learn/journal.h"

struct journal_header journal_header_make(void)
{
	struct journal_header header = {.magic = JOURNAL_MAGIC, .version = JOURNAL_VERSION};

	for (int i = 0; i < TABLE_COUNT; i++) {
		const struct table_definition *table = &state_tables[i];

		header.tables = crc32_update(header.tables, table->name, strlen(table->name) + 1);
		header.tables = crc32_update(header.tables, table->shape, strlen(table->shape) + 1);
		header.tables =
			crc32_update(header.tables, &table->value_size, sizeof(table->value_size));
	}
	header.checksum = crc32_update(0, &header, offsetof(struct journal_header, pid));
	return header;
}

static uint32_t batch_checksum(struct batch_header header, const void *entries)
{
	header.checksum = 0;
	return crc32_update(crc32_update(0, &header, sizeof(header)), entries, header.size);
}

bool batch_is_good(const unsigned char *bytes, size_t size, struct batch_header *ret_header)
{
	struct batch_header header;

	if (size < sizeof(header))
		return false;
	memcpy(&header, bytes, sizeof(header));
	if (header.magic != BATCH_MAGIC || header.size > BATCH_SIZE_LIMIT ||
	    header.size > size - sizeof(header) ||
	    header.checksum != batch_checksum(header, bytes + sizeof(header)))
		return false;
	*ret_header = header;
	return true;
}

int batch_writer_start(struct batch_writer *writer, uint64_t sequence, batch_sink_fn sink,
		       void *context)
{
	*writer = (struct batch_writer){
		.buffer = malloc(BATCH_SIZE_LIMIT),
		.used = sizeof(struct batch_header),
		.sequence = sequence,
		.sink = sink,
		.context = context,
	};
	return writer->buffer ? 0 : -ENOMEM;
}

static int close_batch(struct batch_writer *writer, uint32_t flags)
{
	struct batch_header header = {
		.magic = BATCH_MAGIC,
		.size = (uint32_t)(writer->used - sizeof(header)),
		.sequence = writer->sequence++,
		.flags = flags,
	};
	size_t size = writer->used;

	header.checksum = batch_checksum(header, writer->buffer + sizeof(header));
	memcpy(writer->buffer, &header, sizeof(header));
	writer->used = sizeof(header);
	return writer->sink(writer->context, writer->buffer, size);
}

int batch_writer_entry(void *context, enum table table, const void *key, size_t key_size,
		       const void *value, size_t value_size)
{
	struct batch_writer *writer = context;
	struct entry_header header = {
		.table = (uint16_t)table,
		.value_size = (uint16_t)value_size,
		.key_size = (uint32_t)key_size,
	};

	memcpy(writer->buffer + writer->used, &header, sizeof(header));
	writer->used += sizeof(header);
	memcpy(writer->buffer + writer->used, key, key_size);
	writer->used += key_size;
	memcpy(writer->buffer + writer->used, value, value_size);
	writer->used += value_size;
	/* One more entry of the largest size always fits behind BATCH_FILL. */
	_Static_assert(BATCH_FILL + sizeof(header) + KEY_SIZE_LIMIT + UINT16_MAX / 4 <=
			       BATCH_SIZE_LIMIT,
		       "room for one more entry");
	return writer->used >= BATCH_FILL ? close_batch(writer, 0) : 0;
}

int batch_writer_finish(struct batch_writer *writer)
{
	return close_batch(writer, BATCH_ENDS_COMMIT);
}

void batch_writer_free(struct batch_writer *writer)
{
	free(writer->buffer);
	writer->buffer = NULL;
}

/* Whether a good batch of a later commit lies anywhere after: then the bytes before are not an end
 * that was cut short. */
static bool later_batch(const unsigned char *bytes, size_t size, uint64_t sequence)
{
	/* Looking costs at most a few passes over the bytes, whatever a hostile file holds. */
	size_t budget = 4 * size + BATCH_SIZE_LIMIT;

	for (size_t at = 0; at + sizeof(struct batch_header) <= size; at++) {
		struct batch_header header;

		memcpy(&header, bytes + at, sizeof(header));
		if (header.magic != BATCH_MAGIC || header.sequence < sequence ||
		    header.size > size - at - sizeof(header))
			continue;
		if (header.size > budget)
			return false;
		budget -= header.size;
		if (batch_is_good(bytes + at, size - at, &header))
			return true;
	}
	return false;
}

/* The whole commits from the start on: their end, and the sequence number that comes next. */
static int find_good(const char *origin, const unsigned char *bytes, size_t size, size_t *ret_good,
		     struct error *error)
{
	size_t at = sizeof(struct journal_header);
	size_t good = at;
	struct batch_header header;
	uint64_t sequence = 0;

	while (batch_is_good(bytes + at, size - at, &header) && header.sequence == sequence) {
		at += sizeof(header) + header.size;
		sequence++;
		if (header.flags & BATCH_ENDS_COMMIT)
			good = at;
	}
	if (at < size && later_batch(bytes + at, size - at, sequence))
		return error_set(
			error, EINVAL,
			"%s: damaged at byte %zu, with good entries behind it; restore the "
			"file from a copy, or remove it and learn anew",
			origin, at);
	*ret_good = good;
	return 0;
}

static int load_batch(const char *origin, const unsigned char *bytes, size_t at,
		      const struct batch_header *batch, struct state *state, struct error *error)
{
	size_t end = at + sizeof(*batch) + batch->size;

	at += sizeof(*batch);
	while (at < end) {
		struct entry_header header;
		size_t start = at;
		int result = -EINVAL;

		if (end - at >= sizeof(header)) {
			memcpy(&header, bytes + at, sizeof(header));
			at += sizeof(header);
			if (header.key_size <= end - at &&
			    header.value_size <= end - at - header.key_size) {
				result =
					state_load(state, header.table, bytes + at, header.key_size,
						   bytes + at + header.key_size, header.value_size);
				at += header.key_size + header.value_size;
			}
		}
		if (result == -ENOMEM)
			return error_set(error, ENOMEM, "%s: out of memory", origin);
		if (result < 0)
			return error_set(error, EINVAL,
					 "%s: the entry at byte %zu is none of ours; remove the "
					 "file and learn anew",
					 origin, start);
	}
	return 0;
}

int journal_replay(const char *origin, const void *bytes, size_t size, struct state *state,
		   size_t *ret_good, struct error *error)
{
	struct journal_header ours = journal_header_make();
	struct journal_header header = {0};
	size_t good = 0;
	int result;

	memcpy(&header, bytes, size < sizeof(header) ? size : sizeof(header));
	if (memcmp(header.magic, ours.magic, size < sizeof(ours.magic) ? size : sizeof(ours.magic)))
		return error_set(error, EINVAL, "%s: not a journal of rtguard; name another file",
				 origin);
	if (size < sizeof(header)) {
		*ret_good = 0;
		return 0;
	}
	if (header.version != ours.version || header.tables != ours.tables ||
	    header.checksum != ours.checksum)
		return error_set(error, EINVAL,
				 "%s: a journal of another version of rtguard (or its first bytes "
				 "are damaged); finish it with that version, or remove it",
				 origin);
	result = find_good(origin, bytes, size, &good, error);
	if (result < 0)
		return result;
	for (size_t at = sizeof(header); at < good;) {
		struct batch_header batch;

		memcpy(&batch, (const unsigned char *)bytes + at, sizeof(batch));
		result = load_batch(origin, bytes, at, &batch, state, error);
		if (result < 0)
			return result;
		at += sizeof(batch) + batch.size;
	}
	*ret_good = good;
	return 0;
}
