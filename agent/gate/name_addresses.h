/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_NAME_ADDRESSES_H
#define GATE_NAME_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/address.h"
#include "base/error.h"

/*
 * Which addresses names have at the moment and for how long: the truth of which the kernel's sets
 * are a copy. Times are CLOCK_BOOTTIME. An entry from before (the state file, the profile's
 * evidence) is `remembered`: it is renewed until the first answer for its name has come, so that a
 * device comes up while DNS is down. What a name was answered last is kept for the state file even
 * when it is over.
 *
 * Names are lower case without a final dot. One address may belong to several names, each with its
 * own time: a set's member that several of them make has to last as long as the longest.
 */
struct name_addresses;

struct name_times {
	uint32_t floor_s;      /* an answer counts at least this long */
	uint32_t grace_s;      /* and this longer than it says: clients connect late */
	uint32_t remembered_s; /* what a remembered address gets each time */
};

#define NAME_TIMES_DEFAULT                                                                         \
	{                                                                                          \
		.floor_s = 60, .grace_s = 60, .remembered_s = 3600                                 \
	}
#define NAME_TTL_MOST (7 * 86400u) /* of an answer; RFC 8767 section 4 has the same week */

/* Bounds: at the first one that name's oldest address makes room, at the second one the oldest of
 * the name that was answered longest ago. What makes room stays in the kernel's sets until its time
 * there is over. */
#define NAME_ADDRESSES_OF_ONE                                                                      \
	512 /* a pool that changes with each answer, for as long as those hold */
#define NAME_ADDRESSES_LIMIT 65536 /* addresses of all names */

/* Times over NAME_TTL_MOST count as that. */
int name_addresses_new(const struct name_times *times, struct name_addresses **ret_names);
void name_addresses_free(struct name_addresses *names);

/* An answer's address. Returns the seconds for which it now holds (at least 1; never less than an
 * earlier answer gave it), or -ENOMEM. */
int name_addresses_answered(struct name_addresses *names, const char *name,
			    const struct ip_address *address, uint32_t ttl_s, uint64_t now_ns);

/* From an earlier run. Returns 0 (also when the name has been answered for already, or there is no
 * room) or -ENOMEM. */
int name_addresses_remember(struct name_addresses *names, const char *name,
			    const struct ip_address *address, uint64_t now_ns);

/* Calls back for each that is valid, with what is left of it in seconds (at least 1). None of the
 * callbacks may change the table. */
typedef void (*name_address_fn)(void *context, const char *name, const struct ip_address *address,
				uint32_t left_s);
void name_addresses_each(const struct name_addresses *names, uint64_t now_ns, name_address_fn each,
			 void *context);

/* Drops what is over; renews what is remembered and not answered for yet, well before it is over,
 * calling back for each of those. To be called at the time that the last call returned (0: nothing
 * waits), or any other. What was added since may be due earlier: whoever sets a timer asks again
 * after adding. Costs nothing while nothing is due. */
uint64_t name_addresses_tick(struct name_addresses *names, uint64_t now_ns, name_address_fn renewed,
			     void *context);

/* How many are valid, as of the last tick. */
size_t name_addresses_count(const struct name_addresses *names);

/* Calls back for each that is valid (left_s 1), and for those that a name was answered last and
 * that are over (left_s 0). */
void name_addresses_each_kept(const struct name_addresses *names, name_address_fn each,
			      void *context);

/* The state file: lines "NAME ADDRESS", sorted, written beside and renamed, mode 0600; '#' begins a
 * comment. It has what is valid and what each name was answered last. Waits for the disk. Errors
 * name the place. */
int name_addresses_save(const struct name_addresses *names, const char *path, struct error *error);

/* The same in a child of the caller's, for those who must not wait for a disk: returns its pid, to
 * be waited for (exit status 0, or a positive errno), or negative errno. */
pid_t name_addresses_save_aside(const struct name_addresses *names, const char *path);

/* A file that is damaged loses the lines that are (ret_damaged lines), one that is missing is
 * empty. Addresses that no other host can have (loopback, multicast, …) are damage. */
int name_addresses_load(struct name_addresses *names, const char *path, uint64_t now_ns,
			size_t *ret_damaged, struct error *error);

/* The same from a file's bytes. Returns 0 or -ENOMEM. */
int name_addresses_parse(struct name_addresses *names, const char *bytes, size_t size,
			 uint64_t now_ns, size_t *ret_damaged);

#endif
