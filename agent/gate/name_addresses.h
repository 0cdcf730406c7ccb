/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GATE_NAME_ADDRESSES_H
#define GATE_NAME_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/error.h"

/*
 * Which addresses names have at the moment and for how long: the truth of which the kernel's sets
 * are a copy. Times are CLOCK_BOOTTIME. An entry from before (the state file, the profile's
 * evidence) is `remembered`: it is renewed until the first answer for its name has come, so that a
 * device comes up while DNS is down.
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
#define NAME_TTL_MOST	     (7 * 86400u) /* of an answer; RFC 8767 section 4 has the same week */
#define NAME_ADDRESSES_LIMIT 65536	  /* addresses of all names */

int name_addresses_new(const struct name_times *times, struct name_addresses **ret_names);
void name_addresses_free(struct name_addresses *names);

/* An answer's address. Returns the seconds for which it now holds (at least 1), or -ENOMEM. */
int name_addresses_answered(struct name_addresses *names, const char *name,
			    const struct ip_address *address, uint32_t ttl_s, uint64_t now_ns);

/* From an earlier run. Returns 0 (also when the name has been answered for already) or -ENOMEM. */
int name_addresses_remember(struct name_addresses *names, const char *name,
			    const struct ip_address *address, uint64_t now_ns);

/* Calls back for each that is valid, with what is left of it in seconds (at least 1). */
typedef void (*name_address_fn)(void *context, const char *name, const struct ip_address *address,
				uint32_t left_s);
void name_addresses_each(struct name_addresses *names, uint64_t now_ns, name_address_fn each,
			 void *context);

/* Drops what is over; renews what is remembered and not answered for yet, calling back for each of
 * those. To be called at the time that the last call returned (0: nothing waits). */
uint64_t name_addresses_tick(struct name_addresses *names, uint64_t now_ns, name_address_fn renewed,
			     void *context);

size_t name_addresses_count(const struct name_addresses *names);

/* The state file: lines "NAME ADDRESS", sorted, written beside and renamed, mode 0600. Names are
 * what was answered last for each, valid or not. A file that is damaged loses the lines that are
 * (ret_damaged lines), one that is missing is empty. Errors of files name the place. */
int name_addresses_save(const struct name_addresses *names, const char *path, struct error *error);
int name_addresses_load(struct name_addresses *names, const char *path, uint64_t now_ns,
			size_t *ret_damaged, struct error *error);

#endif
