/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LEARN_GENERALISE_H
#define LEARN_GENERALISE_H

#include <stdbool.h>
#include <stddef.h>

#include "learn/contacts.h"
#include "learn/program_set.h"
#include "profiles/profile.h"

/*
 * The strategy: from what a station was seen to contact to entries that hold tomorrow as well.
 * docs/learning.md says why; the numbers are in generalise.c. The result does not depend on the
 * order in which contacts were seen, nor on whose they are: programs are told to entries, entries
 * are not made for programs.
 */

/* UDP ports on which the station answers (bit set of 65536), as sockets or packets have shown; the
 * strategy adds those that follow from what it sent. */
struct port_set {
	uint8_t bits[65536 / 8];
};
bool port_set_has(const struct port_set *set, uint16_t port);
void port_set_add(struct port_set *set, uint16_t port);

/* An entry in the making. Compared as bytes: all padding is zero. */
struct draft_key {
	uint8_t protocol;
	uint8_t peer_kind; /* enum profile_peer_kind */
	uint8_t role;	   /* enum profile_role */
	uint8_t port_kind; /* enum profile_port_kind */
	uint16_t port;
	uint16_t local_port;
	uint8_t icmp_type;
	uint8_t prefix_length;
	struct ip_address address;
	char name[NAME_SIZE];
};

struct draft {
	struct draft_key key;
	/* Those that need it whether they were seen to use it or not; for who was, draft_covers()
	 * tells. */
	struct program_set programs;
	/* the numbers that opened a class; zero: it is not one */
	uint32_t distinct;
	uint32_t seen_once; /* in one sample */
	uint32_t samples;
};

struct drafts {
	struct draft *items; /* sorted */
	size_t count;
};

/* What else is known of the ports on which a station answers by UDP. */
struct answering {
	bool derive; /* packets are all there is to tell listeners from clients; else sockets were
			watched and are the truth */
	struct program_set seen; /* programs of ports that packets showed to answer */
};

/* answers: in and out. Returns 0 or -ENOMEM. */
int generalise(const struct contacts *contacts, const struct answering *answering,
	       struct port_set *answers, struct drafts *ret_drafts);
void drafts_free(struct drafts *drafts);

/* Whether an entry covers what was seen. */
bool draft_covers(const struct draft_key *draft, const struct contact *contact);

/* Whether a contact is no connection of the station's own but the effect of a listener. */
bool contact_is_answer(const struct contact *contact, const struct port_set *answers);

#endif
