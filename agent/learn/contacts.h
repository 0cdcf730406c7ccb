/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LEARN_CONTACTS_H
#define LEARN_CONTACTS_H

#include <stddef.h>

#include "learn/domain.h"
#include "learn/state.h"
#include "profiles/profile.h"

/* What a station was seen to contact, ready for generalising: places, names and owners settled. */
struct contact {
	const struct contact_value *value; /* in the state, which must not change meanwhile */
	uint32_t program;		   /* index into contacts.programs */
	uint8_t protocol;
	uint8_t flags;		   /* CONTACT_* */
	uint16_t port;		   /* or ICMP type; 0 for CONTACT_ASKED */
	uint16_t local_port;	   /* 0: by chance, or not kept; the asked one for CONTACT_ASKED */
	enum profile_role place;   /* ROLE_LAN, ROLE_MULTICAST, ROLE_BROADCAST, ROLE_INTERNET */
	uint8_t roles;		   /* one bit for each enum peer_role the address has played */
	struct ip_address address; /* family 0 for a public peer with a name */
	char *name;		   /* NULL: none */
	char *pattern;		   /* the name with its numbers as '#' */
	char *domain;		   /* registrable and of one owner, or NULL */
};

struct contacts {
	struct contact *items; /* sorted by protocol, port, name, address */
	size_t count;
	size_t capacity;
	char **programs; /* [0] is NULL: not known */
	size_t program_count;
	size_t program_capacity;
};

/* Returns 0 or -ENOMEM. */
int contacts_load(struct state *state, const struct mac_address *station,
		  const struct domains *domains, struct contacts *ret_contacts);

/* The station's port: 0 if it is by chance, or not kept. */
uint16_t contact_own_port(const struct contact *contact);

bool contact_is_resolver(const struct contact *contact);

/* The index of a program, added if need be; NULL: not known. Returns 0 or -ENOMEM. */
int contacts_find_program(struct contacts *contacts, const char *program, uint32_t *ret_index);

void contacts_free(struct contacts *contacts);

#endif
