/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LEARN_STATE_H
#define LEARN_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "learn/key.h"

/*
 * What is known so far: tables of distinct behaviour, each entry with how often and when. A table
 * maps a key (key.h) to a plain structure without pointers, so that the journal can write any entry
 * without knowing what it means. Tables are bounded in entries and in bytes; the entry that was
 * seen longest ago makes room and is counted.
 */
enum table {
	TABLE_PROGRAMS,	  /* path, checksum */
	TABLE_USERS,	  /* path, checksum, user */
	TABLE_PARENTS,	  /* path, checksum, parent's path */
	TABLE_ARGUMENTS,  /* path, checksum, vector */
	TABLE_UNREADABLE, /* path, why there is no checksum */
	TABLE_SCRIPTS,	  /* path, checksum, interpreter */
	TABLE_LIBRARIES,  /* path, checksum */
	TABLE_READS, /* program's path, path of a file, or of a directory with its final slash */
	TABLE_LISTENERS, /* station, protocol, dual stack, port, address, program */
	TABLE_SERVICES,	 /* station, protocol, family, port: answered, as packets show it */
	TABLE_CONTACTS,	 /* station, protocol, port or type, local port, flags, address, name,
			    program */
	TABLE_UNNAMED,	 /* station, protocol, port: how many contacts without a name */
	TABLE_NAMES,	 /* station, name */
	TABLE_ADDRESSES, /* station, name, address that an answer gave for it */
	TABLE_ROLES,	 /* station, address, role */
	TABLE_CYCLES,	 /* start, boot id */
	TABLE_COUNTERS,	 /* which */
	TABLE_CURVES,	 /* class of novelty */
	TABLE_SAMPLES,	 /* nothing: one entry */
	TABLE_COUNT,
};

/* Every value begins with this. Times are nanoseconds since 1970. */
struct seen {
	uint64_t count;
	uint64_t first_ns;
	uint64_t last_ns;
};

struct program_value {
	struct seen seen;
	uint32_t arguments;	       /* vectors in TABLE_ARGUMENTS */
	uint32_t arguments_unknown;    /* runs whose arguments could not be read */
	uint64_t arguments_not_listed; /* runs with a vector beyond PROGRAM_ARGUMENT_LIMIT */
	uint8_t phase;		       /* enum profile_phase */
	uint8_t pins_arguments;
	uint8_t reads_watched; /* was seen to start while all that it opened was told */
	uint8_t reserved[5];
};
#define PROGRAM_ARGUMENT_LIMIT 1024

struct read_value {
	struct seen seen;
	uint32_t files;	  /* of a directory: rows of files right in it */
	uint8_t is_whole; /* a directory that stands for the files right in it */
	uint8_t has_new;  /* because some of them came while learning */
	uint8_t reserved[2];
};

struct listener_value {
	struct seen seen;
};

struct service_value {
	struct seen seen;
	uint64_t samples; /* as of a contact */
	uint8_t peer[17]; /* family and address of one that was answered */
	uint8_t has_more_peers;
	uint8_t reserved[6];
};

struct contact_value {
	struct seen seen;
	uint64_t samples; /* bit i: seen in sample i of struct samples_value */
	uint32_t ttl_min_s;
	uint32_t ttl_max_s;
	uint8_t name_sources; /* one bit for each enum name_source */
	uint8_t reserved[7];
};
#define CONTACT_ASKED	       1 /* the peer asked the local port: an answer, to whatever port */
#define CONTACT_SAME_PORT      2 /* local and remote port are the same */
#define CONTACT_LINK_BROADCAST 4
#define CONTACT_ANNOUNCES      8 /* SSDP NOTIFY */

struct unnamed_value {
	struct seen seen;
	uint32_t contacts;
	uint32_t reserved;
	uint64_t not_listed; /* sightings of contacts beyond UNNAMED_CONTACT_LIMIT */
};
#define UNNAMED_CONTACT_LIMIT 1024

struct name_value {
	struct seen seen;
	uint32_t addresses;
	uint32_t not_listed; /* answers with an address beyond NAME_ADDRESS_LIMIT */
};
#define NAME_ADDRESS_LIMIT 64

struct address_value {
	struct seen seen;
	uint32_t ttl_min_s;
	uint32_t ttl_max_s;
};

struct cycle_value {
	struct seen seen;    /* last_ns: when it was last known to go on */
	uint64_t elapsed_ns; /* by CLOCK_BOOTTIME, or the packets' own time */
};

/* Counters that start anew with each capture: done is the sum of those that are over. */
struct counter_value {
	struct seen seen;
	uint64_t now[6];
	uint64_t done[6];
};

/* Distinct entries over time: point i is how many there were when (i + 1) * resolution_ns had
 * passed, 0: nothing new in that while. When the points are used up every second one goes. */
#define CURVE_POINTS 64
struct curve_value {
	struct seen seen;
	uint64_t resolution_ns;
	uint32_t points[CURVE_POINTS];
};

/* A sample is a cycle or a recording, or an hour of it where it is longer, in which something was
 * seen. When there are more than fit, windows double and neighbours fall together. */
#define SAMPLE_LIMIT 64
struct samples_value {
	struct seen seen;
	uint32_t level; /* windows have doubled so often */
	uint32_t count;
	uint32_t segment; /* cycle, or recording */
	uint32_t reserved;
	uint64_t segment_start_ns;	/* 0: nothing seen in it yet */
	uint64_t windows[SAMPLE_LIMIT]; /* segment and number of its window, at this level */
};

struct table_definition {
	const char *name;
	const char *shape; /* of the key */
	uint32_t value_size;
	uint32_t entry_limit;
	uint32_t byte_limit; /* of all keys and values */
};

extern const struct table_definition state_tables[TABLE_COUNT];

struct state;

/* Returns 0 or -ENOMEM. */
int state_new(struct state **ret_state);
void state_free(struct state *state);

/* The value, or NULL. Does not count as seen. */
void *state_find(struct state *state, enum table table, const struct key *key);

/* The value, made and zeroed if it was not there; marked as changed. NULL when memory is out or the
 * key overflowed: counted as lost. */
void *state_take(struct state *state, enum table table, const struct key *key, bool *ret_is_new);

/* state_take() for something seen at time_ns: counted, first and last kept. */
void *state_note(struct state *state, enum table table, const struct key *key, uint64_t time_ns,
		 bool *ret_is_new);

/* Marks a value of the table as changed. */
void state_changed(struct state *state, enum table table, void *value);

/* Walks a table: start with NULL, end with NULL. */
void *state_next(const struct state *state, enum table table, const void *value);
struct key_reader state_key(const void *value);

size_t state_count(const struct state *state, enum table table);

/* Entries that had to make room, and those that found none. */
uint64_t state_evicted(const struct state *state, enum table table);
void state_set_evicted(struct state *state, enum table table, uint64_t evicted);

/* For the journal: what changed since state_settle(), in the order of the last change. Returning
 * non-zero from the callback ends the walk with that value. */
typedef int (*state_entry_fn)(void *context, enum table table, const void *key, size_t key_size,
			      const void *value, size_t value_size);
int state_each(const struct state *state, bool changed_only, state_entry_fn callback,
	       void *context);
void state_settle(struct state *state);
bool state_has_changes(const struct state *state);
uint64_t state_bytes(const struct state *state); /* keys and values of all entries */

/* An entry as it was written, replacing the one under the same key. -EINVAL if it does not fit its
 * table's definition; the entry counts as unchanged. */
int state_load(struct state *state, unsigned int table, const void *key, size_t key_size,
	       const void *value, size_t value_size);

#endif
