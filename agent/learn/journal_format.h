/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LEARN_JOURNAL_FORMAT_H
#define LEARN_JOURNAL_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "learn/state.h"

/*
 * Bytes of a journal: a header, then batches. A batch holds entries and is checked as a whole; the
 * last batch of a commit says so. Numbers are in this machine's order: a journal does not travel.
 */
#define JOURNAL_MAGIC	"rtguard journal"
#define JOURNAL_VERSION 2u

struct journal_header {
	char magic[16];
	uint32_t version;
	uint32_t tables; /* checksum of the tables' definitions, and of the byte order with it */
	int32_t pid;	 /* who wrote it last, for messages only: not covered by the checksum */
	uint32_t checksum;
};

#define BATCH_MAGIC	 UINT32_C(0x62474a52)
#define BATCH_SIZE_LIMIT (128u * 1024)
#define BATCH_FILL	 (64u * 1024) /* a batch is closed when it has grown to this */

enum batch_flag { BATCH_ENDS_COMMIT = 1 };

struct batch_header {
	uint32_t magic;
	uint32_t size; /* of the entries that follow */
	uint64_t sequence;
	uint32_t flags;
	uint32_t checksum; /* of this header with 0 here, and the entries */
};

struct entry_header {
	uint16_t table;
	uint16_t value_size;
	uint32_t key_size;
};

struct journal_header journal_header_make(void);

/* Whether a whole and true batch starts here. */
bool batch_is_good(const unsigned char *bytes, size_t size, struct batch_header *ret_header);

/* Writes batches with entries. */
typedef int (*batch_sink_fn)(void *context, const void *bytes, size_t size);
struct batch_writer {
	unsigned char *buffer; /* BATCH_SIZE_LIMIT, header included */
	size_t used;
	uint64_t sequence; /* of the next batch */
	batch_sink_fn sink;
	void *context;
};

/* -ENOMEM, or what the sink said. */
int batch_writer_start(struct batch_writer *writer, uint64_t sequence, batch_sink_fn sink,
		       void *context);
int batch_writer_entry(void *writer, enum table table, const void *key, size_t key_size,
		       const void *value, size_t value_size); /* a state_entry_fn */
int batch_writer_finish(struct batch_writer *writer);	      /* ends the commit */
void batch_writer_free(struct batch_writer *writer);

#endif
